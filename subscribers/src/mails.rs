//! Mails to customers: order received, confirmed, shipped, delivered, cancelled, refunded.
//!
//! A mail is handed over first and [`MailSent`] recorded then. What was recorded is never sent again; a crash in between sends
//! it once more under the same `Message-ID`, by which mail programs know the second for the first. A folder knows, too.

mod folder;
mod letter;
mod post;
mod recipients;
mod smtp;
#[cfg(test)]
mod tests;
mod wording;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use event_log::{Append, Clock, EventLog, ExpectedVersion, SystemClock};
use event_schemas::{
    DomainEvent, NewEvent, OrderId, ShopEvent,
    ids::derived_uuid,
    order::OrderEvent,
    returns::ReturnEvent,
    subscription::{MailEvent, MailSent},
};

pub use self::{
    folder::FolderPost,
    letter::{Letter, NotASender, Sender},
    post::{Post, PostError},
    recipients::{CustomersInLog, Recipient, Recipients},
    smtp::{NoSmtp, SmtpPost, SmtpSettings},
};
use self::{letter::MailKind, wording::Told};
use crate::{
    Fact, NotTaken, Subscriber,
    history::{self, Order},
};

/// News older than this is none: a shop whose mails are switched on late does not write about last year.
const STALE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Writes to customers.
pub struct Mails {
    log: Arc<dyn EventLog>,
    recipients: Arc<dyn Recipients>,
    post: Arc<dyn Post>,
    sender: Sender,
    clock: Arc<dyn Clock>,
}

impl Mails {
    /// From `sender`, by `post`, to whom `recipients` names.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, recipients: Arc<dyn Recipients>, post: Arc<dyn Post>, sender: Sender) -> Self {
        Self {
            log,
            recipients,
            post,
            sender,
            clock: Arc::new(SystemClock),
        }
    }

    /// By another clock than the machine's.
    #[must_use]
    pub fn by(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    async fn sent_before(&self, order_id: OrderId, fact: &Fact<'_>) -> Result<bool, NotTaken> {
        let stream = MailEvent::CATEGORY.stream(order_id.uuid());
        let past = history::stream::<MailEvent>(self.log.as_ref(), &stream).await?;
        Ok(past
            .iter()
            .any(|past| matches!(&past.event, MailEvent::MailSent(sent) if sent.about == fact.recorded.id)))
    }

    async fn record(&self, letter: &Letter, fact: &Fact<'_>) -> Result<(), NotTaken> {
        let sent = MailEvent::MailSent(MailSent {
            order_id: letter.order_id,
            kind: letter.kind.as_str().to_owned(),
            about: fact.recorded.id,
            message_id: letter.message_id.clone(),
        });
        let metadata = event_schemas::Metadata {
            occurred_at: self.clock.now(),
            ..fact.followed_by("mails")
        };
        let append = Append {
            stream: MailEvent::CATEGORY.stream(letter.order_id.uuid()),
            expected: ExpectedVersion::Any,
            events: vec![NewEvent::new(
                derived_uuid(fact.recorded.id, "mail sent"),
                &sent,
                &metadata,
            )],
        };
        self.log.append(append).await?;
        Ok(())
    }
}

#[async_trait]
impl Subscriber for Mails {
    fn name(&self) -> &'static str {
        "mails"
    }

    fn event_types(&self) -> &'static [&'static str] {
        &[
            "OrderPlaced",
            "OrderConfirmed",
            "OrderShipped",
            "OrderDelivered",
            "OrderRejected",
            "OrderCancelled",
            "ReturnCompleted",
        ]
    }

    async fn take_in(&self, fact: &Fact<'_>) -> Result<(), NotTaken> {
        let Some((kind, order_id, told)) = news(fact.event) else {
            return Ok(());
        };
        let age = self
            .clock
            .now()
            .as_millis()
            .saturating_sub(fact.recorded.recorded_at.as_millis());
        if u128::try_from(age).is_ok_and(|age| age > STALE.as_millis()) || self.sent_before(order_id, fact).await? {
            return Ok(());
        }
        let order = Order::at(self.log.as_ref(), order_id, fact.recorded.position).await?;
        let Some(recipient) = self.recipients.of(order.placed.customer_id).await? else {
            tracing::debug!(%order_id, "no mail: this customer has no address, or none any more");
            return Ok(());
        };
        let (subject, paragraphs) = wording::words(kind, &order.placed, &told);
        let letter = Letter {
            id: fact.recorded.id,
            order_id,
            kind,
            message_id: self.sender.message_id(fact.recorded.id),
            written_at: fact.recorded.recorded_at,
            plain: wording::plain(&recipient.name, &paragraphs, &order.placed),
            html: wording::html(&recipient.name, &subject, &paragraphs, &order.placed),
            subject,
            recipient,
        };
        self.post.hand_over(&letter, &self.sender).await?;
        self.record(&letter, fact).await
    }
}

/// What a customer is told of an event.
fn news(event: &ShopEvent) -> Option<(MailKind, OrderId, Told<'_>)> {
    match event {
        ShopEvent::Order(event) => of_order(event),
        ShopEvent::Returns(ReturnEvent::ReturnCompleted(event)) => {
            Some((MailKind::Refunded, event.order_id, Told::Refunded(event.refunded)))
        }
        _ => None,
    }
}

fn of_order(event: &OrderEvent) -> Option<(MailKind, OrderId, Told<'_>)> {
    Some(match event {
        OrderEvent::OrderPlaced(event) => (MailKind::Received, event.order_id, Told::Nothing),
        OrderEvent::OrderConfirmed(event) => (MailKind::Confirmed, event.order_id, Told::Nothing),
        OrderEvent::OrderShipped(event) => (MailKind::Shipped, event.order_id, Told::Nothing),
        OrderEvent::OrderDelivered(event) => (MailKind::Delivered, event.order_id, Told::Nothing),
        OrderEvent::OrderRejected(event) => (MailKind::Cancelled, event.order_id, Told::Why(&event.reason)),
        OrderEvent::OrderCancelled(event) => (MailKind::Cancelled, event.order_id, Told::Why(&event.reason)),
        OrderEvent::OrderCancellationRequested(_)
        | OrderEvent::OrderCancellationDenied(_)
        | OrderEvent::OrderItemsCancelled(_) => return None,
    })
}
