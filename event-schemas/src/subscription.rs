//! What subscribers did: those who listen to the log and act once per event, beside the sagas.
//!
//! Streams `mail-<order id>`, `points-<customer id>` and `dead_letter-<dead letter id>`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{CustomerId, DeadLetterId, OrderId, family::event_family};

event_family! {
    /// What can happen to the mails about an order.
    MailEvent in Mail {
        MailSent = 1,
    }
}

event_family! {
    /// What can happen to a customer's points.
    PointsEvent in Points about customer_id: CustomerId {
        PointsEarned = 1,
        PointsTakenBack = 1,
    }
}

event_family! {
    /// What can happen to an event that a subscriber could not take in.
    DeadLetterEvent in DeadLetter about dead_letter_id: DeadLetterId {
        DeadLettered = 1,
        DeadLetterRetried = 1,
        DeadLetterDiscarded = 1,
    }
}

/// A mail was handed over: to the mail server, or to the folder that stands for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MailSent {
    /// About this order.
    pub order_id: OrderId,
    /// Which mail: `order_received`, `order_confirmed`, `order_shipped`, `order_delivered`, `order_cancelled`,
    /// `order_refunded`.
    pub kind: String,
    /// The event it tells of.
    pub about: Uuid,
    /// Its `Message-ID`, derived from the event: who receives it twice can tell.
    pub message_id: String,
}

/// The customer bought something and has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PointsEarned {
    /// Whose.
    pub customer_id: CustomerId,
    /// For this order.
    pub order_id: OrderId,
    /// How many.
    pub points: u64,
}

/// Goods went back, and the points with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PointsTakenBack {
    /// Whose.
    pub customer_id: CustomerId,
    /// For this order.
    pub order_id: OrderId,
    /// How many.
    pub points: u64,
}

/// A subscriber tried an event as often as it may, and goes on without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLettered {
    /// The dead letter.
    pub dead_letter_id: DeadLetterId,
    /// Who could not take it in, such as `mails`.
    pub subscriber: String,
    /// The event.
    pub event_id: Uuid,
    /// Its type.
    pub event_type: String,
    /// Where it stands in the log.
    pub position: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong the last time.
    pub error: String,
}

/// An operator had it tried again, and it was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetterRetried {
    /// The dead letter.
    pub dead_letter_id: DeadLetterId,
}

/// An operator decided that it need not be taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetterDiscarded {
    /// The dead letter.
    pub dead_letter_id: DeadLetterId,
    /// Why.
    pub reason: String,
}
