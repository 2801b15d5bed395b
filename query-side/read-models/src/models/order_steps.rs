//! Which status of an order an event brings about, for every read model that shows one.

use event_schemas::{
    OrderId, ShopEvent,
    credit::CreditEvent,
    order::{OrderEvent, Reason},
    payment::PaymentEvent,
    returns::ReturnEvent,
    shipment::ShipmentEvent,
    stock::ReservationEvent,
};

use super::order_view::OrderStatus;

/// The order an event is about.
pub(super) fn order_of(event: &ShopEvent) -> Option<OrderId> {
    Some(match event {
        ShopEvent::Order(event) => match event {
            OrderEvent::OrderPlaced(event) => event.order_id,
            OrderEvent::OrderConfirmed(event) => event.order_id,
            OrderEvent::OrderShipped(event) => event.order_id,
            OrderEvent::OrderDelivered(event) => event.order_id,
            OrderEvent::OrderRejected(event) => event.order_id,
            OrderEvent::OrderCancelled(event) => event.order_id,
            OrderEvent::OrderCancellationRequested(event) => event.order_id,
            OrderEvent::OrderCancellationDenied(event) => event.order_id,
            OrderEvent::OrderItemsCancelled(event) => event.order_id,
        },
        ShopEvent::Reservation(ReservationEvent::StockReserved(event)) => event.order_id,
        ShopEvent::Payment(event) => match event {
            PaymentEvent::PaymentAuthorisationRequested(event) => event.order_id,
            PaymentEvent::PaymentAuthorised(event) => event.order_id,
            PaymentEvent::PaymentDeclined(event) => event.order_id,
            PaymentEvent::PaymentCaptureRequested(event) => event.order_id,
            PaymentEvent::PaymentCaptured(event) => event.order_id,
            PaymentEvent::PaymentVoidRequested(event) => event.order_id,
            PaymentEvent::PaymentVoided(event) => event.order_id,
            PaymentEvent::PaymentOutcomeUnknown(event) => event.order_id,
            PaymentEvent::PaymentRefundRequested(event) => event.order_id,
            PaymentEvent::PaymentRefunded(event) => event.order_id,
            PaymentEvent::PaymentOperationRefused(event) => event.order_id,
        },
        ShopEvent::Shipment(event) => match event {
            ShipmentEvent::ShipmentBooked(event) => event.order_id,
            ShipmentEvent::ParcelPickedUp(event) => event.order_id,
            ShipmentEvent::ParcelScanned(event) => event.order_id,
            ShipmentEvent::ParcelDelivered(event) => event.order_id,
            ShipmentEvent::ShipmentCancelled(event) => event.order_id,
        },
        ShopEvent::Returns(event) => match event {
            ReturnEvent::ReturnRequested(event) => event.order_id,
            ReturnEvent::ReturnReceived(event) => event.order_id,
            ReturnEvent::ReturnInspected(event) => event.order_id,
            ReturnEvent::ReturnRefused(event) => event.order_id,
            ReturnEvent::ReturnCompleted(event) => event.order_id,
        },
        ShopEvent::Credit(event) => match event {
            CreditEvent::CreditReserved(event) => event.order_id,
            CreditEvent::CreditLimitExceeded(event) => event.order_id,
            CreditEvent::CreditCharged(event) => event.order_id,
            CreditEvent::CreditReleased(event) => event.order_id,
            CreditEvent::CreditRefunded(event) => event.order_id,
        },
        _ => return None,
    })
}

/// The status an event brings the order to, with the reason if it ends badly.
pub(super) fn step(event: &ShopEvent) -> Option<(OrderStatus, Option<&Reason>)> {
    Some(match event {
        ShopEvent::Reservation(ReservationEvent::StockReserved(_)) => (OrderStatus::StockReserved, None),
        ShopEvent::Payment(PaymentEvent::PaymentAuthorised(_)) | ShopEvent::Credit(CreditEvent::CreditReserved(_)) => {
            (OrderStatus::PaymentAuthorised, None)
        }
        ShopEvent::Order(event) => match event {
            OrderEvent::OrderPlaced(_) => (OrderStatus::Placed, None),
            OrderEvent::OrderConfirmed(_) => (OrderStatus::Confirmed, None),
            OrderEvent::OrderShipped(_) => (OrderStatus::Shipped, None),
            OrderEvent::OrderDelivered(_) => (OrderStatus::Delivered, None),
            OrderEvent::OrderRejected(event) => (OrderStatus::Rejected, Some(&event.reason)),
            OrderEvent::OrderCancelled(event) => (OrderStatus::Cancelled, Some(&event.reason)),
            OrderEvent::OrderCancellationRequested(_)
            | OrderEvent::OrderCancellationDenied(_)
            | OrderEvent::OrderItemsCancelled(_) => return None,
        },
        _ => return None,
    })
}
