//! What leaves the house: CloudEvents 1.0, JSON, with the data a partner may see and no more.
//!
//! Stored and published forms evolve apart: a stored event can change its shape, be split or be renamed, and what
//! partners receive stays. Names, addresses, e-mail and card tokens never leave.

use cloudevents::{AttributesReader, Event, EventBuilder, EventBuilderV10, event::EventBuilderError};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    Category, Money, OrderId, PaymentId, ProductId, ReturnId, ShipmentId, ShopEvent, StreamName, Timestamp,
    order::OrderEvent, payment::PaymentEvent, product::ProductEvent, returns::ReturnEvent, shipment::ParcelItem,
    shipment::ShipmentEvent,
};

/// The `source` of every CloudEvent.
pub const SOURCE: &str = "https://jangteo.shop/events";

/// The categories of which something is published.
pub const CATEGORIES: &[Category] = &[
    Category::Product,
    Category::Order,
    Category::Payment,
    Category::Shipment,
    Category::Returns,
];

/// An order, as a partner sees it.
#[derive(Serialize)]
struct PublicOrder {
    order_id: OrderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<PublicItem>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_code: Option<String>,
}

#[derive(Serialize)]
struct PublicItem {
    product_id: ProductId,
    quantity: u32,
    unit_price: Money,
}

#[derive(Serialize)]
struct PublicProduct {
    product_id: ProductId,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Money>,
}

#[derive(Serialize)]
struct PublicParcel<'a> {
    order_id: OrderId,
    carrier: &'a str,
    tracking_number: &'a str,
}

/// What of an order will not come.
#[derive(Serialize)]
struct PublicCancelledItems<'a> {
    order_id: OrderId,
    shipment_id: ShipmentId,
    items: &'a [ParcelItem],
    amount: Money,
    reason_code: &'a str,
}

/// Money that moved: never how it was paid.
#[derive(Serialize)]
struct PublicPayment {
    payment_id: PaymentId,
    order_id: OrderId,
    amount: Money,
}

#[derive(Serialize)]
struct PublicReturn {
    return_id: ReturnId,
    order_id: OrderId,
    refunded: Money,
}

/// The CloudEvent for a stored event, or none where the event is nobody's business outside.
///
/// `id` is the stored event's id, so that whoever receives it twice can tell.
///
/// # Errors
/// When the CloudEvents library refuses the attributes, which the tests rule out for every event we publish.
pub fn cloud_event(
    id: Uuid,
    stream: &StreamName,
    occurred_at: Timestamp,
    event: &ShopEvent,
) -> Result<Option<Event>, EventBuilderError> {
    let Some((event_type, data)) = public_form(event) else {
        return Ok(None);
    };
    EventBuilderV10::new()
        .id(id.to_string())
        .ty(event_type)
        .source(SOURCE)
        .subject(stream.as_str())
        .time(occurred_at.to_string())
        .data("application/json", data)
        .build()
        .map(Some)
}

/// The published type and data. A type's data never changes incompatibly: that takes a new `.v2`.
fn public_form(event: &ShopEvent) -> Option<(&'static str, serde_json::Value)> {
    let (event_type, data) = match event {
        ShopEvent::Order(order) => order_form(order)?,
        ShopEvent::Product(product) => product_form(product)?,
        ShopEvent::Payment(payment) => payment_form(payment)?,
        ShopEvent::Shipment(ShipmentEvent::ShipmentBooked(booked)) => {
            let (carrier, tracking_number) = (&*booked.carrier, &*booked.tracking_number);
            let parcel = PublicParcel {
                order_id: booked.order_id,
                carrier,
                tracking_number,
            };
            ("shop.jangteo.shipment.booked.v1", serde_json::to_value(parcel))
        }
        ShopEvent::Returns(ReturnEvent::ReturnCompleted(completed)) => {
            let public = PublicReturn {
                return_id: completed.return_id,
                order_id: completed.order_id,
                refunded: completed.refunded,
            };
            ("shop.jangteo.return.completed.v1", serde_json::to_value(public))
        }
        _ => return None,
    };
    // Invariant: the public forms are plain structs with string keys.
    data.ok().map(|data| (event_type, data))
}

