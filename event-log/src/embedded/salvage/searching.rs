//! Searching files for events.

use std::{
    fs::File,
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_128;

use super::SalvageError;
use crate::{
    embedded::{
        record::{self, Fields},
        store::damaged,
    },
    port::RecordedEvent,
};

/// A disk gives back what it can in pieces of this size.
const PIECE: usize = 64 * 1024;
const ZEROS: [u8; 4096] = [0; 4096];
/// fjall's blocks: magic, kind, checksum u128, length u32, length before compression u32, checksum of the header u32.
const BLOCK_MAGIC: &[u8] = b"LSM\x03";
const BLOCK_HEADER: usize = 33;
const LARGEST_BLOCK: usize = 1024 * 1024 * 1024;
/// How many pieces of files are kept while events are fetched.
const KEPT: usize = 4;

/// An event that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) position: u64,
    /// Half of its checksum: the same event stands in the journal and in a table.
    checksum: u32,
    place: Place,
    offset: u32,
}

/// A file, or a compressed block that starts at some byte of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    file: u32,
    block: Option<u32>,
}

/// The files of a store.
pub(super) struct Files {
    paths: Vec<(PathBuf, u64)>,
    /// Used last, last.
    kept: Vec<(Place, Bytes)>,
}

impl Files {
    /// All files below `dir` in which events may stand.
    pub(super) fn of(dir: &Path) -> io::Result<Self> {
        let mut paths = vec![];
        let mut folders = vec![dir.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                let metadata = entry.metadata()?;
                if metadata.is_dir() {
                    folders.push(entry.path());
                } else {
                    paths.push((entry.path(), metadata.len()));
                }
            }
        }
        paths.sort();
        Ok(Self { paths, kept: vec![] })
    }

    /// Every event in them, once, in the order of positions. Two that claim the same position are both there.
    pub(super) fn search(&mut self, mut progress: impl FnMut(u64, u64)) -> Result<Vec<Found>, SalvageError> {
        let total = self.paths.iter().map(|(_, length)| length).sum();
        let mut found = vec![];
        let mut done = 0;
        for (file, (path, length)) in (0..).zip(&self.paths) {
            progress(done, total);
            let bytes = read(path).map_err(SalvageError::io(path))?;
            let place = Place { file, block: None };
            search_plain(&bytes, place, &mut found);
            search_blocks(&bytes, place, &mut found);
            done += length;
        }
        progress(done, total);
        found.sort_unstable();
        found.dedup_by_key(|found| (found.position, found.checksum));
        Ok(found)
    }

    /// The event that was found there.
    pub(super) fn event(&mut self, found: &Found) -> Result<Arc<RecordedEvent>, SalvageError> {
        let bytes = self.bytes(found.place)?;
        let event = record::read(&bytes, found.offset as usize).and_then(|(record, _)| record.to_event());
        // It was read before: the file changed meanwhile.
        event.map_err(|detail| damaged(format_args!("position {}", found.position), detail).into())
    }

    fn bytes(&mut self, place: Place) -> Result<Bytes, SalvageError> {
        if let Some(at) = self.kept.iter().position(|(kept, _)| *kept == place) {
            let kept = self.kept.remove(at);
            let bytes = kept.1.clone();
            self.kept.push(kept);
            return Ok(bytes);
        }
        let bytes = match place.block {
            Some(start) => {
                let file = self.bytes(Place { block: None, ..place })?;
                decompressed(&file, start as usize).unwrap_or_default()
            }
            None => {
                let (path, _) = &self.paths[place.file as usize];
                read(path).map_err(SalvageError::io(path))?
            }
        };
        if self.kept.len() >= KEPT {
            self.kept.remove(0);
        }
        self.kept.push((place, bytes.clone()));
        Ok(bytes)
    }
}

/// What a disk gives back of a file, with zeros for what it does not.
fn read(path: &Path) -> io::Result<Bytes> {
    let mut file = File::open(path)?;
    let mut bytes = vec![0; usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX)];
    for (piece, start) in bytes.chunks_mut(PIECE).zip((0..).step_by(PIECE)) {
        file.seek(SeekFrom::Start(start))?;
        match file.read_exact(piece) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => tracing::warn!(path = %path.display(), start, %error, "a piece of a file cannot be read"),
            Ok(()) => {}
        }
    }
    Ok(bytes.into())
}

