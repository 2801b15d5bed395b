//! The embedded adapter: one fjall database, a keyspace for each generation, and one keyspace that says which generation
//! is live and how far each has come.

mod opened;

use std::{
    path::{Path, PathBuf},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;

use self::opened::{Opened, Pointer};
use super::{Checkpoint, DocumentStore, Generation, Generations, Part, Scan, StoreError, Write};

/// The database is opened again when the disk takes so many bytes.
const ROOM: usize = 1 << 20;

/// Documents on fjall.
///
/// After a failed write fjall takes no further ones: what reached the disk is not known. Opening the database again finds out.
/// So that no writer goes on from what it believes to be there, this is done when a checkpoint is read or a generation begins
/// or ends, never by a commit. Queries go on until then.
pub struct Documents {
    folder: PathBuf,
    /// None when it could not be opened again.
    opened: RwLock<Option<Opened>>,
    /// A write failed. Set under the lock of the database that failed.
    failed: AtomicBool,
}

impl Documents {
    /// Opens the database in a folder, or makes one there.
    ///
    /// # Errors
    /// When the folder cannot be written, or is open in another process.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            opened: RwLock::new(Some(Opened::open(folder)?)),
            folder: folder.to_owned(),
            failed: AtomicBool::new(false),
        })
    }

    fn read<T>(&self, read: impl FnOnce(&Opened) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.as_ref().map_or_else(|| Err(self.in_trouble()), read)
    }

    fn write<T>(&self, write: impl FnOnce(&Opened) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.read(|opened| {
            if self.failed.load(Ordering::Acquire) {
                return Err(self.in_trouble());
            }
            write(opened).inspect_err(|_| self.failed.store(true, Ordering::Release))
        })
    }

    /// Opens the database again after a failed write, once the disk takes something.
    fn heal(&self) -> Result<(), StoreError> {
        if !self.failed.load(Ordering::Acquire) {
            return Ok(());
        }
        let probe = self.folder.join("probe");
        let written = std::fs::write(&probe, vec![1; ROOM]);
        let removed = std::fs::remove_file(&probe);
        // Waits for the readers. Somebody else may have been quicker.
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        if !self.failed.load(Ordering::Acquire) {
            return Ok(());
        }
        written.and(removed).map_err(|error| {
            StoreError::Unavailable(format!("{} cannot be written ({error})", self.folder.display()))
        })?;
        // Closed before it is opened again.
        *opened = None;
        *opened = Some(Opened::open(&self.folder)?);
        self.failed.store(false, Ordering::Release);
        tracing::info!(folder = %self.folder.display(), "the documents are written again");
        Ok(())
    }

    /// Points a model at other generations; those that are in none of its places any more go.
    fn point(&self, model: &'static str, change: impl FnOnce(Pointer) -> Pointer) -> Result<Pointer, StoreError> {
        self.heal()?;
        let from = self.read(|opened| opened.pointer(model))?;
        let to = change(from);
        self.write(|opened| opened.point(model, from, to))?;
        Ok(to)
    }

    fn in_trouble(&self) -> StoreError {
        StoreError::Unavailable(format!("an earlier write to {} failed", self.folder.display()))
    }
}

#[async_trait]
impl DocumentStore for Documents {
    async fn generations(&self, model: &'static str) -> Result<Generations, StoreError> {
        let pointer = self.read(|opened| opened.pointer(model))?;
        let generation = |number| Generation { model, number };
        Ok(Generations {
            live: generation(pointer.live),
            building: pointer.building.map(generation),
            previous: pointer.previous.map(generation),
        })
    }

    async fn begin(&self, model: &'static str) -> Result<Generation, StoreError> {
        let begun = self.point(model, Pointer::begun)?;
        let number = begun.building.unwrap_or(begun.live);
        Ok(Generation { model, number })
    }

    async fn promote(&self, generation: Generation) -> Result<(), StoreError> {
        let pointer = self.read(|opened| opened.pointer(generation.model))?;
        if !pointer.has(generation.number) {
            return Err(StoreError::Unavailable(format!("{generation} is not there any more")));
        }
        self.point(generation.model, |pointer| pointer.promoted(generation.number))?;
        Ok(())
    }

    async fn discard(&self, generation: Generation) -> Result<(), StoreError> {
        let live = self.read(|opened| opened.pointer(generation.model))?.live;
        if live == generation.number {
            return Err(StoreError::Unavailable(format!(
                "{generation} is live and cannot be dropped"
            )));
        }
        self.point(generation.model, |pointer| pointer.discarded(generation.number))?;
        Ok(())
    }

    async fn checkpoint(&self, generation: Generation) -> Result<Checkpoint, StoreError> {
        self.heal()?;
        self.read(|opened| opened.checkpoint(generation))
    }

    async fn get(&self, generation: Generation, part: Part, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.read(|opened| opened.get(generation, part, key))
    }

    async fn scan(
        &self,
        generation: Generation,
        part: Part,
        scan: Scan<'_>,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        self.read(|opened| opened.scan(generation, part, scan))
    }

    async fn commit(
        &self,
        generation: Generation,
        writes: Vec<Write>,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        self.write(|opened| opened.commit(generation, writes, checkpoint))
    }
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").finish_non_exhaustive()
    }
}
