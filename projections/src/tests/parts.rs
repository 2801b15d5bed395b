//! Events to tell histories of parcels, invoices and returns with: of the part of an order that is one seller's.

use event_schemas::{
    Category, Money, OrderId, PaymentId, RefundId, ReturnId, ShipmentId,
    credit::{CreditCharged, CreditEvent, CreditLimitExceeded, CreditRefunded, CreditReleased, CreditReserved},
    order::{OrderCancellationDenied, OrderCancellationRequested, OrderEvent, OrderItemsCancelled, Reason},
    payment::{
        PaymentCaptured, PaymentEvent, PaymentOperation, PaymentOperationRefused, PaymentOutcomeUnknown,
        PaymentRefunded,
    },
    returns::{
        ReturnCompleted, ReturnEvent, ReturnInspected, ReturnItem, ReturnReceived, ReturnRefused, ReturnRequested,
    },
    shipment::{ParcelDelivered, ParcelItem, ParcelPickedUp, ShipmentBooked, ShipmentCancelled, ShipmentEvent},
    stock::{ReservationEvent, StockLine, StockReturned},
};
use uuid::Uuid;

use super::{
    MemoryLog, happens,
    history::{id, seller},
};

/// The part of an order that is the seller's of this product.
pub(super) struct Part {
    order: u128,
    product: u128,
}

/// The kinds of events that happen to a part of an order, in the order in which they usually happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Booked,
    PickedUp,
    CaptureLost,
    CaptureRefused,
    Captured,
    Delivered,
    SellerCannotSend,
    ItemsCancelled,
    CancellationRequested,
    CancellationDenied,
    ReturnRequested,
    ReturnReceived,
    ReturnInspected,
    ReturnRefused,
    Refunded,
    Restocked,
    ReturnCompleted,
    CreditReserved,
    CreditExceeded,
    CreditCharged,
    CreditReleased,
    CreditRefunded,
}

pub(super) const KINDS: [Kind; 22] = [
    Kind::Booked,
    Kind::PickedUp,
    Kind::CaptureLost,
    Kind::CaptureRefused,
    Kind::Captured,
    Kind::Delivered,
    Kind::SellerCannotSend,
    Kind::ItemsCancelled,
    Kind::CancellationRequested,
    Kind::CancellationDenied,
    Kind::ReturnRequested,
    Kind::ReturnReceived,
    Kind::ReturnInspected,
    Kind::ReturnRefused,
    Kind::Refunded,
    Kind::Restocked,
    Kind::ReturnCompleted,
    Kind::CreditReserved,
    Kind::CreditExceeded,
    Kind::CreditCharged,
    Kind::CreditReleased,
    Kind::CreditRefunded,
];

impl Part {
    pub(super) const fn of(order: u128, product: u128) -> Self {
        Self { order, product }
    }

    fn order_id(&self) -> OrderId {
        id(self.order)
    }

    fn payment_id(&self) -> PaymentId {
        PaymentId::derived(Uuid::from_u128(self.order), "payment")
    }

    pub(super) fn shipment_id(&self) -> ShipmentId {
        let seller = seller(self.product);
        ShipmentId::derived(Uuid::from_u128(self.order), &format!("shipment {seller}"))
    }

    fn return_id(&self) -> ReturnId {
        ReturnId::derived(Uuid::from_u128(self.order), &format!("return {}", self.product))
    }

    fn refund_id(&self) -> RefundId {
        RefundId::derived(self.return_id().uuid(), "refund")
    }

    fn goods(&self, quantity: u32) -> Vec<ParcelItem> {
        let product_id = id(self.product);
        vec![ParcelItem { product_id, quantity }]
    }

    /// Appends such an event.
    pub(super) async fn happens(&self, log: &MemoryLog, kind: Kind, at: i64) {
        match kind {
            Kind::Booked | Kind::PickedUp | Kind::Delivered | Kind::SellerCannotSend => {
                let stream = Category::Shipment.stream(self.shipment_id().uuid());
                happens(log, stream, self.in_shipment(kind), at).await;
            }
            Kind::CaptureLost | Kind::CaptureRefused | Kind::Captured | Kind::Refunded => {
                let stream = Category::Payment.stream(self.payment_id().uuid());
                happens(log, stream, self.in_payment(kind), at).await;
            }
            Kind::ItemsCancelled | Kind::CancellationRequested | Kind::CancellationDenied => {
                let stream = Category::Order.stream(self.order_id().uuid());
                happens(log, stream, self.in_order(kind), at).await;
            }
            Kind::Restocked => {
                let line = StockLine {
                    product_id: id(self.product),
                    quantity: 1,
                    available: 9,
                };
                let (order_id, return_id, lines) = (self.order_id(), self.return_id(), vec![line]);
                let event = StockReturned {
                    order_id,
                    return_id,
                    lines,
                };
                let stream = Category::Reservation.stream(order_id.uuid());
                happens(log, stream, ReservationEvent::from(event), at).await;
            }
            Kind::ReturnRequested
            | Kind::ReturnReceived
            | Kind::ReturnInspected
            | Kind::ReturnRefused
            | Kind::ReturnCompleted => {
                let stream = Category::Returns.stream(self.order_id().uuid());
                happens(log, stream, self.in_returns(kind), at).await;
            }
            _ => {
                let stream = Category::Credit.stream(self.order_id().uuid());
                happens(log, stream, self.in_credit(kind), at).await;
            }
        }
    }

