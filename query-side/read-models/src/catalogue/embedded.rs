//! The embedded engine: tantivy.
//!
//! [`SearchIndex`] is a document store like any other ([`crate::documents::DocumentStore`]) that can also be searched: so the
//! catalogue is projected, checkpointed and rebuilt by the same code as the other read models.

mod analysis;
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
mod schema;
mod snapshot;
mod views;

pub use index::SearchIndex;
