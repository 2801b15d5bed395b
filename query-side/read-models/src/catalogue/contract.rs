//! The contract suite: what every adapter of [`SearchEngine`] must do.
//!
//! An adapter's tests call the chapters with an engine whose catalogue nobody else uses; [`all`] is every chapter. A check
//! that does not hold panics with what it saw. This is no `#[cfg(test)]` module because adapters in other crates call it;
//! nothing else does.
//!
//! - [`finding`]: which products a text finds, whatever is typed;
//! - [`ranking`]: which of them comes first;
//! - [`narrowing`]: filters, and the facets that lead to them;
//! - [`walking`]: orders, and pages while the catalogue changes;
//! - [`highlighting`], [`completing`], [`spelling`]: what is shown besides;
//! - [`generations`]: a catalogue built beside the live one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "checks speak in asserts, as tests do"
)]

mod completing;
mod finding;
mod generations;
mod narrowing;
mod ranking;
mod shelf;
mod spelling;
mod walking;

pub use completing::completing;
pub use finding::{finding, highlighting};
pub use generations::generations;
pub use narrowing::narrowing;
pub use ranking::ranking;
pub use spelling::spelling;
pub use walking::walking;

use super::SearchEngine;

/// Every chapter.
pub async fn all(engine: &dyn SearchEngine) {
    finding(engine).await;
    ranking(engine).await;
    narrowing(engine).await;
    walking(engine).await;
    highlighting(engine).await;
    completing(engine).await;
    spelling(engine).await;
    generations(engine).await;
}
