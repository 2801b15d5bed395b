//! Elasticsearch: the same documents and the same search as the embedded stores, on a server.
//!
//! - [`Node`]: the way there: who we are, retries, bulk requests and what becomes of each of their items;
//! - [`ElasticDocuments`]: the document store. Each generation of a read model is one index, aliases say which is live;
//! - [`ElasticCatalogue`]: catalogue search;
//! - [`Shape`]: by which fields the documents of an index are found besides their keys.
//!
//! Runs on 7.17, 8 and 9: nothing is used that one of them lacks.

mod aliases;
mod bulk;
mod catalogue;
mod claim;
mod dead_letters;
mod documents;
mod entries;
mod error;
mod journal;
mod node;
mod retrying;
mod settings;
mod shape;
#[cfg(test)]
mod tests;

pub use bulk::{Item, Outcome};
pub use catalogue::ElasticCatalogue;
pub use claim::Owner;
pub use documents::ElasticDocuments;
pub use error::ElasticError;
pub use node::{Node, Request};
pub use retrying::Patience;
pub use settings::{Credentials, ElasticSettings, NoPrefix};
pub use shape::{Plain, Shape};
