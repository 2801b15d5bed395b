//! The one binary: configuration, wiring, operator commands, imports, the demo shop.
//!
//! A library too, so that tests and benches start the shop in their own process: [`Shop::start`].

pub mod config;
pub mod demo;
pub mod import;
pub mod sink;
pub mod startup;

pub use startup::{Shop, StartError};
