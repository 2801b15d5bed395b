//! Read models held against the log.
//!
//! A document is a function of the log, so whether it is right can be found out: its events are read again, from the first,
//! and what comes of them is compared with what is stored. In two steps, so that nobody waits for it:
//!
//! 1. an [`Auditor`](auditor::Auditor) derives a sample of the documents again, beside what is live, and compares. What
//!    differs is only suspected, because the shop went on meanwhile;
//! 2. the projection itself, which stands still while it does that, looks at the suspects once more ([`Comparison`]), and puts
//!    right what is wrong.
//!
//! Operators ask for that with `jangteo projection audit` ([`Ordered`]); the [sentinel](crate::sentinel) does it all the time.

mod auditor;
mod comparison;
mod findings;
mod ordered;
mod rederivation;
mod sample;

pub(crate) use auditor::{Audit, Manner, auditor};
pub(crate) use comparison::{Comparison, NotCompared};
pub use findings::{Drift, DriftKind, Findings};
pub(crate) use ordered::Ordered;
pub use ordered::{AuditError, AuditScope, AuditStatus};
pub(crate) use sample::Sample;