/// Events as they are written: in the journal, and in tables that are not compressed.
fn search_plain(bytes: &Bytes, place: Place, found: &mut Vec<Found>) {
    let mut at = 0;
    while at < bytes.len() {
        at = behind_zeros(bytes, at);
        if !record::may_start(&bytes[at..]) {
            at += 1;
            continue;
        }
        match record::read(bytes, at) {
            Ok((record, next)) if record.to_event().is_ok() => {
                found.extend(u32::try_from(at).ok().map(|offset| Found {
                    position: record.position,
                    checksum: record::checksum_at(bytes, at),
                    place,
                    offset,
                }));
                at = next;
            }
            _ => at += 1,
        }
    }
}

/// Most of a preallocated journal is zeros, in which neither an event nor a block starts: the three last may be a length's first bytes.
fn behind_zeros(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at..at + ZEROS.len()).is_some_and(|bytes| bytes == ZEROS) {
        at += ZEROS.len() - 3;
    }
    at
}

fn search_blocks(bytes: &Bytes, place: Place, found: &mut Vec<Found>) {
    let mut at = 0;
    while at + BLOCK_HEADER <= bytes.len() {
        at = behind_zeros(bytes, at);
        let block = u32::try_from(at)
            .ok()
            .filter(|_| bytes.get(at..).is_some_and(|bytes| bytes.starts_with(BLOCK_MAGIC)));
        if let Some(start) = block
            && let Some(inner) = decompressed(bytes, at)
        {
            let block = Some(start);
            search_plain(&inner, Place { block, ..place }, found);
        }
        at += 1;
    }
}

/// What a compressed block at `start` holds, if one that is sound starts there.
fn decompressed(bytes: &Bytes, start: usize) -> Option<Bytes> {
    let mut fields = Fields(bytes.get(start..)?);
    let header = fields.take(BLOCK_HEADER)?;
    let (checked, checksum) = header.split_last_chunk::<4>()?;
    if xxh3_128(checked) as u32 != u32::from_le_bytes(*checksum) {
        return None;
    }
    let mut lengths = Fields(checked.get(BLOCK_MAGIC.len() + 1..)?);
    let checksum = u128::from_le_bytes(lengths.array()?);
    let (length, before) = (lengths.u32()? as usize, lengths.u32()? as usize);
    let body = fields.take(length)?;
    // As long as before: it was not compressed, and was searched already.
    if length == before || before > LARGEST_BLOCK || xxh3_128(body) != checksum {
        return None;
    }
    let mut plain = vec![0; before];
    let written = lz4_flex::decompress_into(body, &mut plain).ok()?;
    (written == before).then(|| plain.into())
}

#[cfg(test)]
mod tests {
    use event_schemas::{ContentType, Timestamp};
    use fjall::{CompressionType, Database, KeyspaceCreateOptions, config::CompressionPolicy};
    use uuid::Uuid;

    use super::*;
    use crate::port::{Position, Recorded};

    /// Tables as fjall itself compresses them, the way it does with those that are old.
    #[test]
    fn events_are_found_in_compressed_tables() {
        let dir = tempfile::tempdir().unwrap();
        let written: Vec<_> = (1..=200).map(event).collect();
        {
            let db = Database::builder(dir.path()).open().unwrap();
            let options = || {
                KeyspaceCreateOptions::default()
                    .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
            };
            let segments = db.keyspace("segments", options).unwrap();
            for events in written.chunks(10) {
                let mut segment = vec![];
                events.iter().for_each(|event| record::write(&mut segment, event));
                segments.insert(events[0].position.0.to_be_bytes(), segment).unwrap();
            }
            segments.rotate_memtable_and_wait().unwrap();
        }
        std::fs::remove_file(dir.path().join("0.jnl")).unwrap();
        let mut files = Files::of(dir.path()).unwrap();
        let found = files.search(|_, _| {}).unwrap();
        assert_eq!(found.len(), written.len());
        for (found, written) in found.iter().zip(&written) {
            assert!(found.place.block.is_some(), "{found:?} is not compressed");
            assert_eq!(format!("{:?}", files.event(found).unwrap()), format!("{written:?}"));
        }
    }

    fn event(position: u64) -> RecordedEvent {
        RecordedEvent::new(Recorded {
            position: Position(position),
            stream: "order-1".parse().unwrap(),
            version: position - 1,
            id: Uuid::from_u128(position.into()),
            event_type: "Found".into(),
            recorded_at: Timestamp::from_millis(7),
            content: ContentType::Json,
            metadata: Bytes::from_static(b"{}"),
            data: format!("\"{position} {}\"", "the same again and ".repeat(20)).into(),
        })
    }
}
