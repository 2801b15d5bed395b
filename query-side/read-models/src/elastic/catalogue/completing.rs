//! How what is being typed may go on.

use elasticsearch::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ElasticCatalogue,
    fields::{beginnings, keys},
    searching::{Hits, Shown},
};
use crate::{
    catalogue::{Completions, SearchError, embedded::Highlighter, wording::hangul::is_letter},
    documents::Generation,
    elastic::Request,
};

/// Nobody types more words than this before they look.
const MOST_WORDS: usize = 12;
/// Of what was typed so many keys say all.
const LONGEST: usize = 64;
/// Of so many categories that hold such products, those are shown that begin so themselves.
const CATEGORIES: usize = 200;

#[derive(Deserialize)]
struct Completed {
    hits: Hits,
    aggregations: Global,
}

#[derive(Deserialize)]
struct Global {
    all: Beginning,
}

#[derive(Deserialize)]
struct Beginning {
    begun: Values,
}

#[derive(Deserialize)]
struct Values {
    values: Buckets,
}

#[derive(Deserialize)]
struct Buckets {
    buckets: Vec<Bucket>,
}

#[derive(Deserialize)]
struct Bucket {
    key: String,
}

pub(super) async fn complete(
    catalogue: &ElasticCatalogue,
    generation: Generation,
    typed: &str,
    size: usize,
) -> Result<Completions, SearchError> {
    let begun: String = keys(typed).chars().take(LONGEST).collect();
    let words: Vec<Value> = typed
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(MOST_WORDS)
        .map(word)
        .collect();
    if words.is_empty() {
        return Ok(Completions::default());
    }
    let begins = json!({ "prefix": { "category_beginning": begun } });
    let categories = json!({ "terms": { "field": "in_category", "size": CATEGORIES } });
    let body = json!({
        "query": { "bool": { "filter": words } },
        "size": size,
        // What can be bought first, then what is bought most, then what is newest.
        "sort": [{ "in_stock": "desc" }, { "popularity": "desc" }, { "listed_at": "desc" }, { "key": "desc" }],
        "_source": Shown::FIELDS,
        "track_total_hits": true,
        // Categories are looked up beside the products, not among those found.
        "aggs": { "all": { "global": {}, "aggs": {
            "begun": { "filter": begins, "aggs": { "values": categories } },
        } } },
    });
    let path = format!("{}/_search", catalogue.node.index(generation));
    let found: Completed = catalogue
        .node
        .call(Request::new(Method::Post, path).json(&body))
        .await?;
    let paths = found
        .aggregations
        .all
        .begun
        .values
        .buckets
        .into_iter()
        .map(|bucket| bucket.key);
    let unmarked = Highlighter::of(&[]);
    let hits = found.hits.hits.into_iter();
    Ok(Completions {
        products: hits.map(|hit| hit.source.document.hit(&unmarked)).collect(),
        categories: paths
            .filter(|path| beginnings(path.rsplit('/').next().unwrap_or_default()).any(|name| name.starts_with(&begun)))
            .take(size)
            .collect(),
    })
}

/// Products with a word in their title that begins so: key by key (컾 begins 커피), or by the first letters of its syllables
/// (ㅋㅍ).
fn word(typed: &str) -> Value {
    let begins = json!({ "match": { "typing": keys(typed) } });
    if !typed.chars().all(is_letter) {
        return begins;
    }
    json!({ "bool": { "should": [begins, { "match": { "initials": typed } }] } })
}
