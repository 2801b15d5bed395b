//! The embedded adapter: one fjall database, a keyspace for each generation, and one keyspace that says which generation
//! is live and how far each has come.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use serde::{Deserialize, Serialize};

use super::{Checkpoint, DocumentStore, Generation, Generations, Part, Scan, StoreError, Write};

const CACHE_BYTES: u64 = 16 << 20;
const MEMTABLE_BYTES: u64 = 8 << 20;
const JOURNAL_BYTES: u64 = 64 << 20;

/// Documents on fjall.
pub struct Documents {
    database: Database,
    /// `model/<name>`: [`Pointer`]; `checkpoint/<generation>`: [`Checkpoint`].
    register: Keyspace,
    open: Mutex<HashMap<Generation, Keyspace>>,
}

/// Which generations a model has.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Pointer {
    live: u32,
    building: Option<u32>,
}

impl Documents {
    /// Opens the database in a folder, or makes one there.
    ///
    /// # Errors
    /// When the folder cannot be written, or is open in another process.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let database = Database::builder(folder)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(1)
            .open()
            .map_err(|error| match error {
                fjall::Error::Locked => {
                    StoreError::Unavailable(format!("{} is open in another process", folder.display()))
                }
                other => unavailable(other),
            })?;
        let register = database.keyspace("register", small).map_err(unavailable)?;
        Ok(Self {
            database,
            register,
            open: Mutex::default(),
        })
    }

    fn pointer(&self, model: &'static str) -> Result<Pointer, StoreError> {
        let stored = self.register.get(format!("model/{model}")).map_err(unavailable)?;
        let first = Pointer {
            live: 1,
            building: None,
        };
        stored.map_or(Ok(first), |bytes| parse(model, &bytes))
    }

    fn keyspace(&self, generation: Generation) -> Result<Keyspace, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keyspace) = open.get(&generation) {
            return Ok(keyspace.clone());
        }
        let keyspace = self
            .database
            .keyspace(&generation.to_string(), small)
            .map_err(unavailable)?;
        open.insert(generation, keyspace.clone());
        Ok(keyspace)
    }

    /// Points a model at its generations and forgets the checkpoint of one that goes, in one batch.
    fn point(&self, model: &'static str, pointer: Pointer, gone: Option<Generation>) -> Result<(), StoreError> {
        let mut batch = self.database.batch();
        batch.insert(&self.register, format!("model/{model}"), json(model, &pointer)?);
        if let Some(generation) = gone {
            batch.remove(&self.register, format!("checkpoint/{generation}"));
        }
        batch.commit().map_err(unavailable)?;
        gone.map_or(Ok(()), |generation| self.drop_keyspace(generation))
    }

    /// Queries that still read it finish; its files go with the last of them.
    fn drop_keyspace(&self, generation: Generation) -> Result<(), StoreError> {
        let handle = self.keyspace(generation)?;
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&generation);
        self.database.delete_keyspace(handle).map_err(unavailable)
    }
}

#[async_trait]
impl DocumentStore for Documents {
    async fn generations(&self, model: &'static str) -> Result<Generations, StoreError> {
        let Pointer { live, building } = self.pointer(model)?;
        let generation = |number| Generation { model, number };
        Ok(Generations {
            live: generation(live),
            building: building.map(generation),
        })
    }

    async fn begin(&self, model: &'static str) -> Result<Generation, StoreError> {
        let Pointer { live, building } = self.pointer(model)?;
        let unfinished = building.map(|number| Generation { model, number });
        let number = building.unwrap_or(live) + 1;
        let building = Some(number);
        self.point(model, Pointer { live, building }, unfinished)?;
        Ok(Generation { model, number })
    }

    async fn promote(&self, generation: Generation) -> Result<(), StoreError> {
        let Generation { model, number } = generation;
        let old = self.pointer(model)?.live;
        let pointer = Pointer {
            live: number,
            building: None,
        };
        let gone = (old != number).then_some(Generation { model, number: old });
        self.point(model, pointer, gone)
    }

    async fn discard(&self, generation: Generation) -> Result<(), StoreError> {
        let live = self.pointer(generation.model)?.live;
        if live == generation.number {
            return Err(StoreError::Unavailable(format!(
                "{generation} is live and cannot be dropped"
            )));
        }
        let pointer = Pointer { live, building: None };
        self.point(generation.model, pointer, Some(generation))
    }

    async fn checkpoint(&self, generation: Generation) -> Result<Checkpoint, StoreError> {
        let stored = self
            .register
            .get(format!("checkpoint/{generation}"))
            .map_err(unavailable)?;
        stored.map_or(Ok(Checkpoint::default()), |bytes| parse(generation.model, &bytes))
    }

    async fn get(&self, generation: Generation, part: Part, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let keyspace = self.keyspace(generation)?;
        let stored = keyspace.get(place(part, key)).map_err(unavailable)?;
        Ok(stored.map(Bytes::from))
    }

    async fn scan(
        &self,
        generation: Generation,
        part: Part,
        scan: Scan<'_>,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let keyspace = self.keyspace(generation)?;
        let prefix = place(part, scan.prefix);
        let end = after_prefix(&prefix).map_or(Unbounded, Excluded);
        let after = scan.after.map(|key| place(part, key));
        // A key outside the prefix must not widen the range, nor turn it round.
        let range = match after {
            None => (Included(prefix), end),
            Some(key) if !key.starts_with(&prefix) => return Ok(vec![]),
            Some(key) if scan.backwards => (Included(prefix), Excluded(key)),
            Some(key) => (Excluded(key), end),
        };
        let entries = keyspace.range(range);
        let read = |guard: fjall::Guard| {
            let (key, value) = guard.into_inner().map_err(unavailable)?;
            Ok((key[1..].to_vec(), Bytes::from(value)))
        };
        if scan.backwards {
            entries.rev().take(scan.limit).map(read).collect()
        } else {
            entries.take(scan.limit).map(read).collect()
        }
    }

    async fn commit(
        &self,
        generation: Generation,
        writes: Vec<Write>,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        let keyspace = self.keyspace(generation)?;
        let mut batch = fjall::OwnedWriteBatch::with_capacity(self.database.clone(), writes.len() + 1);
        for Write { part, key, value } in writes {
            match value {
                Some(value) => batch.insert(&keyspace, place(part, &key), value),
                None => batch.remove(&keyspace, place(part, &key)),
            }
        }
        let model = generation.model;
        batch.insert(
            &self.register,
            format!("checkpoint/{generation}"),
            json(model, &checkpoint)?,
        );
        batch.commit().map_err(unavailable)
    }
}

/// Documents and index share a keyspace, a letter before the key tells them apart.
fn place(part: Part, key: &[u8]) -> Vec<u8> {
    let letter = match part {
        Part::Documents => b'd',
        Part::Index => b'i',
    };
    [&[letter], key].concat()
}

/// The first key behind all that start with `prefix`.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

fn small() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES)
}

fn json(model: &'static str, value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| unreadable(model, &error))
}

fn parse<T: serde::de::DeserializeOwned>(model: &'static str, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|error| unreadable(model, &error))
}

fn unreadable(model: &'static str, error: &serde_json::Error) -> StoreError {
    StoreError::Unreadable {
        model,
        detail: error.to_string(),
    }
}

fn unavailable(error: fjall::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").finish_non_exhaustive()
    }
}
