//! The port to a payment provider.

use async_trait::async_trait;
use event_schemas::{
    Money, Timestamp,
    order::{PaymentMethod, Reason},
    payment::PaymentOperation,
};

use super::OperationKey;

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
    /// The provider was certainly not reached, so it was not done: ask again later.
    NotAsked {
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
            Self::NotAsked { .. } => "not_asked",
        }
    }
}

/// Something that the provider did, as its own books tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The key it was asked with; the provider's own name for it where there was none of ours.
    pub key: String,
    /// What it did.
    pub operation: PaymentOperation,
    /// How much.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
}

/// A stretch of the provider's ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerPage {
    /// Oldest first.
    pub entries: Vec<LedgerEntry>,
    /// From where to read on. None: nothing is there yet, begin at the beginning again.
    pub cursor: Option<String>,
    /// Whether there is more to read now.
    pub more: bool,
}

/// The provider's ledger cannot be read now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the provider's ledger cannot be read: {0}")]
pub struct LedgerError(pub String);

/// A payment provider.
///
/// Each operation carries a key. The provider does an operation once for a key and answers a repeat with the outcome of the
/// first; an adapter to one that cannot must remember keys itself. Dropping a call's future does not undo it.
#[async_trait]
pub trait PaymentProvider: Send + Sync + 'static {
    /// As operators and metrics call it.
    fn name(&self) -> &'static str;

    /// Sets the money aside.
    async fn authorise(&self, key: &OperationKey, amount: Money, method: &PaymentMethod) -> Outcome;

    /// Takes money, all or a part, that was set aside under `reference`.
    async fn capture(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome;

    /// Gives back what is set aside under `reference` and was not taken, which is `amount`.
    async fn void(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome;

    /// Gives back some of what was taken under `reference`.
    async fn refund(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome;

    /// What became of the operation of that key; none where the provider never heard of it. `reference` where there is an
    /// authorisation.
    async fn look_up(&self, key: &OperationKey, reference: Option<&str>) -> Option<Outcome>;

    /// Of which operations its ledger tells: those that move money at this provider.
    fn ledger_tells(&self) -> &'static [PaymentOperation];

    /// Its ledger from `after` on, oldest first.
    async fn ledger(&self, after: Option<&str>) -> Result<LedgerPage, LedgerError>;
}
