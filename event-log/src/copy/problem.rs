//! Why a copy cannot go on.

use std::{fmt, sync::Arc};

use event_schemas::StreamName;
use uuid::Uuid;

use crate::port::{LogError, Position, RecordedEvent, StreamVersion};

/// An event as an error names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its stream.
    pub stream: StreamName,
    /// Its place in the stream.
    pub version: StreamVersion,
    /// Its type.
    pub event_type: Box<str>,
    /// Its id.
    pub id: Uuid,
    /// Its place in its log.
    pub position: Position,
}

impl From<&Arc<RecordedEvent>> for Named {
    fn from(event: &Arc<RecordedEvent>) -> Self {
        Self {
            stream: event.stream.clone(),
            version: event.version,
            event_type: event.event_type.clone(),
            id: event.id,
            position: event.position,
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}@{} ({}, position {})",
            self.event_type, self.stream, self.version, self.id, self.position
        )
    }
}

/// Why a copy cannot go on. What was copied stays and is right; nothing but the source's events was appended.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The source cannot be read.
    #[error("the source cannot be read: {0}")]
    Source(LogError),
    /// The target cannot be read or written.
    #[error("the target cannot be used: {0}")]
    Target(LogError),
    /// The target holds something else.
    #[error(
        "the target is no copy of the source: where the source has {event}, the target has {found}: the {difference} \
         differs; give an empty target, or the one that an earlier copy of this source was made into"
    )]
    Different {
        /// The source's event.
        event: Box<Named>,
        /// The target's event in its place.
        found: Box<Named>,
        /// In what they differ.
        difference: &'static str,
    },
    /// The target goes on where the source ends.
    #[error(
        "the target holds all {verified} events of the source and more, first {found}: somebody else appends to it, or it \
         is the newer one of the two"
    )]
    Surplus {
        /// The first of them.
        found: Named,
        /// How many both have.
        verified: u64,
    },
    /// The target ends before the source; only when nothing is to be copied.
    #[error(
        "the target is the same as far as it goes, but lacks what the source has from {event} on; `copy` brings it there"
    )]
    Lacks {
        /// The first that is lacking.
        event: Named,
    },
    /// The source no longer holds the beginning of a stream, or the target holds some of it under way.
    #[error(
        "{event} cannot be appended, the target's stream {at}: {advice}",
        at = at(*.actual),
        advice = advice(.event, *.actual)
    )]
    Version {
        /// The event.
        event: Named,
        /// The last version in the target.
        actual: Option<StreamVersion>,
    },
    /// The target does not take an event.
    #[error("the target does not take {event}, which has {bytes} bytes: {why}")]
    Refused {
        /// The event.
        event: Named,
        /// The size of its metadata and data.
        bytes: usize,
        /// What the target says.
        why: String,
    },
}

fn at(actual: Option<StreamVersion>) -> String {
    actual.map_or_else(
        || "does not exist".to_owned(),
        |version| format!("is at version {version}"),
    )
}

fn advice(event: &Named, actual: Option<StreamVersion>) -> &'static str {
    let next = actual.map_or(0, |version| version.saturating_add(1));
    if next < event.version {
        "the source lacks events before it (the stream was truncated and scavenged), and a copy with other versions would be \
         another log"
    } else {
        "somebody else appends to the target; let nobody write there until the copy is done"
    }
}

impl CopyError {
    /// Whether trying again may help: what is away may come back.
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Source(LogError::Unavailable(_)) | Self::Target(LogError::Unavailable(_))
        )
    }

    /// Whether it is the source that is away.
    pub const fn source_is_away(&self) -> bool {
        matches!(self, Self::Source(LogError::Unavailable(_)))
    }
}

/// Whose fault.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Source,
    Target,
}

impl Side {
    pub(super) fn failed(self) -> impl FnOnce(LogError) -> CopyError {
        match self {
            Self::Source => CopyError::Source,
            Self::Target => CopyError::Target,
        }
    }
}
