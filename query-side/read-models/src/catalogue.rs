//! Search over the products.
//!
//! - [`SearchQuery`] → [`SearchResults`]: what is asked and answered, the same whichever engine finds it;
//! - [`Finder`]: reads what was typed, and looks for it in another way where it finds nothing;
//! - [`SearchEngine`]: the port; [`SearchIndex`], on tantivy, is the engine that needs no set-up;
//! - [`contract`]: the suite that every engine passes;
//! - [`SynonymFile`], [`PastSearches`]: what the finder knows beside the catalogue;
//! - `formula`: the numbers by which both engines rank;
//! - [`wording`]: what is true of words whichever engine looks for them.

pub mod contract;
pub(crate) mod embedded;
mod finder;
pub(crate) mod formula;
mod past_searches;
mod port;
mod shapes;
mod synonym_file;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod texts;
pub mod wording;

pub use crate::models::catalogue::{Catalogue, CatalogueEntry};
pub use embedded::SearchIndex;
pub use finder::Finder;
pub use past_searches::PastSearches;
pub use port::{Completions, SearchEngine, Spelling, Wanted, Word};
pub use shapes::{
    AttributeFacet, FacetCount, Facets, Filters, Highlight, Instead, InsteadKind, PriceRange, SearchError, SearchHit,
    SearchQuery, SearchResponse, SearchResults, Sort, Suggestions,
};
pub use synonym_file::SynonymFile;
