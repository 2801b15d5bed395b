//! A seller's sales by day: orders, pieces and money of what was ordered on that day and not called off.

use event_schemas::{
    Category, Money, OrderId, SellerId, ShipmentId, ShopEvent,
    money::Currency,
    order::{OrderEvent, OrderPlaced},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::calendar::Day;
use crate::{
    documents::{Collection, IndexKeys, Model, ModelKey, StoreError},
    paging::{Page, id_bytes},
    projection::{Fact, Key, Projection, Unexpected},
};

/// The answer to `GET seller/sales`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SellerSalesView {
    /// Oldest first; a day on which nothing was ordered is left out.
    pub days: Vec<DaySales>,
    /// Where the next page starts; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// What a seller sold on a day. What was called off later is taken out again, from the day on which it was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DaySales {
    /// The day, in Korea.
    pub day: Day,
    /// Who sold.
    pub seller_id: SellerId,
    /// Orders with something of the seller's.
    pub orders: u64,
    /// Pieces of the seller's in them.
    pub pieces: u64,
    /// What those come to, for each currency.
    pub revenue: Vec<Money>,
    /// Orders of that day that were rejected or cancelled, or whose parcel of the seller's was not sent.
    pub called_off: u64,
}

/// The read model `seller_sales`.
#[derive(Debug, Clone, Copy)]
pub enum SellerSales {}

/// What a document of the model is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SellerSalesKey {
    /// An order that may still be called off.
    Order(OrderId),
    /// A seller's day.
    Day(SellerId, Day),
}

/// What the model keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SellerSalesDocument {
    /// An order that may still be called off.
    Order(OpenOrder),
    /// A seller's day.
    Day(DaySales),
}

/// An order that may still be called off: what is to be taken out then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOrder {
    /// When it was placed.
    day: Day,
    /// What is whose.
    lines: Vec<SoldLine>,
    /// A parcel is on its way: it is not called off any more, but other parcels may still not be sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    shipped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct SoldLine {
    seller_id: SellerId,
    pieces: u32,
    total: Money,
}

impl ModelKey for SellerSalesKey {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Order(id) => [b"o".as_slice(), &id_bytes(*id)].concat(),
            Self::Day(seller, day) => [b"d".as_slice(), &id_bytes(*seller), &day.bytes()].concat(),
        }
    }
}

impl Model for SellerSales {
    const NAME: &'static str = "seller_sales";
    type Key = SellerSalesKey;
    type Document = SellerSalesDocument;

    fn index(document: &SellerSalesDocument) -> IndexKeys {
        let SellerSalesDocument::Day(sales) = document else {
            return vec![];
        };
        let (seller, day) = (id_bytes(sales.seller_id), sales.day.bytes());
        vec![
            [&of_seller(Some(sales.seller_id)), &day[..]].concat(),
            [&of_seller(None), &day[..], &seller].concat(),
        ]
    }
}

/// The start of the keys of a seller's days, or of everybody's.
fn of_seller(seller: Option<SellerId>) -> Vec<u8> {
    seller.map_or_else(|| b"*".to_vec(), |seller| [b"s".as_slice(), &id_bytes(seller)].concat())
}

impl Collection<SellerSales> {
    /// A seller's days, or everybody's, from the oldest, going on from where the page before ended or else at `from`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn days(
        &self,
        seller: Option<SellerId>,
        days: std::ops::RangeInclusive<Day>,
        after: Option<&[u8]>,
        size: usize,
    ) -> Result<Page<DaySales>, StoreError> {
        // Behind the day before, whatever follows the day in the key.
        let before = [&days.start().plus(-1).bytes()[..], &[0xff; 17]].concat();
        let after = after.filter(|after| **after > before[..]).unwrap_or(&before);
        // One more than asked for tells whether there is a next page within these days.
        let page = self.page(&of_seller(seller), Some(after), size + 1).await?;
        let sales = |document| match document {
            SellerSalesDocument::Day(sales) => Some(sales),
            SellerSalesDocument::Order(_) => None,
        };
        let sales = page.items.into_iter().filter_map(sales);
        let mut items: Vec<_> = sales.take_while(|sales| days.contains(&sales.day)).collect();
        let more = items.len() > size;
        items.truncate(size);
        let last = items.last().filter(|_| more);
        let next = last.map(|sales| match seller {
            Some(_) => sales.day.bytes().to_vec(),
            None => [&sales.day.bytes()[..], &id_bytes(sales.seller_id)].concat(),
        });
        Ok(Page { items, next })
    }

    /// The newest day on which something of a seller's, or of anybody's, was ordered.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn newest(&self, seller: Option<SellerId>) -> Result<Option<Day>, StoreError> {
        Ok(match self.last(&of_seller(seller)).await? {
            Some(SellerSalesDocument::Day(sales)) => Some(sales.day),
            _ => None,
        })
    }
}

/// Fills the sellers' sales.
#[derive(Debug, Default)]
pub struct SellerSalesProjection {
    /// What the event under way does to which day's sales.
    changes: Vec<(SellerSalesKey, Change)>,
}

#[derive(Debug, Clone, Copy)]
struct Change {
    line: SoldLine,
    called_off: bool,
    /// The first of this order's lines that are this seller's: orders are counted once.
    first: bool,
}

