//! My page: `my_page`.

use event_schemas::{
    Category, ShopEvent,
    customer::CustomerEvent,
    order::{OrderEvent, OrderPlaced},
    payment::PaymentEvent,
};
use read_models::{
    my_page::{CustomerView, MyPage, MyPageDocument, MyPageKey},
    order_view::{OrderStatus, OrderView, PaymentStatus, PaymentView},
};

use super::order_steps::{order_of, step};
use crate::projection::{Fact, Key, Projection, Unexpected};

/// Fills my page.
#[derive(Debug, Default)]
pub(crate) struct MyPageProjection;

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
        | PaymentEvent::PaymentVoidRequested(_) => None,
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
