//! The search index as a document store: a folder for each generation, and a [`Pointer`] that says which is live.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use tantivy::TantivyError;
use tokio::sync::Semaphore;

use super::{generation::OpenGeneration, pointer::Pointer};
use crate::{
    catalogue::{Catalogue, Completions, SearchEngine, SearchError, SearchResults, Spelling, Wanted},
    documents::{Checkpoint, DocumentStore, Generation, Generations, Model, Part, Scan, StoreError, Write},
};

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

impl SearchIndex {
    /// Opens the index in a folder, or makes one there.
    ///
    /// # Errors
    /// When the folder cannot be written, or what is in it is no index.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(unavailable)?;
        let pointer = Pointer::read(folder)?;
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

    /// Asks a generation something, on a thread that may take its time.
    async fn ask<T: Send + 'static>(
        &self,
        generation: Generation,
        question: impl FnOnce(&OpenGeneration) -> Result<T, SearchError> + Send + 'static,
    ) -> Result<T, SearchError> {
        let generation = self.generation(generation.number).map_err(failed)?;
        let _permit = self.searches.acquire().await.map_err(failed)?;
        let answered = tokio::task::spawn_blocking(move || question(&generation));
        answered.await.map_err(failed)?
    }

    /// Changes in one step which generation is what; what is nothing any more is removed.
    fn point(&self, change: impl FnOnce(Pointer) -> Result<Pointer, StoreError>) -> Result<(), StoreError> {
        let mut state = self.state();
        let pointer = change(state.pointer)?;
        pointer.write(&self.folder)?;
        state.pointer = pointer;
        // Searches under way hold their generation until they are done.
        state
            .open
            .retain(|number, _| pointer.kept().any(|kept| kept == *number));
        drop(state);
        self.sweep(pointer)
    }

    /// Removes the folders of generations that are nothing any more.
    fn sweep(&self, pointer: Pointer) -> Result<(), StoreError> {
        let kept: Vec<_> = pointer.kept().map(|number| self.path(number)).collect();
        for entry in fs::read_dir(&self.folder).map_err(unavailable)? {
            let path = entry.map_err(unavailable)?.path();
            if path.is_dir() && !kept.contains(&path) {
                fs::remove_dir_all(&path).map_err(unavailable)?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl SearchEngine for SearchIndex {
    async fn search(&self, generation: Generation, wanted: &Wanted) -> Result<SearchResults, SearchError> {
        let wanted = wanted.clone();
        self.ask(generation, move |generation| generation.search(&wanted)).await
    }

    async fn complete(&self, generation: Generation, typed: &str, size: usize) -> Result<Completions, SearchError> {
        let typed = typed.to_owned();
        let completed = move |generation: &OpenGeneration| generation.complete(&typed, size).map_err(failed);
        self.ask(generation, completed).await
    }

    async fn spellings(&self, generation: Generation, words: &[String]) -> Result<Vec<Spelling>, SearchError> {
        let words = words.to_vec();
        let looked_up = move |generation: &OpenGeneration| generation.spellings(&words).map_err(failed);
        self.ask(generation, looked_up).await
    }
}

#[async_trait]
impl DocumentStore for SearchIndex {
    async fn generations(&self, _: &'static str) -> Result<Generations, StoreError> {
        Ok(self.state().pointer.into())
    }

    async fn begin(&self, model: &'static str) -> Result<Generation, StoreError> {
        let mut begun = 0;
        self.point(|pointer| {
            let (pointer, number) = pointer.begun();
            begun = number;
            Ok(pointer)
        })?;
        Ok(Generation { model, number: begun })
    }

    async fn promote(&self, generation: Generation) -> Result<(), StoreError> {
        self.point(|pointer| Ok(pointer.promoted(generation.number)))
    }

    async fn discard(&self, generation: Generation) -> Result<(), StoreError> {
        let is_live = || StoreError::Unavailable(format!("{generation} is live and cannot be dropped"));
        self.point(|pointer| pointer.discarded(generation.number).ok_or_else(is_live))
    }

    async fn checkpoint(&self, generation: Generation) -> Result<Checkpoint, StoreError> {
        self.generation(generation.number)?.checkpoint()
    }

    async fn get(&self, generation: Generation, part: Part, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        documents_only(part)?;
        self.generation(generation.number)?.get(key)
    }

    async fn scan(
        &self,
        generation: Generation,
        part: Part,
        scan: Scan<'_>,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        documents_only(part)?;
        self.generation(generation.number)?.scan(scan)
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

pub(super) fn failed(error: impl std::fmt::Display) -> SearchError {
    SearchError::Unavailable(error.to_string())
}

fn unavailable(error: std::io::Error) -> StoreError {
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
