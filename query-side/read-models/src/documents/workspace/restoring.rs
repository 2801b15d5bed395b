//! Documents held against what they should be, and put right; by their stored keys, because what is wrong may have no other.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{Model, Part, StoreError, Workspace, Write, lists, read, unreadable};

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
            let stored = stored.and_then(|bytes| read::<M>(&bytes).ok());
            writes.extend(self.unlist(&key, stored.as_ref(), document.as_ref()).await?);
            writes.extend(relist::<M>(key, document.as_ref())?);
        }
        self.store.commit(self.generation, writes, checkpoint).await?;
        self.committed = checkpoint;
        self.forget();
        Ok(())
    }

    /// Takes a stored document out of the index, where it should not be in it any more.
    async fn unlist(
        &self,
        key: &[u8],
        stored: Option<&M::Document>,
        document: Option<&M::Document>,
    ) -> Result<Vec<Write>, StoreError> {
        let kept = document.map(M::index).unwrap_or_default();
        let mut writes = vec![];
        for entry in stored.map(M::index).unwrap_or_default() {
            // What says the same as another document stands, perhaps, where that one is listed.
            let listed = self.store.get(self.generation, Part::Index, &entry).await?;
            if !kept.contains(&entry) && listed.as_deref() == Some(key) {
                writes.push(Write {
                    part: Part::Index,
                    key: entry,
                    value: None,
                });
            }
        }
        Ok(writes)
    }
}

/// A document and all its index entries as they should be.
fn relist<M: Model>(key: Vec<u8>, document: Option<&M::Document>) -> Result<Vec<Write>, StoreError> {
    let listed = document.map(M::index).unwrap_or_default().into_iter();
    let mut writes: Vec<Write> = listed
        .map(|entry| Write {
            part: Part::Index,
            key: entry,
            value: Some(key.clone()),
        })
        .collect();
    let value = document.map(serde_json::to_vec).transpose();
    writes.push(Write {
        part: Part::Documents,
        key,
        value: value.map_err(|error| unreadable::<M>(&error))?,
    });
    Ok(writes)
}
