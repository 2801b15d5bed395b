//! The events that a subscriber could not take in, for operators.

use event_schemas::{
    Category, DeadLetterId, ShopEvent, Timestamp,
    subscription::{DeadLetterEvent, DeadLettered},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    documents::{IndexKeys, Model},
    paging::id_bytes,
    projection::{Fact, Key, Projection, Unexpected, known},
    worklist::{self, Worklist},
};

/// What became of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeadEventState {
    /// Nothing yet: an operator must have it tried again, or discard it.
    Open,
    /// It was tried again and taken in.
    Retried,
    /// It need not be taken in.
    Discarded,
}

/// An event that a subscriber could not take in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadEventView {
    /// The dead letter.
    pub id: DeadLetterId,
    /// What became of it.
    pub state: DeadEventState,
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
    /// Since when.
    pub dead_since: Timestamp,
    /// When it was taken in or discarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// Why it need not be taken in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discarded_because: Option<String>,
    /// The version of its stream.
    pub version: u64,
}

/// The answer to `GET ops/dead-letters`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadEventsView {
    /// Newest first.
    pub dead_letters: Vec<DeadEventView>,
    /// Where the next page starts; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The read model `dead_events`.
#[derive(Debug, Clone, Copy)]
pub enum DeadEvents {}

impl Model for DeadEvents {
    const NAME: &'static str = "dead_events";
    type Key = DeadLetterId;
    type Document = DeadEventView;

    fn index(letter: &DeadEventView) -> IndexKeys {
        worklist::index::<Self>(letter.state, letter.dead_since, id_bytes(letter.id))
    }
}

impl Worklist for DeadEvents {
    type State = DeadEventState;

    fn letter(state: DeadEventState) -> &'static [u8] {
        match state {
            DeadEventState::Open => b"o",
            DeadEventState::Retried => b"r",
            DeadEventState::Discarded => b"d",
        }
    }
}

/// Fills the operators' view of dead letters.
#[derive(Debug, Default)]
pub struct DeadEventsProjection;

impl Projection for DeadEventsProjection {
    type Model = DeadEvents;
    const CATEGORIES: &'static [Category] = &[Category::DeadLetter];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        if let ShopEvent::DeadLetter(event) = fact.event {
            keys.push(event.dead_letter_id());
        }
        Ok(())
    }

    fn apply(
        &mut self,
        fact: &Fact<'_>,
        _: &Key<Self>,
        document: &mut Option<DeadEventView>,
    ) -> Result<bool, Unexpected> {
        let ShopEvent::DeadLetter(event) = fact.event else {
            return Ok(false);
        };
        if document.as_ref().is_some_and(|letter| letter.version >= fact.version) {
            return Ok(false);
        }
        let (state, because) = match event {
            DeadLetterEvent::DeadLettered(dead) => {
                *document = Some(letter(dead, fact));
                return Ok(true);
            }
            DeadLetterEvent::DeadLetterRetried(_) => (DeadEventState::Retried, None),
            DeadLetterEvent::DeadLetterDiscarded(event) => (DeadEventState::Discarded, Some(event.reason.clone())),
        };
        let letter = known(document, "a dead letter")?;
        letter.state = state;
        letter.discarded_because = because;
        letter.settled_at = Some(fact.at);
        letter.version = fact.version;
        Ok(true)
    }
}

fn letter(dead: &DeadLettered, fact: &Fact<'_>) -> DeadEventView {
    DeadEventView {
        id: dead.dead_letter_id,
        state: DeadEventState::Open,
        subscriber: dead.subscriber.clone(),
        event_id: dead.event_id,
        event_type: dead.event_type.clone(),
        position: dead.position,
        attempts: dead.attempts,
        error: dead.error.clone(),
        dead_since: fact.at,
        settled_at: None,
        discarded_because: None,
        version: fact.version,
    }
}
