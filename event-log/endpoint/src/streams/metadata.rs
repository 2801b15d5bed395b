//! A stream's metadata: the document in its metastream.

use event_log::{Position, RecordedEvent, StreamVersion};
use event_schemas::StreamName;
use serde_json::{Map, Value};

/// The `$tb` of a deleted stream.
pub(crate) const DELETED: StreamVersion = i64::MAX.unsigned_abs();
const PREFIX: &str = "$$";

/// What the metadata of a stream says of what is to be seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StreamMetadata {
    /// Where this metadata stands in the log; START if there is none.
    pub(crate) position: Position,
    /// Its version in the metastream.
    pub(crate) version: Option<StreamVersion>,
    /// Older events are hidden: milliseconds.
    pub(crate) max_age: Option<i64>,
    /// Only so many of the last events are shown.
    pub(crate) max_count: Option<u64>,
    /// Events of lower versions are hidden.
    pub(crate) truncate_before: Option<StreamVersion>,
}

impl StreamMetadata {
    /// A metastream shows its last event only.
    pub(crate) fn of_metastream() -> Self {
        Self {
            max_count: Some(1),
            ..Self::default()
        }
    }

    /// What an event of a metastream says; nothing if it makes no sense, as metadata is the writers' own to break.
    pub(crate) fn of(event: &RecordedEvent) -> Self {
        let found = Self {
            position: event.position,
            version: Some(event.version),
            ..Self::default()
        };
        // All other members, `$acl` and whatever users put there, stay in the event and are given back as they are.
        let document: Map<String, Value> = serde_json::from_slice(&event.data).unwrap_or_default();
        let number = |member| document.get(member).and_then(Value::as_u64);
        let millis = |seconds| i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
        Self {
            max_age: number("$maxAge").filter(|seconds| *seconds > 0).map(millis),
            max_count: number("$maxCount").filter(|count| *count > 0),
            truncate_before: number("$tb"),
            ..found
        }
    }

    /// Deleted as it stands here; an append behind it makes the stream anew.
    pub(crate) fn is_deletion(&self) -> bool {
        self.truncate_before == Some(DELETED)
    }
}

/// Whether the stream holds another one's metadata.
pub(crate) fn is_metastream(stream: &StreamName) -> bool {
    stream.as_str().starts_with(PREFIX)
}

/// Names that no events stand under: the whole log, and the metadata of nothing.
pub(crate) fn is_reserved(stream: &StreamName) -> bool {
    matches!(stream.as_str(), "$all" | "$$")
}

/// Where the metadata of `stream` stands; none if there is no such name.
pub(crate) fn metastream_of(stream: &StreamName) -> Option<StreamName> {
    format!("{PREFIX}{stream}").parse().ok()
}

/// Whose metadata the stream holds.
pub(crate) fn original_of(stream: &StreamName) -> Option<StreamName> {
    stream.as_str().strip_prefix(PREFIX)?.parse().ok()
}
