//! My page: a customer and their orders, newest first.

use event_schemas::{
    AccountId, Category, CustomerId, OrderId, ShopEvent,
    customer::CustomerEvent,
    order::{OrderEvent, OrderPlaced},
    subscription::PointsEvent,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    order_parcels,
    order_payment::PaymentView,
    order_returns,
    order_steps::{order_of, step},
    order_view::{OrderStatus, OrderView, take_in_cancellation},
};
use crate::{
    documents::{Collection, IndexKeys, Model, ModelKey, StoreError},
    paging::{Page, id_bytes, newest_first},
    projection::{Fact, Key, Projection, Unexpected},
};

/// Who the page is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustomerView {
    /// The customer.
    pub id: CustomerId,
    /// What they are called; empty while unknown.
    pub name: String,
    /// The points they have: earned by what was delivered, less what was taken back.
    #[serde(default)]
    pub points: u64,
}

/// The answer to `GET my-page`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MyPageView {
    /// Who the page is about.
    pub customer: CustomerView,
    /// Newest first.
    pub orders: Vec<OrderView>,
    /// Where the next page starts; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The read model `my_page`.
#[derive(Debug, Clone, Copy)]
pub enum MyPage {}

/// What the model keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MyPageDocument {
    /// An order.
    Order(Box<OrderView>),
    /// A customer.
    Customer(KnownCustomer),
}

/// A customer, with what is remembered about counting their points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownCustomer {
    /// As the page shows them.
    #[serde(flatten)]
    pub view: CustomerView,
    /// The last event that counted.
    #[serde(default)]
    counted: u64,
}

impl From<CustomerView> for KnownCustomer {
    fn from(view: CustomerView) -> Self {
        Self { view, counted: 0 }
    }
}

/// What a document of the model is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MyPageKey {
    /// An order.
    Order(OrderId),
    /// A customer.
    Customer(AccountId),
}

impl ModelKey for MyPageKey {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Order(id) => [b"o".as_slice(), &id_bytes(*id)].concat(),
            Self::Customer(id) => [b"c".as_slice(), &id_bytes(*id)].concat(),
        }
    }
}

impl Model for MyPage {
    const NAME: &'static str = "my_page";
    type Key = MyPageKey;
    type Document = MyPageDocument;

    fn index(document: &MyPageDocument) -> IndexKeys {
        match document {
            MyPageDocument::Order(order) => {
                let owner = id_bytes(order.customer_id);
                vec![newest_first(&owner, order.placed_at, id_bytes(order.id))]
            }
            MyPageDocument::Customer(_) => vec![],
        }
    }
}

impl Collection<MyPage> {
    /// An order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn order(&self, id: OrderId) -> Result<Option<OrderView>, StoreError> {
        Ok(match self.get(&MyPageKey::Order(id)).await? {
            Some(MyPageDocument::Order(order)) => Some(*order),
            _ => None,
        })
    }

    /// A customer.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn customer(&self, id: CustomerId) -> Result<Option<CustomerView>, StoreError> {
        Ok(match self.get(&MyPageKey::Customer(id)).await? {
            Some(MyPageDocument::Customer(customer)) => Some(customer.view),
            _ => None,
        })
    }

    /// A customer's orders, newest first, going on from where the page before ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn orders_of(
        &self,
        customer: CustomerId,
        after: Option<&[u8]>,
        size: usize,
    ) -> Result<Page<OrderView>, StoreError> {
        let page = self.page(&id_bytes(customer), after, size).await?;
        let order = |document| match document {
            MyPageDocument::Order(order) => Some(*order),
            MyPageDocument::Customer(_) => None,
        };
        Ok(Page {
            items: page.items.into_iter().filter_map(order).collect(),
            next: page.next,
        })
    }
}

/// Fills my page.
#[derive(Debug, Default)]
pub struct MyPageProjection;

