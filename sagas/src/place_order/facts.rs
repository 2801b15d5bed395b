//! What `place_order` takes in.

use event_schemas::{
    Category, OrderId, ShopEvent,
    cart::CartEvent,
    order::{OrderEvent, Reason},
    payment::{PaymentEvent, PaymentOperation},
    shipment::ShipmentEvent,
    stock::ReservationEvent,
};

use super::{Order, Parcel, Payment, PlaceOrderState, Stock};

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
];

/// The order an event is about, if a saga of that order may care.
pub(super) const fn order_of(event: &ShopEvent) -> Option<OrderId> {
    Some(match event {
        ShopEvent::Cart(CartEvent::CartCheckedOut(event)) => event.order_id,
        ShopEvent::Reservation(event) => match event {
            ReservationEvent::StockReserved(event) => event.order_id,
            ReservationEvent::StockReservationRefused(event) => event.order_id,
            ReservationEvent::StockReleased(event) => event.order_id,
            ReservationEvent::StockIssued(event) => event.order_id,
            ReservationEvent::StockReturned(_) => return None,
        },
        ShopEvent::Payment(event) => match event {
            PaymentEvent::PaymentAuthorised(event) => event.order_id,
            PaymentEvent::PaymentDeclined(event) => event.order_id,
            PaymentEvent::PaymentCaptured(event) => event.order_id,
            PaymentEvent::PaymentVoided(event) => event.order_id,
            PaymentEvent::PaymentOutcomeUnknown(event) => event.order_id,
            _ => return None,
        },
        ShopEvent::Shipment(event) => match event {
            ShipmentEvent::ShipmentBooked(event) => event.order_id,
            ShipmentEvent::ParcelPickedUp(event) => event.order_id,
            ShipmentEvent::ParcelDelivered(event) => event.order_id,
            ShipmentEvent::ShipmentCancelled(event) => event.order_id,
            ShipmentEvent::ParcelScanned(_) => return None,
        },
        ShopEvent::Order(event) => match event {
            OrderEvent::OrderPlaced(event) => event.order_id,
            OrderEvent::OrderConfirmed(event) => event.order_id,
            OrderEvent::OrderShipped(event) => event.order_id,
            OrderEvent::OrderDelivered(event) => event.order_id,
            OrderEvent::OrderRejected(event) => event.order_id,
            OrderEvent::OrderCancelled(event) => event.order_id,
            _ => return None,
        },
        _ => return None,
    })
}

impl PlaceOrderState {
    /// Takes in what an event tells. What is known only rises.
    pub(super) fn learn(&mut self, event: &ShopEvent) {
        match event {
            ShopEvent::Cart(CartEvent::CartCheckedOut(_)) => self.cart_of = None,
            ShopEvent::Reservation(event) => self.learn_of_stock(event),
            ShopEvent::Payment(event) => self.learn_of_payment(event),
            ShopEvent::Shipment(event) => self.learn_of_parcel(event),
            ShopEvent::Order(event) => self.learn_of_order(event),
            _ => {}
        }
    }

    fn learn_of_stock(&mut self, event: &ReservationEvent) {
        use ReservationEvent as E;
        let (news, undo) = match event {
            E::StockReserved(_) => (Stock::Reserved, None),
            E::StockReservationRefused(_) => (Stock::Refused, Some(OUT_OF_STOCK)),
            E::StockReleased(_) => (Stock::Released, Some(RESERVATION_LOST)),
            E::StockIssued(_) => (Stock::Issued, None),
            E::StockReturned(_) => return,
        };
        if rise(&mut self.stock, news) {
            self.undo_because(undo.map(own));
        }
    }

    fn learn_of_payment(&mut self, event: &PaymentEvent) {
        use PaymentEvent as E;
        let (news, undo) = match event {
            E::PaymentOutcomeUnknown(unknown) => match unknown.operation {
                PaymentOperation::Authorise => (Payment::AuthorisationUnknown, None),
                PaymentOperation::Capture => (Payment::CaptureUnknown, None),
                PaymentOperation::Void => (Payment::VoidUnknown, None),
                PaymentOperation::Refund => return,
            },
            E::PaymentDeclined(declined) => (Payment::Declined, Some(declined.reason.clone())),
            E::PaymentAuthorised(_) => (Payment::Authorised, None),
            E::PaymentVoided(_) => (Payment::Voided, Some(own(PAYMENT_VOIDED))),
            E::PaymentCaptured(_) => (Payment::Captured, None),
            E::PaymentAuthorisationRequested(_) | E::PaymentCaptureRequested(_) | E::PaymentVoidRequested(_) => return,
            E::PaymentRefundRequested(_) | E::PaymentRefunded(_) | E::PaymentOperationRefused(_) => return,
        };
        if rise(&mut self.payment, news) {
            self.undo_because(undo);
        }
    }

    fn learn_of_parcel(&mut self, event: &ShipmentEvent) {
        use ShipmentEvent as E;
        let (news, undo) = match event {
            E::ShipmentBooked(_) => (Parcel::Booked, None),
            E::ShipmentCancelled(_) => (Parcel::CalledOff, Some(SHIPMENT_CANCELLED)),
            E::ParcelPickedUp(_) => (Parcel::PickedUp, None),
            E::ParcelDelivered(_) => (Parcel::Delivered, None),
            E::ParcelScanned(_) => return,
        };
        if rise(&mut self.parcel, news) {
            self.undo_because(undo.map(own));
        }
    }

    fn learn_of_order(&mut self, event: &OrderEvent) {
        use OrderEvent as E;
        let (news, undo) = match event {
            E::OrderPlaced(_) => (Order::Placed, None),
            E::OrderConfirmed(_) => (Order::Confirmed, None),
            E::OrderShipped(_) => (Order::Shipped, None),
            E::OrderDelivered(_) => (Order::Delivered, None),
            E::OrderRejected(rejected) => (Order::Rejected, Some(&rejected.reason)),
            E::OrderCancelled(cancelled) => (Order::Cancelled, Some(&cancelled.reason)),
            E::OrderCancellationRequested(_) | E::OrderCancellationDenied(_) | E::OrderItemsCancelled(_) => return,
        };
        if rise(&mut self.order, news) {
            self.undo_because(undo.cloned());
        }
    }
}

/// Reasons of the shop's own: code and sentence.
const OUT_OF_STOCK: (&str, &str) = ("out_of_stock", "Something in the order is out of stock.");
const RESERVATION_LOST: (&str, &str) = ("reservation_lost", "The goods were given to others.");
const PAYMENT_VOIDED: (&str, &str) = ("payment_voided", "The money was given back.");
const SHIPMENT_CANCELLED: (&str, &str) = ("shipment_cancelled", "The carrier will not fetch the parcel.");

fn own((code, message): (&str, &str)) -> Reason {
    Reason::new(code, message)
}

/// Whether the news rises above what is known: see the order of the variants in `state.rs`.
fn rise<K: PartialOrd>(known: &mut K, news: K) -> bool {
    let rises = *known < news;
    if rises {
        *known = news;
    }
    rises
}
