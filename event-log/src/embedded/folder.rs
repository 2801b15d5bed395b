//! The log's folder: whose it is, which format it has, how far it was acknowledged.
//!
//! ```text
//! lock           held (by the operating system, so never stale) as long as a process has the log open
//! format         which version of jangteo wrote it
//! acknowledged   a position known to be durable: see `Acknowledged`
//! store/         fjall
//! ```

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use xxhash_rust::xxh3::xxh3_64;

use super::store::StoreError;

/// The version of what lies in the folder. Raise it when an older jangteo could not read it any more.
const FORMAT: u32 = 1;
const FORMAT_LINE: &str = "jangteo event log, format ";

/// Why a log's folder cannot be opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this one, has it.
    #[error(
        "the event log in {dir} is in use: another jangteo holds it. Stop that one first, or choose another folder with --data"
    )]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// It comes from a version of jangteo that is newer than this one.
    #[error(
        "the event log in {dir} has format {found}, and this jangteo reads formats up to {FORMAT}: it was written by a newer version. \
         Start that version (or a later one) with this folder; nothing was changed"
    )]
    Newer {
        /// The folder.
        dir: PathBuf,
        /// Its format.
        found: u32,
    },
    /// There is something else in it.
    #[error(
        "{dir} holds other files and no event log: choose an empty folder, or one made by jangteo. Nothing was changed"
    )]
    Foreign {
        /// The folder.
        dir: PathBuf,
    },
    /// What is in it does not fit together.
    #[error(
        "the event log in {dir} is damaged: {detail}. Restore the folder from a copy, or save what is readable: jangteo log salvage"
    )]
    Damaged {
        /// The folder.
        dir: PathBuf,
        /// What does not fit.
        detail: String,
    },
    /// We may read it at most.
    #[error(
        "the event log in {dir} cannot be written to: {detail}: {source}. Give the user that runs jangteo the right to write there (chown -R, \
         chmod -R u+w), or mount its file system for writing; nothing was changed"
    )]
    ReadOnly {
        /// The folder.
        dir: PathBuf,
        /// What was attempted.
        detail: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The file system refused.
    #[error(
        "the event log in {dir} cannot be opened: {detail}: {source}. Check that the folder can be written to and has space"
    )]
    Io {
        /// The folder.
        dir: PathBuf,
        /// What was attempted.
        detail: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl OpenError {
    fn io(dir: &Path, detail: &'static str, source: io::Error) -> Self {
        let dir = dir.to_owned();
        if is_read_only(source.kind()) {
            Self::ReadOnly { dir, detail, source }
        } else {
            Self::Io { dir, detail, source }
        }
    }
}

pub(super) fn is_read_only(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

/// A folder that is ours as long as this value lives.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if there is none, locks it, and checks that it is a log that we can read.
    pub(super) fn take(dir: &Path) -> Result<Self, OpenError> {
        let io = |detail| move |source| OpenError::io(dir, detail, source);
        std::fs::create_dir_all(dir).map_err(io("making the folder"))?;
        Self::refuse_foreign(dir)?;
        let lock = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(dir.join("lock"))
            .map_err(io("opening its lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { dir: dir.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(io("locking it")(source)),
        }
        let folder = Self {
            dir: dir.to_owned(),
            _lock: lock,
        };
        folder.check_format()?;
        Ok(folder)
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn store(&self) -> PathBuf {
        self.dir.join("store")
    }

    pub(super) fn damaged(&self, detail: impl Into<String>) -> OpenError {
        OpenError::Damaged {
            dir: self.dir.clone(),
            detail: detail.into(),
        }
    }

    /// Why the store in it did not open.
    pub(super) fn refused(&self, error: StoreError) -> OpenError {
        match error {
            StoreError::Damaged(detail) => self.damaged(detail),
            StoreError::Io(source) => self.io("opening its store", source),
        }
    }

    pub(super) fn io(&self, detail: &'static str, source: io::Error) -> OpenError {
        OpenError::io(&self.dir, detail, source)
    }

    /// A folder with files but without ours is somebody else's, a mistyped path: better to say so than to move in.
    fn refuse_foreign(dir: &Path) -> Result<(), OpenError> {
        let source = |source| OpenError::io(dir, "listing it", source);
        let mut any = false;
        for entry in std::fs::read_dir(dir).map_err(source)? {
            let name = entry.map_err(source)?.file_name();
            if ["lock", "format", "format.new", "store"]
                .iter()
                .any(|ours| name == *ours)
            {
                return Ok(());
            }
            any = true;
        }
        if any {
            return Err(OpenError::Foreign { dir: dir.to_owned() });
        }
        Ok(())
    }

    fn check_format(&self) -> Result<(), OpenError> {
        let path = self.dir.join("format");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && !self.store().exists() => {
                return self
                    .write_format()
                    .map_err(|source| self.io("writing its format file", source));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(self.damaged("its format file is gone"));
            }
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return Err(self.damaged("its format file is not text"));
            }
            Err(source) => return Err(self.io("reading its format file", source)),
        };
        let version = text.trim_end().strip_prefix(FORMAT_LINE);
        match version.and_then(|version| version.parse::<u32>().ok()) {
            Some(found) if found > FORMAT => Err(OpenError::Newer {
                dir: self.dir.clone(),
                found,
            }),
            Some(found) if found >= 1 => Ok(()),
            _ => Err(self.damaged("its format file does not say a format")),
        }
    }

    /// Whole or not at all: a new log that was cut off here starts anew.
    fn write_format(&self) -> io::Result<()> {
        let new = self.dir.join("format.new");
        let mut file = File::create(&new)?;
        writeln!(file, "{FORMAT_LINE}{FORMAT}")?;
        file.sync_all()?;
        std::fs::rename(new, self.dir.join("format"))?;
        sync_dir(&self.dir)?;
        self.dir
            .parent()
            .filter(|parent| *parent != Path::new(""))
            .map_or(Ok(()), sync_dir)
    }

    /// What the files really take, which for a file with holes is less than its length.
    pub(super) fn bytes_on_disk(dir: &Path) -> io::Result<u64> {
        let mut bytes = 0;
        let mut folders = vec![dir.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                // Files come and go while the store compacts.
                let Ok(metadata) = entry.metadata() else { continue };
                if metadata.is_dir() {
                    folders.push(entry.path());
                } else {
                    bytes += allocated(&metadata);
                }
            }
        }
        Ok(bytes)
    }
}

