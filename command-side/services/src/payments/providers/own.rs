//! The bodies of the simulator's own JSON.

use event_schemas::{Money, Timestamp, order::Reason, payment::PaymentOperation};
use serde::{Deserialize, Serialize};

use crate::payments::provider::{LedgerEntry, LedgerPage, Outcome};

/// `POST /v1/operations`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperationBody {
    pub(crate) key: String,
    pub(crate) operation: PaymentOperation,
    pub(crate) amount: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum OutcomeBody {
    Happened { reference: String },
    Declined { reason: Reason },
    Unknown { detail: String },
}

impl From<Outcome> for OutcomeBody {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Happened { reference } => Self::Happened { reference },
            Outcome::Declined { reason } => Self::Declined { reason },
            Outcome::Unknown { detail } | Outcome::NotAsked { detail } => Self::Unknown { detail },
        }
    }
}

impl From<OutcomeBody> for Outcome {
    fn from(body: OutcomeBody) -> Self {
        match body {
            OutcomeBody::Happened { reference } => Self::Happened { reference },
            OutcomeBody::Declined { reason } => Self::Declined { reason },
            OutcomeBody::Unknown { detail } => Self::Unknown { detail },
        }
    }
}

/// `GET /v1/ledger`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PageBody {
    entries: Vec<EntryBody>,
    cursor: Option<String>,
    more: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct EntryBody {
    key: String,
    operation: PaymentOperation,
    amount: Money,
    at: Timestamp,
}

impl From<LedgerPage> for PageBody {
    fn from(page: LedgerPage) -> Self {
        let body = |LedgerEntry {
                        key,
                        operation,
                        amount,
                        at,
                    }| EntryBody {
            key,
            operation,
            amount,
            at,
        };
        Self {
            entries: page.entries.into_iter().map(body).collect(),
            cursor: page.cursor,
            more: page.more,
        }
    }
}

impl From<PageBody> for LedgerPage {
    fn from(page: PageBody) -> Self {
        let entry = |EntryBody {
                         key,
                         operation,
                         amount,
                         at,
                     }| LedgerEntry {
            key,
            operation,
            amount,
            at,
        };
        Self {
            entries: page.entries.into_iter().map(entry).collect(),
            cursor: page.cursor,
            more: page.more,
        }
    }
}
