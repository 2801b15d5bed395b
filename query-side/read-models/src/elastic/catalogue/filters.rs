//! Filters, and the facets that each ignore their own.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fields::is_facet;
use crate::catalogue::{
    AttributeFacet, FacetCount, Facets, Filters, PriceRange,
    embedded::{SEPARATOR, attribute_term, price_range},
};

/// Values shown of each facet.
const VALUES: usize = 20;
/// Attributes shown as facets.
const ATTRIBUTES: usize = 8;

/// What a filter is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum About {
    Category,
    Brand,
    Price,
    Stock,
    Attribute(String),
}

/// The filters of a search, as the node takes them.
pub(super) struct Clauses(Vec<(About, Value)>);

impl Clauses {
    /// Of these filters.
    pub(super) fn of(filters: &Filters) -> Self {
        let mut clauses = vec![];
        if let Some(path) = &filters.category {
            clauses.push((
                About::Category,
                json!({ "term": { "in_category": path.trim_matches('/') } }),
            ));
        }
        if !filters.brands.is_empty() {
            clauses.push((About::Brand, json!({ "terms": { "of_brand": filters.brands } })));
        }
        if filters.min_price.is_some() || filters.max_price.is_some() {
            let mut bounds = Map::new();
            bounds.extend(filters.min_price.map(|least| ("gte".to_owned(), json!(least))));
            bounds.extend(filters.max_price.map(|most| ("lte".to_owned(), json!(most))));
            clauses.push((About::Price, json!({ "range": { "price": bounds } })));
        }
        if let Some(wanted) = filters.in_stock {
            clauses.push((About::Stock, json!({ "term": { "in_stock": wanted } })));
        }
        for (name, values) in &filters.attributes {
            let terms: Vec<String> = values.iter().map(|value| attribute_term(name, value)).collect();
            let about = About::Attribute(name.clone());
            clauses.push((about, json!({ "terms": { "attribute_value": terms } })));
        }
        Self(clauses)
    }

    /// All of them.
    pub(super) fn all(&self) -> Value {
        json!({ "bool": { "filter": self.0.iter().map(|(_, clause)| clause).collect::<Vec<_>>() } })
    }

    /// All but those about one thing.
    fn but(&self, about: &About) -> Value {
        let others = self.0.iter().filter(|(other, _)| other != about);
        json!({ "bool": { "filter": others.map(|(_, clause)| clause).collect::<Vec<_>>() } })
    }

    /// What the node is to count: `found`, without any filter; and the facets.
    pub(super) fn aggregations(&self) -> Value {
        let facet = |about: &About, field: &str, size: usize| {
            json!({
                "filter": self.but(about),
                "aggs": { "values": { "terms": { "field": field, "size": size } } },
            })
        };
        let mut wanted = json!({
            "found": { "filter": { "match_all": {} } },
            "category": facet(&About::Category, "in_category", VALUES),
            "brand": facet(&About::Brand, "of_brand", VALUES),
            // There are fewer ranges than that.
            "price": facet(&About::Price, "price_from", 64),
        });
        if self.0.iter().any(|(about, _)| *about == About::Category) {
            wanted["attributes"] = json!({
                "filter": self.all(),
                "aggs": { "values": { "terms": { "field": "attribute_name", "size": ATTRIBUTES } } },
            });
        }
        wanted
    }

    /// These attributes, and those that were asked for: whoever chose a value sees the others. Attributes mean something within
    /// a category only.
    pub(super) fn with_asked(&self, mut names: Vec<String>) -> Vec<String> {
        if !self.0.iter().any(|(about, _)| *about == About::Category) {
            return vec![];
        }
        let asked = self.0.iter().filter_map(|(about, _)| match about {
            About::Attribute(name) if is_facet(name) && !names.contains(name) => Some(name.clone()),
            _ => None,
        });
        let asked: Vec<String> = asked.take(ATTRIBUTES).collect();
        names.truncate(ATTRIBUTES - asked.len());
        names.extend(asked);
        names
    }

    /// What the node is to count of each of these attributes, in their order.
    pub(super) fn attribute_aggregations(&self, names: &[String]) -> Value {
        let facet = |name: &String| {
            json!({
                "filter": self.but(&About::Attribute(name.clone())),
                "aggs": { "values": { "terms": {
                    "field": "attribute_value",
                    "size": VALUES,
                    "include": format!("{}.*", literally(&attribute_term(name, ""))),
                } } },
            })
        };
        let facets = names.iter().enumerate().map(|(at, name)| (at.to_string(), facet(name)));
        Value::Object(facets.collect())
    }
}

/// As a regular expression that matches just this text.
fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(2 * text.len());
    for c in text.chars() {
        if !c.is_alphanumeric() {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// What the node counted, by name.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Counted(BTreeMap<String, Facet>);

#[derive(Debug, Deserialize)]
struct Facet {
    doc_count: u64,
    #[serde(default)]
    values: Option<Buckets>,
}

#[derive(Debug, Deserialize)]
struct Buckets {
    buckets: Vec<Bucket>,
}

#[derive(Debug, Deserialize)]
struct Bucket {
    key: Value,
    doc_count: u64,
}

impl Counted {
    /// Products found without any filter.
    pub(super) fn found(&self) -> u64 {
        self.0.get("found").map_or(0, |found| found.doc_count)
    }

    /// The attributes that most of the products have.
    pub(super) fn attribute_names(&self) -> Vec<String> {
        self.values("attributes").into_iter().map(|count| count.value).collect()
    }

    /// All facets but those on attributes.
    pub(super) fn facets(&self) -> Facets {
        let bounds = self
            .buckets("price")
            .filter_map(|bucket| Some((bucket.key.as_i64()?, bucket.doc_count)));
        let mut price: Vec<PriceRange> = bounds
            .map(|(least, count)| {
                let (from, to) = price_range(least);
                PriceRange { from, to, count }
            })
            .collect();
        price.sort_unstable_by_key(|range| range.from);
        Facets {
            category: self.values("category"),
            brand: self.values("brand"),
            price,
            attributes: vec![],
        }
    }

    /// The facets on these attributes.
    pub(super) fn attributes(&self, names: Vec<String>) -> Vec<AttributeFacet> {
        let facet = |(at, name): (usize, String)| {
            let mut values = self.values(&at.to_string());
            for counted in &mut values {
                if let Some((_, value)) = counted.value.split_once(SEPARATOR) {
                    counted.value = value.to_owned();
                }
            }
            AttributeFacet { name, values }
        };
        let facets = names.into_iter().enumerate().map(facet);
        facets.filter(|facet| !facet.values.is_empty()).collect()
    }

    /// The values of a facet, most products first.
    pub(super) fn values(&self, facet: &str) -> Vec<FacetCount> {
        let counts = self.buckets(facet).filter_map(|bucket| {
            Some(FacetCount {
                value: bucket.key.as_str()?.to_owned(),
                count: bucket.doc_count,
            })
        });
        counts.collect()
    }

    fn buckets(&self, facet: &str) -> impl Iterator<Item = &Bucket> {
        let values = self.0.get(facet).and_then(|facet| facet.values.as_ref());
        values.into_iter().flat_map(|values| &values.buckets)
    }
}
