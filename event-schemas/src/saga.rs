//! What a saga remembers. Stream `<saga>-<saga id>`: `place_order-<order id>`, `return_goods-<return id>`.
//!
//! Each event carries the whole state, so that a saga is loaded by reading its last event.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{Timestamp, family::event_family};

event_family! {
    /// What can happen to the saga `place_order`.
    PlaceOrderEvent in PlaceOrder {
        SagaAdvanced = 1,
    }
}

event_family! {
    /// What can happen to the saga `return_goods`.
    ReturnGoodsEvent in ReturnGoods {
        SagaAdvanced = 1,
    }
}

/// Where a saga stands, seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SagaStatus {
    /// On its way forward.
    Running,
    /// Undoing what was done, in reverse order.
    Compensating,
    /// Nobody knows whether a step happened; being asked about.
    OutcomeUnknown,
    /// Reached its goal.
    Completed,
    /// Undid everything.
    Compensated,
    /// Needs an operator.
    Stuck,
}

/// The saga took in a fact, or several shortly after one another, and this is what it is now.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SagaAdvanced {
    /// The version of the saga's definition that wrote the state.
    pub definition: u16,
    /// The event, or the timer, that was taken in last.
    pub fact: Uuid,
    /// A word for the fact: the event's type, or `timeout`, `retry`.
    pub fact_type: String,
    /// Seen from outside.
    pub status: SagaStatus,
    /// The step it waits for, such as `reserve_stock`.
    pub step: String,
    /// The saga's own state; its shape belongs to the saga.
    #[schemars(with = "serde_json::Value")]
    pub state: Box<RawValue>,
    /// When the saga wants to be woken if nothing happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake_at: Option<Timestamp>,
    /// Why it is stuck, or why it compensates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl PartialEq for SagaAdvanced {
    fn eq(&self, other: &Self) -> bool {
        self.fact == other.fact && self.status == other.status && self.state.get() == other.state.get()
    }
}
