//! What an operator must look into. Stream `repair_case-<repair case id>`; the id is derived from what is wrong, so that
//! finding it again opens no second case.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Money, OrderId, PaymentId, RepairCaseId, family::event_family};

event_family! {
    /// What can happen to a repair case.
    RepairCaseEvent in RepairCase about case_id: RepairCaseId {
        RepairCaseOpened = 1,
        RepairCaseResolved = 1,
    }
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Discrepancy {
    /// The provider did something that no payment in the log asked for.
    UnknownToUs,
    /// The log says that it happened; the provider knows nothing of it.
    UnknownToProvider,
    /// Both know of it and disagree on how much.
    AmountDiffers,
    /// Both know of it and disagree on whether it happened.
    OutcomeDiffers,
    /// The provider refused to take or give back money that it had set aside or taken.
    Refused,
}

/// The books disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RepairCaseOpened {
    /// The case.
    pub case_id: RepairCaseId,
    /// What is wrong.
    pub discrepancy: Discrepancy,
    /// The payment, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// Its order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// The key of the operation, as the provider knows it.
    pub key: String,
    /// What the log says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Money>,
    /// What the provider's ledger says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<Money>,
    /// The whole story in a sentence, and what can be done.
    pub detail: String,
}

/// The books agree again, or somebody has dealt with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RepairCaseResolved {
    /// The case.
    pub case_id: RepairCaseId,
    /// What was done.
    pub resolution: String,
    /// The order whose payment it was about, where one is known: its saga may go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// The key of the operation, see [`RepairCaseOpened`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}
