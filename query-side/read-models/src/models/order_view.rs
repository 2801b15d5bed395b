//! An order as customers and sellers see it.

use event_schemas::{
    Address, CustomerId, Money, OrderId, ProductId, SellerId, ShopEvent, Timestamp,
    order::{OrderEvent, OrderItem, Reason},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{order_parcels::ParcelView, order_payment::PaymentView, order_returns::ReturnView};
use crate::projection::Fact;

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// The customer asked for it.
    Placed,
    /// The goods are set aside.
    StockReserved,
    /// The money is set aside, on the card or of the credit limit.
    PaymentAuthorised,
    /// The shop will deliver.
    Confirmed,
    /// The first parcel is with its carrier.
    Shipped,
    /// The customer has every parcel that was sent.
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

/// The customer wants the order called off, and it was confirmed already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CancellationView {
    /// What came of it. Nothing of this is shown once the order is cancelled.
    pub state: CancellationState,
    /// Why: first why it was asked for, then why it was denied.
    pub reason: Reason,
    /// Since when.
    pub at: Timestamp,
}

/// What came of the wish to call an order off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CancellationState {
    /// The carriers are being called off.
    Requested,
    /// A carrier was faster: what is under way goes on.
    Denied,
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
    /// The customer wants it called off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<CancellationView>,
    /// The money.
    pub payment: PaymentView,
    /// Its parcels as they were booked, one for each seller; with those that will not be sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parcels: Vec<ParcelView>,
    /// What comes back of it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<ReturnView>,
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

/// What an event does to the wish to call an order off. Says whether that is news.
pub(super) fn take_in_cancellation(cancellation: &mut Option<CancellationView>, fact: &Fact<'_>) -> bool {
    let ShopEvent::Order(event) = fact.event else {
        return false;
    };
    let (state, reason) = match event {
        OrderEvent::OrderCancellationRequested(event) => (CancellationState::Requested, &event.reason),
        OrderEvent::OrderCancellationDenied(event) => (CancellationState::Denied, &event.reason),
        OrderEvent::OrderCancelled(_) => return cancellation.take().is_some(),
        _ => return false,
    };
    let new = CancellationView {
        state,
        reason: reason.clone(),
        at: fact.at,
    };
    let changed = cancellation.as_ref() != Some(&new);
    *cancellation = Some(new);
    changed
}
