//! A seller's orders: of each order the items that are theirs, newest first.

use event_schemas::{
    Category, Money, OrderId, SellerId, ShopEvent, Timestamp,
    order::{OrderEvent, OrderPlaced, Reason},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    order_parcels::{self, ParcelView},
    order_returns::{self, ReturnStage, ReturnView},
    order_steps::{order_of, step},
    order_view::{CancellationView, OrderLine, OrderStatus, StatusChange, reach, take_in_cancellation},
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
    /// The customer wants it called off: what is not with a carrier yet will not be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<CancellationView>,
    /// The seller's own parcel, once it is booked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parcels: Vec<ParcelView>,
    /// What comes back of the seller's own items, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<ReturnView>,
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
    /// The customer wants it called off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<CancellationView>,
    /// Everyone's parcels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parcels: Vec<ParcelView>,
    /// Everyone's returns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<ReturnView>,
}

impl SharedOrder {
    /// Writes a status down. It never goes backwards, and nothing follows a final one.
    pub fn reach(&mut self, status: OrderStatus, at: Timestamp) {
        reach(&mut self.status, &mut self.history, status, at);
    }

    /// The seller has goods to receive, or to look at.
    fn awaits_return_to(&self, seller: SellerId) -> bool {
        let awaited = |known: &ReturnView| matches!(known.stage, ReturnStage::Requested | ReturnStage::Received);
        self.returns
            .iter()
            .any(|known| awaited(known) && is_of(known.seller_id, seller))
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
            cancellation: self.cancellation,
            // Where sellers shared a parcel, it is everyone's.
            parcels: self
                .parcels
                .into_iter()
                .filter(|parcel| is_of(parcel.seller_id, seller))
                .collect(),
            returns: self
                .returns
                .into_iter()
                .filter(|known| is_of(known.seller_id, seller))
                .collect(),
        })
    }
}

fn is_of(whose: Option<SellerId>, seller: SellerId) -> bool {
    whose.is_none_or(|whose| whose == seller)
}

/// The start of the keys of a seller's orders of which something is coming back.
fn returning_to(seller: SellerId) -> Vec<u8> {
    [b"r".as_slice(), &id_bytes(seller)].concat()
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
        let key = |prefix: &[u8]| newest_first(prefix, order.placed_at, id_bytes(order.id));
        let all = sellers.iter().map(|seller| key(&id_bytes(*seller)));
        let returning = sellers.iter().filter(|seller| order.awaits_return_to(**seller));
        all.chain(returning.map(|seller| key(&returning_to(*seller)))).collect()
    }
}

impl Collection<SellerOrders> {
    /// A seller's orders, newest first, going on from where the page before ended: all, or those of which goods come back
    /// that the seller has to receive or to look at.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of_seller(
        &self,
        seller: SellerId,
        returning: bool,
        after: Option<&[u8]>,
        size: usize,
    ) -> Result<Page<SellerOrderView>, StoreError> {
        let list = if returning {
            returning_to(seller)
        } else {
            id_bytes(seller).to_vec()
        };
        let page = self.page(&list, after, size).await?;
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
    const CATEGORIES: &'static [Category] = &[
        Category::Order,
        Category::Reservation,
        Category::Payment,
        Category::Credit,
        Category::Shipment,
        Category::Returns,
    ];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        let shown = match fact.event {
            ShopEvent::Order(_) | ShopEvent::Shipment(_) | ShopEvent::Returns(_) => true,
            // Of the money a seller sees no more than how far it brings the order.
            event => step(event).is_some(),
        };
        if shown {
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
        if let (ShopEvent::Order(OrderEvent::OrderPlaced(placed)), None) = (fact.event, &document) {
            *document = Some(shared(placed, fact.at));
        }
        let order = known(document, "an order")?;
        let mut news = order_parcels::take_in(&mut order.parcels, &order.items, fact);
        news |= order_returns::take_in(&mut order.returns, &order.items, fact);
        news |= take_in_cancellation(&mut order.cancellation, fact);
        if let Some((status, reason)) = step(fact.event)
            && !order.status.is_final()
        {
            order.reason = reason.cloned().or(order.reason.take());
            order.reach(status, fact.at);
            news = true;
        }
        Ok(news)
    }
}

fn shared(placed: &OrderPlaced, placed_at: Timestamp) -> SharedOrder {
    SharedOrder {
        id: placed.order_id,
        status: OrderStatus::Placed,
        reason: None,
        items: placed.items.iter().map(Into::into).collect(),
        placed_at,
        history: vec![],
        destination: placed.shipping_address.city.clone(),
        cancellation: None,
        parcels: vec![],
        returns: vec![],
    }
}