impl Projection for MyPageProjection {
    type Model = MyPage;
    const CATEGORIES: &'static [Category] = &[
        Category::Order,
        Category::Reservation,
        Category::Payment,
        Category::Credit,
        Category::Shipment,
        Category::Returns,
        Category::Customer,
        Category::Points,
    ];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        match customer_of(fact.event) {
            Some(customer) => keys.push(MyPageKey::Customer(customer)),
            None => keys.extend(order_of(fact.event).map(MyPageKey::Order)),
        }
        Ok(())
    }

    fn apply(
        &mut self,
        fact: &Fact<'_>,
        key: &Key<Self>,
        document: &mut Option<MyPageDocument>,
    ) -> Result<bool, Unexpected> {
        if let MyPageKey::Customer(id) = key {
            let unknown = || MyPageDocument::Customer(CustomerView::unknown(*id).into());
            return match document.get_or_insert_with(unknown) {
                MyPageDocument::Customer(customer) => Ok(customer.take_in(fact)),
                MyPageDocument::Order(_) => Err(Unexpected::NoSuch("a customer")),
            };
        }
        if let ShopEvent::Order(OrderEvent::OrderPlaced(placed)) = fact.event {
            let new = document.is_none();
            document.get_or_insert_with(|| MyPageDocument::Order(Box::new(order(placed, fact))));
            return Ok(new);
        }
        let Some(MyPageDocument::Order(order)) = document else {
            return Err(Unexpected::NoSuch("an order"));
        };
        Ok(advance(order, fact))
    }
}

/// The customer an event is about, if it is about a customer rather than an order.
const fn customer_of(event: &ShopEvent) -> Option<CustomerId> {
    match event {
        ShopEvent::Customer(CustomerEvent::CustomerRegistered(event)) => Some(event.customer_id),
        ShopEvent::Points(PointsEvent::PointsEarned(event)) => Some(event.customer_id),
        ShopEvent::Points(PointsEvent::PointsTakenBack(event)) => Some(event.customer_id),
        _ => None,
    }
}

impl CustomerView {
    /// Somebody of whom nothing is known yet.
    pub const fn unknown(id: CustomerId) -> Self {
        Self {
            id,
            name: String::new(),
            points: 0,
        }
    }
}

impl KnownCustomer {
    fn take_in(&mut self, fact: &Fact<'_>) -> bool {
        let before = self.clone();
        let points = self.view.points;
        let counted = match fact.event {
            ShopEvent::Customer(CustomerEvent::CustomerRegistered(event)) => {
                self.view.name.clone_from(&event.name);
                points
            }
            ShopEvent::Points(PointsEvent::PointsEarned(event)) => points.saturating_add(event.points),
            ShopEvent::Points(PointsEvent::PointsTakenBack(event)) => points.saturating_sub(event.points),
            _ => points,
        };
        if counted != points && fact.position > self.counted {
            self.view.points = counted;
            self.counted = fact.position;
        }
        *self != before
    }
}

fn advance(order: &mut OrderView, fact: &Fact<'_>) -> bool {
    let mut news = order.payment.take_in(fact);
    news |= order_parcels::take_in(&mut order.parcels, &order.items, fact);
    news |= order_returns::take_in(&mut order.returns, &order.items, fact);
    news |= take_in_cancellation(&mut order.cancellation, fact);
    let Some((status, reason)) = step(fact.event) else {
        return news;
    };
    if !order.status.is_final() {
        order.reason = reason.cloned().or(order.reason.take());
        order.delivered_at = (status == OrderStatus::Delivered).then_some(fact.at);
        order.reach(status, fact.at);
    }
    true
}

fn order(placed: &OrderPlaced, fact: &Fact<'_>) -> OrderView {
    let mut order = OrderView {
        id: placed.order_id,
        customer_id: placed.customer_id,
        status: OrderStatus::Placed,
        reason: None,
        items: placed.items.iter().map(Into::into).collect(),
        total: placed.total,
        placed_at: fact.at,
        history: vec![],
        cancellation: None,
        payment: PaymentView::pending(placed.payment.method.clone(), placed.total),
        parcels: vec![],
        returns: vec![],
        shipping_address: placed.shipping_address.clone(),
        promised_by: placed.promised_by,
        delivered_at: None,
    };
    order.reach(OrderStatus::Placed, fact.at);
    order
}
