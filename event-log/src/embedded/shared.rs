//! What the readers and the writer share, and how the readers read.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use bytes::Bytes;
use event_schemas::StreamName;
use std::sync::Arc;
use tokio::sync::watch;

use super::{
    Options,
    record::{self, Location},
    store::{Store, damaged},
    tail::Tail,
    totals::Totals,
};
use crate::port::{Direction, EventFilter, LogError, Position, RecordedEvent, StreamSummary, StreamVersion, TOMBSTONE};

/// How many streams' last versions are kept in memory: those that are written to, a few megabytes.
const KNOWN_HEADS: usize = 64 * 1024;
/// A page of the whole log ends when its events have this many bytes, however many were asked for.
const PAGE_BYTES: usize = 16 * 1024 * 1024;

/// The last event of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StreamHead {
    pub(super) version: StreamVersion,
    pub(super) position: u64,
}

/// The store, or why there is none.
pub(super) enum Slot {
    Open(Store),
    /// Closed, or being opened again after a failure.
    Gone(String),
}

/// Everything but the queue.
pub(super) struct Shared {
    pub(super) dir: PathBuf,
    pub(super) options: Options,
    slot: RwLock<Slot>,
    tail: RwLock<Tail>,
    /// Written by the writer only, when a batch is durable: a reader that filled it could put an old version over a new one.
    pub(super) heads: quick_cache::sync::Cache<StreamName, StreamHead>,
    /// Readers look no further than this.
    pub(super) published: watch::Receiver<Position>,
    pub(super) totals: Mutex<Totals>,
}

// A poisoned lock means that a thread panicked while it held it. Nothing below leaves its value half changed, so the value is
// taken as it is.
impl Shared {
    pub(super) fn new(
        dir: PathBuf,
        options: Options,
        store: Store,
        totals: Totals,
        published: watch::Receiver<Position>,
    ) -> Self {
        Self {
            dir,
            slot: RwLock::new(Slot::Open(store)),
            tail: RwLock::new(Tail::new(options.tail_bytes)),
            heads: quick_cache::sync::Cache::new(KNOWN_HEADS),
            published,
            totals: Mutex::new(totals),
            options,
        }
    }

    pub(super) fn with_store<T>(&self, read: impl FnOnce(&Store) -> Result<T, LogError>) -> Result<T, LogError> {
        match &*self.slot.read().unwrap_or_else(PoisonError::into_inner) {
            Slot::Open(store) => read(store),
            Slot::Gone(why) => Err(LogError::Unavailable(why.clone())),
        }
    }

    /// Waits for the readers in the store to be done.
    pub(super) fn slot(&self) -> RwLockWriteGuard<'_, Slot> {
        self.slot.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tail(&self) -> RwLockReadGuard<'_, Tail> {
        self.tail.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tail_mut(&self) -> RwLockWriteGuard<'_, Tail> {
        self.tail.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn head(&self) -> Position {
        *self.published.borrow()
    }

    /// A page of the whole log from disk; looks at no more than `scan` records, so that a filter that lets little through does not
    /// hold a thread for long.
    pub(super) fn page(
        &self,
        after: Position,
        filter: &EventFilter,
        max: usize,
        scan: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        let head = self.head();
        self.with_store(|store| {
            let (mut page, mut at, mut scanned, mut bytes) = (vec![], after, 0, 0);
            for segment in store.segments_from(after.0 + 1)? {
                let (_, segment) = segment?;
                let mut offset = 0;
                while offset < segment.len() {
                    if page.len() >= max || scanned >= scan || bytes >= PAGE_BYTES || at >= head {
                        return Ok((page, at));
                    }
                    let fault = |detail| damaged(format_args!("position {}", at.0 + 1), detail);
                    let (record, next) = record::read(&segment, offset).map_err(fault)?;
                    offset = next;
                    if record.position <= after.0 {
                        continue;
                    }
                    if record.position != at.0 + 1 {
                        return Err(fault("it is missing"));
                    }
                    if filter.passes(record.category(), record.event_type) {
                        let event = record.to_event().map_err(fault)?;
                        bytes += event.data.len() + event.metadata.len();
                        page.push(event);
                    }
                    scanned += 1;
                    at = Position(record.position);
                }
            }
            if at < head && page.len() < max {
                return Err(damaged(format_args!("position {}", at.0 + 1), "it is missing"));
            }
            Ok((page, at))
        })
    }