#[cfg(unix)]
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
#[cfg(not(unix))]
fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn allocated(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(metadata) * 512
}
#[cfg(not(unix))]
fn allocated(metadata: &std::fs::Metadata) -> u64 {
    metadata.len()
}

/// A position that is known to be durable, kept beside the store.
///
/// A journal that breaks off looks the same whether the last write was cut by a crash (harmless: it was never acknowledged) or
/// the disk lost what it had promised to keep. This tells the two apart: it is written after the fact, now and then and
/// without waiting for the disk, so it may lag behind the log, but the log must never lag behind it.
pub(super) struct Acknowledged {
    file: File,
    written: u64,
    at: Instant,
}

impl Acknowledged {
    pub(super) const PAUSE: Duration = Duration::from_millis(50);

    /// Opens the mark and tells the position it holds; none for a new log.
    pub(super) fn open(folder: &Folder) -> Result<(Self, Option<u64>), OpenError> {
        let mut bytes = vec![];
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(folder.dir.join("acknowledged"))
            .map_err(|source| folder.io("opening its mark", source))?;
        file.read_to_end(&mut bytes)
            .map_err(|source| folder.io("reading its mark", source))?;
        let position = Self::position(&bytes);
        let mark = Self {
            file,
            written: position.unwrap_or(0),
            at: Instant::now(),
        };
        Ok((mark, position))
    }

    /// The position that the mark in `dir` holds, if there is a sound one.
    pub(super) fn peek(dir: &Path) -> Option<u64> {
        Self::position(&std::fs::read(dir.join("acknowledged")).ok()?)
    }

    /// A mark that a power cut left torn says nothing, as if there were none.
    fn position(bytes: &[u8]) -> Option<u64> {
        let (position, checksum) = bytes.split_first_chunk::<8>()?;
        (checksum == xxh3_64(position).to_le_bytes()).then(|| u64::from_le_bytes(*position))
    }

    /// Whether `position` is worth writing down now.
    pub(super) fn is_due(&self, position: u64) -> bool {
        position != self.written && self.at.elapsed() >= Self::PAUSE
    }

    pub(super) fn is_behind(&self, position: u64) -> bool {
        position != self.written
    }

    /// Best effort: a mark that cannot be written is only older than it could be.
    pub(super) fn write(&mut self, position: u64) {
        let bytes = position.to_le_bytes();
        let marked = [bytes, xxh3_64(&bytes).to_le_bytes()].concat();
        let written = self
            .file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.write_all(&marked));
        if let Err(error) = written {
            tracing::debug!(%error, "the mark of the event log was not written");
        }
        (self.written, self.at) = (position, Instant::now());
    }
}
