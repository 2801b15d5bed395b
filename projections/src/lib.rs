//! Read models built from the log, live and rebuilt by one path.
//!
//! - [`read_models::projection`]: one per read model, pure: which documents an event is about, and what it does to each;
//! - [`running`]: reading the log from a checkpoint, writing documents, rebuilding beside what is live, comparing, swapping;
//! - [`auditing`] and the [`sentinel`]: documents held against the log, and put right;
//! - [`Projections`]: all of them, running.
//!
//! Each projection goes its own way from its own checkpoint: one that fails or is rebuilt holds up no other. They share only
//! what they read ([`running::pages`]): projections at the same place in the log get the same events, decoded once.

mod auditing;
mod comparison;
mod projection;
mod projections;
mod running;
mod sentinel;
mod status;
mod tally;
#[cfg(test)]
mod tests;

pub use auditing::{AuditError, AuditScope, AuditStatus, Drift, DriftKind, Findings};
pub use comparison::{Comparison, CutOver, Decision, SearchDifference};
pub use projections::{Config, Projections, RebuildError};
pub use running::freshness::FreshnessStatus;
pub use sentinel::Sentinel;
pub use status::{ProjectionState, ProjectionStatus, RebuildPhase, RebuildStatus};
pub use tally::DriftStatus;
