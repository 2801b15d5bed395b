//! The catalogue's index as Elasticsearch is told to make it: explicit fields, explicit analysers.
//!
//! | analyser | from | terms |
//! |---|---|---|
//! | `words` | all texts | English stemmed, without stop words and accents; Korean words as they stand |
//! | `korean` | all texts, where the node has nori | Korean nouns and stems by dictionary, compounds taken apart, no particles |
//! | `joined` | neighbours in the title | two words in one, English stemmed |
//! | `pairs` | all texts | overlapping pairs of Hangul syllables: what the node's own `cjk` makes of Hangul |
//! | `beginnings` | the words of the title, key by key | every beginning of each word; `begun` is what was typed of it |
//! | `spaced` | words of titles, brands and categories, key by key | as they are, for corrections |
//!
//! Part numbers are brought into one spelling before they come here, by the same rule as in the embedded engine.

use serde_json::{Value, json};

/// Whether the node knows Korean words (the plugin `analysis-nori`), or only pairs of syllables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Korean {
    /// A dictionary: nouns without particles, compounds taken apart.
    Nori,
    /// Pairs of syllables find the same, with more that was not meant.
    Pairs,
}

/// Texts that are searched for words, and how much a word in each counts. The frequencies are added up before they saturate
/// (BM25F): a sum of scores per field would let a word that stands in many fields win over two words that stand in one.
pub(super) const TEXTS: [(&str, u8); 5] = [
    ("title", 12),
    ("brand", 4),
    ("category", 4),
    ("description", 3),
    ("attributes", 2),
];
/// How soon saying a word again adds nothing, in these weights.
pub(super) const K1: f32 = 2.0;
/// How much a long text dilutes its words, from 0 to 1. Product texts are short and long for good reasons: less than in prose.
const B: f32 = 0.45;
/// The first so many of them name the product.
pub(super) const NAMES: usize = 3;

/// Longer beginnings of words say no more.
const LONGEST_BEGINNING: usize = 40;
/// Longer values are no facets: nobody would choose one, and the node could not take much longer ones.
const LONGEST_VALUE: usize = 256;

/// Settings of the index.
pub(super) fn settings(korean: Korean) -> Value {
    let mut analysis = json!({
        "tokenizer": {
            // Cut where Hangul begins or ends: `LG전자` is two words, `10개입` too.
            "runs": { "type": "pattern", "pattern": "[가-힣]+|[\\p{L}\\p{N}&&[^가-힣]]+", "group": 0 },
            "pairs": { "type": "pattern", "pattern": "(?=([가-힣]{2}))", "group": 1 },
        },
        "filter": {
            "english_stop": { "type": "stop", "stopwords": "_english_" },
            "english_stem": { "type": "stemmer", "language": "english" },
            "beginning": { "type": "edge_ngram", "min_gram": 1, "max_gram": LONGEST_BEGINNING },
            "begun": { "type": "truncate", "length": LONGEST_BEGINNING },
            "short": { "type": "length", "max": 64 },
        },
        "analyzer": {
            "words": {
                "tokenizer": "runs",
                "filter": ["short", "lowercase", "asciifolding", "english_stop", "english_stem"],
            },
            "joined": { "tokenizer": "whitespace", "filter": ["short", "lowercase", "asciifolding", "english_stem"] },
            "pairs": { "tokenizer": "pairs" },
            "beginnings": { "tokenizer": "whitespace", "filter": ["lowercase", "asciifolding", "beginning"] },
            "begun": { "tokenizer": "whitespace", "filter": ["lowercase", "asciifolding", "begun"] },
            "spaced": { "tokenizer": "whitespace", "filter": ["short", "lowercase", "asciifolding"] },
        },
    });
    if korean == Korean::Nori {
        // A product's compounds are kept beside their parts; what is asked for is taken apart, so that either finds the other.
        for (name, compounds) in [("korean", "mixed"), ("korean_asked", "discard")] {
            analysis["tokenizer"][name] = json!({ "type": "nori_tokenizer", "decompound_mode": compounds });
            analysis["analyzer"][name] = json!({ "tokenizer": name, "filter": ["nori_part_of_speech", "lowercase"] });
        }
    }
    json!({
        "number_of_shards": 1,
        "similarity": { "default": { "type": "BM25", "k1": K1, "b": B } },
        "analysis": analysis,
    })
}

/// The fields, by name.
pub(super) fn fields(korean: Korean) -> Value {
    let mut fields = json!({
        "code": { "type": "keyword" },
        "in_category": { "type": "keyword", "ignore_above": LONGEST_VALUE },
        "category_beginning": { "type": "keyword", "ignore_above": LONGEST_VALUE },
        "of_brand": { "type": "keyword", "ignore_above": LONGEST_VALUE },
        "attribute_name": { "type": "keyword" },
        "attribute_value": { "type": "keyword", "ignore_above": LONGEST_VALUE },
        "price": { "type": "long" },
        "price_from": { "type": "long" },
        "in_stock": { "type": "boolean" },
        "listed_at": { "type": "long" },
        "popularity": { "type": "long" },
        "kinds": presence("words"),
        "joined": presence("joined"),
        "typing": beginnings(),
        "initials": beginnings(),
        "spelling": presence("spaced"),
    });
    for (text, _) in TEXTS {
        let mut ways = json!({ "pairs": { "type": "text", "analyzer": "pairs" } });
        if korean == Korean::Nori {
            ways["korean"] = json!({ "type": "text", "analyzer": "korean", "search_analyzer": "korean_asked" });
        }
        fields[text] = json!({ "type": "text", "analyzer": "words", "fields": ways });
    }
    fields
}

/// Words of which only counts that they are there.
fn presence(analyser: &str) -> Value {
    json!({ "type": "text", "analyzer": analyser, "norms": false, "index_options": "docs" })
}

/// Words by their beginnings.
fn beginnings() -> Value {
    let mut field = presence("beginnings");
    field["search_analyzer"] = json!("begun");
    field
}
