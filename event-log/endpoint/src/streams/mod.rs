//! What of a stream is to be seen: its metadata, its truncation, whether it is deleted.
//!
//! The metadata of `x` is the last event of `$$x`, of type `$metadata`. It hides events from readers of the stream; the log
//! keeps them. A deleted stream is one whose `$tb` (truncate before) is the largest number: everything that stands in the log
//! before this metadata is hidden, and an append behind it makes the stream anew, its versions going on. A tombstone is for
//! good, and the log's own affair.

mod deleting;
mod known;
mod metadata;
#[cfg(test)]
mod tests;
mod view;

use std::sync::Arc;

use event_log::{Direction, EventLog, LogError, Position, StreamVersion};
use event_schemas::StreamName;

use self::known::Known;
pub(crate) use self::{
    deleting::{delete, tombstone},
    metadata::{DELETED, StreamMetadata, is_metastream, is_reserved, metastream_of, original_of},
    view::{Last, StreamView},
};

/// The type of the events that hold metadata.
pub(crate) const METADATA_TYPE: &str = "$metadata";

/// Looks streams up in the log, and remembers their metadata.
pub(crate) struct Streams {
    log: Arc<dyn EventLog>,
    known: Arc<Known>,
}

impl Streams {
    pub(crate) fn new(log: Arc<dyn EventLog>) -> Self {
        Self {
            log,
            known: Arc::new(Known::new()),
        }
    }

    /// Forgets metadata as soon as newer one stands in the log, whoever wrote it. Runs until the log is closed.
    pub(crate) fn follow(&self) -> impl Future<Output = ()> + Send + 'static {
        known::follow(Arc::clone(&self.log), Arc::clone(&self.known))
    }

    /// The metadata of `stream`; empty if it has none.
    pub(crate) async fn metadata(&self, stream: &StreamName) -> Result<Arc<StreamMetadata>, LogError> {
        if is_metastream(stream) {
            return Ok(Arc::new(StreamMetadata::of_metastream()));
        }
        let asked = match self.known.get(stream) {
            Ok(metadata) => return Ok(metadata),
            Err(asked) => asked,
        };
        let metadata = match metastream_of(stream) {
            Some(metastream) => self.last_metadata(&metastream).await?,
            // Too long a name to have metadata.
            None => StreamMetadata::default(),
        };
        let metadata = Arc::new(metadata);
        self.known.keep(stream, &metadata, asked);
        Ok(metadata)
    }

    async fn last_metadata(&self, metastream: &StreamName) -> Result<StreamMetadata, LogError> {
        let last = self.log.read_stream(metastream, None, Direction::Backwards, 1).await?;
        Ok(last.first().map(|event| StreamMetadata::of(event)).unwrap_or_default())
    }

    /// To be called after an append to `stream`, before anybody hears of it.
    pub(crate) fn appended(&self, stream: &StreamName) {
        if let Some(original) = original_of(stream) {
            self.known.forget(&original);
        }
    }

    /// What of `stream` is to be seen now.
    pub(crate) async fn view(&self, stream: &StreamName) -> Result<StreamView, LogError> {
        let metadata = self.metadata(stream).await?;
        let last = self.last(stream).await?;
        let tombstoned = match (&last, original_of(stream)) {
            (Some(last), _) if last.is_tombstone() => true,
            // With a stream goes its metadata.
            (_, Some(original)) => self.last(&original).await?.is_some_and(|last| last.is_tombstone()),
            _ => false,
        };
        let truncated = match (metadata.truncate_before, last) {
            (Some(DELETED), Some(last)) => self.first_after(stream, last, metadata.position).await?,
            (before, _) => before.unwrap_or(0),
        };
        Ok(StreamView::new(metadata, last, tombstoned, truncated))
    }

    async fn last(&self, stream: &StreamName) -> Result<Option<Last>, LogError> {
        let last = self.log.read_stream(stream, None, Direction::Backwards, 1).await?;
        Ok(last.first().map(|event| Last {
            version: event.version,
            position: event.position,
        }))
    }

    /// The version of the first event behind `position`, or the one that the next event will have.
    async fn first_after(
        &self,
        stream: &StreamName,
        last: Last,
        position: Position,
    ) -> Result<StreamVersion, LogError> {
        if last.is_tombstone() {
            return Ok(last.version);
        }
        if last.position < position {
            return Ok(last.version + 1);
        }
        // Positions grow with versions: halve until one is left.
        let (mut low, mut high) = (0, last.version);
        while low < high {
            let middle = low.midpoint(high);
            let event = self
                .log
                .read_stream(stream, Some(middle), Direction::Forwards, 1)
                .await?;
            match event.first() {
                Some(event) if event.position < position => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }
}
