//! Search over the products, on tantivy.
//!
//! [`SearchIndex`] is a document store like any other ([`crate::documents::DocumentStore`]) that can also be searched: so the
//! catalogue is projected, checkpointed and rebuilt by the same code as the other read models.

mod analysis;
mod entry;
mod generation;
mod highlighting;
mod index;
mod korean;
mod question;
mod ranking;
mod schema;
mod shapes;
#[cfg(test)]
mod tests;

pub use entry::{Catalogue, CatalogueEntry};
pub use index::SearchIndex;
pub use shapes::{
    FacetCount, Facets, Highlight, PriceRange, SearchError, SearchHit, SearchQuery, SearchResponse, SearchResults, Sort,
};
