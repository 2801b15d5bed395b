//! What queries read: documents, catalogue search, and the stores that hold them.
//!
//! - one read model per file: [`product_page`], [`my_page`], [`tracking`], [`seller_orders`], [`carts`], [`sagas`]: the
//!   document as a client sees it, its key, its index, and a typed reader;
//! - [`documents`]: the port that stores documents, its embedded adapter on fjall, and the contract suite of both;
//! - [`catalogue`]: search over the products, on tantivy;
//! - [`progress`]: how far each projection has come, so that a query can wait for a command's effect;
//! - [`ReadModels`]: all of them, opened in one folder; [`filling`]: filled from another process.
//!
//! Everything here can be thrown away and rebuilt from the log, so nothing is synced to disk; but documents and the
//! checkpoint that says which events they hold are always written together.

pub mod carts;
pub mod catalogue;
pub mod documents;
pub mod filling;
pub mod my_page;
pub mod order_view;
mod paging;
pub mod product_page;
pub mod progress;
mod read_models;
pub mod sagas;
pub mod seller_orders;
pub mod tracking;

pub use paging::Page;
pub use progress::{Behind, Progress};
pub use read_models::{OpenError, ReadModels};
