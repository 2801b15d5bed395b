//! Dead letters: events that a subscriber could not take in, as a stream each in the log.

use std::sync::Arc;

use event_log::{Append, AppendError, Clock, EventLog, ExpectedVersion, LogError, RecordedEvent, StreamVersion};
use event_schemas::{
    Actor, Category, DeadLetterId, DomainEvent, Metadata, NewEvent, Timestamp,
    ids::derived_uuid,
    subscription::{DeadLetterDiscarded, DeadLetterEvent, DeadLetterRetried, DeadLettered},
};

use crate::{NotTaken, history};

/// Streams that are listed at a time.
const PAGE: usize = 256;

/// What became of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Nothing yet: an operator decides.
    Waiting,
    /// It was tried again, and taken in.
    TakenIn,
    /// It need not be taken in, for this reason.
    Discarded(String),
}

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// As it was put aside.
    pub letter: DeadLettered,
    /// Since when.
    pub since: Timestamp,
    /// What became of it since.
    pub fate: Fate,
}

/// Why an operator's wish was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeadLetterError {
    /// There is none of that name.
    #[error("there is no dead letter {0}")]
    Unknown(DeadLetterId),
    /// It is decided already.
    #[error("{0}")]
    Decided(String),
    /// It was tried again, and failed again.
    #[error("{0}")]
    FailedAgain(String),
    /// The log failed.
    #[error("{0}")]
    Log(String),
}

impl From<LogError> for DeadLetterError {
    fn from(error: LogError) -> Self {
        Self::Log(error.to_string())
    }
}

impl From<NotTaken> for DeadLetterError {
    fn from(error: NotTaken) -> Self {
        Self::Log(error.to_string())
    }
}

/// The dead letters of a log.
#[derive(Clone)]
pub struct DeadLetters {
    log: Arc<dyn EventLog>,
    clock: Arc<dyn Clock>,
}

impl DeadLetters {
    /// Of this log, written by this clock.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, clock: Arc<dyn Clock>) -> Self {
        Self { log, clock }
    }

    /// Those that wait for a decision, oldest first; with `all` the decided ones, too.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn list(&self, all: bool) -> Result<Vec<DeadLetter>, DeadLetterError> {
        let prefix = format!("{}-", Category::DeadLetter);
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = self.log.streams(&prefix, after.as_deref(), PAGE).await?;
            for summary in &page {
                if let Ok(id) = summary.stream.id().parse()
                    && let Some((letter, _)) = self.read(id).await?
                    && (all || letter.fate == Fate::Waiting)
                {
                    found.push(letter);
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.stream.to_string()),
                _ => break,
            }
        }
        found.sort_by_key(|dead| dead.letter.position);
        Ok(found)
    }

    /// One of them, where it waits for a decision, and its stream's version.
    pub(crate) async fn waiting(&self, id: DeadLetterId) -> Result<(DeadLettered, StreamVersion), DeadLetterError> {
        let (dead, version) = self.read(id).await?.ok_or(DeadLetterError::Unknown(id))?;
        match dead.fate {
            Fate::Waiting => Ok((dead.letter, version)),
            Fate::TakenIn => Err(DeadLetterError::Decided("it was tried again and taken in".to_owned())),
            Fate::Discarded(reason) => Err(DeadLetterError::Decided(format!("it was discarded: {reason}"))),
        }
    }

    async fn read(&self, id: DeadLetterId) -> Result<Option<(DeadLetter, StreamVersion)>, DeadLetterError> {
        let stream = Category::DeadLetter.stream(id.uuid());
        let past = history::stream::<DeadLetterEvent>(self.log.as_ref(), &stream).await?;
        let version = past.len().saturating_sub(1) as StreamVersion;
        let mut dead = None;
        for past in past {
            match (past.event, &mut dead) {
                (DeadLetterEvent::DeadLettered(letter), None) => {
                    dead = Some(DeadLetter {
                        letter,
                        since: past.recorded_at,
                        fate: Fate::Waiting,
                    });
                }
                (DeadLetterEvent::DeadLetterRetried(_), Some(dead)) => dead.fate = Fate::TakenIn,
                (DeadLetterEvent::DeadLetterDiscarded(event), Some(dead)) => dead.fate = Fate::Discarded(event.reason),
                _ => {}
            }
        }
        Ok(dead.map(|dead| (dead, version)))
    }

    /// Puts an event aside. The same again changes nothing.
    pub(crate) async fn put_aside(
        &self,
        subscriber: &'static str,
        event: &RecordedEvent,
        attempts: u32,
        error: &str,
    ) -> Result<(), NotTaken> {
        let id = DeadLetterId::derived(event.id, subscriber);
        let letter = DeadLetterEvent::DeadLettered(DeadLettered {
            dead_letter_id: id,
            subscriber: subscriber.to_owned(),
            event_id: event.id,
            event_type: event.event_type.to_string(),
            position: event.position.0,
            attempts,
            error: error.to_owned(),
        });
        let correlation_id = event.metadata().map_or(event.id, |metadata| metadata.correlation_id);
        let metadata = Metadata {
            causation_id: Some(event.id),
            ..Metadata::new(self.clock.now(), correlation_id, Actor::system(subscriber))
        };
        match self
            .append(id, ExpectedVersion::None, "put aside", &letter, &metadata)
            .await
        {
            // It was put aside before, and then read again: an operator decides, or has decided.
            Ok(()) | Err(AppendError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Remembers that it was taken in after all.
    pub(crate) async fn taken_in(
        &self,
        id: DeadLetterId,
        version: StreamVersion,
        by: Actor,
    ) -> Result<(), DeadLetterError> {
        let event = DeadLetterEvent::DeadLetterRetried(DeadLetterRetried { dead_letter_id: id });
        self.decide(id, version, by, &event).await
    }

    /// Decides that it need not be taken in.
    ///
    /// # Errors
    /// When there is no such letter, it is decided already, or the log fails.
    pub async fn discard(&self, id: DeadLetterId, reason: &str, by: Actor) -> Result<(), DeadLetterError> {
        let (_, version) = self.waiting(id).await?;
        let event = DeadLetterEvent::DeadLetterDiscarded(DeadLetterDiscarded {
            dead_letter_id: id,
            reason: reason.to_owned(),
        });
        self.decide(id, version, by, &event).await
    }

    async fn decide(
        &self,
        id: DeadLetterId,
        version: StreamVersion,
        by: Actor,
        event: &DeadLetterEvent,
    ) -> Result<(), DeadLetterError> {
        let metadata = Metadata::new(self.clock.now(), id.uuid(), by);
        let expected = ExpectedVersion::Exact(version);
        let decided = self.append(id, expected, event.event_type(), event, &metadata).await;
        decided.map_err(|error| match error {
            AppendError::Conflict { .. } => DeadLetterError::Decided("somebody else decided it just now".to_owned()),
            error => DeadLetterError::Log(error.to_string()),
        })
    }

    async fn append(
        &self,
        id: DeadLetterId,
        expected: ExpectedVersion,
        name: &str,
        event: &DeadLetterEvent,
        metadata: &Metadata,
    ) -> Result<(), AppendError> {
        let append = Append {
            stream: Category::DeadLetter.stream(id.uuid()),
            expected,
            events: vec![NewEvent::new(derived_uuid(id.uuid(), name), event, metadata)],
        };
        self.log.append(append).await.map(|_| ())
    }
}
