//! What a subscriber must know about an order, read from the log when it is needed.

use event_log::{Direction, EventLog, Position};
use event_schemas::{
    DomainEvent, Money, OrderId, StreamName, Timestamp,
    order::{OrderEvent, OrderPlaced},
};

use crate::NotTaken;

/// Events read at a time.
const PAGE: usize = 256;

/// An event of a stream, as far as subscribers care.
pub(crate) struct Past<E> {
    pub(crate) position: Position,
    pub(crate) recorded_at: Timestamp,
    pub(crate) imported: bool,
    pub(crate) event: E,
}

/// A whole stream.
pub(crate) async fn stream<E: DomainEvent>(log: &dyn EventLog, stream: &StreamName) -> Result<Vec<Past<E>>, NotTaken> {
    let mut past: Vec<Past<E>> = Vec::new();
    let mut from = 0;
    loop {
        let page = log.read_stream(stream, Some(from), Direction::Forwards, PAGE).await?;
        for recorded in &page {
            let unreadable = |error| NotTaken::Failed(format!("{stream}@{}: {error}", recorded.version));
            past.push(Past {
                position: recorded.position,
                recorded_at: recorded.recorded_at,
                imported: recorded.metadata().map_err(unreadable)?.imported,
                event: recorded.decode().map_err(unreadable)?,
            });
        }
        match page.last() {
            Some(last) if page.len() == PAGE => from = last.version + 1,
            _ => return Ok(past),
        }
    }
}

/// An order, as its own stream tells of it up to some moment.
pub(crate) struct Order {
    pub(crate) placed: OrderPlaced,
    /// What its dropped parcels would have cost.
    pub(crate) dropped: i64,
    /// It was delivered, and that is not history from elsewhere.
    pub(crate) delivered_here: bool,
}

impl Order {
    /// The order as it was at a position.
    pub(crate) async fn at(log: &dyn EventLog, order_id: OrderId, position: Position) -> Result<Self, NotTaken> {
        let mut placed = None;
        let (mut dropped, mut delivered_here) = (0, false);
        for past in stream::<OrderEvent>(log, &OrderEvent::CATEGORY.stream(order_id.uuid())).await? {
            if past.position > position {
                break;
            }
            match past.event {
                OrderEvent::OrderPlaced(event) => placed = Some(event),
                OrderEvent::OrderItemsCancelled(event) => dropped += event.amount.amount,
                OrderEvent::OrderDelivered(_) => delivered_here = !past.imported,
                _ => {}
            }
        }
        let placed = placed.ok_or_else(|| NotTaken::Failed(format!("order {order_id} was never placed")))?;
        Ok(Self {
            placed,
            dropped,
            delivered_here,
        })
    }

    /// What the goods cost that were sent.
    pub(crate) fn sent(&self) -> Money {
        let total = self.placed.total;
        Money::new(total.amount.saturating_sub(self.dropped), total.currency)
    }
}
