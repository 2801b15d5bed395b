//! All read models, opened in one folder.

use std::{path::Path, sync::Arc};

use crate::{
    catalogue::{
        Catalogue, Finder, PastSearches, SearchEngine, SearchError, SearchIndex, SearchQuery, SearchResults,
        Suggestions, SynonymFile,
    },
    documents::{DocumentStore, Documents, Generation, Model, Rejected, StoreError},
    models::Collections,
    progress::Progress,
};

/// The read models cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("the read models in {folder} cannot be opened: {source}")]
pub struct OpenError {
    folder: String,
    source: StoreError,
}

/// Everything that queries read.
#[derive(Debug)]
pub struct ReadModels {
    pub(crate) collections: Collections,
    /// None where the index is in another process.
    finder: Option<Finder>,
    progress: Progress,
}

/// Where the catalogue is.
enum Reach {
    /// Searched from here.
    Here(Arc<dyn SearchEngine>),
    /// In another process.
    Elsewhere(Arc<dyn DocumentStore>),
}

impl ReadModels {
    /// Opens the read models in the shop's data folder: documents in `read-models`, the search index in `search`.
    ///
    /// # Errors
    /// When a folder cannot be written, is open in another process, or holds something else.
    pub async fn open(data: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError {
            folder: data.display().to_string(),
            source,
        };
        let documents = Documents::open(&data.join("read-models")).map_err(failed)?;
        let search = SearchIndex::open(&data.join("search")).map_err(failed)?;
        let opened = Self::within(Arc::new(documents), Arc::new(search)).await;
        opened.map_err(failed)
    }

    /// The read models in these stores, wherever they are.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn within(documents: Arc<dyn DocumentStore>, engine: Arc<dyn SearchEngine>) -> Result<Self, StoreError> {
        Self::over(documents, Reach::Here(engine)).await
    }

    /// Read models that lie in another process, for projections to fill; they cannot be searched from here.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn elsewhere(store: Arc<dyn DocumentStore>) -> Result<Self, StoreError> {
        Self::over(Arc::clone(&store), Reach::Elsewhere(store)).await
    }

    async fn over(documents: Arc<dyn DocumentStore>, catalogue: Reach) -> Result<Self, StoreError> {
        let (entries, engine): (Arc<dyn DocumentStore>, _) = match catalogue {
            Reach::Here(engine) => (Arc::clone(&engine) as _, Some(engine)),
            Reach::Elsewhere(store) => (store, None),
        };
        let store = |model| Arc::clone(if model == Catalogue::NAME { &entries } else { &documents });
        let collections = Collections::open(store).await?;
        let mut models = Self {
            collections,
            finder: None,
            progress: Progress::new(Self::NAMES),
        };
        models.finder = engine.map(|engine| Finder::new(engine, models.catalogue().clone()));
        Ok(models)
    }

    /// Searches with the synonyms in a file, and remembers in another what was searched for. Neither need be there.
    #[must_use]
    pub fn finding_with(mut self, synonyms: &Path, past_searches: &Path) -> Self {
        self.finder = self.finder.map(|finder| {
            let finder = finder.with_synonyms(Arc::new(SynonymFile::open(synonyms)));
            finder.remembering(Arc::new(PastSearches::open(past_searches)))
        });
        self
    }

    /// Searches the catalogue.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub async fn search(&self, query: SearchQuery) -> Result<SearchResults, SearchError> {
        self.finder()?.search(query).await
    }

    /// How what a customer is typing may go on.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub async fn suggest(&self, typed: &str, size: usize) -> Result<Suggestions, SearchError> {
        self.finder()?.suggest(typed, size).await
    }

    /// What people searched for, where that is remembered.
    pub fn past_searches(&self) -> Option<&PastSearches> {
        self.finder.as_ref().and_then(Finder::past_searches)
    }

    fn finder(&self) -> Result<&Finder, SearchError> {
        let elsewhere = || SearchError::Unavailable("the index is in another process".to_owned());
        self.finder.as_ref().ok_or_else(elsewhere)
    }

    /// What holds the catalogue.
    pub(crate) fn engine(&self) -> Result<&dyn SearchEngine, SearchError> {
        let elsewhere = || SearchError::Unavailable("the index is in another process".to_owned());
        self.finder.as_ref().map(Finder::engine).ok_or_else(elsewhere)
    }

    /// A read model that shows more than the log holds up to `head`, where there is one: it is of another log.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn beyond(&self, head: u64) -> Result<Option<&'static str>, StoreError> {
        for model in Self::NAMES {
            let store = self.store(model);
            let live = store.generations(model).await?.live;
            if store.checkpoint(live).await?.position > head {
                return Ok(Some(model));
            }
        }
        Ok(None)
    }

    /// The dead letters of a read model's live generation, at most `limit`; none where there is no read model of that name.
    ///
    /// # Errors
    /// When its store fails.
    pub async fn dead_letters(&self, name: &str, limit: usize) -> Result<Option<Vec<Rejected>>, StoreError> {
        let Some(model) = Self::NAMES.into_iter().find(|model| *model == name) else {
            return Ok(None);
        };
        let store = self.store(model);
        let live = store.generations(model).await?.live;
        store.rejected(live, limit).await.map(Some)
    }

    /// Where a read model's documents are.
    pub(crate) fn store(&self, model: &'static str) -> &dyn DocumentStore {
        if model == Catalogue::NAME {
            self.catalogue().store()
        } else {
            self.products().store()
        }
    }

    /// Makes a generation that was built the live one: queries from now on read it.
    pub(crate) async fn promote(&self, generation: Generation) -> Result<(), StoreError> {
        self.collections.promote(generation).await
    }

    /// How far each projection has come.
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }
}
