//! What a generation of the catalogue answers to what customers lately searched for: for whoever compares two of them.

use event_schemas::ProductId;

use crate::{
    ReadModels,
    catalogue::{SearchError, Wanted, Word},
    documents::Generation,
};

impl ReadModels {
    /// What customers lately searched for, at most so many. Nothing where the catalogue is in another process.
    pub fn recent_searches(&self, most: usize) -> Vec<String> {
        self.past_searches().map(|past| past.recent(most)).unwrap_or_default()
    }

    /// The best ten products that a generation of the catalogue has for a text.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub async fn top_ten(&self, generation: Generation, text: &str) -> Result<Vec<ProductId>, SearchError> {
        let wanted = Wanted {
            words: Word::each(text).collect(),
            size: 10,
            ..Wanted::default()
        };
        let results = self.engine()?.search(generation, &wanted).await?;
        Ok(results.hits.into_iter().map(|hit| hit.id).collect())
    }
}
