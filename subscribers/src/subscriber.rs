//! What a subscriber is.

use std::sync::Arc;

use async_trait::async_trait;
use event_log::{AppendError, LogError, RecordedEvent};
use event_schemas::{Actor, DecodeError, Metadata, ShopEvent};

/// Listens to the log and acts once per event.
///
/// The same event may come again: after a crash, or because an operator wants it tried again. It must then do nothing again,
/// as far as the other side lets it tell.
#[async_trait]
pub trait Subscriber: Send + Sync + 'static {
    /// What it is called: in dead letters, in metrics, and as the name of its checkpoint.
    fn name(&self) -> &'static str;

    /// The events it hears of, by type; never imported ones.
    fn event_types(&self) -> &'static [&'static str];

    /// Acts upon an event.
    ///
    /// # Errors
    /// See [`NotTaken`].
    async fn take_in(&self, fact: &Fact<'_>) -> Result<(), NotTaken>;
}

/// An event, read.
#[derive(Debug, Clone, Copy)]
pub struct Fact<'a> {
    /// As the log holds it.
    pub recorded: &'a Arc<RecordedEvent>,
    /// What is known about it.
    pub metadata: &'a Metadata,
    /// What happened.
    pub event: &'a ShopEvent,
}

impl<'a> Fact<'a> {
    /// Reads an event.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(recorded: &'a Arc<RecordedEvent>) -> Result<Self, Arc<DecodeError>> {
        let (metadata, event) = recorded.shop_event()?;
        Ok(Self {
            recorded,
            metadata,
            event,
        })
    }

    /// The metadata of what a subscriber called `name` makes of it.
    pub(crate) fn followed_by(&self, name: &'static str) -> Metadata {
        Metadata {
            causation_id: Some(self.recorded.id),
            traceparent: self.metadata.traceparent.clone(),
            // Not the clock's: the same fact taken in again makes the same event.
            ..Metadata::new(
                self.metadata.occurred_at,
                self.metadata.correlation_id,
                Actor::system(name),
            )
        }
    }
}

/// Why an event was not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Whom it takes is away: the log, the mail server. No event would fare better, so the subscriber waits, however long.
    #[error("{0}")]
    Away(String),
    /// This event failed. It is tried some times, and then put aside.
    #[error("{0}")]
    Failed(String),
}

impl From<LogError> for NotTaken {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Unavailable(_) => Self::Away(error.to_string()),
            LogError::Damaged { .. } => Self::Failed(error.to_string()),
        }
    }
}

impl From<AppendError> for NotTaken {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Log(error) => error.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}
