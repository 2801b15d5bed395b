//! What operators work through: documents that are in one state each, listed newest first.

use event_schemas::Timestamp;

use crate::{
    documents::{Collection, IndexKeys, Model, StoreError},
    paging::{Page, newest_first},
};

/// The list of all.
const ALL: &[u8] = b"*";

/// A model whose documents operators list: all of them, or those in one state.
pub trait Worklist: Model {
    /// What a document's state may be.
    type State: Copy + Send + Sync;

    /// A letter for each state; part of the stored index.
    fn letter(state: Self::State) -> &'static [u8];
}

/// Where a document is listed that is in that state and began then.
pub(crate) fn index<M: Worklist>(state: M::State, since: Timestamp, id: [u8; 16]) -> IndexKeys {
    [ALL, M::letter(state)]
        .map(|list| newest_first(list, since, id))
        .to_vec()
}

impl<M: Worklist> Collection<M> {
    /// The documents, newest first: all of them, or those in one state.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(
        &self,
        state: Option<M::State>,
        after: Option<&[u8]>,
        size: usize,
    ) -> Result<Page<M::Document>, StoreError> {
        self.page(state.map_or(ALL, M::letter), after, size).await
    }
}
