//! What queries read: documents, catalogue search, and the stores that hold them.
//!
//! - [`models`]: one read model per file: the document as a client sees it, its key, its index, a typed reader, and what each
//!   event does to it ([`projection`]);
//! - [`documents`]: the port that stores documents, its embedded adapter on fjall, and the contract suite of both;
//! - [`catalogue`]: search over the products, on tantivy;
//! - [`elastic`]: both on Elasticsearch;
//! - [`progress`]: how far each projection has come, so that a query can wait for a command's effect;
//! - [`ReadModels`]: all of them, opened in one folder; [`filling`]: filled from another process.
//!
//! Everything here can be thrown away and rebuilt from the log, so nothing is synced to disk; but documents and the
//! checkpoint that says which events they hold are always written together.

pub mod catalogue;
pub mod documents;
pub mod elastic;
pub mod filling;
pub mod models;
mod paging;
pub mod progress;
pub mod projection;
mod read_models;
mod registry;
mod top_ten;
mod worklist;

pub use models::{
    best_sellers, calendar, carts, dead_events, my_page, order_parcels, order_payment, order_returns, order_view,
    products, repair_cases, sagas, seller_orders, seller_sales, stock_alerts, tracking, trending,
};
pub use paging::Page;
pub use progress::{Behind, Progress};
pub use read_models::{OpenError, ReadModels};
pub use registry::Visitor;
pub use worklist::Worklist;
