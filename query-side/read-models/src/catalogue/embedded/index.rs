//! The search index as a document store: a folder for each generation, and a file that says which is live.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tantivy::TantivyError;
use tokio::sync::Semaphore;

use super::generation::OpenGeneration;
use crate::{
    catalogue::{Catalogue, Completions, SearchEngine, SearchError, SearchResults, Spelling, Wanted},
    documents::{Checkpoint, DocumentStore, Generation, Generations, Model, Part, Scan, StoreError, Write},
};

const POINTER: &str = "generations.json";

/// The catalogue's index.
pub struct SearchIndex {
    folder: PathBuf,
    state: Mutex<State>,
    /// As many searches at once as there are cores: more would only wait for each other, each with its memory.
    searches: Semaphore,
}

struct State {
    pointer: Pointer,
    open: HashMap<u32, Arc<OpenGeneration>>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Pointer {
    live: u32,
    building: Option<u32>,
}

impl SearchIndex {
    /// Opens the index in a folder, or makes one there.
    ///
    /// # Errors
    /// When the folder cannot be written, or what is in it is no index.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(unavailable)?;
        let pointer = match fs::read(folder.join(POINTER)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| unreadable(&error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Pointer {
                live: 1,
                building: None,
            },
            Err(error) => return Err(unavailable(error)),
        };
        let index = Self {
            folder: folder.to_owned(),
            state: Mutex::new(State {
                pointer,
                open: HashMap::new(),
            }),
            searches: Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)),
        };
        index.sweep(pointer)?;
        index.generation(pointer.live)?;
        Ok(index)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{}.{number}", Catalogue::NAME))
    }

    fn generation(&self, number: u32) -> Result<Arc<OpenGeneration>, StoreError> {
        self.open_one(|_| number)
    }

    /// Chosen and opened in one step: no swap comes between.
    fn open_one(&self, which: impl FnOnce(Pointer) -> u32) -> Result<Arc<OpenGeneration>, StoreError> {
        let mut state = self.state();
        let number = which(state.pointer);
        if let Some(open) = state.open.get(&number) {
            return Ok(Arc::clone(open));
        }
        let open = Arc::new(OpenGeneration::open(&self.path(number))?);
        state.open.insert(number, Arc::clone(&open));
        Ok(open)
    }

    /// Writes the pointer in one step: a reader of the file sees the old one or the new one.
    fn point(&self, pointer: Pointer) -> Result<(), StoreError> {
        let written = serde_json::to_vec(&pointer).map_err(|error| unreadable(&error))?;
        let beside = self.folder.join("generations.json.new");
        fs::write(&beside, written).map_err(unavailable)?;
        fs::rename(&beside, self.folder.join(POINTER)).map_err(unavailable)?;
        let mut state = self.state();
        state.pointer = pointer;
        // Searches under way hold their generation until they are done.
        state
            .open
            .retain(|number, _| *number == pointer.live || Some(*number) == pointer.building);
        drop(state);
        self.sweep(pointer)
    }

    /// Removes the folders of generations that are neither live nor being built.
    fn sweep(&self, pointer: Pointer) -> Result<(), StoreError> {
        let kept = [Some(pointer.live), pointer.building].map(|number| number.map(|number| self.path(number)));
        for entry in fs::read_dir(&self.folder).map_err(unavailable)? {
            let path = entry.map_err(unavailable)?.path();
            if path.is_dir() && !kept.contains(&Some(path.clone())) {
                fs::remove_dir_all(&path).map_err(unavailable)?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl SearchEngine for SearchIndex {
    async fn search(&self, generation: Generation, wanted: &Wanted) -> Result<SearchResults, SearchError> {
        let failed = |error: &dyn std::fmt::Display| SearchError::Unavailable(error.to_string());
        let generation = self.generation(generation.number).map_err(|error| failed(&error))?;
        let _permit = self.searches.acquire().await.map_err(|error| failed(&error))?;
        let wanted = wanted.clone();
        let searched = tokio::task::spawn_blocking(move || generation.search(&wanted));
        searched.await.map_err(|error| failed(&error))?
    }

    async fn complete(&self, _: Generation, _: &str, _: usize) -> Result<Completions, SearchError> {
        Ok(Completions::default())
    }

    async fn spellings(&self, _: Generation, words: &[String]) -> Result<Vec<Spelling>, SearchError> {
        Ok(vec![Spelling::default(); words.len()])
    }
}

#[async_trait]
impl DocumentStore for SearchIndex {
    async fn generations(&self, model: &'static str) -> Result<Generations, StoreError> {
        let Pointer { live, building } = self.state().pointer;
        let generation = |number| Generation { model, number };
        Ok(Generations {
            live: generation(live),
            building: building.map(generation),
            previous: None,
        })
    }

    async fn begin(&self, model: &'static str) -> Result<Generation, StoreError> {
        let Pointer { live, building } = self.state().pointer;
        let number = building.unwrap_or(live) + 1;
        self.point(Pointer {
            live,
            building: Some(number),
        })?;
        Ok(Generation { model, number })
    }

    async fn promote(&self, generation: Generation) -> Result<(), StoreError> {
        self.point(Pointer {
            live: generation.number,
            building: None,
        })
    }

    async fn discard(&self, generation: Generation) -> Result<(), StoreError> {
        let live = self.state().pointer.live;
        if live == generation.number {
            return Err(StoreError::Unavailable(format!(
                "{generation} is live and cannot be dropped"
            )));
        }
        self.point(Pointer { live, building: None })
    }

    async fn checkpoint(&self, generation: Generation) -> Result<Checkpoint, StoreError> {
        self.generation(generation.number)?.checkpoint()
    }

    async fn get(&self, generation: Generation, part: Part, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        documents_only(part)?;
        self.generation(generation.number)?.get(key)
    }

    async fn scan(&self, _: Generation, _: Part, _: Scan<'_>) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        Err(StoreError::Unavailable(
            "the catalogue is searched, not listed".to_owned(),
        ))
    }

    async fn commit(
        &self,
        generation: Generation,
        writes: Vec<Write>,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        writes.iter().try_for_each(|write| documents_only(write.part))?;
        self.generation(generation.number)?.commit(&writes, checkpoint)
    }
}

/// The search index is its own index.
fn documents_only(part: Part) -> Result<(), StoreError> {
    match part {
        Part::Documents => Ok(()),
        Part::Index => Err(StoreError::Unavailable(
            "the catalogue keeps no index beside itself".to_owned(),
        )),
    }
}

fn unavailable(error: io::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

pub(super) fn unreadable(error: &serde_json::Error) -> StoreError {
    StoreError::Unreadable {
        model: Catalogue::NAME,
        detail: error.to_string(),
    }
}

impl From<TantivyError> for StoreError {
    fn from(error: TantivyError) -> Self {
        match error {
            TantivyError::DataCorruption(_) | TantivyError::SchemaError(_) | TantivyError::IncompatibleIndex(_) => {
                Self::Unreadable {
                    model: Catalogue::NAME,
                    detail: error.to_string(),
                }
            }
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl std::fmt::Debug for SearchIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SearchIndex")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}
