//! What an event says is left of each product. Absolute numbers: reading an event twice does no harm.

use event_schemas::{
    ProductId, ShopEvent,
    stock::{ReservationEvent, StockEvent, StockLine},
};

/// Each product with the pieces that can be sold after the event; nothing for events that move no stock.
pub(super) fn levels(event: &ShopEvent) -> impl Iterator<Item = (ProductId, u64)> + '_ {
    let received = match event {
        ShopEvent::Stock(StockEvent::StockReceived(received)) => Some((received.product_id, received.available)),
        _ => None,
    };
    let lines: &[StockLine] = match event {
        ShopEvent::Reservation(ReservationEvent::StockReserved(reserved)) => &reserved.lines,
        ShopEvent::Reservation(ReservationEvent::StockReleased(released)) => &released.lines,
        ShopEvent::Reservation(ReservationEvent::StockIssued(issued)) => &issued.lines,
        ShopEvent::Reservation(ReservationEvent::StockReturned(returned)) => &returned.lines,
        _ => &[],
    };
    received
        .into_iter()
        .chain(lines.iter().map(|line| (line.product_id, line.available)))
}

/// What the event says is left of one product.
pub(super) fn level(event: &ShopEvent, product: ProductId) -> Option<u64> {
    levels(event)
        .find(|(id, _)| *id == product)
        .map(|(_, available)| available)
}