impl Projection for SellerSalesProjection {
    type Model = SellerSales;
    const CATEGORIES: &'static [Category] = &[Category::Order];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        self.changes.clear();
        let order = match fact.event {
            ShopEvent::Order(OrderEvent::OrderPlaced(event)) => event.order_id,
            ShopEvent::Order(OrderEvent::OrderRejected(event)) => event.order_id,
            ShopEvent::Order(OrderEvent::OrderCancelled(event)) => event.order_id,
            ShopEvent::Order(OrderEvent::OrderShipped(event)) => event.order_id,
            ShopEvent::Order(OrderEvent::OrderItemsCancelled(event)) => event.order_id,
            ShopEvent::Order(OrderEvent::OrderDelivered(event)) => event.order_id,
            _ => return Ok(()),
        };
        keys.push(SellerSalesKey::Order(order));
        Ok(())
    }

    fn apply(
        &mut self,
        fact: &Fact<'_>,
        key: &Key<Self>,
        document: &mut Option<SellerSalesDocument>,
    ) -> Result<bool, Unexpected> {
        match key {
            SellerSalesKey::Order(_) => Ok(self.turn(fact, document)),
            SellerSalesKey::Day(seller, day) => {
                let empty = || SellerSalesDocument::Day(DaySales::none(*day, *seller));
                if let SellerSalesDocument::Day(sales) = document.get_or_insert_with(empty) {
                    let of_day = self.changes.iter().filter(|(of, _)| of == key);
                    of_day.for_each(|(_, change)| sales.change(*change));
                }
                Ok(true)
            }
        }
    }

    fn follow_up(&mut self, _: &Fact<'_>, keys: &mut Vec<Key<Self>>) {
        for (key, _) in &self.changes {
            if !keys.contains(key) {
                keys.push(*key);
            }
        }
    }

    fn is_source(key: &Key<Self>) -> bool {
        matches!(key, SellerSalesKey::Order(_))
    }
}

impl SellerSalesProjection {
    /// What the event makes of an order, and so of the days of its sellers.
    fn turn(&mut self, fact: &Fact<'_>, document: &mut Option<SellerSalesDocument>) -> bool {
        let ShopEvent::Order(event) = fact.event else {
            return false;
        };
        let Some(SellerSalesDocument::Order(order)) = document else {
            let OrderEvent::OrderPlaced(placed) = event else {
                return false;
            };
            let order = OpenOrder::of(placed, Day::of(fact.at));
            self.note(order.day, &order.lines, false);
            *document = Some(SellerSalesDocument::Order(order));
            return true;
        };
        let called_off = match event {
            OrderEvent::OrderPlaced(_) => return false,
            OrderEvent::OrderShipped(_) if order.has_several_sellers() => {
                return !std::mem::replace(&mut order.shipped, true);
            }
            OrderEvent::OrderItemsCancelled(event) => order.take_parcel(event.order_id, event.shipment_id),
            OrderEvent::OrderRejected(_) | OrderEvent::OrderCancelled(_) if !order.shipped => {
                std::mem::take(&mut order.lines)
            }
            // From here on it cannot be called off.
            _ => {
                order.lines.clear();
                vec![]
            }
        };
        self.note(order.day, &called_off, true);
        let over = order.lines.is_empty();
        if over {
            *document = None;
        }
        over || !called_off.is_empty()
    }

    /// Remembers what is to be done to the days of these lines' sellers.
    fn note(&mut self, day: Day, lines: &[SoldLine], called_off: bool) {
        for (at, line) in lines.iter().enumerate() {
            let first = lines[..at].iter().all(|before| before.seller_id != line.seller_id);
            let change = Change {
                line: *line,
                called_off,
                first,
            };
            self.changes.push((SellerSalesKey::Day(line.seller_id, day), change));
        }
    }
}

impl OpenOrder {
    fn of(placed: &OrderPlaced, day: Day) -> Self {
        let line = |item: &event_schemas::order::OrderItem| SoldLine {
            seller_id: item.seller_id,
            pieces: item.quantity,
            total: Money::new(
                item.unit_price.amount.saturating_mul(item.quantity.into()),
                item.unit_price.currency,
            ),
        };
        Self {
            day,
            lines: placed.items.iter().map(line).collect(),
            shipped: false,
        }
    }

    fn has_several_sellers(&self) -> bool {
        let first = self.lines.first().map(|line| line.seller_id);
        self.lines.iter().any(|line| Some(line.seller_id) != first)
    }

    /// The lines that are in a parcel: the order's only one, or its seller's, from whom the parcel has its id.
    fn take_parcel(&mut self, order: OrderId, parcel: ShipmentId) -> Vec<SoldLine> {
        let only = ShipmentId::derived(order.uuid(), "shipment") == parcel;
        let inside = |line: &mut SoldLine| {
            let of_seller = || ShipmentId::derived(order.uuid(), &format!("shipment {}", line.seller_id));
            only || of_seller() == parcel
        };
        self.lines.extract_if(.., inside).collect()
    }
}

impl DaySales {
    const fn none(day: Day, seller_id: SellerId) -> Self {
        Self {
            day,
            seller_id,
            orders: 0,
            pieces: 0,
            revenue: vec![],
            called_off: 0,
        }
    }

    fn change(&mut self, change: Change) {
        let (once, pieces, total) = (
            u64::from(change.first),
            u64::from(change.line.pieces),
            change.line.total,
        );
        let revenue = self.revenue_in(total.currency);
        if change.called_off {
            *revenue = revenue.saturating_sub(total.amount);
            self.pieces = self.pieces.saturating_sub(pieces);
            self.orders = self.orders.saturating_sub(once);
            self.called_off += once;
        } else {
            *revenue = revenue.saturating_add(total.amount);
            self.pieces = self.pieces.saturating_add(pieces);
            self.orders += once;
        }
    }

    fn revenue_in(&mut self, currency: Currency) -> &mut i64 {
        let at = self.revenue.iter().position(|sum| sum.currency == currency);
        let at = at.unwrap_or_else(|| {
            self.revenue.push(Money::new(0, currency));
            self.revenue.len() - 1
        });
        &mut self.revenue[at].amount
    }
}
