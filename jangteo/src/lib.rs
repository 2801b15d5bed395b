//! The one binary: configuration, wiring, operator commands, imports, the demo shop.
//!
//! A library too, so that tests and benches start the shop in their own process: [`Shop::start`].

pub mod cli;
pub mod config;
pub mod folder;
pub mod import;
pub mod operations;
pub mod ops;
pub mod sink;
pub mod startup;

pub use startup::{Shop, StartError};
