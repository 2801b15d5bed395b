//! Words that nobody wrote, and those that were meant.

use std::{cmp::Reverse, collections::BTreeMap};

use elasticsearch::http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ElasticCatalogue, fields::keys, question};
use crate::{
    catalogue::{SearchError, Spelling, wording::hangul::compose},
    documents::Generation,
    elastic::Request,
};

/// More words than this are not looked up.
const MOST_WORDS: usize = 24;
/// So many words near a misspelt one are compared.
const CANDIDATES: usize = 20;
/// Shorter words, in letters, are not corrected: too many others are near.
const SHORTEST: usize = 4;
/// From this many letters on, two slips are looked through.
const LONG: usize = 8;
/// Longer ones are no words.
const LONGEST: usize = 48;

#[derive(Deserialize)]
struct Answer {
    aggregations: Known,
    #[serde(default)]
    suggest: BTreeMap<String, Vec<Suggested>>,
}

#[derive(Deserialize)]
struct Known {
    known: Counts,
}

#[derive(Deserialize)]
struct Counts {
    buckets: BTreeMap<String, Count>,
}

#[derive(Deserialize)]
struct Count {
    doc_count: u64,
}

#[derive(Deserialize)]
struct Suggested {
    options: Vec<Candidate>,
}

/// A word that some product has.
#[derive(Deserialize)]
struct Candidate {
    text: String,
    freq: u64,
}

pub(super) async fn spellings(
    catalogue: &ElasticCatalogue,
    generation: Generation,
    words: &[String],
) -> Result<Vec<Spelling>, SearchError> {
    if words.is_empty() {
        return Ok(vec![]);
    }
    let (mut known, mut suggest) = (Map::new(), Map::new());
    for (at, word) in words.iter().enumerate().take(MOST_WORDS) {
        let names = question::name(word, catalogue.korean).unwrap_or_else(|| json!({ "match_none": {} }));
        known.insert(at.to_string(), names);
        suggest.extend(near(word).map(|near| (at.to_string(), near)));
    }
    let body = json!({
        "size": 0,
        "aggs": { "known": { "filters": { "filters": known } } },
        "suggest": suggest,
    });
    let path = format!("{}/_search", catalogue.node.index(generation));
    let answer: Answer = catalogue
        .node
        .call(Request::new(Method::Post, path).json(&body))
        .await?;
    let spelling = |(at, word): (usize, &String)| {
        let at = at.to_string();
        let known = answer
            .aggregations
            .known
            .buckets
            .get(&at)
            .is_some_and(|count| count.doc_count > 0);
        let suggested = answer.suggest.get(&at).map_or(&[][..], Vec::as_slice);
        Spelling {
            known,
            suggestion: if known { None } else { meant(word, suggested) },
        }
    };
    Ok(words.iter().enumerate().map(spelling).collect())
}

/// How many keys may have been missed; none where the word is too short to say, or no word that anybody would correct.
fn edits(word: &str, keys: &str) -> Option<usize> {
    match keys.chars().count() {
        _ if !word.chars().all(char::is_alphabetic) => None,
        SHORTEST..LONG => Some(1),
        LONG..=LONGEST => Some(2),
        _ => None,
    }
}

/// The words near this one, as the node is asked for them.
fn near(word: &str) -> Option<Value> {
    let keys = keys(word);
    let edits = edits(word, &keys)?;
    Some(json!({ "text": keys, "term": {
        "field": "spelling",
        "suggest_mode": "always",
        "max_edits": edits,
        "prefix_length": 0,
        "min_word_length": SHORTEST,
        "size": CANDIDATES,
        "shard_size": CANDIDATES,
    } }))
}

/// The nearest, of the equally near the most frequent, as people write it.
fn meant(word: &str, suggested: &[Suggested]) -> Option<String> {
    // More than one, and it was no single word.
    let [Suggested { options }] = suggested else {
        return None;
    };
    let typed = keys(word);
    let best = options.iter().min_by_key(|candidate| {
        let distance = distance(&typed, &candidate.text);
        (distance, Reverse(candidate.freq), candidate.text.as_str())
    });
    best.map(|candidate| compose(&candidate.text))
}

/// Keys missed, added, mistaken or swapped.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    let mut before: Vec<usize> = vec![];
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let changed = row[j] + usize::from(a != b);
            let mut least = changed.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (one, other, edits) in [
            ("coffee", "coffee", 0),
            ("cofee", "coffee", 1),
            ("ocffee", "coffee", 1),
            ("mocamastr", "moccamaster", 2),
            ("", "abc", 3),
        ] {
            assert_eq!(distance(one, other), edits, "{one} {other}");
        }
    }

    #[test]
    fn short_words_and_numbers_are_never_corrected() {
        for (word, allowed) in [
            ("cup", None),
            ("coffe", Some(1)),
            ("espresso", Some(2)),
            ("x12345", None),
            ("텀불러", Some(2)),
        ] {
            assert_eq!(edits(word, &keys(word)), allowed, "{word}");
        }
    }
}
