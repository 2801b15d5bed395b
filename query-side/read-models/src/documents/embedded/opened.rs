//! The database while it is open.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use serde::{Deserialize, Serialize};

use super::{Checkpoint, Generation, Part, Scan, StoreError, Write};

const CACHE_BYTES: u64 = 16 << 20;
const MEMTABLE_BYTES: u64 = 8 << 20;
const JOURNAL_BYTES: u64 = 64 << 20;

/// All handles: dropped together, they close it.
pub(super) struct Opened {
    database: Database,
    /// `model/<name>`: [`Pointer`]; `checkpoint/<generation>`: [`Checkpoint`].
    register: Keyspace,
    keyspaces: Mutex<HashMap<Generation, Keyspace>>,
}

/// Which generations a model has.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Pointer {
    pub(super) live: u32,
    pub(super) building: Option<u32>,
    #[serde(default)]
    pub(super) previous: Option<u32>,
    /// The last number given out: none is used twice, so that nobody takes one generation for another.
    #[serde(default)]
    newest: u32,
}

impl Pointer {
    /// With an empty generation beside the live one, in place of one that was being built.
    pub(super) fn begun(self) -> Self {
        let there = [Some(self.live), self.building, self.previous, Some(self.newest)];
        let newest = there.into_iter().flatten().max().unwrap_or_default() + 1;
        Self {
            building: Some(newest),
            newest,
            ..self
        }
    }

    /// With that one live, and the live one kept to go back to.
    pub(super) fn promoted(self, number: u32) -> Self {
        if number == self.live {
            return self;
        }
        Self {
            live: number,
            building: self.building.filter(|building| *building != number),
            previous: Some(self.live),
            ..self
        }
    }

    /// Without that one.
    pub(super) fn discarded(self, number: u32) -> Self {
        let but = |kept: Option<u32>| kept.filter(|kept| *kept != number);
        Self {
            building: but(self.building),
            previous: but(self.previous),
            ..self
        }
    }

    /// Whether that one is in any of its places.
    pub(super) fn has(self, number: u32) -> bool {
        [Some(self.live), self.building, self.previous].contains(&Some(number))
    }
}

impl Opened {
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
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
            keyspaces: Mutex::default(),
        })
    }

    pub(super) fn pointer(&self, model: &'static str) -> Result<Pointer, StoreError> {
        let stored = self.register.get(format!("model/{model}")).map_err(unavailable)?;
        let first = Pointer {
            live: 1,
            building: None,
            previous: None,
            newest: 1,
        };
        stored.map_or(Ok(first), |bytes| parse(model, &bytes))
    }

    fn keyspace(&self, generation: Generation) -> Result<Keyspace, StoreError> {
        let mut open = self.keyspaces.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// Points a model at its generations and forgets the checkpoints of those that go, in one batch.
    pub(super) fn point(&self, model: &'static str, from: Pointer, to: Pointer) -> Result<(), StoreError> {
        let before = [Some(from.live), from.building, from.previous].into_iter().flatten();
        let gone = before.filter(|number| !to.has(*number));
        let gone: Vec<_> = gone.map(|number| Generation { model, number }).collect();
        let mut batch = self.database.batch();
        batch.insert(&self.register, format!("model/{model}"), json(model, &to)?);
        for generation in &gone {
            batch.remove(&self.register, format!("checkpoint/{generation}"));
        }
        batch.commit().map_err(unavailable)?;
        gone.into_iter()
            .try_for_each(|generation| self.drop_keyspace(generation))
    }

    /// Queries that still read it finish; its files go with the last of them.
    fn drop_keyspace(&self, generation: Generation) -> Result<(), StoreError> {
        let handle = self.keyspace(generation)?;
        self.keyspaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&generation);
        self.database.delete_keyspace(handle).map_err(unavailable)
    }

    pub(super) fn checkpoint(&self, generation: Generation) -> Result<Checkpoint, StoreError> {
        let stored = self
            .register
            .get(format!("checkpoint/{generation}"))
            .map_err(unavailable)?;
        stored.map_or(Ok(Checkpoint::default()), |bytes| parse(generation.model, &bytes))
    }

    pub(super) fn get(&self, generation: Generation, part: Part, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let keyspace = self.keyspace(generation)?;
        let stored = keyspace.get(place(part, key)).map_err(unavailable)?;
        Ok(stored.map(Bytes::from))
    }

    pub(super) fn scan(
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

    pub(super) fn commit(
        &self,
        generation: Generation,
        writes: Vec<Write>,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        let keyspace = self.keyspace(generation)?;
        let batch = fjall::OwnedWriteBatch::with_capacity(self.database.clone(), writes.len() + 1);
        // Handed to the system: opening the database again loses nothing that was committed.
        let mut batch = batch.durability(Some(PersistMode::Buffer));
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
