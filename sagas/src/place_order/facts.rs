//! What `place_order` takes in.

use event_schemas::{
    Category, OrderId, ShopEvent,
    audit::AuditEvent,
    cart::CartEvent,
    credit::CreditEvent,
    order::Reason,
    payment::{PaymentEvent, PaymentOperation},
    repair::RepairCaseEvent,
    shipment::ShipmentEvent,
    stock::ReservationEvent,
};

/// Every event type that may be a fact, by category.
pub(super) const FACTS: &[(Category, &[&str])] = &[
    (
        Category::Order,
        &[
            "OrderPlaced",
            "OrderConfirmed",
            "OrderShipped",
            "OrderDelivered",
            "OrderRejected",
            "OrderCancelled",
            "OrderCancellationRequested",
            "OrderCancellationDenied",
            "OrderItemsCancelled",
        ],
    ),
    (
        Category::Reservation,
        &[
            "StockReserved",
            "StockReservationRefused",
            "StockReleased",
            "StockIssued",
        ],
    ),
    (
        Category::Payment,
        &[
            "PaymentAuthorised",
            "PaymentDeclined",
            "PaymentCaptured",
            "PaymentVoided",
            "PaymentOutcomeUnknown",
            "PaymentOperationRefused",
        ],
    ),
    (
        Category::Credit,
        &[
            "CreditReserved",
            "CreditLimitExceeded",
            "CreditCharged",
            "CreditReleased",
        ],
    ),
    (
        Category::Shipment,
        &[
            "ShipmentBooked",
            "ParcelPickedUp",
            "ParcelDelivered",
            "ShipmentCancelled",
        ],
    ),
    (Category::Cart, &["CartCheckedOut"]),
    (Category::RepairCase, &["RepairCaseResolved"]),
    (Category::Audit, &["SagaRetryRequested"]),
];

/// The order an event is about, if a saga of that order may care.
pub(super) fn order_of(event: &ShopEvent) -> Option<OrderId> {
    Some(match event {
        ShopEvent::Order(event) => event.order_id(),
        ShopEvent::Reservation(event) => match event {
            ReservationEvent::StockReserved(event) => event.order_id,
            ReservationEvent::StockReservationRefused(event) => event.order_id,
            ReservationEvent::StockReleased(event) => event.order_id,
            ReservationEvent::StockIssued(event) => event.order_id,
            ReservationEvent::StockReturned(_) => return None,
        },
        ShopEvent::Payment(event) => return of_payment(event),
        ShopEvent::Credit(event) => match event {
            CreditEvent::CreditReserved(event) => event.order_id,
            CreditEvent::CreditLimitExceeded(event) => event.order_id,
            CreditEvent::CreditCharged(event) => event.order_id,
            CreditEvent::CreditReleased(event) => event.order_id,
            CreditEvent::CreditRefunded(_) => return None,
        },
        ShopEvent::Shipment(event) => match event {
            ShipmentEvent::ShipmentBooked(event) => event.order_id,
            ShipmentEvent::ParcelPickedUp(event) => event.order_id,
            ShipmentEvent::ParcelDelivered(event) => event.order_id,
            ShipmentEvent::ShipmentCancelled(event) => event.order_id,
            ShipmentEvent::ParcelScanned(_) => return None,
        },
        ShopEvent::Cart(CartEvent::CartCheckedOut(event)) => event.order_id,
        ShopEvent::RepairCase(RepairCaseEvent::RepairCaseResolved(event)) => return event.order_id,
        ShopEvent::Audit(AuditEvent::SagaRetryRequested(event)) if event.saga == super::NAME => {
            OrderId::from_uuid(event.saga_id)
        }
        _ => return None,
    })
}

/// Refunds are the business of `return_goods`.
fn of_payment(event: &PaymentEvent) -> Option<OrderId> {
    let ours = |operation| operation != PaymentOperation::Refund;
    match event {
        PaymentEvent::PaymentAuthorised(event) => Some(event.order_id),
        PaymentEvent::PaymentDeclined(event) => Some(event.order_id),
        PaymentEvent::PaymentCaptured(event) => Some(event.order_id),
        PaymentEvent::PaymentVoided(event) => Some(event.order_id),
        PaymentEvent::PaymentOutcomeUnknown(event) => ours(event.operation).then_some(event.order_id),
        PaymentEvent::PaymentOperationRefused(event) => ours(event.operation).then_some(event.order_id),
        _ => None,
    }
}

/// Reasons of the shop's own: code and sentence.
pub(super) type Own = (&'static str, &'static str);
pub(super) const OUT_OF_STOCK: Own = ("out_of_stock", "Something in the order is out of stock.");
pub(super) const RESERVATION_LOST: Own = ("reservation_lost", "The goods were given to others.");
pub(super) const RESERVATION_EXPIRED: Own = ("reservation_expired", "The order could not be confirmed in time.");
pub(super) const CREDIT_LIMIT_EXCEEDED: Own = ("credit_limit_exceeded", "The order is beyond the credit limit.");
pub(super) const PAYMENT_VOIDED: Own = ("payment_voided", "The money was given back.");
pub(super) const SHIPMENT_CANCELLED: Own = ("shipment_cancelled", "The carrier will not fetch the parcel.");
pub(super) const PARCEL_WAS_FASTER: Own = (
    "parcel_under_way",
    "A parcel is with the carrier already; return the goods when they arrive.",
);

pub(super) fn own((code, message): Own) -> Reason {
    Reason::new(code, message)
}
