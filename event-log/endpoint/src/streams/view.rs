//! What of a stream is to be seen at one moment.

use std::sync::Arc;

use event_log::{Position, RecordedEvent, StreamVersion, TOMBSTONE};
use event_schemas::Timestamp;

use super::StreamMetadata;

/// The last event of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Last {
    pub(crate) version: StreamVersion,
    pub(crate) position: Position,
}

impl Last {
    pub(crate) fn is_tombstone(self) -> bool {
        self.version == TOMBSTONE
    }
}

/// What of a stream is to be seen. Worth as much as the moment it was made: make it anew for each page.
#[derive(Debug, Clone)]
pub(crate) struct StreamView {
    /// Its last event, seen or not; the tombstone of a tombstoned stream.
    pub(crate) last: Option<Last>,
    /// Nothing can ever be read or appended again.
    pub(crate) tombstoned: bool,
    /// The lowest version that is to be seen, by `$tb`, `$maxCount` and deletion. Higher than the last if none is.
    pub(crate) first: StreamVersion,
    /// Events recorded before are hidden, by `$maxAge`.
    pub(crate) not_before: Option<Timestamp>,
    /// Its metadata.
    pub(crate) metadata: Arc<StreamMetadata>,
}

impl StreamView {
    pub(crate) fn new(
        metadata: Arc<StreamMetadata>,
        last: Option<Last>,
        tombstoned: bool,
        truncated: StreamVersion,
    ) -> Self {
        let next = last.map_or(0, |last| last.version.saturating_add(1));
        let counted = metadata.max_count.map_or(0, |count| next.saturating_sub(count));
        let not_before = metadata
            .max_age
            .map(|age| Timestamp::from_millis(Timestamp::now().as_millis().saturating_sub(age)));
        Self {
            last,
            tombstoned,
            first: truncated.max(counted),
            not_before,
            metadata,
        }
    }

    /// Deleted, and not made anew by an append since.
    pub(crate) fn soft_deleted(&self) -> bool {
        !self.tombstoned && self.metadata.is_deletion() && self.last.is_none_or(|last| self.first > last.version)
    }

    /// For readers there is no such stream: it was never written to, or it is deleted.
    pub(crate) fn absent(&self) -> bool {
        self.last.is_none() || self.soft_deleted()
    }

    /// Whether an event of this stream is to be seen.
    pub(crate) fn shows(&self, event: &RecordedEvent) -> bool {
        event.version >= self.first && self.not_before.is_none_or(|moment| event.recorded_at >= moment)
    }
}
