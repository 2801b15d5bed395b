//! How events lie on disk: records, one after the other, in segments.
//!
//! A segment is one value in the store: the records of one group commit, cut at about [`SEGMENT_BYTES`]. Many events to a
//! value make appends and replays cheap; the cut keeps the reading of a single event cheap. A record is
//!
//! ```text
//! length u32 · xxh3 u64 · position u64 · version u64 · recorded at i64 · id 16 · lengths of stream u8, type u8, metadata u32
//! · stream · type · metadata · data
//! ```
//!
//! in little-endian; `length` counts what follows the checksum, and the checksum covers just that. The top bit of the metadata's length
//! says that the data is binary.

use std::sync::Arc;

use bytes::Bytes;
use event_schemas::{ContentType, StreamName, Timestamp};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use crate::port::{Position, Recorded, RecordedEvent, TOMBSTONE};

/// A segment is closed when it is as large as this.
pub(super) const SEGMENT_BYTES: usize = 16 * 1024;

const FRAME: usize = 12;
const HEADER: usize = 46;
/// In the metadata's length.
const BINARY: u32 = 1 << 31;

/// Where a record stands: in which segment (named by the position of its first record), at which byte of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) position: u64,
    pub(super) segment: u64,
    pub(super) offset: u32,
}

impl Location {
    pub(super) fn encode(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&self.position.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.segment.to_le_bytes());
        bytes[16..].copy_from_slice(&self.offset.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let location = Self {
            position: fields.u64()?,
            segment: fields.u64()?,
            offset: fields.u32()?,
        };
        fields.0.is_empty().then_some(location)
    }
}

/// Takes fields off the front of some bytes.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

/// Appends one record to a segment.
///
/// The caller has checked the lengths (`limits.rs`): a stream's name and a type's name fit a byte, the rest 31 bits.
pub(super) fn write(segment: &mut Vec<u8>, event: &RecordedEvent) {
    let stream = event.stream.as_str().as_bytes();
    let event_type = event.event_type.as_bytes();
    let length = HEADER + stream.len() + event_type.len() + event.metadata.len() + event.data.len();
    segment.reserve(FRAME + length);
    let start = segment.len();
    segment.extend_from_slice(&(length as u32).to_le_bytes());
    segment.extend_from_slice(&[0; 8]);
    segment.extend_from_slice(&event.position.0.to_le_bytes());
    segment.extend_from_slice(&event.version.to_le_bytes());
    segment.extend_from_slice(&event.recorded_at.as_millis().to_le_bytes());
    segment.extend_from_slice(event.id.as_bytes());
    segment.push(stream.len() as u8);
    segment.push(event_type.len() as u8);
    let content = match event.content {
        ContentType::Json => 0,
        ContentType::Binary => BINARY,
    };
    segment.extend_from_slice(&(event.metadata.len() as u32 | content).to_le_bytes());
    segment.extend_from_slice(stream);
    segment.extend_from_slice(event_type);
    segment.extend_from_slice(&event.metadata);
    segment.extend_from_slice(&event.data);
    let checksum = xxh3_64(&segment[start + FRAME..]);
    segment[start + 4..start + FRAME].copy_from_slice(&checksum.to_le_bytes());
}

/// A record whose checksum fits, not yet an event: filters look at this and most events of no interest cost no allocation.
pub(super) struct Record<'a> {
    segment: &'a Bytes,
    pub(super) position: u64,
    version: u64,
    recorded_at: i64,
    id: Uuid,
    stream: &'a str,
    pub(super) event_type: &'a str,
    content: ContentType,
    metadata: std::ops::Range<usize>,
    data: std::ops::Range<usize>,
}

/// Reads the record at `offset` and tells where the next one starts.
///
/// # Errors
/// What does not fit, in words.
pub(super) fn read(segment: &Bytes, offset: usize) -> Result<(Record<'_>, usize), &'static str> {
    let cut = "the record is cut off";
    let mut frame = Fields(segment.get(offset..).ok_or(cut)?);
    let length = frame.u32().ok_or(cut)? as usize;
    let checksum = frame.u64().ok_or(cut)?;
    let body = frame.take(length).ok_or(cut)?;
    if xxh3_64(body) != checksum {
        return Err("its checksum does not fit");
    }
    let start = offset + FRAME;
    let record = body_of(segment, body, start).ok_or("its fields do not fit")?;
    Ok((record, start + length))
}

/// Whether a record may start here: a look at everything but the checksum, which costs the more the longer the record says it is.
pub(super) fn may_start(bytes: &[u8]) -> bool {
    /// No log is that long, and no clock goes that far.
    const PLAUSIBLE: u64 = 1 << 48;
    let header = |mut fields: Fields<'_>| {
        let length = fields.u32()? as usize;
        fields.u64()?;
        let (position, version, recorded_at) = (fields.u64()?, fields.u64()?, fields.u64()?);
        fields.take(16)?;
        let [stream, event_type] = fields.array::<2>()?.map(usize::from);
        let metadata = (fields.u32()? & !BINARY) as usize;
        let fits = (1..PLAUSIBLE).contains(&position)
            && (version < PLAUSIBLE || version == TOMBSTONE)
            && recorded_at < PLAUSIBLE
            && HEADER + stream + event_type + metadata <= length;
        let names = fields.take(stream + event_type).filter(|_| fits)?;
        std::str::from_utf8(names)
            .ok()
            .map(|names| !names.contains(char::is_control))
    };
    header(Fields(bytes)).unwrap_or(false)
}

