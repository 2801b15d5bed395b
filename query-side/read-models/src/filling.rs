//! The read models as one store, for projections in another process: what they commit moves what queries see.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    ReadModels,
    documents::{Checkpoint, DocumentStore, Generation, Generations, Part, Rejected, Scan, StoreError, Write},
};

/// Read models that are filled from outside.
#[derive(Debug, Clone)]
pub struct Filling {
    models: Arc<ReadModels>,
}

impl Filling {
    /// Queries on `models` see from now on what is in their stores, and whatever is committed here.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn of(models: Arc<ReadModels>) -> Result<Self, StoreError> {
        let filling = Self { models };
        for model in ReadModels::NAMES {
            let live = filling.generations(model).await?.live;
            let checkpoint = filling.checkpoint(live).await?;
            filling.models.progress().advanced(model, checkpoint.position);
        }
        Ok(filling)
    }

    /// Between `committed` and `position` the log holds nothing that changes this generation: queries see everything up to
    /// there. False, and nothing done, where it is not live or does not stand at `committed`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn shows(&self, generation: Generation, committed: u64, position: u64) -> Result<bool, StoreError> {
        let there = self.is_live(generation).await? && self.checkpoint(generation).await?.position == committed;
        if there {
            self.models.progress().advanced(generation.model, position);
        }
        Ok(there)
    }

    async fn is_live(&self, generation: Generation) -> Result<bool, StoreError> {
        Ok(self.generations(generation.model).await?.live == generation)
    }

    fn store(&self, model: &'static str) -> &dyn DocumentStore {
        self.models.store(model)
    }
}

#[async_trait]
impl DocumentStore for Filling {
    async fn generations(&self, model: &'static str) -> Result<Generations, StoreError> {
        self.store(model).generations(model).await
    }

    async fn begin(&self, model: &'static str) -> Result<Generation, StoreError> {
        self.store(model).begin(model).await
    }

    async fn promote(&self, generation: Generation) -> Result<(), StoreError> {
        self.models.promote(generation).await?;
        let checkpoint = self.checkpoint(generation).await?;
        self.models.progress().advanced(generation.model, checkpoint.position);
        Ok(())
    }

    async fn discard(&self, generation: Generation) -> Result<(), StoreError> {
        self.store(generation.model).discard(generation).await
    }

    async fn checkpoint(&self, generation: Generation) -> Result<Checkpoint, StoreError> {
        self.store(generation.model).checkpoint(generation).await
    }

    async fn get(&self, generation: Generation, part: Part, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.store(generation.model).get(generation, part, key).await
    }

    async fn scan(
        &self,
        generation: Generation,
        part: Part,
        scan: Scan<'_>,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        self.store(generation.model).scan(generation, part, scan).await
    }

    async fn rejected(&self, generation: Generation, limit: usize) -> Result<Vec<Rejected>, StoreError> {
        self.store(generation.model).rejected(generation, limit).await
    }

    async fn commit(
        &self,
        generation: Generation,
        writes: Vec<Write>,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        let store = self.store(generation.model);
        store.commit(generation, writes, checkpoint).await?;
        if self.is_live(generation).await? {
            self.models.progress().advanced(generation.model, checkpoint.position);
        }
        Ok(())
    }
}
