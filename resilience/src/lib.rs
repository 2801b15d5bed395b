//! Calls to other servers, kept from hurting us: bulkhead, circuit breaker, deadline, retries with jitter and a budget.
//!
//! An adapter that calls out owns an [`Outlet`] per server and makes each call through it:
//!
//! ```
//! # use std::time::Duration;
//! # use resilience::{CallError, Failure, Outlet, Settings};
//! # #[derive(Debug, thiserror::Error)]
//! # #[error("no connection")]
//! # struct NoConnection;
//! impl CallError for NoConnection {
//!     fn may_pass(&self) -> bool {
//!         true
//!     }
//! }
//!
//! # async fn book() -> Result<u32, NoConnection> { Ok(1) }
//! # async fn example() -> Result<u32, Failure<NoConnection>> {
//! let carrier = Outlet::new("carrier", Settings::default().deadline(Duration::from_secs(2)));
//! carrier.call(|| book()).await
//! # }
//! ```
//!
//! Outlets belong into adapters, beneath the port: what stands above a port stays free of clocks and chance, and the simulation
//! can put an adapter of its own in place. The pieces are tokio's semaphore and timer, `failsafe`'s state machine, `backon`'s
//! waits and `tower`'s retry budget; this crate puts them in one order and makes their state visible ([`outlets`]).

mod breaker;
mod condition;
mod failure;
mod outlet;
mod settings;

pub use condition::{Circuit, Condition, outlets};
pub use failure::{CallError, Failure};
pub use outlet::Outlet;
pub use settings::Settings;

#[cfg(test)]
mod tests;
