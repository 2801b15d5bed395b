//! Who looked at whose data. Stream `audit-<account id of the one who looked>`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AccountId, CustomerId, family::event_family};

event_family! {
    /// What is written down about operators and admins.
    AuditEvent in Audit {
        CustomerPageViewed = 1,
        RolesChanged = 1,
        RebuildRequested = 1,
        RebuildDecided = 1,
        ReadModelAuditRequested = 1,
        SagaRetryRequested = 1,
    }
}

/// An operator looked at a customer's my page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerPageViewed {
    /// Who looked.
    pub viewer_id: AccountId,
    /// Whose page.
    pub customer_id: CustomerId,
}

/// An admin changed what someone may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RolesChanged {
    /// Who changed it.
    pub admin_id: AccountId,
    /// Whose roles.
    pub account_id: AccountId,
    /// All roles from now on.
    pub roles: Vec<String>,
}

/// An operator asked for a read model to be rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RebuildRequested {
    /// Who asked.
    pub operator_id: AccountId,
    /// The projection's name.
    pub projection: String,
}

/// An operator asked for a read model to be held against the log, and saw what was wrong in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadModelAuditRequested {
    /// Who asked.
    pub operator_id: AccountId,
    /// The projection's name.
    pub projection: String,
    /// Every document, not only some.
    pub all: bool,
    /// What was wrong was to be put right.
    pub repair: bool,
}

/// An operator told a saga to try again now. A fact of that saga too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SagaRetryRequested {
    /// Who asked.
    pub operator_id: AccountId,
    /// Which saga, such as `place_order`.
    pub saga: String,
    /// What it is about: an order, a return.
    pub saga_id: Uuid,
}

/// An operator decided what becomes of a read model that was rebuilt, or was live before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RebuildDecided {
    /// Who decided.
    pub operator_id: AccountId,
    /// The projection's name.
    pub projection: String,
    /// What.
    pub decision: RebuildDecision,
}

/// What becomes of a read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RebuildDecision {
    /// The rebuilt one takes the place of the live one.
    Approved,
    /// The rebuilt one is dropped.
    Rejected,
    /// The one that was live before is live again.
    RolledBack,
}
