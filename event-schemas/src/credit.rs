//! A customer's credit, told to the log by the accounts service through its outbox. Streams `credit-<order id>` (what one
//! order holds of it) and `credit_account-<customer id>` (the limit, and what is paid).
//!
//! Each event carries `available` as it was after the change, so that reading an event twice does no harm.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CustomerId, Money, OrderId, RefundId, ShipmentId, family::event_family};

event_family! {
    /// What can happen to the credit an order holds.
    CreditEvent in Credit about order_id: OrderId {
        CreditReserved = 1,
        CreditLimitExceeded = 1,
        CreditCharged = 1,
        CreditReleased = 1,
        CreditRefunded = 1,
    }
}

event_family! {
    /// What can happen to a customer's credit as a whole.
    CreditAccountEvent in CreditAccount {
        CreditLimitSet = 1,
        InvoicesPaid = 1,
    }
}

/// The order's total counts against the limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreditReserved {
    /// For this order.
    pub order_id: OrderId,
    /// Whose limit.
    pub customer_id: CustomerId,
    /// How much.
    pub amount: Money,
    /// What is left of the limit.
    pub available: Money,
}

/// The order is beyond the limit; nothing is reserved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreditLimitExceeded {
    /// For this order.
    pub order_id: OrderId,
    /// Whose limit.
    pub customer_id: CustomerId,
    /// How much was asked for.
    pub amount: Money,
    /// What is left of the limit.
    pub available: Money,
}

/// A parcel is on its way: its share of what is reserved is owed now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreditCharged {
    /// For this order.
    pub order_id: OrderId,
    /// Who owes.
    pub customer_id: CustomerId,
    /// The parcel.
    pub shipment_id: ShipmentId,
    /// How much.
    pub amount: Money,
}

/// What was reserved and not charged counts against the limit no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreditReleased {
    /// For this order.
    pub order_id: OrderId,
    /// Whose limit.
    pub customer_id: CustomerId,
    /// How much; may be nothing.
    pub amount: Money,
    /// What is left of the limit.
    pub available: Money,
}

/// What was owed for goods that came back is owed no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreditRefunded {
    /// For this order.
    pub order_id: OrderId,
    /// Who owed.
    pub customer_id: CustomerId,
    /// The refund.
    pub refund_id: RefundId,
    /// How much.
    pub amount: Money,
    /// What is left of the limit.
    pub available: Money,
}

/// An admin says how much a customer may owe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreditLimitSet {
    /// Whose limit.
    pub customer_id: CustomerId,
    /// The limit.
    pub limit: Money,
}

/// The customer paid what they owed, or some of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvoicesPaid {
    /// Who paid.
    pub customer_id: CustomerId,
    /// How much.
    pub amount: Money,
    /// What is left of the limit.
    pub available: Money,
}
