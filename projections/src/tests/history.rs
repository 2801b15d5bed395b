//! Events to tell histories with.

use std::time::Duration;

use event_schemas::{
    Address, Category, CustomerId, Id, Money, OrderId, PaymentId, ProductId, ShipmentId,
    cart::{CartCheckedOut, CartItemRemoved, CartItemSet},
    customer::CustomerRegistered,
    order::{
        OrderCancelled, OrderConfirmed, OrderDelivered, OrderEvent, OrderItem, OrderPlaced, OrderRejected,
        OrderShipped, PaymentMethod, Reason,
    },
    payment::{
        PaymentAuthorisationRequested, PaymentAuthorised, PaymentCaptured, PaymentDeclined, PaymentEvent,
        PaymentOperation, PaymentOutcomeUnknown, PaymentVoided,
    },
    product::{
        AttributeValue, ProductDelisted, ProductEvent, ProductListed, ProductPictured, ProductRepriced, ProductRevised,
    },
    saga::{PlaceOrderEvent, SagaAdvanced, SagaStatus},
    shipment::{ParcelDelivered, ParcelPickedUp, ParcelScanned, ParcelStatus, ShipmentBooked, ShipmentEvent},
    stock::{ReservationEvent, StockEvent, StockIssued, StockLine, StockReceived, StockReleased, StockReserved},
};
use uuid::Uuid;

use super::{MemoryLog, happens};

/// Longer than anything takes on a slow machine.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);

/// The thing of a kind with this number.
pub(super) fn id<K>(number: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(number))
}

/// The seller of a product: even ones are one seller's, odd ones another's.
pub(super) fn seller(product: u128) -> CustomerId {
    id(900 + product % 2)
}

pub(super) fn listed(product: u128) -> ProductEvent {
    ProductListed {
        product_id: id(product),
        seller_id: seller(product),
        title: format!("Thing {product}"),
        description: "커피를 마시는 컵".to_owned(),
        brand: "Acme".to_owned(),
        category: "Kitchen/Coffee".to_owned(),
        attributes: [("colour".to_owned(), AttributeValue::Text("red".to_owned()))].into(),
        price: Money::krw(1_000),
        ean: None,
    }
    .into()
}

pub(super) async fn product(log: &MemoryLog, event: ProductEvent, at: i64) {
    let id: ProductId = event.product_id();
    happens(log, Category::Product.stream(id.uuid()), event, at).await;
}

pub(super) async fn received(log: &MemoryLog, number: u128, available: u64, at: i64) {
    let event = StockReceived {
        product_id: id(number),
        quantity: 1,
        available,
    };
    let stream = Category::Stock.stream(Uuid::from_u128(number));
    happens(log, stream, StockEvent::from(event), at).await;
}

pub(super) fn placed(order: u128, customer: u128, products: &[u128]) -> OrderEvent {
    let item = |product: &u128| OrderItem {
        product_id: id(*product),
        seller_id: seller(*product),
        title: format!("Thing {product}"),
        unit_price: Money::krw(1_000),
        quantity: 2,
    };
    OrderPlaced {
        order_id: id(order),
        customer_id: id(customer),
        items: products.iter().map(item).collect(),
        total: Money::krw(2_000 * products.len() as i64),
        shipping_address: Address {
            recipient: "Kim".to_owned(),
            phone: "010".to_owned(),
            postal_code: "04524".to_owned(),
            line1: "Sejong-daero 110".to_owned(),
            line2: None,
            city: "Seoul".to_owned(),
            country: "KR".to_owned(),
        },
        payment: PaymentMethod {
            method: "card".to_owned(),
            token: "card_approve".to_owned(),
        },
        from_cart: true,
        promised_by: None,
    }
    .into()
}

/// What can happen to an order after it was placed; the number is its place among the kinds.
pub(super) const STEPS: usize = 18;

