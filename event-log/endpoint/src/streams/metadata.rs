//! A stream's metadata: the document in its metastream.

use event_log::{Position, RecordedEvent, StreamVersion};
use event_schemas::StreamName;
use serde::Deserialize;

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

/// The members that matter here; all others, `$acl` and whatever users put there, are kept in the event and given back as they are.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "$maxAge", default)]
    max_age: Option<u64>,
    #[serde(rename = "$maxCount", default)]
    max_count: Option<u64>,
    #[serde(rename = "$tb", default)]
    truncate_before: Option<u64>,
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
        match serde_json::from_slice::<Document>(&event.data) {
            Ok(document) => Self {
                max_age: document
                    .max_age
                    .filter(|seconds| *seconds > 0)
                    .map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)),
                max_count: document.max_count.filter(|count| *count > 0),
                truncate_before: document.truncate_before,
                ..found
            },
            Err(_) => found,
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
