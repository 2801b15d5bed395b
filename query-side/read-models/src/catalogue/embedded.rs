//! The embedded engine: tantivy.
//!
//! [`SearchIndex`] is a document store like any other ([`crate::documents::DocumentStore`]) that can also be searched: so the
//! catalogue is projected, checkpointed and rebuilt by the same code as the other read models.

mod analysis;
mod completing;
mod facets;
mod generation;
mod highlighting;
mod index;
mod listing;
mod names;
mod narrowing;
mod pointer;
mod question;
mod ranking;
mod reading;
mod schema;
mod scoring;
mod shown;
mod snapshot;
mod spelling;
mod views;
mod weighing;

// How an entry and a text are read, for engines elsewhere: so that all read them alike.
pub(crate) use analysis::{code, codes};
pub(crate) use facets::price_range;
pub use index::SearchIndex;
pub(crate) use reading::{Highlighter, has_words};
pub(crate) use schema::{SEPARATOR, attribute_term, attribute_text, paths};
