//! Where a projection writes: a write-back cache over one generation of a read model.
//!
//! A document that many events of a batch change is read once and written once. What is in the cache but not committed is
//! seen by no query, and lost without harm: the checkpoint did not move either.

mod restoring;

use std::{
    collections::{HashMap, hash_map},
    fmt,
    sync::Arc,
};

use super::{
    Checkpoint, DocumentStore, Generation, IndexKeys, Model, ModelKey, Part, StoreError, Write,
    collection::{lists, read, unreadable},
};

/// Documents remembered between two commits, so that the next event of the same order need not read it again.
const REMEMBERED: usize = 2_000;

/// One generation of a read model, being written.
pub struct Workspace<M: Model> {
    store: Arc<dyn DocumentStore>,
    generation: Generation,
    committed: Checkpoint,
    cached: HashMap<M::Key, Cached<M::Document>>,
    changed: Vec<M::Key>,
}

/// What a workspace would write.
#[derive(Debug, Default)]
pub struct Batch {
    writes: Vec<Write>,
    /// Documents that were not there before.
    appeared: u64,
    /// Documents that were there before, and are not any more.
    gone: u64,
}

struct Cached<D> {
    document: Option<D>,
    /// The index entries as the store has them; none for a document the store does not have.
    stored: Option<IndexKeys>,
    changed: bool,
}

impl<M: Model> Workspace<M> {
    /// Goes on writing a generation from its checkpoint.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(store: Arc<dyn DocumentStore>, generation: Generation) -> Result<Self, StoreError> {
        let committed = store.checkpoint(generation).await?;
        Ok(Self {
            store,
            generation,
            committed,
            cached: HashMap::new(),
            changed: Vec::new(),
        })
    }

    /// Which generation.
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// What is committed.
    pub const fn committed(&self) -> Checkpoint {
        self.committed
    }

    /// Whether something is not committed.
    pub fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// How many documents were changed and not committed.
    pub const fn changes(&self) -> usize {
        self.changed.len()
    }

    /// A document as it is now, with all changes.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn document(&mut self, key: M::Key) -> Result<&mut Option<M::Document>, StoreError> {
        let entry = match self.cached.entry(key) {
            hash_map::Entry::Occupied(entry) => entry.into_mut(),
            hash_map::Entry::Vacant(entry) => {
                let stored = self.store.get(self.generation, Part::Documents, &key.bytes()).await?;
                let document = stored.map(|bytes| read::<M>(&bytes)).transpose()?;
                entry.insert(Cached {
                    stored: document.as_ref().map(M::index),
                    document,
                    changed: false,
                })
            }
        };
        Ok(&mut entry.document)
    }

    /// Says that the document was changed, or removed by setting it to `None`.
    pub fn touch(&mut self, key: M::Key) {
        if let Some(cached) = self.cached.get_mut(&key)
            && !std::mem::replace(&mut cached.changed, true)
        {
            self.changed.push(key);
        }
    }

    /// Makes all changes and the new position durable together, as far as a rebuildable store is.
    ///
    /// # Errors
    /// When the store fails; then it is to be gone on from [`Self::resume`].
    pub async fn commit(&mut self, position: u64, skipped: u64) -> Result<(), StoreError> {
        let batch = self.batch()?;
        self.commit_all(vec![batch], position, skipped).await
    }

    /// What a commit would write. For several workspaces on one generation, each with keys of its own: one of them commits
    /// the batches of all, and tells the others so by [`Self::committed_elsewhere`].
    ///
    /// # Errors
    /// When a document cannot be written as JSON.
    pub fn batch(&self) -> Result<Batch, StoreError> {
        let mut batch = Batch {
            writes: Vec::with_capacity(self.changed.len() * 2),
            appeared: 0,
            gone: 0,
        };
        for key in &self.changed {
            if let Some(cached) = self.cached.get(key) {
                batch.appeared += u64::from(cached.stored.is_none() && cached.document.is_some());
                batch.gone += u64::from(cached.stored.is_some() && cached.document.is_none());
                write::<M>(key, cached, &mut batch.writes)?;
            }
        }
        Ok(batch)
    }

    /// Commits the batches of all workspaces on this generation as one.
    ///
    /// # Errors
    /// When the store fails; then all are to be gone on from [`Self::resume`].
    pub async fn commit_all(&mut self, batches: Vec<Batch>, position: u64, skipped: u64) -> Result<(), StoreError> {
        let mut checkpoint = Checkpoint {
            position,
            skipped: self.committed.skipped + skipped,
            documents: self.committed.documents,
        };
        let mut writes = vec![];
        for batch in batches {
            checkpoint.documents = (checkpoint.documents + batch.appeared).saturating_sub(batch.gone);
            if writes.is_empty() {
                writes = batch.writes;
            } else {
                writes.extend(batch.writes);
            }
        }
        self.store.commit(self.generation, writes, checkpoint).await?;
        self.committed_elsewhere(checkpoint);
        Ok(())
    }

    /// Another workspace on this generation has committed what was changed here too.
    pub fn committed_elsewhere(&mut self, checkpoint: Checkpoint) {
        self.committed = checkpoint;
        for key in self.changed.drain(..) {
            if let Some(cached) = self.cached.get_mut(&key) {
                cached.changed = false;
                cached.stored = cached.document.as_ref().map(M::index);
            }
        }
        if self.cached.len() > REMEMBERED {
            self.cached.clear();
        }
    }

    /// A further workspace on the same generation, for other keys.
    pub fn beside(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            generation: self.generation,
            committed: self.committed,
            cached: HashMap::new(),
            changed: Vec::new(),
        }
    }

    /// Forgets what is not committed: the next event is applied to what the store has.
    pub fn forget(&mut self) {
        self.cached.clear();
        self.changed.clear();
    }

    /// Goes on from what the store has: what failed to be committed may be there after all.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn resume(&mut self) -> Result<(), StoreError> {
        self.forget();
        self.committed = self.store.checkpoint(self.generation).await?;
        Ok(())
    }
}

/// The changes that bring the store from what it has to what the cache has.
fn write<M: Model>(key: &M::Key, cached: &Cached<M::Document>, writes: &mut Vec<Write>) -> Result<(), StoreError> {
    let key = key.bytes();
    let index = cached.document.as_ref().map(M::index).unwrap_or_default();
    let stored = cached.stored.as_deref().unwrap_or_default();
    let gone = stored.iter().filter(|entry| !index.contains(entry));
    writes.extend(gone.map(|entry| Write {
        part: Part::Index,
        key: entry.clone(),
        value: None,
    }));
    let new = index.iter().filter(|entry| !stored.contains(entry));
    writes.extend(new.map(|entry| Write {
        part: Part::Index,
        key: entry.clone(),
        value: Some(key.clone()),
    }));
    let value = cached.document.as_ref().map(serde_json::to_vec).transpose();
    let value = value.map_err(|error| unreadable::<M>(&error))?;
    writes.push(Write {
        part: Part::Documents,
        key,
        value,
    });
    Ok(())
}

impl<M: Model> fmt::Debug for Workspace<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace")
            .field("generation", &self.generation)
            .field("committed", &self.committed)
            .field("changed", &self.changed.len())
            .finish_non_exhaustive()
    }
}
