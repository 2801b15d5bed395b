//! Which status of an order an event brings about, for every read model that shows one.

use event_schemas::{
    OrderId, ShopEvent,
    credit::CreditEvent,
    order::{OrderEvent, Reason},
    payment::PaymentEvent,
    stock::ReservationEvent,
};

use super::order_view::OrderStatus;

/// The order an event is about.
pub(super) fn order_of(event: &ShopEvent) -> Option<OrderId> {
    Some(match event {
        ShopEvent::Order(event) => event.order_id(),
        ShopEvent::Reservation(ReservationEvent::StockReserved(event)) => event.order_id,
        ShopEvent::Payment(event) => event.order_id(),
        ShopEvent::Shipment(event) => event.order_id(),
        ShopEvent::Returns(event) => event.order_id(),
        ShopEvent::Credit(event) => event.order_id(),
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
