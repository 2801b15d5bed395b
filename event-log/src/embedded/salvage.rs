//! Saves what can be read of a log that cannot be opened, or that is damaged somewhere.
//!
//! The store is not asked: it may be what does not open. Every event carries its own length and checksum ([`super::record`]), so the files are
//! searched for events, wherever they stand in them. What is found is put in the order of positions. Up to the first
//! position that is missing it becomes a new log, the same as the old one was; what is readable behind that goes into a file of JSON
//! lines, with what is missing named in its place. Nothing is changed in the damaged folder.

mod behind;
mod searching;

use std::{
    fs::{File, TryLockError},
    io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::Arc,
};

use self::{
    behind::Behind,
    searching::{Files, Found},
};
use super::{
    EmbeddedLog, OpenError, Options, batch,
    folder::{Acknowledged, Folder},
    store::Store,
    totals::Totals,
};
use crate::port::{LogError, RecordedEvent};

/// Events of one write into the new log, and their bytes.
const WRITE_EVENTS: usize = 4096;
const WRITE_BYTES: usize = 4 * 1024 * 1024;

/// What a salvage is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SalvageStep {
    /// Reading the damaged folder; counted in bytes.
    Searching,
    /// Writing what was found; counted in events.
    Copying,
}

/// How far a salvage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SalvageProgress {
    /// What it is doing.
    pub step: SalvageStep,
    /// How much of it is done.
    pub done: u64,
    /// How much there is.
    pub total: u64,
}

/// What was saved, and what was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// Events in the new log: all up to the first that could not be read, which is also the new log's last position.
    pub copied: u64,
    /// The positions of the old log that could not be read. Where two events claim one position, both are in the file.
    pub lost: Vec<RangeInclusive<u64>>,
    /// Readable events behind the first that could not be read: they are in the file of JSON lines.
    pub behind: u64,
    /// That file, `<new folder>.behind.jsonl`; none if nothing was lost.
    pub behind_file: Option<PathBuf>,
}

/// Why a salvage did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SalvageError {
    /// A process has the damaged log open.
    #[error("the event log in {0} is in use: stop the jangteo that holds it first")]
    InUse(PathBuf),
    /// There is nothing to save.
    #[error("{0} holds no event log: there is no folder `store` in it")]
    NotALog(PathBuf),
    /// What is saved goes to a new place only.
    #[error("{0} is there already: name a folder that does not exist yet")]
    Occupied(PathBuf),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The new log could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The new log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl SalvageError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// Saves what is readable of the log in `from`: a new log in `to`, and what stands behind the first unreadable event in
/// `<to>.behind.jsonl`. Takes its time, and about 24 bytes of memory for each event.
///
/// # Errors
/// See [`SalvageError`]. What was written by then can be thrown away: `from` is not changed.
pub fn salvage(from: &Path, to: &Path, progress: &mut dyn FnMut(SalvageProgress)) -> Result<Salvaged, SalvageError> {
    let _held = hold(from)?;
    let behind_path = PathBuf::from(format!("{}.behind.jsonl", to.display()));
    for path in [to, &behind_path] {
        if path.exists() {
            return Err(SalvageError::Occupied(path.to_owned()));
        }
    }
    let mut files = Files::of(&from.join("store")).map_err(SalvageError::io(from))?;
    let found = files.search(|done, total| {
        progress(SalvageProgress {
            step: SalvageStep::Searching,
            done,
            total,
        });
    })?;
    let whole = whole(&found);
    let (first, rest) = found.split_at(whole);

    let folder = Folder::take(to)?;
    let mut copying = Copying {
        store: Store::open(&folder.store(), &Options::default()).map_err(|error| folder.refused(error))?,
        totals: Totals::default(),
        events: vec![],
        bytes: 0,
    };
    let mut tell = |done: usize| {
        progress(SalvageProgress {
            step: SalvageStep::Copying,
            done: done as u64,
            total: found.len() as u64,
        });
    };
    for (index, found) in first.iter().enumerate() {
        if copying.take(files.event(found)?)? {
            tell(index);
        }
    }
    copying.write()?;
    let lost = lost(whole as u64, rest, Acknowledged::peek(from));
    let behind_file = (!lost.is_empty() || !rest.is_empty()).then_some(behind_path);
    if let Some(path) = &behind_file {
        write_behind(path, &copying.store, &mut files, rest, &lost, |done| tell(whole + done))?;
    }
    tell(found.len());
    copying.finish(&folder)?;
    drop(folder);
    // A log that opens has passed its own checks.
    EmbeddedLog::open(to)?.close();
    Ok(Salvaged {
        copied: whole as u64,
        lost,
        behind: rest.len() as u64,
        behind_file,
    })
}

