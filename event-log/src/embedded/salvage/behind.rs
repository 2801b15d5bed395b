//! The file of JSON lines for what stands behind the first unreadable event.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufWriter, Write},
    ops::RangeInclusive,
    path::Path,
};

use event_schemas::{ContentType, StreamName, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::SalvageError;
use crate::{
    embedded::store::Store,
    port::{RecordedEvent, StreamVersion, TOMBSTONE},
};

/// An event, byte for byte: what is JSON as it stands, anything else in hexadecimal digits.
#[derive(Serialize)]
struct EventLine<'a> {
    position: u64,
    stream: &'a StreamName,
    version: StreamVersion,
    id: Uuid,
    #[serde(rename = "type")]
    event_type: &'a str,
    recorded_at: Timestamp,
    content: &'static str,
    #[serde(flatten)]
    metadata: HashMap<&'static str, Box<RawValue>>,
}

/// Positions that nothing was found for.
#[derive(Serialize)]
struct LostLine {
    lost: Lost,
}

#[derive(Serialize)]
struct Lost {
    first: u64,
    last: u64,
}

/// Events of a stream that are lost, told in front of its next readable one.
#[derive(Serialize)]
struct MissingLine<'a> {
    missing: Missing<'a>,
}

#[derive(Serialize)]
struct Missing<'a> {
    stream: &'a StreamName,
    first: StreamVersion,
    last: StreamVersion,
}

/// The file while it is written.
pub(super) struct Behind<'a> {
    file: BufWriter<File>,
    /// The new log: up to where its streams go.
    store: &'a Store,
    /// The version that each stream's next event should have.
    next: HashMap<StreamName, StreamVersion>,
}

impl<'a> Behind<'a> {
    pub(super) fn create(path: &Path, store: &'a Store) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::new(File::create_new(path)?),
            store,
            next: HashMap::new(),
        })
    }

    pub(super) fn lost(&mut self, positions: &RangeInclusive<u64>) -> io::Result<()> {
        let (first, last) = (*positions.start(), *positions.end());
        let lost = Lost { first, last };
        self.line(&LostLine { lost })
    }

    pub(super) fn event(&mut self, event: &RecordedEvent, path: &Path) -> Result<(), SalvageError> {
        let stream = &event.stream;
        let expected = match self.next.get(stream) {
            Some(next) => *next,
            None => self
                .store
                .stream_head(stream.as_str())?
                .map_or(0, |(version, _)| version + 1),
        };
        self.next.insert(stream.clone(), event.version + 1);
        let (first, last) = (expected, event.version.saturating_sub(1));
        // How many events stood in front of a tombstone it does not say.
        if event.version > expected && event.version != TOMBSTONE {
            let missing = Missing { stream, first, last };
            self.line(&MissingLine { missing }).map_err(SalvageError::io(path))?;
        }
        self.line(&event_line(event)).map_err(SalvageError::io(path))
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, line)?;
        self.file.write_all(b"\n")
    }

    pub(super) fn finish(self) -> io::Result<()> {
        self.file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()
    }
}

fn event_line(event: &RecordedEvent) -> EventLine<'_> {
    let content = match event.content {
        ContentType::Json => "json",
        ContentType::Binary => "binary",
    };
    let metadata = [
        ("metadata", "metadata_hex", &event.metadata),
        ("data", "data_hex", &event.data),
    ];
    EventLine {
        position: event.position.0,
        stream: &event.stream,
        version: event.version,
        id: event.id,
        event_type: &event.event_type,
        recorded_at: event.recorded_at,
        content,
        metadata: metadata
            .into_iter()
            .map(|(name, hex, bytes)| field(name, hex, bytes))
            .collect(),
    }
}

/// JSON of one line as it stands under `name`, anything else under `hex`.
fn field(name: &'static str, hex: &'static str, bytes: &[u8]) -> (&'static str, Box<RawValue>) {
    let json = serde_json::from_slice::<Box<RawValue>>(bytes).ok();
    match json.filter(|json| json.get().len() == bytes.len() && !bytes.contains(&b'\n')) {
        Some(json) => (name, json),
        None => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            // Invariant: digits in quotes are JSON.
            (hex, RawValue::from_string(format!("\"{digits}\"")).unwrap_or_default())
        }
    }
}
