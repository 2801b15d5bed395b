//! A seller's orders: of each order the items that are theirs, newest first.

use event_schemas::{
    Category, Money, OrderId, SellerId, ShopEvent, Timestamp,
    order::{OrderEvent, Reason},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    order_steps::{order_of, step},
    order_view::{OrderLine, OrderStatus, StatusChange, reach},
};
use crate::{
    documents::{Collection, IndexKeys, Model, StoreError},
    paging::{Page, id_bytes, newest_first},
    projection::{Fact, Key, Projection, Unexpected, known},
};

/// An order as one of its sellers sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SellerOrderView {
    /// The order.
    pub id: OrderId,
    /// How far it has come.
    pub status: OrderStatus,
    /// Why it was rejected or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The seller's own items.
    pub items: Vec<OrderLine>,
    /// The sum of the seller's own items.
    pub total: Money,
    /// When the customer placed it.
    pub placed_at: Timestamp,
    /// Each status it reached, oldest first.
    pub history: Vec<StatusChange>,
    /// The city it goes to; the shop has the address.
    pub destination: String,
}

/// The answer to `GET seller/orders`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SellerOrdersView {
    /// Newest first.
    pub orders: Vec<SellerOrderView>,
    /// Where the next page starts; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// An order with the items of all its sellers. What is another seller's is left out when it is read: so each event changes
/// one document, however many sellers share the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedOrder {
    /// The order.
    pub id: OrderId,
    /// How far it has come.
    pub status: OrderStatus,
    /// Why it was rejected or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Everyone's items.
    pub items: Vec<OrderLine>,
    /// When the customer placed it.
    pub placed_at: Timestamp,
    /// Each status it reached, oldest first.
    pub history: Vec<StatusChange>,
    /// The city it goes to.
    pub destination: String,
}

impl SharedOrder {
    /// Writes a status down. It never goes backwards, and nothing follows a final one.
    pub fn reach(&mut self, status: OrderStatus, at: Timestamp) {
        reach(&mut self.status, &mut self.history, status, at);
    }

    /// What one seller may see of it; none if nothing is theirs.
    fn seen_by(self, seller: SellerId) -> Option<SellerOrderView> {
        let items: Vec<_> = self.items.into_iter().filter(|item| item.seller_id == seller).collect();
        let currency = items.first()?.line_total.currency;
        let sum = items
            .iter()
            .map(|item| item.line_total.amount)
            .fold(0, i64::saturating_add);
        Some(SellerOrderView {
            id: self.id,
            status: self.status,
            reason: self.reason,
            total: Money::new(sum, currency),
            items,
            placed_at: self.placed_at,
            history: self.history,
            destination: self.destination,
        })
    }
}

/// The read model `seller_orders`.
#[derive(Debug, Clone, Copy)]
pub enum SellerOrders {}

impl Model for SellerOrders {
    const NAME: &'static str = "seller_orders";
    type Key = OrderId;
    type Document = SharedOrder;

    fn index(order: &SharedOrder) -> IndexKeys {
        let mut sellers: Vec<SellerId> = order.items.iter().map(|item| item.seller_id).collect();
        sellers.sort_unstable();
        sellers.dedup();
        let key = |seller| newest_first(&id_bytes(seller), order.placed_at, id_bytes(order.id));
        sellers.into_iter().map(key).collect()
    }
}

impl Collection<SellerOrders> {
    /// A seller's orders, newest first, going on from where the page before ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of_seller(
        &self,
        seller: SellerId,
        after: Option<&[u8]>,
        size: usize,
    ) -> Result<Page<SellerOrderView>, StoreError> {
        let page = self.page(&id_bytes(seller), after, size).await?;
        Ok(Page {
            items: page
                .items
                .into_iter()
                .filter_map(|order| order.seen_by(seller))
                .collect(),
            next: page.next,
        })
    }
}

/// Fills the sellers' orders.
#[derive(Debug, Default)]
pub struct SellerOrdersProjection;

impl Projection for SellerOrdersProjection {
    type Model = SellerOrders;
    const CATEGORIES: &'static [Category] = &[Category::Order, Category::Reservation, Category::Payment];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        if step(fact.event).is_some() {
            keys.extend(order_of(fact.event));
        }
        Ok(())
    }

    fn apply(
        &mut self,
        fact: &Fact<'_>,
        _: &Key<Self>,
        document: &mut Option<SharedOrder>,
    ) -> Result<bool, Unexpected> {
        let Some((status, reason)) = step(fact.event) else {
            return Ok(false);
        };
        if let (ShopEvent::Order(OrderEvent::OrderPlaced(placed)), None) = (fact.event, &document) {
            *document = Some(SharedOrder {
                id: placed.order_id,
                status: OrderStatus::Placed,
                reason: None,
                items: placed.items.iter().map(Into::into).collect(),
                placed_at: fact.at,
                history: vec![],
                destination: placed.shipping_address.city.clone(),
            });
        }
        let order = known(document, "an order")?;
        if order.status.is_final() {
            return Ok(false);
        }
        order.reason = reason.cloned().or(order.reason.take());
        order.reach(status, fact.at);
        Ok(true)
    }
}