    /// As [`Self::page`], back from `before`.
    pub(super) fn page_backwards(
        &self,
        before: Position,
        filter: &EventFilter,
        max: usize,
        scan: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.with_store(|store| {
            let (mut page, mut at, mut scanned, mut bytes) = (vec![], before, 0, 0);
            for segment in store.segments_back_from(before.0.saturating_sub(1)) {
                let (_, segment) = segment?;
                let fault = |at: Position, detail| damaged(format_args!("position {}", at.0.saturating_sub(1)), detail);
                let records = record::all(&segment).map_err(|detail| fault(at, detail))?;
                for record in records.iter().rev() {
                    if page.len() >= max || scanned >= scan || bytes >= PAGE_BYTES {
                        return Ok((page, at));
                    }
                    if record.position >= before.0 {
                        continue;
                    }
                    if record.position + 1 != at.0 {
                        return Err(fault(at, "it is missing"));
                    }
                    if filter.passes(record.category(), record.event_type) {
                        let event = record.to_event().map_err(|detail| fault(at, detail))?;
                        bytes += event.data.len() + event.metadata.len();
                        page.push(event);
                    }
                    scanned += 1;
                    at = Position(record.position);
                }
            }
            if at.0 > 1 {
                return Err(damaged(format_args!("position {}", at.0 - 1), "it is missing"));
            }
            Ok((page, Position::START))
        })
    }

    /// As [`crate::EventLog::read_stream`].
    pub(super) fn stream_page(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let first = match direction {
            Direction::Forwards => from.unwrap_or(0),
            Direction::Backwards => from.unwrap_or(StreamVersion::MAX),
        };
        // "Is there anything new?" is what a cached aggregate asks before each command: answered without the store.
        let known = self.heads.get(stream);
        if max == 0 || (direction == Direction::Forwards && known.is_some_and(|head| first > head.version)) {
            return Ok(vec![]);
        }
        let head = self.head().0;
        self.with_store(|store| {
            let mut locations: Box<dyn Iterator<Item = _>> = match direction {
                Direction::Forwards => Box::new(store.stream(stream.as_str(), first..=StreamVersion::MAX)),
                Direction::Backwards => Box::new(store.stream(stream.as_str(), 0..=first).rev()),
            };
            let mut segment = None;
            let mut page: Vec<Arc<RecordedEvent>> = vec![];
            let mut expected = (direction == Direction::Forwards).then_some(first);
            while page.len() < max
                && let Some(next) = locations.next()
            {
                let (version, location) = next?;
                if location.position > head {
                    continue;
                }
                // Between the last version and the tombstone is nothing.
                if version != TOMBSTONE && expected.is_some_and(|expected| expected != version) {
                    return Err(damaged(stream, format!("a version before {version} is missing")));
                }
                page.push(self.event(store, stream, version, location, &mut segment)?);
                expected = match direction {
                    _ if version == TOMBSTONE => None,
                    Direction::Forwards => version.checked_add(1),
                    Direction::Backwards => version.checked_sub(1),
                };
            }
            Ok(page)
        })
    }

    /// The event at `location`, from memory if it is there.
    fn event(
        &self,
        store: &Store,
        stream: &StreamName,
        version: StreamVersion,
        location: Location,
        segment: &mut Option<(u64, Bytes)>,
    ) -> Result<Arc<RecordedEvent>, LogError> {
        let recent = self.tail().get(location.position);
        let event = match recent {
            Some(event) => event,
            None => store.event(location, segment)?,
        };
        if event.stream == *stream && event.version == version {
            Ok(event)
        } else {
            let detail = format!(
                "{stream} version {version} should stand there, {} {} does",
                event.stream, event.version
            );
            Err(damaged(format_args!("position {}", location.position), detail))
        }
    }

    /// As [`crate::EventLog::streams`]. Goes from name to name, so a long stream costs no more than a short one.
    pub(super) fn streams_page(
        &self,
        prefix: &str,
        after: Option<&str>,
        max: usize,
    ) -> Result<Vec<StreamSummary>, LogError> {
        let head = self.head().0;
        // Behind every version of `name`, and before every longer name: versions follow a 0 byte.
        let behind = |name: &str| [name.as_bytes(), &[1]].concat();
        self.with_store(|store| {
            let mut page = vec![];
            let mut cursor = prefix.as_bytes().to_vec();
            if let Some(after) = after {
                cursor = cursor.max(behind(after));
            }
            while page.len() < max
                && let Some(stream) = store.next_stream(&cursor)?
                && stream.as_str().starts_with(prefix)
            {
                cursor = behind(stream.as_str());
                for entry in store.stream(stream.as_str(), 0..=StreamVersion::MAX).rev() {
                    let (version, location) = entry?;
                    if location.position <= head {
                        let position = Position(location.position);
                        page.push(StreamSummary {
                            stream,
                            version,
                            position,
                        });
                        break;
                    }
                }
            }
            Ok(page)
        })
    }
}
