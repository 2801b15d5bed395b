//! A mail before it is handed over.

use std::{
    str::FromStr,
    time::{Duration, SystemTime},
};

use event_schemas::{OrderId, Timestamp};
use lettre::{
    Message,
    message::{Mailbox, MultiPart},
};
use uuid::Uuid;

use super::{PostError, Recipient};

/// Which mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// The order came in.
    Received,
    /// The shop will deliver.
    Confirmed,
    /// The first parcel is on its way.
    Shipped,
    /// Every parcel is there.
    Delivered,
    /// The order was called off, or could not be accepted.
    Cancelled,
    /// Money went back.
    Refunded,
}

impl MailKind {
    /// As `MailSent` says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "order_received",
            Self::Confirmed => "order_confirmed",
            Self::Shipped => "order_shipped",
            Self::Delivered => "order_delivered",
            Self::Cancelled => "order_cancelled",
            Self::Refunded => "order_refunded",
        }
    }
}

/// A mail before it is handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Always the same for the same news: the event's id.
    pub id: Uuid,
    /// About this order.
    pub order_id: OrderId,
    /// Which mail.
    pub kind: MailKind,
    /// `<…@…>`, derived from the event.
    pub message_id: String,
    /// When the event was recorded.
    pub written_at: Timestamp,
    /// To whom.
    pub recipient: Recipient,
    /// The subject.
    pub subject: String,
    /// As plain text.
    pub plain: String,
    /// As HTML.
    pub html: String,
}

impl Letter {
    /// The mail as the world exchanges it.
    ///
    /// # Errors
    /// When the recipient's address is none.
    pub(super) fn message(&self, sender: &Sender) -> Result<Message, PostError> {
        let refused = |error: &dyn std::fmt::Display| PostError::Refused(error.to_string());
        let address = self.recipient.email.parse().map_err(|error| refused(&error))?;
        let millis = u64::try_from(self.written_at.as_millis()).unwrap_or(0);
        Message::builder()
            .from(sender.0.clone())
            .to(Mailbox::new(Some(self.recipient.name.clone()), address))
            .subject(self.subject.clone())
            .message_id(Some(self.message_id.clone()))
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
            .multipart(MultiPart::alternative_plain_html(self.plain.clone(), self.html.clone()))
            .map_err(|error| refused(&error))
    }
}

/// From whom mails come: `Jangteo <no-reply@jangteo.example>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(Mailbox);

/// The text is no sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no sender: expected something like Jangteo <no-reply@jangteo.example>")]
pub struct NotASender(String);

impl FromStr for Sender {
    type Err = NotASender;
    fn from_str(text: &str) -> Result<Self, NotASender> {
        text.parse().map(Self).map_err(|_| NotASender(text.to_owned()))
    }
}

impl Sender {
    /// The `Message-ID` of what tells of an event.
    pub(super) fn message_id(&self, event_id: Uuid) -> String {
        format!("<{event_id}@{}>", self.0.email.domain())
    }
}
