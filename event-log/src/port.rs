//! The port: what every event log can do.

mod following;
mod recorded;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use event_schemas::{Category, ContentType, NewEvent, StreamName};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::{
    following::{Follow, Subscription},
    recorded::{Recorded, RecordedEvent},
};

/// An event's place in the whole log. Positions grow, need not be consecutive, and are never 0: 0 is before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event's place in its stream; the first is 0, then 1, 2, 3 …
pub type StreamVersion = u64;

/// The version of the event that ends a deleted stream.
pub const TOMBSTONE: StreamVersion = i64::MAX as u64;
/// The type of the event that ends a deleted stream.
pub const STREAM_DELETED: &str = "$streamDeleted";

/// What the writer believes the stream to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// No event yet.
    None,
    /// Any event.
    Exists,
    /// The last event has this version.
    Exact(StreamVersion),
    /// Whatever it holds.
    Any,
}

impl ExpectedVersion {
    /// Whether a stream fits whose last event has the version `actual`; none for a stream with no event.
    pub fn fits(self, actual: Option<StreamVersion>) -> bool {
        match self {
            Self::Any => true,
            Self::None => actual.is_none(),
            Self::Exists => actual.is_some(),
            Self::Exact(version) => actual == Some(version),
        }
    }
}

/// Events for one stream: all are written or none is.
#[derive(Debug, Clone)]
pub struct Append {
    /// Where to.
    pub stream: StreamName,
    /// What the stream must hold for the append to happen.
    pub expected: ExpectedVersion,
    /// At least one.
    pub events: Vec<NewEvent>,
}

/// The append is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The version of the last event of this append.
    pub version: StreamVersion,
    /// The position of the last event of this append.
    pub position: Position,
    /// These very events (by id) are known to have been appended before; nothing was written now. An adapter over a server that does
    /// not tell may say false of a repetition within the same instant.
    pub duplicate: bool,
}

/// The event that ends a stream: nothing is in it.
pub(crate) fn stream_deleted() -> NewEvent {
    NewEvent {
        id: Uuid::now_v7(),
        event_type: STREAM_DELETED.to_owned(),
        content: ContentType::Binary,
        metadata: Bytes::new(),
        data: Bytes::new(),
    }
}

/// Why an append did not happen. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The stream holds something else: load it again and decide again.
    #[error("{stream} is at {actual:?}, expected {expected:?}")]
    Conflict {
        /// The stream.
        stream: StreamName,
        /// What the writer believed.
        expected: ExpectedVersion,
        /// The version of its last event; none for a stream with no event.
        actual: Option<StreamVersion>,
    },
    /// The stream was deleted for good: nothing can ever be appended to it again.
    #[error("{stream} was deleted for good, nothing can be appended to it")]
    Deleted {
        /// The stream.
        stream: StreamName,
    },
    /// No event, too large an event, or ids that the log cannot take: an append known in part, an id twice.
    #[error("the append is refused: {0}")]
    Refused(String),
    /// The log itself failed. Whether the append happened is unknown: append the same ids again to find out.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// The log failed: a fault, never the caller's mistake.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// Cannot be written or read now: disk full, server away, shutting down.
    #[error("the event log is unavailable: {0}")]
    Unavailable(String),
    /// What is stored is not what was written.
    #[error("the event log is damaged at {place}: {detail}")]
    Damaged {
        /// Position or stream.
        place: String,
        /// What does not fit.
        detail: String,
    },
}

/// Which events a reader of the whole log wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only these categories; empty for all.
    pub categories: Vec<String>,
    /// Only these event types; empty for all.
    pub types: Vec<String>,
}

impl EventFilter {
    /// Only streams of these categories.
    pub fn categories(categories: &[Category]) -> Self {
        Self {
            categories: categories.iter().map(|category| category.as_str().to_owned()).collect(),
            types: vec![],
        }
    }

    /// Whether an event passes.
    pub fn passes(&self, category: &str, event_type: &str) -> bool {
        (self.categories.is_empty() || self.categories.iter().any(|wanted| wanted == category))
            && (self.types.is_empty() || self.types.iter().any(|wanted| wanted == event_type))
    }
}

/// Oldest first or newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Oldest first.
    Forwards,
    /// Newest first.
    Backwards,
}

/// A stream, from afar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSummary {
    /// Its name.
    pub stream: StreamName,
    /// The version of its last event: one less than how many it holds, or [`TOMBSTONE`].
    pub version: StreamVersion,
    /// The position of its last event.
    pub position: Position,
}

/// The whole log, from afar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogStats {
    /// Events in the log.
    pub events: u64,
    /// Streams in the log that hold an event beside a tombstone.
    pub streams: u64,
    /// The last event's position.
    pub head: Position,
    /// Bytes on disk; none where the log cannot know: in memory, on a server.
    pub bytes_on_disk: Option<u64>,
    /// Events by category, most first.
    pub categories: Vec<(String, u64)>,
}

/// The event log.
///
/// Everything returned by an append is durable. Readers see whole appends only, in the order of their positions, and never
/// an event that could still be lost.
///
/// That an id stands once in the whole log is a promise of the embedded and the in-memory log only: a server keeps it for one stream, and
/// as far back as it remembers.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Appends to one stream, all or nothing. Idempotent by event id: the same ids to the same stream again succeed with
    /// [`Appended::duplicate`], whatever version is expected.
    ///
    /// # Errors
    /// See [`AppendError`].
    async fn append(&self, append: Append) -> Result<Appended, AppendError>;

    /// Deletes a stream for good: a last event, of type [`STREAM_DELETED`] and version [`TOMBSTONE`], behind which nothing can be appended. A
    /// stream that holds nothing yet can be deleted, too. What it held stays readable, the tombstone last.
    ///
    /// # Errors
    /// See [`AppendError`]; [`AppendError::Deleted`] for a stream that was deleted before.
    async fn tombstone(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError>;

    /// At most `max` events of a stream, starting with version `from` (inclusive) in `direction`; none for a stream that does
    /// not exist. Backwards, `from` is `None` for "from the last". Fewer than `max` are returned only where the stream ends.
    ///
    /// # Errors
    /// When the log fails or an event's checksum does not fit.
    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError>;

    /// At most `max` events after position `after`, in order, that pass the filter. The position returned is where to go on
    /// from: everything up to it was considered. When it equals `after`, the log has nothing further yet.
    ///
    /// # Errors
    /// As [`Self::read_stream`].
    async fn read_all(
        &self,
        after: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError>;

    /// At most `max` events before position `before` (before the end for `None`), newest first, that pass the filter. The position returned is
    /// the next `before`: everything from it on was considered. It is [`Position::START`] when there is nothing further.
    ///
    /// # Errors
    /// As [`Self::read_stream`].
    async fn read_all_backwards(
        &self,
        before: Option<Position>,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError>;

    /// Everything after `after`, and then whatever comes, without gap or double.
    ///
    /// # Errors
    /// As [`Self::read_stream`].
    async fn subscribe(self: Arc<Self>, after: Position, filter: EventFilter) -> Result<Subscription, LogError>;

    /// The last event's position; [`Position::START`] for an empty log.
    async fn head(&self) -> Result<Position, LogError>;

    /// At most `max` streams in the order of their names, those that start with `prefix` and stand after `after`.
    ///
    /// # Errors
    /// As [`Self::read_stream`].
    async fn streams(&self, prefix: &str, after: Option<&str>, max: usize) -> Result<Vec<StreamSummary>, LogError>;

    /// Counts.
    ///
    /// # Errors
    /// As [`Self::read_stream`].
    async fn stats(&self) -> Result<LogStats, LogError>;
}
