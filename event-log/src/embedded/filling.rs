//! Fills the journal with zeros ahead of the data.
//!
//! fjall makes each journal 64 MiB long but leaves it a hole: every sync then also has to write down where the file's new blocks are,
//! and waits for the file system's own journal. Filled before, a sync has data to write and nothing else. Zeros are written only where
//! zeros were just read, by the one thread that has fjall write: what a journal holds is never changed.
//!
//! Appends wait while this is done, so it is done in small steps, and the zeros reach the disk with the next batch's own sync.
//!
//! A journal that was opened again after a start ends where its data end, and grows: nothing can be filled there.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// How long fjall makes a new journal.
const WHOLE: u64 = 64 * 1024 * 1024;
/// How much of a new log's journal is filled at once.
pub(super) const FIRST: u64 = 32 * 1024 * 1024;
/// How much is filled later, while appends wait: well below a millisecond.
const STEP: u64 = 512 * 1024;
/// After so many bytes of events the journal is looked at.
const LOOK: usize = STEP as usize / 4;
/// Larger batches spend their time on their data; filling would only double it.
const SMALL_BATCH: usize = 64 * 1024;
/// So many bytes in a row are never all zeros within the data.
const DATA: usize = 16 * 1024;

/// How far the newest journal is filled.
pub(super) struct Filling {
    store: PathBuf,
    journal: PathBuf,
    filled: u64,
    /// Since the last look.
    bytes: usize,
    batches: usize,
}

impl Filling {
    pub(super) fn new(store: PathBuf) -> Self {
        Self {
            store,
            journal: PathBuf::new(),
            filled: 0,
            bytes: 0,
            batches: 0,
        }
    }

    /// Called by the writer between two batches, of which the last had so many bytes.
    pub(super) fn go_on(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.batches += 1;
        if self.bytes < LOOK {
            return;
        }
        let small = self.bytes / self.batches < SMALL_BATCH;
        (self.bytes, self.batches) = (0, 0);
        // Best effort: without it appends are slower. A full disk tells itself.
        if small && let Err(error) = self.look() {
            tracing::debug!(%error, "the journal of the event log was not filled");
        }
    }

    fn look(&mut self) -> io::Result<()> {
        let Some(journal) = newest(&self.store)? else {
            return Ok(());
        };
        if journal != self.journal {
            // The first one is filled when it is made.
            self.filled = if journal.ends_with("0.jnl") { FIRST } else { 0 };
            self.journal = journal;
        }
        let mut file = OpenOptions::new().read(true).write(true).open(&self.journal)?;
        if file.metadata()?.len() != WHOLE {
            return Ok(());
        }
        while self.filled < WHOLE && self.is_near(&mut file)? {
            fill(&mut file, self.filled)?;
            self.filled += STEP;
        }
        Ok(())
    }

    /// Whether the data have come close to what is not filled yet.
    fn is_near(&self, file: &mut File) -> io::Result<bool> {
        let Some(before) = self.filled.checked_sub(2 * STEP) else {
            return Ok(true);
        };
        Ok(read(file, before, DATA)?.iter().any(|byte| *byte != 0))
    }
}

fn read(file: &mut File, from: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.seek(SeekFrom::Start(from))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Fills a step from `from` on, behind the last byte of it that is not zero.
fn fill(file: &mut File, from: u64) -> io::Result<()> {
    let mut bytes = read(file, from, STEP as usize)?;
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    file.seek(SeekFrom::Start(from + end as u64))?;
    bytes.drain(..end);
    file.write_all(&bytes)
}

/// fjall numbers its journals upwards.
fn newest(store: &Path) -> io::Result<Option<PathBuf>> {
    let mut newest = None;
    for entry in std::fs::read_dir(store)? {
        let path = entry?.path();
        let number = path
            .file_name()
            .and_then(|name| name.to_str()?.strip_suffix(".jnl")?.parse::<u64>().ok());
        newest = newest.max(number.map(|number| (number, path)));
    }
    Ok(newest.map(|(_, path)| path))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{FileExt, MetadataExt};

    use super::*;

    /// As fjall has it: data at the beginning of a hole, which grow.
    #[test]
    fn the_hole_is_filled_ahead_of_the_data_and_nothing_else_changes() {
        let dir = tempfile::tempdir().unwrap();
        for older in ["0.jnl", "2.jnl", "9.jnl"] {
            std::fs::write(dir.path().join(older), "older").unwrap();
        }
        let path = dir.path().join("10.jnl");
        let journal = File::create_new(&path).unwrap();
        journal.set_len(WHOLE).unwrap();
        let filled = || journal.metadata().unwrap().blocks() * 512;
        let mut filling = Filling::new(dir.path().to_owned());
        let mut expected = vec![];
        for round in 0..100_u64 {
            let data = vec![1 + (round % 250) as u8; 100_000];
            journal.write_all_at(&data, expected.len() as u64).unwrap();
            // A batch may end in zeros.
            expected.extend(data.iter().chain(&[0; 1000]));
            (0..10).for_each(|_| filling.go_on(10_000));
        }
        let end = expected.len() as u64;
        assert!(
            (end + STEP / 2..end + 3 * STEP).contains(&filled()),
            "{} of {end}",
            filled()
        );
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len() as u64, WHOLE);
        assert!(bytes.starts_with(&expected), "what was written is not there any more");
        assert!(bytes[expected.len()..].iter().all(|byte| *byte == 0));

        // Large batches are left to themselves, and so is a journal that was opened again.
        filling.go_on(LOOK);
        let before = filled();
        journal.write_all_at(&[1; 100], before - 1000).unwrap();
        (0..10).for_each(|_| filling.go_on(LOOK));
        assert_eq!(filled(), before);
        journal.set_len(end).unwrap();
        (0..100).for_each(|_| filling.go_on(10_000));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), end);
        for older in ["0.jnl", "2.jnl", "9.jnl"] {
            assert_eq!(std::fs::read(dir.path().join(older)).unwrap(), b"older");
        }
    }
}
