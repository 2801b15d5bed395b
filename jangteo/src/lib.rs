//! The one binary: configuration, wiring, operator commands, imports, the demo shop.
//!
//! A library too, so that tests and benches start the shop in their own process: [`Shop::start`].
//!
//! - [`cli`]: what can be typed; [`config`]: what can be set; [`folder`]: the data folder;
//! - [`witness`]: which log the folder belongs to; `databases`: where the relational ones are, and whether they are the right ones;
//! - [`startup`]: wires every part of the shop and starts and stops it; [`roles`]: what a process does for the shop, and how
//!   roles in processes of their own reach each other; [`audit`] joins parts that must not know each other;
//! - [`ops`]: the operator's paths over the log; [`operations`]: the same for the command line, also on a stopped shop's
//!   folder;
//! - [`evaluation`]: how good the search is, on judged queries;
//! - [`import`] reads the real data sets into a [`sink`]; [`demo`] fills an empty shop.

pub mod audit;
pub mod cli;
pub mod config;
mod databases;
pub mod demo;
pub mod evaluation;
pub mod folder;
pub mod import;
pub mod operations;
pub mod ops;
pub mod roles;
pub mod sink;
pub mod startup;
pub mod witness;

pub use startup::{Shop, StartError};
