//! What inventory decided, told to the log through its outbox. Streams `stock-<product id>` (goods in) and
//! `reservation-<order id>` (goods set aside for an order).
//!
//! Each line carries `available` as it was after the change, so that reading an event twice does no harm.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{OrderId, ProductId, ReturnId, ShipmentId, Timestamp, family::event_family};

event_family! {
    /// What can happen to a product's stock.
    StockEvent in Stock {
        StockReceived = 1,
    }
}

event_family! {
    /// What can happen to an order's reservation.
    ReservationEvent in Reservation {
        StockReserved = 1,
        StockReservationRefused = 1,
        StockReleased = 1,
        StockIssued = 1,
        StockReturned = 1,
    }
}

/// Goods came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockReceived {
    /// The product.
    pub product_id: ProductId,
    /// Pieces that came in.
    pub quantity: u32,
    /// Pieces that can now be sold.
    pub available: u64,
}

/// So many pieces of a product, with what is left to sell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockLine {
    /// The product.
    pub product_id: ProductId,
    /// Pieces.
    pub quantity: u32,
    /// Pieces that can be sold after this.
    pub available: u64,
}

/// Every item of the order is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockReserved {
    /// For this order.
    pub order_id: OrderId,
    /// All of its items.
    pub lines: Vec<StockLine>,
    /// When the goods may be given to others if the order is not confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Nothing is set aside, because something is short: all or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockReservationRefused {
    /// For this order.
    pub order_id: OrderId,
    /// What is short: `quantity` as asked, `available` as there is.
    pub shortages: Vec<StockLine>,
}

/// What was set aside can be sold to others again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockReleased {
    /// For this order.
    pub order_id: OrderId,
    /// What was set aside: all of it, or what one parcel's goods are.
    pub lines: Vec<StockLine>,
    /// The parcel that will not be sent; none where all that was left is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment_id: Option<ShipmentId>,
}

/// What was set aside for a parcel left the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockIssued {
    /// For this order.
    pub order_id: OrderId,
    /// What left.
    pub lines: Vec<StockLine>,
    /// The parcel it is in. None where the order was placed before each seller had a parcel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment_id: Option<ShipmentId>,
}

/// Goods that a customer sent back can be sold again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockReturned {
    /// Of this order.
    pub order_id: OrderId,
    /// The return.
    pub return_id: ReturnId,
    /// What came back.
    pub lines: Vec<StockLine>,
}