/// Half the checksum of the record at `offset`.
pub(super) fn checksum_at(segment: &Bytes, offset: usize) -> u32 {
    let checksum = segment.get(offset + 4..).and_then(|bytes| Fields(bytes).u32());
    checksum.unwrap_or_default()
}

/// Every record of a segment.
///
/// # Errors
/// As [`read`].
pub(super) fn all(segment: &Bytes) -> Result<Vec<Record<'_>>, &'static str> {
    let mut records = vec![];
    let mut offset = 0;
    while offset < segment.len() {
        let (record, next) = read(segment, offset)?;
        records.push(record);
        offset = next;
    }
    Ok(records)
}

fn body_of<'a>(segment: &'a Bytes, body: &'a [u8], start: usize) -> Option<Record<'a>> {
    let mut fields = Fields(body);
    let position = fields.u64()?;
    let version = fields.u64()?;
    let recorded_at = i64::from_le_bytes(fields.array()?);
    let id = Uuid::from_bytes(fields.array()?);
    let [stream_length, type_length] = fields.array::<2>()?;
    let metadata_length = fields.u32()?;
    let content = match metadata_length & BINARY {
        0 => ContentType::Json,
        _ => ContentType::Binary,
    };
    let metadata_length = (metadata_length & !BINARY) as usize;
    let stream = std::str::from_utf8(fields.take(stream_length.into())?).ok()?;
    let event_type = std::str::from_utf8(fields.take(type_length.into())?).ok()?;
    let metadata_start = start + (body.len() - fields.0.len());
    fields.take(metadata_length)?;
    let data_start = metadata_start + metadata_length;
    Some(Record {
        segment,
        position,
        version,
        recorded_at,
        id,
        stream,
        event_type,
        content,
        metadata: metadata_start..data_start,
        data: data_start..data_start + fields.0.len(),
    })
}

impl Record<'_> {
    pub(super) fn category(&self) -> &str {
        self.stream
            .split_once('-')
            .map_or(self.stream, |(category, _)| category)
    }

    pub(super) fn recorded_at(&self) -> Timestamp {
        Timestamp::from_millis(self.recorded_at)
    }

    pub(super) fn is_first_of_its_stream(&self) -> bool {
        self.version == 0
    }

    /// The event; its metadata and data are slices of the segment, not copies.
    ///
    /// # Errors
    /// When the stream's name is none.
    pub(super) fn to_event(&self) -> Result<Arc<RecordedEvent>, &'static str> {
        let stream: StreamName = self.stream.parse().map_err(|_| "its stream has no proper name")?;
        Ok(Arc::new(RecordedEvent::new(Recorded {
            position: Position(self.position),
            stream,
            version: self.version,
            id: self.id,
            event_type: self.event_type.into(),
            recorded_at: self.recorded_at(),
            content: self.content,
            metadata: self.segment.slice(self.metadata.clone()),
            data: self.segment.slice(self.data.clone()),
        })))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(position: u64, stream: &str, event_type: &str, metadata: &[u8], data: &[u8]) -> RecordedEvent {
        RecordedEvent::new(Recorded {
            position: Position(position),
            stream: stream.parse().unwrap(),
            version: position % 7,
            id: Uuid::from_u128(u128::from(position) << 3),
            event_type: event_type.into(),
            recorded_at: Timestamp::from_millis(-5),
            content: if data.len().is_multiple_of(2) {
                ContentType::Json
            } else {
                ContentType::Binary
            },
            metadata: Bytes::copy_from_slice(metadata),
            data: Bytes::copy_from_slice(data),
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            events in prop::collection::vec(("[a-z]{1,9}-[a-z0-9]{1,40}", "[A-Z][a-z]{0,30}", any::<Vec<u8>>(), any::<Vec<u8>>()), 1..5),
            flip in any::<(prop::sample::Index, u8)>(),
        ) {
            let mut bytes = vec![];
            let written: Vec<_> = (1..).zip(&events).map(|(position, (stream, event_type, metadata, data))| {
                let event = event(position, stream, event_type, metadata, data);
                write(&mut bytes, &event);
                event
            }).collect();

            let segment = Bytes::from(bytes.clone());
            let mut offset = 0;
            for event in &written {
                let (record, next) = read(&segment, offset).unwrap();
                let read = record.to_event().unwrap();
                prop_assert_eq!(format!("{:?}", event), format!("{:?}", read));
                prop_assert_eq!(record.category(), event.stream.category());
                offset = next;
            }
            prop_assert_eq!(offset, segment.len());

            // Any one byte changed is noticed at the record it stands in.
            let at = flip.0.index(bytes.len());
            bytes[at] ^= flip.1.max(1);
            let segment = Bytes::from(bytes);
            let mut offset = 0;
            let noticed = loop {
                match read(&segment, offset) {
                    Err(_) => break true,
                    Ok((_, next)) if next >= segment.len() => break false,
                    Ok((_, next)) => offset = next,
                }
            };
            prop_assert!(noticed);
        }
    }

    #[test]
    fn a_location_survives_its_bytes() {
        let location = Location {
            position: 7,
            segment: u64::MAX,
            offset: 90,
        };
        assert_eq!(Location::decode(&location.encode()), Some(location));
        assert_eq!(Location::decode(&location.encode()[1..]), None);
    }
}
