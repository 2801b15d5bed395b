//! What a search is asked and what it answers.

use std::collections::BTreeMap;

use event_schemas::{Money, ProductId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A search, or a walk through the catalogue where `text` is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// What the customer typed, whatever it is.
    pub text: String,
    /// Only these products.
    pub filters: Filters,
    /// In which order.
    pub sort: Sort,
    /// At most so many hits; held between 1 and [`SearchQuery::MAX_SIZE`].
    pub size: usize,
    /// [`SearchResults::next`] of the page before.
    pub after: Option<Vec<u8>>,
}

impl SearchQuery {
    /// The most hits on a page.
    pub const MAX_SIZE: usize = 100;
}

/// Which products may be found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// Only this category and those beneath it: `Kitchen` finds `Kitchen/Coffee`.
    pub category: Option<String>,
    /// Only these brands; none for all.
    pub brands: Vec<String>,
    /// For each attribute named, only these values, as text.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// Only at this price or above, in minor units.
    pub min_price: Option<i64>,
    /// Only at this price or below, in minor units.
    pub max_price: Option<i64>,
    /// Only what can, or cannot, be bought now.
    pub in_stock: Option<bool>,
}

/// The order of hits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// What fits best comes first; without a text, the newest.
    #[default]
    Relevance,
    /// Cheapest first.
    PriceAsc,
    /// Dearest first.
    PriceDesc,
    /// Newest first.
    Newest,
    /// What is bought most comes first.
    Popularity,
}

/// A product that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchHit {
    /// The product.
    pub id: ProductId,
    /// One line.
    pub title: String,
    /// The maker's brand.
    pub brand: String,
    /// Path of category names.
    pub category: String,
    /// For one piece.
    pub price: Money,
    /// It can be bought now.
    pub in_stock: bool,
    /// Where the picture is; from the index comes its key in the blob store.
    #[serde(default, rename = "image_url", skip_serializing_if = "Option::is_none")]
    #[schema(example = "/images/2f6b.png")]
    pub image: Option<String>,
    /// Where the words were found.
    pub highlight: Highlight,
}

/// Where the words were found: HTML, everything escaped but `<em>` around the words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Highlight {
    /// The title; absent where no word was found in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A piece of the description; absent where no word was found in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// How many of the products found share a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FacetCount {
    /// The value.
    pub value: String,
    /// Products.
    pub count: u64,
}

/// How many of the products found cost so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceRange {
    /// At least, in minor units.
    pub from: i64,
    /// Less than, in minor units; absent where there is no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
    /// Products.
    pub count: u64,
}

/// The values of one attribute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttributeFacet {
    /// The attribute: `Colour`.
    pub name: String,
    /// Most products first.
    pub values: Vec<FacetCount>,
}

/// What the products found have in common. Each facet respects all filters but the one on itself: so a customer who chose a
/// brand sees how many products the others would bring.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Facets {
    /// Each category with what is beneath it, most products first.
    pub category: Vec<FacetCount>,
    /// Most products first.
    pub brand: Vec<FacetCount>,
    /// Cheapest first.
    pub price: Vec<PriceRange>,
    /// The attributes that most of these products have; only where a category is chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<AttributeFacet>,
}

/// What was searched for instead of what was typed, because that found nothing or next to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Instead {
    /// Why.
    pub kind: InsteadKind,
    /// What was searched for; empty where products are shown that have nothing to do with what was typed.
    pub text: String,
}

/// How what was searched for came out of what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InsteadKind {
    /// Misspelt words were corrected.
    Spelling,
    /// The keyboard was in the wrong language: `zjvl` is 커피.
    Keyboard,
    /// What was typed goes on like that in some titles: `ㅋㅍ` in 커피 머신.
    Unfinished,
    /// Nothing was found whichever way: what is bought most is shown.
    Popular,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchResults {
    /// Products found, on all pages.
    pub total: u64,
    /// This page.
    pub hits: Vec<SearchHit>,
    /// Over all pages.
    pub facets: Facets,
    /// Where the next page starts, opaque; absent on the last page.
    pub next: Option<Vec<u8>>,
    /// Hardly any product has all the words: these have some of them.
    pub partial: bool,
    /// What was searched for, where it is not what was typed.
    pub instead: Option<Instead>,
    /// What the customer may have meant, where something was found as typed.
    pub did_you_mean: Option<String>,
}

/// The answer to `GET search`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchResponse {
    /// Products found, on all pages.
    pub total: u64,
    /// This page.
    pub hits: Vec<SearchHit>,
    /// Over all pages.
    pub facets: Facets,
    /// Where the next page starts; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// What was searched for, where it is not what was typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<Instead>,
    /// What the customer may have meant, where something was found as typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub did_you_mean: Option<String>,
}

impl SearchResults {
    /// As the answer to a client; `cursor` writes [`Self::next`] as text.
    pub fn into_response(self, cursor: impl FnOnce(&[u8]) -> String) -> SearchResponse {
        SearchResponse {
            total: self.total,
            hits: self.hits,
            facets: self.facets,
            next_cursor: self.next.as_deref().map(cursor),
            instead: self.instead,
            did_you_mean: self.did_you_mean,
        }
    }
}

/// How what is being typed may go on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Suggestions {
    /// Products whose titles go on like that, those bought most first.
    pub products: Vec<SearchHit>,
    /// Categories by their path, those with most products first.
    pub categories: Vec<String>,
    /// What others searched for and found, most often first.
    pub searches: Vec<String>,
}

impl Suggestions {
    /// Nothing goes on like that.
    pub const fn is_empty(&self) -> bool {
        self.products.is_empty() && self.categories.is_empty() && self.searches.is_empty()
    }
}

/// The search could not be answered.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SearchError {
    /// `after` is not what a page before gave out for this search.
    #[error("the cursor does not belong to this search: start again without it")]
    BadCursor,
    /// The index failed: a fault, never the caller's mistake.
    #[error("the catalogue cannot be searched: {0}")]
    Unavailable(String),
}
