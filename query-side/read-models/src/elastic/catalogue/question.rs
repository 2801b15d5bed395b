//! What the customer typed, as a query. The node gets every character as text, never as a query language.

use serde_json::{Value, json};

use super::mapping::{Korean, NAMES, TEXTS};
use crate::catalogue::{
    Word,
    embedded::{code, has_words},
    wording::korean::{is_hangul, without_particle},
};

/// Nobody means more words than this; the rest is left out.
const MOST_WORDS: usize = 24;
/// Nor longer ones.
const LONGEST_WORD: usize = 64;
/// A synonym has at most so many words, and a word so many synonyms.
const MOST_SYNONYMS: usize = 8;
/// An exact code counts more than any word.
const CODE_BOOST: f32 = 4.0;
/// A pair of syllables says less than a word.
const PAIR_BOOST: f32 = 0.4;
/// A compound typed in one word may be written in two: of three pairs of syllables, the one across the gap may be missing.
const PAIRS_NEEDED: &str = "-34%";

/// Words as queries, each of which may find something by itself.
pub(super) struct Question {
    words: Vec<Value>,
}

impl Question {
    /// Reads what is wanted.
    pub(super) fn read(wanted: &[Word], korean: Korean) -> Self {
        let meant = wanted.iter().take(MOST_WORDS).filter_map(|word| meant(word, korean));
        Self { words: meant.collect() }
    }

    /// Nothing to look for: browse.
    pub(super) const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How many words were asked for.
    pub(super) const fn len(&self) -> usize {
        self.words.len()
    }

    /// Products with at least so many of the words.
    pub(super) fn with(&self, needed: usize) -> Value {
        if self.is_empty() {
            return json!({ "match_all": {} });
        }
        json!({ "bool": { "should": self.words, "minimum_should_match": needed } })
    }
}

/// A word, or what means the same; none where it is no word.
fn meant(word: &Word, korean: Korean) -> Option<Value> {
    let synonyms = word.synonyms.iter().take(MOST_SYNONYMS).filter_map(|synonym| {
        let parts = synonym
            .split_whitespace()
            .take(MOST_SYNONYMS)
            .filter_map(|part| one(part, korean));
        all(parts.collect())
    });
    let ways: Vec<Value> = one(&word.typed, korean).into_iter().chain(synonyms).collect();
    (!ways.is_empty()).then(|| any(ways))
}

/// All of them in one product.
fn all(mut parts: Vec<Value>) -> Option<Value> {
    match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(json!({ "bool": { "must": parts } })),
    }
}

/// What stood between two spaces; it may be several words to the analysers (`dv7-1211ea`), all of which must be there then.
fn one(typed: &str, korean: Korean) -> Option<Value> {
    let typed = &typed[..typed.floor_char_boundary(LONGEST_WORD)];
    let code = code(typed);
    if code.is_none() && !has_words(typed) {
        return None;
    }
    let mut ways = vec![whole(typed, &TEXTS, korean)];
    if typed.contains(is_hangul) {
        ways.push(any(spellings(typed).map(pairs).collect()));
    }
    if let Some(code) = code {
        ways.push(json!({ "term": { "code": { "value": code, "boost": CODE_BOOST } } }));
    }
    Some(json!({ "bool": { "should": ways } }))
}

/// The same for a word of a title, a brand or a category, just as it is written there or inflected.
pub(super) fn name(typed: &str, korean: Korean) -> Option<Value> {
    let typed = &typed[..typed.floor_char_boundary(LONGEST_WORD)];
    let mut ways = vec![];
    if has_words(typed) {
        ways.push(whole(typed, &TEXTS[..NAMES], korean));
    }
    ways.extend(code(typed).map(|code| json!({ "term": { "code": code } })));
    (!ways.is_empty()).then(|| any(ways))
}

/// The word as it stands, or inflected. Read in several ways it still counts once.
fn whole(typed: &str, texts: &[(&str, u8)], korean: Korean) -> Value {
    let mut ways: Vec<Value> = spellings(typed).map(|spelling| words(spelling, texts, "")).collect();
    if korean == Korean::Nori && typed.contains(is_hangul) {
        ways.push(words(typed, texts, ".korean"));
    }
    any(ways)
}

/// The word, and what is left of it without its particle.
fn spellings(typed: &str) -> impl Iterator<Item = &str> {
    let stem = without_particle(typed).filter(|_| typed.starts_with(is_hangul));
    [Some(typed), stem].into_iter().flatten()
}

/// The best of several ways.
fn any(mut ways: Vec<Value>) -> Value {
    match (ways.len(), ways.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            ways.extend(last);
            json!({ "dis_max": { "queries": ways } })
        }
    }
}

fn words(text: &str, texts: &[(&str, u8)], way: &str) -> Value {
    let fields: Vec<String> = texts
        .iter()
        .map(|(field, weight)| format!("{field}{way}^{weight}"))
        .collect();
    json!({ "combined_fields": { "query": text, "fields": fields, "operator": "and" } })
}

fn pairs(text: &str) -> Value {
    // Pairs are many already: they count once each, and the title's twice.
    let fields: Vec<String> = TEXTS
        .iter()
        .map(|(field, weight)| format!("{field}.pairs^{}", weight / 10 + 1))
        .collect();
    json!({ "combined_fields": {
        "query": text,
        "fields": fields,
        "minimum_should_match": PAIRS_NEEDED,
        "boost": PAIR_BOOST,
    } })
}
