//! The port to a payment provider.

use async_trait::async_trait;
use event_schemas::{
    Money,
    order::{PaymentMethod, Reason},
};

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Happened {
        /// The provider's name for the authorisation.
        reference: String,
    },
    /// It was not done, and will not be.
    Declined {
        /// Why.
        reason: Reason,
    },
    /// Nobody knows yet: the answer was lost, or the provider itself is still at it.
    Unknown {
        /// What went wrong, for operators.
        detail: String,
    },
}

impl Outcome {
    /// As metrics call it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Happened { .. } => "happened",
            Self::Declined { .. } => "declined",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// A payment provider.
///
/// Each operation carries a key. The provider does an operation once for a key and answers a repeat with the outcome of the
/// first; an adapter to one that cannot must remember keys itself. Dropping a call's future does not undo it.
#[async_trait]
pub trait PaymentProvider: Send + Sync + 'static {
    /// Sets the money aside.
    async fn authorise(&self, key: &str, amount: Money, method: &PaymentMethod) -> Outcome;

    /// Takes money that was set aside under `reference`.
    async fn capture(&self, key: &str, reference: &str, amount: Money) -> Outcome;

    /// Gives back money that was set aside under `reference`.
    async fn void(&self, key: &str, reference: &str) -> Outcome;

    /// What became of the operation of that key; none where the provider never heard of it.
    async fn look_up(&self, key: &str) -> Option<Outcome>;
}
