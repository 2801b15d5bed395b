//! An event as the log holds it.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use event_schemas::{Category, ContentType, DecodeError, DomainEvent, Metadata, ShopEvent, StreamName, Timestamp};
use uuid::Uuid;

use super::{Position, StreamVersion};

type ReadOnce = Result<Arc<(Metadata, ShopEvent)>, Arc<DecodeError>>;

/// What a log knows of an event: what a [`RecordedEvent`] is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// See [`RecordedEvent`], as the others.
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
    /// What the data is.
    pub content: ContentType,
    /// The metadata's bytes.
    pub metadata: Bytes,
    /// The data's bytes.
    pub data: Bytes,
}

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
    /// What the data is.
    pub content: ContentType,
    /// [`Metadata`] as JSON.
    pub metadata: Bytes,
    /// The event as JSON.
    pub data: Bytes,
    /// The two above, read once however many subscribers share this event.
    read: OnceLock<ReadOnce>,
}

impl RecordedEvent {
    /// For adapters.
    pub fn new(recorded: Recorded) -> Self {
        Self {
            position: recorded.position,
            stream: recorded.stream,
            version: recorded.version,
            id: recorded.id,
            event_type: recorded.event_type,
            recorded_at: recorded.recorded_at,
            content: recorded.content,
            metadata: recorded.metadata,
            data: recorded.data,
            read: OnceLock::new(),
        }
    }

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
