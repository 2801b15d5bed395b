//! Goods that come back. Stream `returns-<order id>`: all returns of one order, so that no piece comes back twice.
//!
//! ```text
//! requested ─► received ─► inspected ─► completed (refunded, restocked)
//!                              └──────► refused
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CustomerId, Money, OrderId, ProductId, ReturnId, SellerId, family::event_family, order::Reason,
    shipment::ParcelItem,
};

event_family! {
    /// What can happen to the returns of an order.
    ReturnEvent in Returns about return_id: ReturnId, order_id: OrderId {
        ReturnRequested = 1,
        ReturnReceived = 1,
        ReturnInspected = 1,
        ReturnRefused = 1,
        ReturnCompleted = 1,
    }
}

/// So many pieces of one product that come back, at the price they were sold for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnItem {
    /// The product.
    pub product_id: ProductId,
    /// Who sold it.
    pub seller_id: SellerId,
    /// Pieces, at least one.
    pub quantity: u32,
    /// For one piece.
    pub unit_price: Money,
}

/// The customer wants to send goods back. The saga `return_goods` takes it from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnRequested {
    /// The return.
    pub return_id: ReturnId,
    /// Of this order.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// What comes back: one seller's goods, each product once.
    pub items: Vec<ReturnItem>,
    /// `card` or `invoice`: where the money goes back to.
    pub paid_by: String,
    /// Why.
    pub reason: Reason,
}

/// The goods are back in the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnReceived {
    /// The return.
    pub return_id: ReturnId,
    /// Of this order.
    pub order_id: OrderId,
}

/// Somebody looked at the goods and says what is given back for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnInspected {
    /// The return.
    pub return_id: ReturnId,
    /// Of this order.
    pub order_id: OrderId,
    /// The pieces that are paid back; at least one.
    pub accepted: Vec<ParcelItem>,
    /// Of those, the pieces that can be sold again; may be none.
    pub resellable: Vec<ParcelItem>,
    /// What is paid back for them.
    pub refund: Money,
    /// What was found; may be empty.
    pub note: String,
}

/// Nothing of it is paid back. The end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnRefused {
    /// The return.
    pub return_id: ReturnId,
    /// Of this order.
    pub order_id: OrderId,
    /// Why.
    pub reason: Reason,
}

/// The money is back with the customer and what can be sold again is on the shelf. The end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnCompleted {
    /// The return.
    pub return_id: ReturnId,
    /// Of this order.
    pub order_id: OrderId,
    /// What was paid back.
    pub refunded: Money,
}