/// Keeps the damaged log from being opened meanwhile, where it has a lock at all.
fn hold(from: &Path) -> Result<Option<File>, SalvageError> {
    if !from.join("store").is_dir() {
        return Err(SalvageError::NotALog(from.to_owned()));
    }
    let Ok(lock) = File::open(from.join("lock")) else {
        return Ok(None);
    };
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => Err(SalvageError::InUse(from.to_owned())),
        // A file system without locks, of a disk that is being saved: better to go on.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(lock)),
    }
}

/// How many events from the first on stand without gap or doubt: where two claim one place, which was meant is not known.
fn whole(found: &[Found]) -> usize {
    let next = found.iter().skip(1).map(|found| found.position).chain([0]);
    let sound = found.iter().zip(1..).zip(next);
    sound
        .take_while(|((found, expected), next)| found.position == *expected && found.position != *next)
        .count()
}

/// Writes what was found behind the first position that was not, and what was not.
fn write_behind(
    path: &Path,
    store: &Store,
    files: &mut Files,
    rest: &[Found],
    lost: &[RangeInclusive<u64>],
    mut tell: impl FnMut(usize),
) -> Result<(), SalvageError> {
    let mut behind = Behind::create(path, store).map_err(SalvageError::io(path))?;
    let mut lost = lost.iter().peekable();
    for (index, found) in rest.iter().enumerate() {
        while let Some(lost) = lost.next_if(|lost| *lost.start() < found.position) {
            behind.lost(lost).map_err(SalvageError::io(path))?;
        }
        behind.event(&*files.event(found)?, path)?;
        if index % WRITE_EVENTS == 0 {
            tell(index);
        }
    }
    lost.try_for_each(|lost| behind.lost(lost))
        .map_err(SalvageError::io(path))?;
    behind.finish().map_err(SalvageError::io(path))
}

/// The positions between 1 and the last one known that were not found.
fn lost(whole: u64, rest: &[Found], acknowledged: Option<u64>) -> Vec<RangeInclusive<u64>> {
    let mut lost = vec![];
    let mut next = whole + 1;
    for found in rest {
        if found.position > next {
            lost.push(next..=found.position - 1);
        }
        next = found.position + 1;
    }
    if let Some(last) = acknowledged.filter(|last| *last >= next) {
        lost.push(next..=last);
    }
    lost
}

/// The new log, while it is filled.
struct Copying {
    store: Store,
    totals: Totals,
    events: Vec<Arc<RecordedEvent>>,
    bytes: usize,
}

impl Copying {
    /// Takes the next event; true if it was time to write.
    fn take(&mut self, event: Arc<RecordedEvent>) -> Result<bool, SalvageError> {
        self.bytes += event.data.len() + event.metadata.len();
        let category = event.stream.category();
        self.totals.count(event.position.0, category, event.version == 0);
        self.events.push(event);
        let full = self.events.len() >= WRITE_EVENTS || self.bytes >= WRITE_BYTES;
        if full {
            self.write()?;
        }
        Ok(full)
    }

    fn write(&mut self) -> Result<(), SalvageError> {
        if !self.events.is_empty() {
            let written = batch::write(&self.store, &self.events, Some(&self.totals));
            written.map_err(|error| LogError::Unavailable(format!("the new log cannot be written: {error}")))?;
        }
        self.events.clear();
        self.bytes = 0;
        Ok(())
    }

    fn finish(self, folder: &Folder) -> Result<(), SalvageError> {
        let (mut acknowledged, _) = Acknowledged::open(folder)?;
        acknowledged.write(self.totals.at);
        Ok(())
    }
}
