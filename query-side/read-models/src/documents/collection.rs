//! A read model's documents, typed.

use std::{fmt, hash::Hash, marker::PhantomData, sync::Arc};

use bytes::Bytes;
use event_schemas::Id;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::RwLock;

use super::{DocumentDifference, DocumentStore, Generation, Part, Scan, StoreError, Walked, Workspace, merging::walk};
use crate::paging::{Page, id_bytes};

/// The index entries of one document.
pub type IndexKeys = Vec<Vec<u8>>;

/// A kind of document with its key and its index.
pub trait Model: Send + Sync + 'static {
    /// The name of the read model, and of the projection that fills it.
    const NAME: &'static str;
    /// What names a document.
    type Key: ModelKey;
    /// The document.
    type Document: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync;

    /// Where lists find the document. A function of the document alone: so the store can keep the index true by itself.
    fn index(document: &Self::Document) -> IndexKeys;
}

/// What names a document.
pub trait ModelKey: Copy + Eq + Hash + fmt::Debug + Send + Sync {
    /// As it is stored.
    fn bytes(&self) -> Vec<u8>;
}

impl<K: 'static> ModelKey for Id<K> {
    fn bytes(&self) -> Vec<u8> {
        id_bytes(*self).to_vec()
    }
}

/// A read model's documents.
pub struct Collection<M> {
    store: Arc<dyn DocumentStore>,
    /// Held while a document or a page is read: a swap waits for those under way, so that none sees half of each generation.
    live: Arc<RwLock<Generation>>,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> Collection<M> {
    /// The documents of a model in a store.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(store: Arc<dyn DocumentStore>) -> Result<Self, StoreError> {
        let live = store.generations(M::NAME).await?.live;
        Ok(Self {
            store,
            live: Arc::new(RwLock::new(live)),
            model: PhantomData,
        })
    }

