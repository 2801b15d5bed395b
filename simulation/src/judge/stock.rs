//! Goods: pieces are neither made nor lost.

use std::collections::BTreeMap;

use event_schemas::{
    OrderId, ProductId, ShopEvent,
    saga::SagaStatus,
    stock::{ReservationEvent, StockEvent, StockLine},
};

use crate::evidence::Evidence;

/// Pieces of a product, as the log tells them.
#[derive(Debug, Clone, Copy, Default)]
struct Pieces {
    received: i64,
    on_hand: i64,
    reserved: i64,
    issued: i64,
}

/// What a line of an event does to the pieces.
type Change = fn(&mut Pieces, i64);

/// The pieces an event moves, and how.
fn moved(event: &ReservationEvent) -> Option<(OrderId, &[StockLine], Change)> {
    Some(match event {
        ReservationEvent::StockReserved(e) => (e.order_id, &e.lines, |pieces, n| pieces.reserved += n),
        ReservationEvent::StockReleased(e) => (e.order_id, &e.lines, |pieces, n| pieces.reserved -= n),
        ReservationEvent::StockIssued(e) => (e.order_id, &e.lines, |pieces, n| {
            pieces.reserved -= n;
            pieces.on_hand -= n;
            pieces.issued += n;
        }),
        ReservationEvent::StockReturned(e) => (e.order_id, &e.lines, |pieces, n| {
            pieces.on_hand += n;
            pieces.issued -= n;
        }),
        ReservationEvent::StockReservationRefused(_) => return None,
    })
}

pub(super) fn constant(evidence: &Evidence, found: &mut Vec<String>) {
    let mut shelves: BTreeMap<ProductId, Pieces> = BTreeMap::new();
    for (_, fact) in evidence.facts() {
        match fact {
            ShopEvent::Stock(StockEvent::StockReceived(received)) => {
                let pieces = shelves.entry(received.product_id).or_default();
                pieces.received += i64::from(received.quantity);
                pieces.on_hand += i64::from(received.quantity);
            }
            ShopEvent::Reservation(event) => {
                let Some((order_id, lines, change)) = moved(event) else {
                    continue;
                };
                for line in lines {
                    let pieces = shelves.entry(line.product_id).or_default();
                    change(pieces, i64::from(line.quantity));
                    check(order_id, line, *pieces, found);
                }
            }
            _ => {}
        }
    }
    for (product_id, (on_hand, reserved)) in &evidence.counted {
        let pieces = shelves.get(product_id).copied().unwrap_or_default();
        let counted = (i64::try_from(*on_hand).ok(), i64::try_from(*reserved).ok());
        if counted != (Some(pieces.on_hand), Some(pieces.reserved)) {
            found.push(format!(
                "product {product_id}: inventory counts {counted:?}, the log {pieces:?}"
            ));
        }
    }
}

fn check(order_id: OrderId, line: &StockLine, pieces: Pieces, found: &mut Vec<String>) {
    let Pieces {
        received,
        on_hand,
        reserved,
        issued,
    } = pieces;
    let negative = on_hand < 0 || reserved < 0 || issued < 0 || reserved > on_hand;
    if negative || on_hand + issued != received {
        found.push(format!("order {order_id}, product {}: {pieces:?}", line.product_id));
    }
    if i64::try_from(line.available).ok() != Some(on_hand - reserved) {
        found.push(format!("order {order_id}: {line:?}, yet {pieces:?}"));
    }
}

pub(super) fn nothing_is_held(evidence: &Evidence, found: &mut Vec<String>) {
    let mut held: BTreeMap<OrderId, Pieces> = BTreeMap::new();
    for (_, fact) in evidence.facts() {
        if let ShopEvent::Reservation(event) = fact
            && let Some((order_id, lines, change)) = moved(event)
        {
            let pieces = held.entry(order_id).or_default();
            lines.iter().for_each(|line| change(pieces, i64::from(line.quantity)));
        }
    }
    let none = Pieces::default();
    for (order_id, saga) in evidence.sagas() {
        let pieces = held.get(&order_id).unwrap_or(&none);
        let over = matches!(saga.status, SagaStatus::Completed | SagaStatus::Compensated);
        if over && pieces.reserved != 0 {
            found.push(format!("order {order_id} is {:?}: {pieces:?}", saga.status));
        }
        if saga.status == SagaStatus::Compensated && pieces.issued > 0 {
            found.push(format!(
                "order {order_id} is compensated, and its goods have left: {pieces:?}"
            ));
        }
    }
}
