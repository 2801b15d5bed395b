//! An order as customers and sellers see it.

use event_schemas::{
    Address, CustomerId, Money, OrderId, ProductId, SellerId, Timestamp,
    order::{OrderItem, Reason},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// The customer asked for it.
    Placed,
    /// The goods are set aside.
    StockReserved,
    /// The money is set aside.
    PaymentAuthorised,
    /// The shop will deliver.
    Confirmed,
    /// The goods are with the carrier.
    Shipped,
    /// The customer has the goods.
    Delivered,
    /// The shop could not accept it.
    Rejected,
    /// The customer or the shop called it off.
    Cancelled,
}

impl OrderStatus {
    /// Nothing comes after this.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Rejected | Self::Cancelled)
    }
}

/// When an order reached a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusChange {
    /// The status.
    pub status: OrderStatus,
    /// Since then.
    pub at: Timestamp,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderLine {
    /// The product.
    pub product_id: ProductId,
    /// Who sells it.
    pub seller_id: SellerId,
    /// Its title when it was sold.
    pub title: String,
    /// For one piece.
    pub unit_price: Money,
    /// Pieces.
    pub quantity: u32,
    /// For all pieces.
    pub line_total: Money,
}

impl From<&OrderItem> for OrderLine {
    fn from(item: &OrderItem) -> Self {
        let amount = item.unit_price.amount.saturating_mul(i64::from(item.quantity));
        Self {
            product_id: item.product_id,
            seller_id: item.seller_id,
            title: item.title.clone(),
            unit_price: item.unit_price,
            quantity: item.quantity,
            line_total: Money::new(amount, item.unit_price.currency),
        }
    }
}

/// What is known of the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The provider has not answered yet, or was not asked yet.
    Pending,
    /// Set aside on the customer's card.
    Authorised,
    /// Taken.
    Captured,
    /// Given back.
    Voided,
    /// The provider said no; no money moved.
    Declined,
    /// The provider's answer was lost; it is being asked.
    Unknown,
}

/// How an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaymentView {
    /// What is known.
    pub status: PaymentStatus,
    /// How much.
    pub amount: Money,
}

/// An order as its customer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderView {
    /// The order.
    pub id: OrderId,
    /// Who buys.
    pub customer_id: CustomerId,
    /// How far it has come.
    pub status: OrderStatus,
    /// Why it was rejected or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What was ordered.
    pub items: Vec<OrderLine>,
    /// The sum of the items.
    pub total: Money,
    /// When the customer placed it.
    pub placed_at: Timestamp,
    /// Each status it reached, oldest first.
    pub history: Vec<StatusChange>,
    /// The money.
    pub payment: PaymentView,
    /// Where the goods go.
    pub shipping_address: Address,
    /// When the shop said the goods would arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_by: Option<Timestamp>,
    /// When they arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
}

impl OrderView {
    /// Writes a status down. It never goes backwards, and nothing follows a final one.
    pub fn reach(&mut self, status: OrderStatus, at: Timestamp) {
        reach(&mut self.status, &mut self.history, status, at);
    }
}

/// See [`OrderView::reach`].
pub(crate) fn reach(current: &mut OrderStatus, history: &mut Vec<StatusChange>, status: OrderStatus, at: Timestamp) {
    if current.is_final() || history.iter().any(|change| change.status == status) {
        return;
    }
    history.push(StatusChange { status, at });
    *current = status.max(*current);
}