    fn in_shipment(&self, kind: Kind) -> ShipmentEvent {
        let (shipment_id, order_id, location) = (self.shipment_id(), self.order_id(), String::new());
        match kind {
            Kind::Booked => ShipmentBooked {
                shipment_id,
                order_id,
                carrier: "simulator".to_owned(),
                tracking_number: format!("T{}", self.product),
                seller_id: Some(seller(self.product)),
                items: self.goods(2),
                destination: "Seoul".to_owned(),
                estimated_delivery: None,
            }
            .into(),
            Kind::PickedUp => ParcelPickedUp {
                shipment_id,
                order_id,
                location,
            }
            .into(),
            Kind::Delivered => ParcelDelivered {
                shipment_id,
                order_id,
                location,
            }
            .into(),
            _ => ShipmentCancelled {
                shipment_id,
                order_id,
                reason: Some(Reason::new("seller_cannot_send", "It broke.")),
            }
            .into(),
        }
    }

    fn in_payment(&self, kind: Kind) -> PaymentEvent {
        let (payment_id, order_id, shipment_id) = (self.payment_id(), self.order_id(), self.shipment_id());
        let (operation, part) = (PaymentOperation::Capture, Some(shipment_id.uuid()));
        match kind {
            Kind::CaptureLost => PaymentOutcomeUnknown {
                payment_id,
                order_id,
                operation,
                part,
                detail: "no answer".to_owned(),
            }
            .into(),
            Kind::CaptureRefused => PaymentOperationRefused {
                payment_id,
                order_id,
                operation,
                part,
                reason: Reason::new("expired", "Too late."),
            }
            .into(),
            Kind::Captured => PaymentCaptured {
                payment_id,
                order_id,
                amount: Money::krw(2_000),
                shipment_id: Some(shipment_id),
            }
            .into(),
            _ => PaymentRefunded {
                payment_id,
                order_id,
                refund_id: self.refund_id(),
                amount: Money::krw(1_000),
            }
            .into(),
        }
    }

    fn in_order(&self, kind: Kind) -> OrderEvent {
        let (order_id, reason) = (
            self.order_id(),
            Reason::new("cancelled_by_customer", "No longer wanted."),
        );
        match kind {
            Kind::ItemsCancelled => OrderItemsCancelled {
                order_id,
                shipment_id: self.shipment_id(),
                items: self.goods(2),
                amount: Money::krw(2_000),
                reason: Reason::new("seller_cannot_send", "It broke."),
            }
            .into(),
            Kind::CancellationRequested => OrderCancellationRequested { order_id, reason }.into(),
            _ => OrderCancellationDenied { order_id, reason }.into(),
        }
    }

    fn in_returns(&self, kind: Kind) -> ReturnEvent {
        let (return_id, order_id) = (self.return_id(), self.order_id());
        match kind {
            Kind::ReturnRequested => ReturnRequested {
                return_id,
                order_id,
                customer_id: id(7),
                items: vec![ReturnItem {
                    product_id: id(self.product),
                    seller_id: seller(self.product),
                    quantity: 2,
                    unit_price: Money::krw(1_000),
                }],
                paid_by: "card".to_owned(),
                reason: Reason::new("does_not_fit", "Too small."),
            }
            .into(),
            Kind::ReturnReceived => ReturnReceived { return_id, order_id }.into(),
            Kind::ReturnInspected => ReturnInspected {
                return_id,
                order_id,
                accepted: self.goods(1),
                resellable: self.goods(1),
                refund: Money::krw(1_000),
                note: "One is scratched.".to_owned(),
            }
            .into(),
            Kind::ReturnRefused => ReturnRefused {
                return_id,
                order_id,
                reason: Reason::new("used", "It was used."),
            }
            .into(),
            _ => ReturnCompleted {
                return_id,
                order_id,
                refunded: Money::krw(1_000),
            }
            .into(),
        }
    }

    fn in_credit(&self, kind: Kind) -> CreditEvent {
        let (order_id, customer_id) = (self.order_id(), id(7));
        let (amount, available) = (Money::krw(2_000), Money::krw(500));
        match kind {
            Kind::CreditReserved => CreditReserved {
                order_id,
                customer_id,
                amount,
                available,
            }
            .into(),
            Kind::CreditExceeded => CreditLimitExceeded {
                order_id,
                customer_id,
                amount,
                available,
            }
            .into(),
            Kind::CreditCharged => CreditCharged {
                order_id,
                customer_id,
                shipment_id: self.shipment_id(),
                amount,
            }
            .into(),
            Kind::CreditReleased => CreditReleased {
                order_id,
                customer_id,
                amount,
                available,
            }
            .into(),
            _ => CreditRefunded {
                order_id,
                customer_id,
                refund_id: self.refund_id(),
                amount,
                available,
            }
            .into(),
        }
    }
}
