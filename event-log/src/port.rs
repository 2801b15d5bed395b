//! The port: what every event log can do.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use bytes::Bytes;
use event_schemas::{Category, DecodeError, DomainEvent, Metadata, NewEvent, ShopEvent, StreamName, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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

/// What the writer believes the stream to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// No event yet.
    None,
    /// The last event has this version.
    Exact(StreamVersion),
    /// Whatever it holds.
    Any,
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
    /// These very events (by id) had been appended before; nothing was written now.
    pub duplicate: bool,
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
    /// No event, too large an event, or an id that stands elsewhere in the log already.
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

type ReadOnce = Result<Arc<(Metadata, ShopEvent)>, Arc<DecodeError>>;

/// An event as the log holds it.
#[derive(Debug)]
pub struct RecordedEvent {
    /// Its place in the whole log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamName,
    /// Its place in the stream.
    pub version: StreamVersion,
    /// Its id.
    pub id: Uuid,
    /// Its type's name.
    pub event_type: Box<str>,
    /// When the log took it.
    pub recorded_at: Timestamp,
    /// [`Metadata`] as JSON.
    pub metadata: Bytes,
    /// The event as JSON.
    pub data: Bytes,
    /// The two above, read once however many subscribers share this event.
    pub(crate) read: OnceLock<ReadOnce>,
}

impl RecordedEvent {
    /// The metadata and the event, read from their bytes at the first call.
    ///
    /// # Errors
    /// When the event is of an unknown category or type, from a newer version, or malformed.
    pub fn shop_event(&self) -> Result<&(Metadata, ShopEvent), Arc<DecodeError>> {
        let read = self.read.get_or_init(|| {
            let metadata = self.metadata().map_err(Arc::new)?;
            let category = Category::parse(self.stream.category()).ok_or_else(|| {
                let (event_type, category) = (self.event_type.to_string(), self.stream.category().to_owned());
                Arc::new(DecodeError::UnknownType { event_type, category })
            })?;
            let event = ShopEvent::decode(category, &self.event_type, metadata.schema_version, &self.data)?;
            Ok(Arc::new((metadata, event)))
        });
        read.as_deref().map_err(Arc::clone)
    }

    /// The metadata alone.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn metadata(&self) -> Result<Metadata, DecodeError> {
        serde_json::from_slice(&self.metadata).map_err(|source| DecodeError::Malformed {
            event_type: "metadata",
            schema_version: 1,
            source,
        })
    }

    /// The event as one of `E`'s family.
    ///
    /// # Errors
    /// As [`DomainEvent::decode`].
    pub fn decode<E: DomainEvent>(&self) -> Result<E, DecodeError> {
        E::decode(&self.event_type, self.metadata()?.schema_version, &self.data)
    }
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
    /// The version of its last event: one less than how many it holds.
    pub version: StreamVersion,
    /// The position of its last event.
    pub position: Position,
}

/// The whole log, from afar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogStats {
    /// Events in the log.
    pub events: u64,
    /// Streams in the log.
    pub streams: u64,
    /// The last event's position.
    pub head: Position,
    /// Bytes on disk; 0 in memory.
    pub bytes_on_disk: u64,
    /// Events by category, most first.
    pub categories: Vec<(String, u64)>,
}

/// The event log.
///
/// Everything returned by an append is durable. Readers see whole appends only, in the order of their positions, and never
/// an event that could still be lost.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Appends to one stream, all or nothing. Idempotent by event id: the same ids to the same stream again succeed with
    /// [`Appended::duplicate`], whatever version is expected.
    ///
    /// # Errors
    /// See [`AppendError`].
    async fn append(&self, append: Append) -> Result<Appended, AppendError>;

    /// At most `max` events of a stream, starting with version `from` (inclusive) in `direction`; none for a stream that does
    /// not exist. Backwards, `from` is `None` for "from the last".
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

/// Follows the log: the reader asks for the next batch when it is ready for it, so a slow reader holds no memory.
pub struct Subscription {
    log: Arc<dyn EventLog>,
    heads: tokio::sync::watch::Receiver<Position>,
    filter: EventFilter,
    at: Position,
}

impl Subscription {
    /// A subscription that reads pages of `log` and waits on `heads` at its end. For adapters.
    pub fn new(
        log: Arc<dyn EventLog>,
        heads: tokio::sync::watch::Receiver<Position>,
        filter: EventFilter,
        after: Position,
    ) -> Self {
        Self {
            log,
            heads,
            filter,
            at: after,
        }
    }

    /// The next events, at most `max`, waiting until there is at least one or the position moved on over events that the
    /// filter leaves out. The position is everything considered so far: the checkpoint to keep.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the log fails; a later call goes on from the same place.
    pub async fn next(&mut self, max: usize) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        loop {
            let (events, at) = self.log.read_all(self.at, &self.filter, max).await?;
            if at > self.at {
                self.at = at;
                return Ok((events, at));
            }
            let behind = *self.heads.borrow_and_update() > self.at;
            if !behind && self.heads.changed().await.is_err() {
                return Err(LogError::Unavailable("the log is closed".to_owned()));
            }
        }
    }
}
