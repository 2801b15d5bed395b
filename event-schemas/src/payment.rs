//! The payment for an order. Stream `payment-<payment id>`; the id is derived from the order's.
//!
//! A call to the provider is announced in the log before it is made, and ends in one of three states: it happened, it did
//! not, or nobody knows yet ([`PaymentOutcomeUnknown`]), which is resolved by asking the provider.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Money, OrderId, PaymentId, RefundId, ShipmentId,
    family::event_family,
    order::{PaymentMethod, Reason},
};

event_family! {
    /// What can happen to a payment.
    PaymentEvent in Payment about order_id: OrderId {
        PaymentAuthorisationRequested = 1,
        PaymentAuthorised = 1,
        PaymentDeclined = 1,
        PaymentCaptureRequested = 1,
        PaymentCaptured = 1,
        PaymentVoidRequested = 1,
        PaymentVoided = 1,
        PaymentOutcomeUnknown = 1,
        PaymentRefundRequested = 1,
        PaymentRefunded = 1,
        PaymentOperationRefused = 1,
    }
}

/// What the provider was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentOperation {
    /// Set the money aside on the customer's card.
    Authorise,
    /// Take the money that was set aside.
    Capture,
    /// Give back what was set aside and is not taken.
    Void,
    /// Give back money that was taken.
    Refund,
}

/// The provider is about to be asked to set the money aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentAuthorisationRequested {
    /// The payment.
    pub payment_id: PaymentId,
    /// For this order.
    pub order_id: OrderId,
    /// The order's total.
    pub amount: Money,
    /// How the customer pays.
    pub method: PaymentMethod,
}

/// The money is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentAuthorised {
    /// The payment.
    pub payment_id: PaymentId,
    /// For this order.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
    /// The provider's name for this authorisation.
    pub provider_reference: String,
}

/// The provider said no; no money moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentDeclined {
    /// The payment.
    pub payment_id: PaymentId,
    /// For this order.
    pub order_id: OrderId,
    /// What the provider said.
    pub reason: Reason,
}

/// The provider is about to be asked to take the money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentCaptureRequested {
    /// The payment.
    pub payment_id: PaymentId,
    /// For this order.
    pub order_id: OrderId,
    /// How much: one parcel's share.
    pub amount: Money,
    /// The parcel that is paid for. None where the order was placed before parcels were paid one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment_id: Option<ShipmentId>,
}

/// The money is ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentCaptured {
    /// The payment.
    pub payment_id: PaymentId,
    /// For this order.
    pub order_id: OrderId,
    /// How much: one parcel's share.
    pub amount: Money,
    /// The parcel that is paid for, see [`PaymentCaptureRequested`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment_id: Option<ShipmentId>,
}

/// The provider is about to be asked to give back what was set aside and is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentVoidRequested {
    /// The payment.
    pub payment_id: PaymentId,
    /// For this order.
    pub order_id: OrderId,
}

/// What was not taken is the customer's again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentVoided {
    /// The payment.
    pub payment_id: PaymentId,
    /// For this order.
    pub order_id: OrderId,
    /// How much had been set aside and not taken.
    pub amount: Money,
}

/// The provider's answer was lost: it may have acted or not. Asked about until it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentOutcomeUnknown {
    /// The payment.
    pub payment_id: PaymentId,
    /// For this order.
    pub order_id: OrderId,
    /// What had been asked.
    pub operation: PaymentOperation,
    /// Of which part, where there may be several: the parcel of a capture, the refund's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Uuid>,
    /// What went wrong, for operators.
    pub detail: String,
}

/// The provider is about to be asked to give back money that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentRefundRequested {
    /// The payment.
    pub payment_id: PaymentId,
    /// For this order.
    pub order_id: OrderId,
    /// The refund.
    pub refund_id: RefundId,
    /// How much.
    pub amount: Money,
}

/// Money that was taken is the customer's again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentRefunded {
    /// The payment.
    pub payment_id: PaymentId,
    /// For this order.
    pub order_id: OrderId,
    /// The refund.
    pub refund_id: RefundId,
    /// How much.
    pub amount: Money,
}

/// The provider will not take or give back money, though it had set it aside or taken it: no rule of the shop's settles
/// that, an operator must.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentOperationRefused {
    /// The payment.
    pub payment_id: PaymentId,
    /// For this order.
    pub order_id: OrderId,
    /// What had been asked; never an authorisation, see [`PaymentDeclined`].
    pub operation: PaymentOperation,
    /// Of which part, see [`PaymentOutcomeUnknown`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Uuid>,
    /// What the provider said.
    pub reason: Reason,
}