/// Appends one of the kinds of events that follow an order.
#[expect(clippy::too_many_lines, reason = "a list of events, one after the other")]
pub(super) async fn step(log: &MemoryLog, order: u128, product: u128, kind: usize, at: i64) {
    let (order_id, uuid): (OrderId, Uuid) = (id(order), Uuid::from_u128(order));
    let payment_id = PaymentId::derived(uuid, "payment");
    let shipment_id = ShipmentId::derived(uuid, "shipment");
    let amount = Money::krw(2_000);
    let lines = vec![StockLine {
        product_id: id(product),
        quantity: 2,
        available: (at % 3).unsigned_abs(),
    }];
    let reason = Reason::new("some_reason", "Because.");
    let location = "Daejeon hub".to_owned();
    let in_order = async |event: OrderEvent| happens(log, Category::Order.stream(uuid), event, at).await;
    let in_payment =
        async |event: PaymentEvent| happens(log, Category::Payment.stream(payment_id.uuid()), event, at).await;
    let in_shipment =
        async |event: ShipmentEvent| happens(log, Category::Shipment.stream(shipment_id.uuid()), event, at).await;
    let in_reservation =
        async |event: ReservationEvent| happens(log, Category::Reservation.stream(uuid), event, at).await;
    match kind {
        0 => {
            in_reservation(
                StockReserved {
                    order_id,
                    lines,
                    expires_at: None,
                }
                .into(),
            )
            .await
        }
        1 => {
            let method = PaymentMethod {
                method: "card".to_owned(),
                token: "t".to_owned(),
            };
            in_payment(
                PaymentAuthorisationRequested {
                    payment_id,
                    order_id,
                    amount,
                    method,
                }
                .into(),
            )
            .await;
        }
        2 => {
            let provider_reference = "ref".to_owned();
            in_payment(
                PaymentAuthorised {
                    payment_id,
                    order_id,
                    amount,
                    provider_reference,
                }
                .into(),
            )
            .await;
        }
        3 => in_order(OrderConfirmed { order_id }.into()).await,
        4 => {
            let booked = ShipmentBooked {
                seller_id: None,
                shipment_id,
                order_id,
                carrier: "simulator".to_owned(),
                tracking_number: "T1".to_owned(),
                items: vec![],
                destination: "Seoul".to_owned(),
                estimated_delivery: None,
            };
            in_shipment(booked.into()).await;
        }
        5 => {
            in_shipment(
                ParcelPickedUp {
                    shipment_id,
                    order_id,
                    location,
                }
                .into(),
            )
            .await
        }
        6 => in_order(OrderShipped { order_id, shipment_id }.into()).await,
        7 => {
            in_payment(
                PaymentCaptured {
                    shipment_id: None,
                    payment_id,
                    order_id,
                    amount,
                }
                .into(),
            )
            .await
        }
        8 => {
            in_reservation(
                StockIssued {
                    shipment_id: None,
                    order_id,
                    lines,
                }
                .into(),
            )
            .await
        }
        9 => {
            let status = ParcelStatus::OutForDelivery;
            in_shipment(
                ParcelScanned {
                    shipment_id,
                    order_id,
                    status,
                    location,
                }
                .into(),
            )
            .await;
        }
        10 => {
            in_shipment(
                ParcelDelivered {
                    shipment_id,
                    order_id,
                    location,
                }
                .into(),
            )
            .await
        }
        11 => in_order(OrderDelivered { order_id }.into()).await,
        12 => in_order(OrderRejected { order_id, reason }.into()).await,
        13 => in_order(OrderCancelled { order_id, reason }.into()).await,
        14 => {
            in_payment(
                PaymentDeclined {
                    payment_id,
                    order_id,
                    reason,
                }
                .into(),
            )
            .await
        }
        15 => {
            in_payment(
                PaymentVoided {
                    payment_id,
                    order_id,
                    amount,
                }
                .into(),
            )
            .await
        }
        16 => {
            let (operation, detail) = (PaymentOperation::Capture, "lost".to_owned());
            in_payment(
                PaymentOutcomeUnknown {
                    part: None,
                    payment_id,
                    order_id,
                    operation,
                    detail,
                }
                .into(),
            )
            .await;
        }
        _ => {
            in_reservation(
                StockReleased {
                    shipment_id: None,
                    order_id,
                    lines,
                }
                .into(),
            )
            .await
        }
    }
}

/// The steps of an order that goes well.
pub(super) const HAPPY: [usize; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

pub(super) async fn order(log: &MemoryLog, event: OrderEvent, at: i64) {
    let OrderEvent::OrderPlaced(placed) = &event else {
        panic!("step() is for the rest");
    };
    happens(log, Category::Order.stream(placed.order_id.uuid()), event, at).await;
}

pub(super) async fn advanced(log: &MemoryLog, order: u128, status: SagaStatus, step: &str, at: i64) {
    let event = SagaAdvanced {
        definition: 1,
        fact: Uuid::nil(),
        fact_type: "OrderPlaced".to_owned(),
        status,
        step: step.to_owned(),
        state: serde_json::value::RawValue::from_string("{}".to_owned()).unwrap(),
        wake_at: None,
        reason: None,
    };
    let stream = Category::PlaceOrder.stream(Uuid::from_u128(order));
    happens(log, stream, PlaceOrderEvent::from(event), at).await;
}

pub(super) async fn registered(log: &MemoryLog, customer: u128, name: &str) {
    let event = CustomerRegistered {
        customer_id: id(customer),
        name: name.to_owned(),
        email: None,
    };
    let stream = Category::Customer.stream(Uuid::from_u128(customer));
    happens(log, stream, event_schemas::customer::CustomerEvent::from(event), 0).await;
}

/// What can happen to a cart: set, removed, checked out.
pub(super) async fn cart(log: &MemoryLog, customer: u128, product: u128, quantity: u32, kind: usize, at: i64) {
    let (customer_id, product_id) = (id(customer), id(product));
    let event: event_schemas::cart::CartEvent = match kind {
        0 => CartItemSet {
            customer_id,
            product_id,
            title: format!("Thing {product}"),
            unit_price: Money::krw(1_000),
            quantity,
        }
        .into(),
        1 => CartItemRemoved {
            customer_id,
            product_id,
        }
        .into(),
        _ => CartCheckedOut {
            customer_id,
            order_id: id(1),
        }
        .into(),
    };
    happens(log, Category::Cart.stream(Uuid::from_u128(customer)), event, at).await;
}

/// What can happen to a product after it was listed.
pub(super) fn changed(product: u128, kind: usize, at: i64) -> ProductEvent {
    let product_id = id(product);
    match kind {
        0 => {
            let title = Some(format!("Thing {product} revised {at}"));
            let (description, brand, category, attributes, ean) = (None, None, None, None, None);
            ProductRevised {
                product_id,
                title,
                description,
                brand,
                category,
                attributes,
                ean,
            }
            .into()
        }
        1 => ProductRepriced {
            product_id,
            price: Money::krw(at),
            was: Money::krw(1_000),
        }
        .into(),
        2 => {
            let (image, media_type) = (format!("picture-{at}"), "image/png".to_owned());
            ProductPictured {
                product_id,
                image,
                media_type,
            }
            .into()
        }
        _ => ProductDelisted { product_id }.into(),
    }
}
