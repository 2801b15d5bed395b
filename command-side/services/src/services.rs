//! What can go wrong when a service is asked.

use domain::Refusal;

/// Why a service did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ServiceError {
    /// It may not be done.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be done now: a fault of ours. Asking again is safe.
    #[error("{0}")]
    Fault(String),
}

/// A command's id that was used before, with another body.
pub(crate) fn key_reused() -> Refusal {
    Refusal::invalid(
        "idempotency-key-reused",
        "this Idempotency-Key was used before with another body: use a new key for a new request",
    )
}
