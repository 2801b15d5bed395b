//! Catalogue search on Elasticsearch.
//!
//! - [`ElasticCatalogue`]: the engine; as a document store it is [`ElasticDocuments`] with the catalogue's fields;
//! - `mapping`, `fields`: how products lie in the index;
//! - `question`, `filters`: what is asked, as queries;
//! - `searching`, `walk`: a page of hits, and the next;
//! - `completing`, `spelling`: what is shown while somebody types, and where nothing is found.

mod completing;
mod fields;
mod filters;
mod mapping;
mod question;
mod searching;
mod spelling;
#[cfg(test)]
mod tests;
mod walk;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use elasticsearch::http::Method;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use self::{mapping::Korean, walk::Views};
use super::{ElasticDocuments, ElasticError, Node, Request, Shape};
use crate::{
    catalogue::{CatalogueEntry, Completions, SearchEngine, SearchError, SearchResults, Spelling, Wanted},
    documents::{Checkpoint, DocumentStore, Generation, Generations, Part, Rejected, Scan, StoreError, Write},
};

/// The catalogue on Elasticsearch.
pub struct ElasticCatalogue {
    node: Arc<Node>,
    documents: ElasticDocuments<CatalogueFields>,
    korean: Korean,
    views: Views,
}

/// By which fields a product is found.
struct CatalogueFields(Korean);

impl ElasticCatalogue {
    /// The catalogue on a node, by a Korean dictionary where the node has one.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn open(node: Arc<Node>) -> Result<Self, ElasticError> {
        let korean = korean(&node).await?;
        Ok(Self::reading(node, korean))
    }

    fn reading(node: Arc<Node>, korean: Korean) -> Self {
        Self {
            documents: ElasticDocuments::new(Arc::clone(&node), CatalogueFields(korean)),
            views: Views::default(),
            node,
            korean,
        }
    }
}

/// Whether the node has the nori plugin: it says so by using it.
async fn korean(node: &Node) -> Result<Korean, ElasticError> {
    let sample = json!({ "tokenizer": "nori_tokenizer", "text": "장터" });
    match node
        .call::<IgnoredAny>(Request::new(Method::Post, "_analyze").json(&sample))
        .await
    {
        Ok(_) => Ok(Korean::Nori),
        Err(ElasticError::Refused { status: 400 | 403, .. }) => {
            tracing::info!(
                "Elasticsearch has no plugin analysis-nori for us: Korean is searched by pairs of syllables"
            );
            Ok(Korean::Pairs)
        }
        Err(error) => Err(error),
    }
}

impl Shape for CatalogueFields {
    fn settings(&self) -> Value {
        mapping::settings(self.0)
    }

    fn properties(&self) -> Value {
        mapping::fields(self.0)
    }

    fn fields(&self, document: &[u8]) -> Result<Map<String, Value>, String> {
        let entry: CatalogueEntry = serde_json::from_slice(document).map_err(|error| error.to_string())?;
        Ok(fields::fields(&entry))
    }
}

#[async_trait]
impl SearchEngine for ElasticCatalogue {
    async fn search(&self, generation: Generation, wanted: &Wanted) -> Result<SearchResults, SearchError> {
        searching::search(self, generation, wanted).await
    }

    async fn complete(&self, generation: Generation, typed: &str, size: usize) -> Result<Completions, SearchError> {
        completing::complete(self, generation, typed, size).await
    }

    async fn spellings(&self, generation: Generation, words: &[String]) -> Result<Vec<Spelling>, SearchError> {
        spelling::spellings(self, generation, words).await
    }
}

#[async_trait]
impl DocumentStore for ElasticCatalogue {
    async fn generations(&self, model: &'static str) -> Result<Generations, StoreError> {
        self.documents.generations(model).await
    }

    async fn begin(&self, model: &'static str) -> Result<Generation, StoreError> {
        self.documents.begin(model).await
    }

    async fn promote(&self, generation: Generation) -> Result<(), StoreError> {
        self.documents.promote(generation).await
    }

    async fn discard(&self, generation: Generation) -> Result<(), StoreError> {
        self.documents.discard(generation).await
    }

    async fn checkpoint(&self, generation: Generation) -> Result<Checkpoint, StoreError> {
        self.documents.checkpoint(generation).await
    }

    async fn get(&self, generation: Generation, part: Part, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.documents.get(generation, part, key).await
    }

    async fn scan(
        &self,
        generation: Generation,
        part: Part,
        scan: Scan<'_>,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        self.documents.scan(generation, part, scan).await
    }

    async fn commit(
        &self,
        generation: Generation,
        writes: Vec<Write>,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        self.documents.commit(generation, writes, checkpoint).await
    }

    async fn rejected(&self, generation: Generation, limit: usize) -> Result<Vec<Rejected>, StoreError> {
        self.documents.rejected(generation, limit).await
    }
}

impl From<ElasticError> for SearchError {
    fn from(error: ElasticError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl std::fmt::Debug for ElasticCatalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ElasticCatalogue")
            .field("node", &self.node)
            .field("korean", &self.korean)
            .finish_non_exhaustive()
    }
}
