//! My page: a customer and their orders, newest first.

use event_schemas::{
    AccountId, Category, CustomerId, OrderId, ShopEvent,
    customer::CustomerEvent,
    order::{OrderEvent, OrderPlaced},
    payment::PaymentEvent,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    order_steps::{order_of, step},
    order_view::{OrderStatus, OrderView, PaymentStatus, PaymentView},
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
    Customer(CustomerView),
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
            Some(MyPageDocument::Customer(customer)) => Some(customer),
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
        Category::Customer,
    ];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        match fact.event {
            ShopEvent::Customer(CustomerEvent::CustomerRegistered(event)) => {
                keys.push(MyPageKey::Customer(event.customer_id));
            }
            event => keys.extend(order_of(event).map(MyPageKey::Order)),
        }
        Ok(())
    }

    fn apply(
        &mut self,
        fact: &Fact<'_>,
        _: &Key<Self>,
        document: &mut Option<MyPageDocument>,
    ) -> Result<bool, Unexpected> {
        match fact.event {
            ShopEvent::Customer(CustomerEvent::CustomerRegistered(event)) => {
                *document = Some(MyPageDocument::Customer(CustomerView {
                    id: event.customer_id,
                    name: event.name.clone(),
                }));
                return Ok(true);
            }
            ShopEvent::Order(OrderEvent::OrderPlaced(placed)) => {
                let new = document.is_none();
                document.get_or_insert_with(|| MyPageDocument::Order(Box::new(order(placed, fact))));
                return Ok(new);
            }
            _ => {}
        }
        let Some(MyPageDocument::Order(order)) = document else {
            return Err(Unexpected::NoSuch("an order"));
        };
        Ok(advance(order, fact))
    }
}

fn advance(order: &mut OrderView, fact: &Fact<'_>) -> bool {
    let payment = match fact.event {
        ShopEvent::Payment(event) => payment_status(event),
        _ => None,
    };
    if let Some(status) = payment {
        order.payment.status = status;
    }
    let Some((status, reason)) = step(fact.event) else {
        return payment.is_some();
    };
    if !order.status.is_final() {
        order.reason = reason.cloned().or(order.reason.take());
        order.delivered_at = (status == OrderStatus::Delivered).then_some(fact.at);
        order.reach(status, fact.at);
    }
    true
}

/// What a payment's event makes known; nothing for a mere intention.
const fn payment_status(event: &PaymentEvent) -> Option<PaymentStatus> {
    match event {
        PaymentEvent::PaymentAuthorised(_) => Some(PaymentStatus::Authorised),
        PaymentEvent::PaymentDeclined(_) => Some(PaymentStatus::Declined),
        PaymentEvent::PaymentCaptured(_) => Some(PaymentStatus::Captured),
        PaymentEvent::PaymentVoided(_) => Some(PaymentStatus::Voided),
        PaymentEvent::PaymentOutcomeUnknown(_) => Some(PaymentStatus::Unknown),
        PaymentEvent::PaymentAuthorisationRequested(_)
        | PaymentEvent::PaymentCaptureRequested(_)
        | PaymentEvent::PaymentVoidRequested(_)
        | PaymentEvent::PaymentRefundRequested(_)
        | PaymentEvent::PaymentRefunded(_)
        | PaymentEvent::PaymentOperationRefused(_) => None,
    }
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
        payment: PaymentView {
            status: PaymentStatus::Pending,
            amount: placed.total,
        },
        shipping_address: placed.shipping_address.clone(),
        promised_by: placed.promised_by,
        delivered_at: None,
    };
    order.reach(OrderStatus::Placed, fact.at);
    order
}
