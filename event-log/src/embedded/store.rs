//! The four keyspaces of the log, in one fjall database.
//!
//! | keyspace | key | value |
//! |-|-|-|
//! | `segments` | position of the first record | records ([`super::record`]) |
//! | `streams` | stream's name, 0, version | [`Location`] |
//! | `ids` | event id | [`Location`] |
//! | `totals` | `totals` | [`Totals`], as JSON |
//!
//! Numbers in keys are big-endian, so that keys stand in the order of what they mean. All of one group commit is written in one
//! fjall batch: the indexes can never disagree with the segments.

use std::{
    fmt::Display,
    fs::OpenOptions,
    io::{self, ErrorKind, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use bytes::Bytes;
use event_schemas::{StreamName, Timestamp};
use fjall::{CompressionType, Database, Guard, Keyspace, KeyspaceCreateOptions, config::CompressionPolicy};
use uuid::Uuid;

use super::{
    Options, filling, journal,
    record::{self, Location},
    tables,
    totals::Totals,
};
use crate::port::{LogError, RecordedEvent, StreamVersion, TOMBSTONE};

/// The open database.
pub(super) struct Store {
    pub(super) db: Database,
    pub(super) segments: Keyspace,
    pub(super) streams: Keyspace,
    pub(super) ids: Keyspace,
    pub(super) totals: Keyspace,
}

pub(super) const TOTALS_KEY: &str = "totals";
/// What is not flushed to tables yet is replayed at a start: the less, the sooner it is ready.
const JOURNAL_BYTES: u64 = 128 * 1024 * 1024;

/// The key of an event in the `streams` keyspace. No stream name holds a 0 byte.
pub(super) fn stream_key(stream: &str, version: StreamVersion) -> Vec<u8> {
    let mut key = Vec::with_capacity(stream.len() + 9);
    key.extend_from_slice(stream.as_bytes());
    key.push(0);
    key.extend_from_slice(&version.to_be_bytes());
    key
}

fn parse_stream_key(key: &[u8]) -> Option<(&str, StreamVersion)> {
    let (stream, version) = key.split_last_chunk::<8>()?;
    let stream = std::str::from_utf8(stream.strip_suffix(&[0])?).ok()?;
    Some((stream, u64::from_be_bytes(*version)))
}

/// A fault of the store as a fault of the log.
pub(super) fn fault(place: impl Display, error: fjall::Error) -> LogError {
    let io = match error {
        fjall::Error::Io(io) | fjall::Error::Storage(fjall::LsmError::Io(io)) => io,
        other => {
            let detail = match other {
                fjall::Error::Storage(damage) => damage.to_string(),
                fjall::Error::Poisoned => return LogError::Unavailable("an earlier write failed".to_owned()),
                other => other.to_string(),
            };
            return damaged(place, detail);
        }
    };
    match io.kind() {
        ErrorKind::UnexpectedEof | ErrorKind::NotFound | ErrorKind::InvalidData => damaged(place, io.to_string()),
        _ => LogError::Unavailable(format!("reading {place} failed: {io}")),
    }
}

pub(super) fn damaged(place: impl Display, detail: impl Into<String>) -> LogError {
    LogError::Damaged {
        place: place.to_string(),
        detail: detail.into(),
    }
}

impl Store {
    /// Opens the database at `path`, or makes one.
    ///
    /// # Errors
    /// fjall's, in words; also where fjall asserts that files are as it left them.
    pub(super) fn open(path: &Path, options: &Options) -> Result<Self, StoreError> {
        journal::inspect(path)?;
        tables::inspect(path)?;
        catch_unwind(AssertUnwindSafe(|| Self::open_checked(path, options))).unwrap_or_else(|_| {
            Err(StoreError::Damaged(
                "the store cannot make sense of its files".to_owned(),
            ))
        })
    }

    fn open_checked(path: &Path, options: &Options) -> Result<Self, StoreError> {
        let new = !path.exists();
        let db = Database::builder(path)
            .cache_size(options.cache_bytes)
            // Records are small JSON: compressing them in the journal costs more time than it saves.
            .journal_compression(CompressionType::None)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(2)
            .open()?;
        if new {
            fill_journal(&path.join("0.jnl"))?;
        }
        let keyspace = |name, write_buffer: u64| {
            db.keyspace(name, || {
                KeyspaceCreateOptions::default()
                    .max_memtable_size(write_buffer)
                    // Indexes are mostly random bytes; segments are compressed below the first levels.
                    .data_block_compression_policy(match name {
                        "segments" => {
                            CompressionPolicy::new([CompressionType::None, CompressionType::None, CompressionType::Lz4])
                        }
                        _ => CompressionPolicy::disabled(),
                    })
            })
        };
        Ok(Self {
            segments: keyspace("segments", options.write_buffer_bytes)?,
            streams: keyspace("streams", options.write_buffer_bytes / 2)?,
            ids: keyspace("ids", options.write_buffer_bytes / 2)?,
            totals: keyspace("totals", options.write_buffer_bytes / 2)?,
            db,
        })
    }

    /// The last position in the log and when it was recorded; 0 and long ago for none.
    pub(super) fn last(&self) -> Result<(u64, Timestamp), LogError> {
        let none = (0, Timestamp::from_millis(0));
        let Some(last) = self.segments.last_key_value() else {
            return Ok(none);
        };
        let (first, segment) = segment_of(last)?;
        let records = record::all(&segment).map_err(|detail| damaged(format_args!("position {first}"), detail))?;
        let last = records.last().map(|last| (last.position, last.recorded_at()));
        Ok(last.unwrap_or(none))
    }

    /// The segments from the one that holds `position` on.
    pub(super) fn segments_from(
        &self,
        position: u64,
    ) -> Result<impl Iterator<Item = Result<(u64, Bytes), LogError>>, LogError> {
        let own = self.segments.range(..=position.to_be_bytes()).next_back();
        let start = match own {
            Some(guard) => guard.key().map_err(|error| fault(position, error))?.to_vec(),
            None => position.to_be_bytes().to_vec(),
        };
        Ok(self.segments.range(start..).map(segment_of))
    }

    /// The segments from the one that holds `position` back to the first.
    pub(super) fn segments_back_from(&self, position: u64) -> impl Iterator<Item = Result<(u64, Bytes), LogError>> {
        self.segments.range(..=position.to_be_bytes()).rev().map(segment_of)
    }

    /// The event at a place that an index named.
    pub(super) fn event(
        &self,
        location: Location,
        last: &mut Option<(u64, Bytes)>,
    ) -> Result<Arc<RecordedEvent>, LogError> {
        let Location {
            position,
            segment,
            offset,
        } = location;
        let bytes = match last {
            Some((first, bytes)) if *first == segment => bytes.clone(),
            _ => {
                let found = self.segments.get(segment.to_be_bytes());
                let bytes: Bytes = found
                    .map_err(|error| fault(format_args!("position {position}"), error))?
                    .ok_or_else(|| damaged(format_args!("position {position}"), "its segment is missing"))?
                    .into();
                *last = Some((segment, bytes.clone()));
                bytes
            }
        };
        let event = record::read(&bytes, offset as usize).and_then(|(record, _)| record.to_event());
        match event {
            Ok(event) if event.position.0 == position => Ok(event),
            Ok(_) => Err(damaged(
                format_args!("position {position}"),
                "another record stands there",
            )),
            Err(detail) => Err(damaged(format_args!("position {position}"), detail)),
        }
    }

    /// Where the events of a stream stand, with their versions, in the order of those.
    pub(super) fn stream(
        &self,
        stream: &str,
        versions: std::ops::RangeInclusive<StreamVersion>,
    ) -> impl DoubleEndedIterator<Item = Result<(StreamVersion, Location), LogError>> + use<> {
        let range = stream_key(stream, *versions.start())..=stream_key(stream, *versions.end());
        let stream = stream.to_owned();
        self.streams.range(range).map(move |guard| {
            let (key, value) = guard.into_inner().map_err(|error| fault(&stream, error))?;
            let version = parse_stream_key(&key).map(|(_, version)| version);
            version
                .zip(Location::decode(&value))
                .ok_or_else(|| damaged(&stream, "its index is not one"))
        })
    }

    /// The last version of a stream and where it stands.
    ///
    /// New streams are the common case of an append: a look at version 0 answers for them, and at the tombstone, which may stand in a stream
    /// alone; and Bloom filters answer those.
    pub(super) fn stream_head(&self, stream: &str) -> Result<Option<(StreamVersion, Location)>, LogError> {
        let holds = |version| {
            let key = stream_key(stream, version);
            self.streams.contains_key(key).map_err(|error| fault(stream, error))
        };
        if !holds(0)? && !holds(TOMBSTONE)? {
            return Ok(None);
        }
        self.stream(stream, 0..=StreamVersion::MAX).next_back().transpose()
    }

    /// The name of the first stream at or behind `cursor`.
    pub(super) fn next_stream(&self, cursor: &[u8]) -> Result<Option<StreamName>, LogError> {
        let Some(guard) = self.streams.range(cursor.to_vec()..).next() else {
            return Ok(None);
        };
        let key = guard.key().map_err(|error| fault("the list of streams", error))?;
        let name = parse_stream_key(&key).and_then(|(name, _)| name.parse().ok());
        name.map(Some)
            .ok_or_else(|| damaged("the list of streams", "a stream has no proper name"))
    }

    /// Where the event of that id stands.
    pub(super) fn id(&self, id: Uuid) -> Result<Option<Location>, LogError> {
        let Some(value) = self.ids.get(id.as_bytes()).map_err(|error| fault(id, error))? else {
            return Ok(None);
        };
        let location = Location::decode(&value);
        location
            .map(Some)
            .ok_or_else(|| damaged(format_args!("event id {id}"), "its index is not one"))
    }

    /// The counts up to the end: those stored, and what was appended since.
    pub(super) fn count(&self) -> Result<Totals, LogError> {
        let stored = self
            .totals
            .get(TOTALS_KEY)
            .map_err(|error| fault("its counts", error))?;
        let mut totals = match stored {
            None => Totals::default(),
            Some(json) => serde_json::from_slice(&json).map_err(|error| damaged("its counts", error.to_string()))?,
        };
        for segment in self.segments_from(totals.at + 1)? {
            let (first, bytes) = segment?;
            let mut offset = 0;
            while offset < bytes.len() {
                let place = || format!("position {}", totals.at.max(first) + 1);
                let (record, next) = record::read(&bytes, offset).map_err(|detail| damaged(place(), detail))?;
                offset = next;
                if record.position > totals.at {
                    totals.count(record.position, record.category(), record.is_first_of_its_stream());
                }
            }
        }
        Ok(totals)
    }
}

/// See [`super::filling`]. Before anything stands in it, this takes some ten milliseconds.
fn fill_journal(journal: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(journal)?;
    let zeros = vec![0; 1024 * 1024];
    for _ in 0..filling::FIRST / zeros.len() as u64 {
        file.write_all(&zeros)?;
    }
    file.sync_all()
}

fn segment_of(guard: Guard) -> Result<(u64, Bytes), LogError> {
    let (key, value) = guard.into_inner().map_err(|error| fault("a segment", error))?;
    let first = key
        .as_ref()
        .try_into()
        .map(u64::from_be_bytes)
        .map_err(|_| damaged("a segment", "its key is no position"))?;
    Ok((first, value.into()))
}

/// Why the store did not open.
#[derive(Debug)]
pub(super) enum StoreError {
    Damaged(String),
    Io(io::Error),
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::NotFound | ErrorKind::InvalidData => Self::Damaged(error.to_string()),
            _ => Self::Io(error),
        }
    }
}

impl From<fjall::Error> for StoreError {
    fn from(error: fjall::Error) -> Self {
        match error {
            fjall::Error::Io(io) | fjall::Error::Storage(fjall::LsmError::Io(io)) => io.into(),
            fjall::Error::Storage(damage) => Self::Damaged(damage.to_string()),
            other => Self::Damaged(other.to_string()),
        }
    }
}
