//! Finding products: what the customer typed is read, looked for, and if need be looked for in another way.

use std::sync::Arc;

use super::{Catalogue, SearchEngine, SearchError, SearchQuery, SearchResults, Wanted, Word};
use crate::documents::Collection;

/// Answers customers' searches with an engine.
#[derive(Clone)]
pub struct Finder {
    engine: Arc<dyn SearchEngine>,
    catalogue: Collection<Catalogue>,
}

impl Finder {
    /// Over the live generation of a catalogue in that engine.
    pub const fn new(engine: Arc<dyn SearchEngine>, catalogue: Collection<Catalogue>) -> Self {
        Self { engine, catalogue }
    }

    /// Finds products.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub async fn search(&self, query: SearchQuery) -> Result<SearchResults, SearchError> {
        let wanted = Wanted {
            words: Word::each(&query.text).collect(),
            filters: query.filters,
            sort: query.sort,
            size: query.size,
            after: query.after,
        };
        let live = self.catalogue.live().await;
        self.engine.search(*live, &wanted).await
    }
}

impl std::fmt::Debug for Finder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finder").finish_non_exhaustive()
    }
}