type Form = (&'static str, serde_json::Result<serde_json::Value>);

fn order_form(event: &OrderEvent) -> Option<Form> {
    let bare = |order_id| PublicOrder {
        order_id,
        total: None,
        items: None,
        reason_code: None,
    };
    let (event_type, order) = match event {
        OrderEvent::OrderPlaced(placed) => {
            let items = placed.items.iter().map(|item| PublicItem {
                product_id: item.product_id,
                quantity: item.quantity,
                unit_price: item.unit_price,
            });
            let items = Some(items.collect());
            (
                "shop.jangteo.order.placed.v1",
                PublicOrder {
                    total: Some(placed.total),
                    items,
                    ..bare(placed.order_id)
                },
            )
        }
        OrderEvent::OrderConfirmed(event) => ("shop.jangteo.order.confirmed.v1", bare(event.order_id)),
        OrderEvent::OrderShipped(event) => ("shop.jangteo.order.shipped.v1", bare(event.order_id)),
        OrderEvent::OrderDelivered(event) => ("shop.jangteo.order.delivered.v1", bare(event.order_id)),
        OrderEvent::OrderRejected(event) => {
            let reason_code = Some(event.reason.code.clone());
            (
                "shop.jangteo.order.rejected.v1",
                PublicOrder {
                    reason_code,
                    ..bare(event.order_id)
                },
            )
        }
        OrderEvent::OrderCancelled(event) => {
            let reason_code = Some(event.reason.code.clone());
            (
                "shop.jangteo.order.cancelled.v1",
                PublicOrder {
                    reason_code,
                    ..bare(event.order_id)
                },
            )
        }
        OrderEvent::OrderItemsCancelled(cancelled) => {
            let public = PublicCancelledItems {
                order_id: cancelled.order_id,
                shipment_id: cancelled.shipment_id,
                items: &cancelled.items,
                amount: cancelled.amount,
                reason_code: &cancelled.reason.code,
            };
            return Some(("shop.jangteo.order.items-cancelled.v1", serde_json::to_value(public)));
        }
        _ => return None,
    };
    Some((event_type, serde_json::to_value(order)))
}

fn payment_form(event: &PaymentEvent) -> Option<Form> {
    let (event_type, payment_id, order_id, amount) = match event {
        PaymentEvent::PaymentCaptured(event) => (
            "shop.jangteo.payment.captured.v1",
            event.payment_id,
            event.order_id,
            event.amount,
        ),
        PaymentEvent::PaymentRefunded(event) => (
            "shop.jangteo.payment.refunded.v1",
            event.payment_id,
            event.order_id,
            event.amount,
        ),
        _ => return None,
    };
    let payment = PublicPayment {
        payment_id,
        order_id,
        amount,
    };
    Some((event_type, serde_json::to_value(payment)))
}

fn product_form(event: &ProductEvent) -> Option<Form> {
    let (event_type, product) = match event {
        ProductEvent::ProductListed(listed) => (
            "shop.jangteo.product.listed.v1",
            PublicProduct {
                product_id: listed.product_id,
                title: Some(listed.title.clone()),
                price: Some(listed.price),
            },
        ),
        ProductEvent::ProductRepriced(repriced) => (
            "shop.jangteo.product.repriced.v1",
            PublicProduct {
                product_id: repriced.product_id,
                title: None,
                price: Some(repriced.price),
            },
        ),
        ProductEvent::ProductDelisted(delisted) => (
            "shop.jangteo.product.delisted.v1",
            PublicProduct {
                product_id: delisted.product_id,
                title: None,
                price: None,
            },
        ),
        _ => return None,
    };
    Some((event_type, serde_json::to_value(product)))
}

/// The type of a CloudEvent of ours.
pub fn kind(event: &Event) -> &str {
    event.ty()
}

/// The subject (the stream) of a CloudEvent of ours.
pub fn subject(event: &Event) -> Option<&str> {
    event.subject()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AccountId, Address, Category,
        order::{OrderItem, OrderPlaced, PaymentMethod, Reason},
    };

    fn placed() -> OrderPlaced {
        OrderPlaced {
            order_id: OrderId::fresh(),
            customer_id: AccountId::fresh(),
            items: vec![OrderItem {
                product_id: ProductId::fresh(),
                seller_id: AccountId::fresh(),
                title: "Moon jar".into(),
                unit_price: Money::krw(129_000),
                quantity: 1,
            }],
            total: Money::krw(129_000),
            shipping_address: Address {
                recipient: "Kim Haneul".into(),
                phone: "010-0000-0000".into(),
                postal_code: "03000".into(),
                line1: "Secret-ro 1".into(),
                line2: None,
                city: "Seoul".into(),
                country: "KR".into(),
            },
            payment: PaymentMethod {
                method: "card".into(),
                token: "card_approve".into(),
            },
            from_cart: false,
            promised_by: None,
        }
    }

    #[test]
    fn a_placed_order_leaves_as_a_cloud_event_without_personal_data() {
        let placed = placed();
        let (id, stream) = (Uuid::now_v7(), Category::Order.stream(placed.order_id.uuid()));
        let event = ShopEvent::Order(OrderEvent::OrderPlaced(placed));
        let cloud = cloud_event(id, &stream, Timestamp::from_millis(0), &event)
            .unwrap()
            .unwrap();

        let json = serde_json::to_string(&cloud).unwrap();
        let back: Event = serde_json::from_str(&json).unwrap();
        assert_eq!(back, cloud, "the library reads what it wrote");
        assert_eq!(back.id(), id.to_string());
        assert_eq!(back.ty(), "shop.jangteo.order.placed.v1");
        assert_eq!(subject(&back), Some(stream.as_str()));
        for secret in ["Haneul", "Secret-ro", "010-0000", "card_approve"] {
            assert!(!json.contains(secret), "{secret} left the house: {json}");
        }
    }

    #[test]
    fn a_rejection_says_why_in_a_code_and_a_cart_is_nobodys_business() {
        let reason = Reason::new("card_declined", "The card was declined.");
        let order_id = OrderId::fresh();
        let event = ShopEvent::Order(crate::order::OrderRejected { order_id, reason }.into());
        let stream = Category::Order.stream(order_id.uuid());
        let cloud = cloud_event(Uuid::now_v7(), &stream, Timestamp::from_millis(0), &event)
            .unwrap()
            .unwrap();
        assert!(serde_json::to_string(&cloud).unwrap().contains("card_declined"));

        let customer_id = AccountId::fresh();
        let cart = ShopEvent::Cart(crate::cart::CartCheckedOut { customer_id, order_id }.into());
        assert_eq!(
            cloud_event(Uuid::now_v7(), &stream, Timestamp::from_millis(0), &cart).unwrap(),
            None
        );
    }
}
