//! What the customer typed, as a query. The node gets every character as text, never as a query language.

use serde_json::{Value, json};

use super::mapping::{K1, Korean, NAMES, TEXTS};
use crate::catalogue::{
    Word,
    embedded::{code, has_words},
    formula::{CODE, COMPOUND, KIND, MOST_WORDS, NEIGHBOURS, PAIR, SYNONYM},
    wording::{
        korean::{is_hangul, without_particle},
        words::in_one,
    },
};

/// Nor longer ones.
const LONGEST_WORD: usize = 64;
/// A synonym has at most so many words, and a word so many synonyms.
const MOST_SYNONYMS: usize = 8;

/// A compound typed in one word may be written in two: of three pairs of syllables, the one across the gap may be missing.
const PAIRS_NEEDED: &str = "-34%";

/// What is wanted, as queries.
pub(super) struct Question {
    /// One for each word; each may find something by itself.
    words: Vec<Value>,
    /// What decides between products that have the same words.
    tie_breaks: Vec<Value>,
}

impl Question {
    /// Reads what is wanted.
    pub(super) fn read(wanted: &[Word], korean: Korean) -> Self {
        let says = |word: &&Word| has_words(shortened(&word.typed)) || code(shortened(&word.typed)).is_some();
        let wanted: Vec<&Word> = wanted.iter().take(MOST_WORDS).filter(says).collect();
        let joined: Vec<String> = wanted
            .windows(2)
            .map(|pair| in_one_word(&[&pair[0].typed, &pair[1].typed]))
            .collect();
        let words = wanted.iter().enumerate().map(|(at, word)| {
            let with_others = [at.checked_sub(1), Some(at)].into_iter().flatten();
            let with_others = with_others.filter_map(|at| joined.get(at));
            meant(word, &with_others.map(String::as_str).collect::<Vec<_>>(), korean)
        });
        let neighbours = joined.iter().map(|joined| present("joined", joined, NEIGHBOURS));
        let last = wanted.last().map(|last| present("kinds", shortened(&last.typed), KIND));
        Self {
            words: words.collect(),
            tie_breaks: neighbours.chain(last).collect(),
        }
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
        let words = json!({ "bool": { "should": self.words, "minimum_should_match": needed } });
        json!({ "bool": { "must": words, "should": self.tie_breaks } })
    }
}

/// The beginning of what was typed.
fn shortened(typed: &str) -> &str {
    &typed[..typed.floor_char_boundary(LONGEST_WORD)]
}

/// The letters and digits of these, in one word.
fn in_one_word(typed: &[&str]) -> String {
    typed.iter().map(|typed| in_one(shortened(typed))).collect()
}

/// A word, what means the same, and how it may be written together with others or apart: whichever fits best.
fn meant(word: &Word, with_others: &[&str], korean: Korean) -> Value {
    let typed = shortened(&word.typed);
    let mut fitting = ways(typed, 1.0, korean);
    for synonym in word.synonyms.iter().take(MOST_SYNONYMS) {
        let parts = synonym.split_whitespace().take(MOST_SYNONYMS).map(shortened);
        let parts = parts
            .map(|part| ways(part, SYNONYM, korean))
            .filter(|ways| !ways.is_empty());
        fitting.extend(all(parts.map(any).collect()));
    }
    // "smartwatch" is found where "smart watch" stands, and with both words of "head set" a headset.
    fitting.push(present("joined", &in_one_word(&[typed]), COMPOUND));
    fitting.extend(with_others.iter().map(|joined| words(joined, &TEXTS, "", COMPOUND)));
    any(fitting)
}

/// What stood between two spaces; it may be several words to the analysers (`dv7-1211ea`), all of which must be there then.
fn ways(typed: &str, boost: f32, korean: Korean) -> Vec<Value> {
    let mut ways = vec![];
    if has_words(typed) {
        ways.extend(whole(typed, &TEXTS, boost, korean));
    }
    if typed.contains(is_hangul) {
        ways.extend(spellings(typed).map(|spelling| pairs(spelling, boost)));
    }
    ways.extend(code(typed).map(|code| exactly(&code, boost)));
    ways
}

fn exactly(code: &str, boost: f32) -> Value {
    json!({ "term": { "code": { "value": code, "boost": CODE * boost * PRESENT } } })
}

/// The same for a word of a title, a brand or a category, just as it is written there or inflected.
pub(super) fn name(typed: &str, korean: Korean) -> Option<Value> {
    let typed = shortened(typed);
    let mut ways = vec![];
    if has_words(typed) {
        ways.extend(whole(typed, &TEXTS[..NAMES], 1.0, korean));
    }
    ways.extend(code(typed).map(|code| exactly(&code, 1.0)));
    (!ways.is_empty()).then(|| any(ways))
}

/// The word as it stands, or inflected.
fn whole(typed: &str, texts: &[(&str, u8)], boost: f32, korean: Korean) -> Vec<Value> {
    let mut ways: Vec<Value> = spellings(typed)
        .map(|spelling| words(spelling, texts, "", boost))
        .collect();
    if korean == Korean::Nori && typed.contains(is_hangul) {
        ways.push(words(typed, texts, ".korean", boost));
    }
    ways
}

/// The word, and what is left of it without its particle.
fn spellings(typed: &str) -> impl Iterator<Item = &str> {
    let stem = without_particle(typed).filter(|_| typed.starts_with(is_hangul));
    [Some(typed), stem].into_iter().flatten()
}

/// All of them in one product.
fn all(mut parts: Vec<Value>) -> Option<Value> {
    match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(json!({ "bool": { "must": parts } })),
    }
}

/// The best of several ways: a word that is read in several ways still counts once.
fn any(mut ways: Vec<Value>) -> Value {
    match (ways.len(), ways.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            ways.extend(last);
            json!({ "dis_max": { "queries": ways } })
        }
    }
}

fn words(text: &str, texts: &[(&str, u8)], way: &str, boost: f32) -> Value {
    let fields: Vec<String> = texts
        .iter()
        .map(|(field, weight)| format!("{field}{way}^{weight}"))
        .collect();
    json!({ "combined_fields": { "query": text, "fields": fields, "operator": "and", "boost": boost } })
}

fn pairs(text: &str, boost: f32) -> Value {
    // Pairs are many already: they count once each, and the title's twice.
    let fields: Vec<String> = TEXTS
        .iter()
        .map(|(field, weight)| format!("{field}.pairs^{}", weight / 10 + 1))
        .collect();
    json!({ "combined_fields": {
        "query": text,
        "fields": fields,
        "minimum_should_match": PAIRS_NEEDED,
        "boost": PAIR * boost,
    } })
}

/// That a term is there, not how often.
fn present(field: &str, text: &str, boost: f32) -> Value {
    json!({ "match": { field: { "query": text, "boost": boost * PRESENT } } })
}

/// Where frequencies are not kept, a term is there once, which says 1 / (1 + k1) of all it could.
const PRESENT: f32 = 1.0 + K1;
