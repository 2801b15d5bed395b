//! Documents held against what they should be, and put right; by their stored keys, because what is wrong may have no other.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{Model, Part, StoreError, Workspace, Write, lists, read};

/// Dead letters that are known of: a store with more has another trouble.
const DEAD_LETTERS: usize = 10_000;

impl<M: Model> Workspace<M> {
    /// The bytes of a document as it is committed.
    ///
    /// # Errors
    /// When the store fails; so for all that follow.
    pub async fn stored(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.store.get(self.generation, Part::Documents, key).await
    }

    /// Whether lists find a document of that key as it should be.
    pub async fn lists(&self, key: &[u8], document: &M::Document) -> Result<bool, StoreError> {
        lists::<M>(self.store.as_ref(), self.generation, key, document).await
    }

    /// The keys of the documents that the store could not take.
    pub async fn rejected(&self) -> Result<BTreeSet<Vec<u8>>, StoreError> {
        let rejected = self.store.rejected(self.generation, DEAD_LETTERS).await?;
        Ok(rejected.into_iter().map(|rejected| rejected.key).collect())
    }

    /// Makes documents and their index what they should be, whatever is stored of them. To be called when nothing waits to be
    /// committed: it would be forgotten.
    pub async fn restore(&mut self, documents: Vec<(Vec<u8>, Option<M::Document>)>) -> Result<(), StoreError> {
        let mut writes = Vec::with_capacity(documents.len() * 2);
        let mut checkpoint = self.committed;
        for (key, document) in documents {
            let stored = self.stored(&key).await?;
            match (&stored, &document) {
                (None, Some(_)) => checkpoint.documents += 1,
                (Some(_), None) => checkpoint.documents = checkpoint.documents.saturating_sub(1),
                _ => {}
            }
            // What cannot be read cannot be taken out of the index; lists leave out what is not there.
            let listed = stored.and_then(|bytes| read::<M>(&bytes).ok());
            writes.extend(rewrite::<M>(key, listed.as_ref(), document.as_ref())?);
        }
        self.store.commit(self.generation, writes, checkpoint).await?;
        self.committed = checkpoint;
        self.forget();
        Ok(())
    }
}

/// Out with what is stored, in with what should be.
fn rewrite<M: Model>(
    key: Vec<u8>,
    stored: Option<&M::Document>,
    document: Option<&M::Document>,
) -> Result<Vec<Write>, StoreError> {
    let index = document.map(M::index).unwrap_or_default();
    let gone = stored.map(M::index).unwrap_or_default();
    let gone = gone.into_iter().filter(|entry| !index.contains(entry));
    let entry = |key, value| Write {
        part: Part::Index,
        key,
        value,
    };
    let mut writes: Vec<Write> = gone.map(|gone| entry(gone, None)).collect();
    writes.extend(index.into_iter().map(|listed| entry(listed, Some(key.clone()))));
    let value = document.map(serde_json::to_vec).transpose();
    writes.push(Write {
        part: Part::Documents,
        key,
        value: value.map_err(|error| super::unreadable::<M>(&error))?,
    });
    Ok(writes)
}
