//! Points: one for each hundred minor units of what was delivered, so one for a hundred won; taken back when goods go back.

use std::sync::Arc;

use async_trait::async_trait;
use event_log::{Append, EventLog, ExpectedVersion, Position};
use event_schemas::{
    DomainEvent, NewEvent, OrderId, ReturnId, ShopEvent,
    ids::derived_uuid,
    order::OrderEvent,
    returns::ReturnEvent,
    subscription::{PointsEarned, PointsEvent, PointsTakenBack},
};

use crate::{
    Fact, NotTaken, Subscriber,
    history::{self, Order},
};

/// Minor units for a point.
const FOR_A_POINT: i64 = 100;

/// Gives points and takes them back. The log is all it needs: what an order is worth follows from its history alone, so the
/// same event again says the same, under the same id.
pub struct Points {
    log: Arc<dyn EventLog>,
}

impl Points {
    /// Over this log.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self { log }
    }

    /// What an event changes.
    async fn change(&self, fact: &Fact<'_>) -> Result<Option<PointsEvent>, NotTaken> {
        let position = fact.recorded.position;
        match fact.event {
            ShopEvent::Order(OrderEvent::OrderDelivered(event)) => {
                let order = Order::at(self.log.as_ref(), event.order_id, position).await?;
                let earned = PointsEarned {
                    customer_id: order.placed.customer_id,
                    order_id: event.order_id,
                    points: points(order.sent().amount),
                };
                Ok((earned.points > 0).then_some(PointsEvent::PointsEarned(earned)))
            }
            ShopEvent::Returns(ReturnEvent::ReturnCompleted(event)) => {
                let order = Order::at(self.log.as_ref(), event.order_id, position).await?;
                if !order.delivered_here {
                    return Ok(None);
                }
                let before = self.refunded(event.order_id, event.return_id, position).await?;
                let kept = order.sent().amount.saturating_sub(before);
                let after = kept.saturating_sub(event.refunded.amount);
                let taken_back = PointsTakenBack {
                    customer_id: order.placed.customer_id,
                    order_id: event.order_id,
                    // What is left is worth what it is worth: returns piece by piece come to the same as one.
                    points: points(kept).saturating_sub(points(after)),
                };
                Ok((taken_back.points > 0).then_some(PointsEvent::PointsTakenBack(taken_back)))
            }
            _ => Ok(None),
        }
    }

    /// What other returns of the order had paid back by then.
    async fn refunded(&self, order_id: OrderId, beside: ReturnId, position: Position) -> Result<i64, NotTaken> {
        let stream = ReturnEvent::CATEGORY.stream(order_id.uuid());
        let past = history::stream::<ReturnEvent>(self.log.as_ref(), &stream).await?;
        let refunds = past.iter().filter(|past| past.position < position);
        let refunds = refunds.filter_map(|past| match &past.event {
            ReturnEvent::ReturnCompleted(event) if event.return_id != beside => Some(event.refunded.amount),
            _ => None,
        });
        Ok(refunds.fold(0, i64::saturating_add))
    }
}

fn points(amount: i64) -> u64 {
    // Less than nothing is nothing.
    u64::try_from(amount / FOR_A_POINT).unwrap_or(0)
}

#[async_trait]
impl Subscriber for Points {
    fn name(&self) -> &'static str {
        "points"
    }

    fn event_types(&self) -> &'static [&'static str] {
        &["OrderDelivered", "ReturnCompleted"]
    }

    async fn take_in(&self, fact: &Fact<'_>) -> Result<(), NotTaken> {
        let Some(change) = self.change(fact).await? else {
            return Ok(());
        };
        let customer_id = change.customer_id();
        let id = derived_uuid(fact.recorded.id, "points");
        let append = Append {
            stream: PointsEvent::CATEGORY.stream(customer_id.uuid()),
            expected: ExpectedVersion::Any,
            events: vec![NewEvent::new(id, &change, &fact.followed_by("points"))],
        };
        self.log.append(append).await?;
        Ok(())
    }
}