    /// The generation that answers queries; not swapped while it is held.
    pub(crate) async fn live(&self) -> tokio::sync::RwLockReadGuard<'_, Generation> {
        self.live.read().await
    }

    /// Which generation answers queries now.
    pub async fn live_now(&self) -> Generation {
        *self.live.read().await
    }

    pub(crate) fn store(&self) -> &dyn DocumentStore {
        self.store.as_ref()
    }

    /// A document.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get(&self, key: &M::Key) -> Result<Option<M::Document>, StoreError> {
        let live = self.live.read().await;
        let stored = self.store.get(*live, Part::Documents, &key.bytes()).await?;
        drop(live);
        stored.map(|bytes| read::<M>(&bytes)).transpose()
    }

    /// The documents whose index keys start with `prefix`, in the order of those keys. `after` is the `next` of the page
    /// before; whatever a caller puts there, no document outside the prefix is reached.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn page(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        size: usize,
    ) -> Result<Page<M::Document>, StoreError> {
        let live = self.live.read().await;
        let after = after.map(|rest| [prefix, rest].concat());
        let scan = Scan {
            prefix,
            after: after.as_deref(),
            backwards: false,
            limit: size + 1,
        };
        let mut entries = self.store.scan(*live, Part::Index, scan).await?;
        let more = entries.len() > size;
        entries.truncate(size);
        let next = entries
            .last()
            .filter(|_| more)
            .map(|(key, _)| key[prefix.len()..].to_vec());
        let mut items = Vec::with_capacity(entries.len());
        for (_, key) in entries {
            if let Some(bytes) = self.store.get(*live, Part::Documents, &key).await? {
                items.push(read::<M>(&bytes)?);
            }
        }
        Ok(Page { items, next })
    }

    /// Stored documents of the live generation with their keys, as they are stored.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn stored(&self, scan: Scan<'_>) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        let live = self.live.read().await;
        self.store.scan(*live, Part::Documents, scan).await
    }

    /// Whether lists find a document of that key as it should be.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lists(&self, key: &[u8], document: &M::Document) -> Result<bool, StoreError> {
        let live = self.live.read().await;
        lists::<M>(self.store.as_ref(), *live, key, document).await
    }

    /// The document whose index key is the last of those that start with `prefix`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn last(&self, prefix: &[u8]) -> Result<Option<M::Document>, StoreError> {
        let live = self.live.read().await;
        let scan = Scan {
            prefix,
            after: None,
            backwards: true,
            limit: 1,
        };
        let entries = self.store.scan(*live, Part::Index, scan).await?;
        let Some((_, key)) = entries.first() else {
            return Ok(None);
        };
        let stored = self.store.get(*live, Part::Documents, key).await?;
        drop(live);
        stored.map(|bytes| read::<M>(&bytes)).transpose()
    }

    /// Where the live generation is written.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn workspace(&self) -> Result<Workspace<M>, StoreError> {
        Workspace::open(Arc::clone(&self.store), *self.live.read().await).await
    }

    /// Where a generation is built beside the live one: the one that a killed process left unfinished, or an empty one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn build(&self, resume: bool) -> Result<Workspace<M>, StoreError> {
        let unfinished = self.unfinished().await?.filter(|_| resume);
        let generation = match unfinished {
            Some(generation) => generation,
            None => self.store.begin(M::NAME).await?,
        };
        Workspace::open(Arc::clone(&self.store), generation).await
    }

    /// The generation that a killed process left unfinished.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unfinished(&self) -> Result<Option<Generation>, StoreError> {
        Ok(self.store.generations(M::NAME).await?.building)
    }

    /// Where the generation that was live before is written, to go back to it; none where none is kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn previous(&self) -> Result<Option<Workspace<M>>, StoreError> {
        match self.store.generations(M::NAME).await?.previous {
            Some(previous) => Workspace::open(Arc::clone(&self.store), previous).await.map(Some),
            None => Ok(None),
        }
    }

    /// Walks over all documents of the live generation and of another one, and tells which are not the same. `watch` is told
    /// how many were compared, and says whether to go on; none when it does not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn walk_beside(
        &self,
        other: Generation,
        watch: impl FnMut(u64) -> bool,
    ) -> Result<Option<Walked>, StoreError> {
        // Not held: a walk takes long, and nothing but whoever walks swaps generations.
        let live = *self.live.read().await;
        walk(self.store.as_ref(), live, other, watch).await
    }

    /// What differs between a document of the live generation and of another one; none if nothing does.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn difference(&self, other: Generation, key: &[u8]) -> Result<Option<DocumentDifference>, StoreError> {
        let live = self.live.read().await;
        let shown = self.store.get(*live, Part::Documents, key).await?;
        let derived = self.store.get(other, Part::Documents, key).await?;
        Ok(DocumentDifference::between(key, shown.as_deref(), derived.as_deref()))
    }

    /// Makes a generation that was built, or the one before, the live one: queries from now on read it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn promote(&self, generation: Generation) -> Result<(), StoreError> {
        let mut live = self.live.write().await;
        self.store.promote(generation).await?;
        *live = generation;
        Ok(())
    }

    /// Drops a generation that was being built, or the one before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn discard(&self, generation: Generation) -> Result<(), StoreError> {
        self.store.discard(generation).await
    }
}

/// A document from its bytes.
///
/// # Errors
/// When they are no document of the model.
pub fn read<M: Model>(bytes: &[u8]) -> Result<M::Document, StoreError> {
    serde_json::from_slice(bytes).map_err(|error| unreadable::<M>(&error))
}

pub(super) fn unreadable<M: Model>(error: &serde_json::Error) -> StoreError {
    StoreError::Unreadable {
        model: M::NAME,
        detail: error.to_string(),
    }
}

/// Whether the index of a generation has all entries of a document.
pub(super) async fn lists<M: Model>(
    store: &dyn DocumentStore,
    generation: Generation,
    key: &[u8],
    document: &M::Document,
) -> Result<bool, StoreError> {
    for entry in M::index(document) {
        let listed = store.get(generation, Part::Index, &entry).await?;
        if listed.as_deref() != Some(key) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl<M> Clone for Collection<M> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            live: Arc::clone(&self.live),
            model: PhantomData,
        }
    }
}
impl<M> fmt::Debug for Collection<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collection")
            .field("live", &self.live)
            .finish_non_exhaustive()
    }
}
