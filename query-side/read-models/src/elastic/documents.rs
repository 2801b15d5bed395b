//! The document store: one index for each generation, with all that belongs to it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use elasticsearch::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Node, Patience, Request, Shape,
    aliases::Role,
    entries::{self, Entry},
    journal::{Books, Journal, Stand, unreadable},
    node::Ignored,
};
use crate::documents::{Checkpoint, DocumentStore, Generation, Generations, Part, Rejected, Scan, StoreError, Write};

/// A scan reads so many entries with one request.
const PAGE: usize = 1_000;

/// Documents on Elasticsearch.
///
/// Readers see an index as it was at its last refresh, and every commit refreshes once: so they see all of a commit or nothing.
pub struct ElasticDocuments<S> {
    node: Arc<Node>,
    shape: S,
    /// What this process signs its journals with.
    writer: Uuid,
    /// The last commit of each generation; none where one failed, until the checkpoint is read.
    commits: Mutex<HashMap<Generation, Option<u64>>>,
}

/// What a search answers.
#[derive(Deserialize)]
struct Searched {
    hits: Hits,
}

#[derive(Deserialize)]
struct Hits {
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
pub(super) struct Hit {
    #[serde(rename = "_version", default)]
    pub(super) version: u64,
    #[serde(rename = "_source")]
    pub(super) source: Entry,
}

#[derive(Deserialize)]
struct Got {
    #[serde(rename = "_source")]
    source: Option<Entry>,
}

impl<S: Shape> ElasticDocuments<S> {
    /// Documents that are found by the fields of a shape.
    pub fn new(node: Arc<Node>, shape: S) -> Self {
        Self {
            node,
            shape,
            writer: Uuid::now_v7(),
            commits: Mutex::default(),
        }
    }

    /// The node they are on.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// By what they are found.
    pub const fn shape(&self) -> &S {
        &self.shape
    }

    fn settings(&self) -> Value {
        let mut settings = json!({
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            // Commits refresh, nobody else: what is seen is whole.
            "refresh_interval": "-1",
            // A removed document remembers its version for so long: a write that comes later than that is none of ours.
            "gc_deletes": "10m",
        });
        if let (Some(all), Value::Object(more)) = (settings.as_object_mut(), self.shape.settings()) {
            all.extend(more);
        }
        settings
    }

    async fn create(&self, generation: Generation, live: bool) -> Result<(), StoreError> {
        let properties = entries::properties(&self.shape);
        Ok(self
            .node
            .create(generation, live, &self.settings(), &properties)
            .await?)
    }

    fn remember(&self, generation: Generation, commit: Option<u64>) {
        let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        commits.insert(generation, commit);
    }

    /// The number of the last commit.
    async fn last_commit(&self, generation: Generation) -> Result<u64, StoreError> {
        let known = self
            .commits
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&generation)
            .copied();
        match known {
            Some(Some(commit)) => Ok(commit),
            Some(None) => Err(StoreError::Unavailable(format!(
                "an earlier write to {generation} failed"
            ))),
            None => Ok(self.recover(generation).await?.commit),
        }
    }

    /// As a process does that is killed when a commit is written down.
    #[cfg(test)]
    pub(super) async fn write_down(
        &self,
        generation: Generation,
        writes: &[Write],
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        let commit = self.last_commit(generation).await? + 1;
        let stand = Stand { checkpoint, commit };
        self.node
            .begin_commit(generation, self.writer, stand, writes)
            .await
            .map(drop)
    }

    /// Reads the books, and does what a killed process left undone.
    async fn recover(&self, generation: Generation) -> Result<Stand, StoreError> {
        let Books { mut stand, unfinished } = self.node.books(generation).await?;
        if let Some((journal, writes)) = unfinished {
            tracing::info!(%generation, position = journal.stand.checkpoint.position, "finishing a commit");
            self.finish(generation, &journal, &writes).await?;
            stand = journal.stand;
        }
        self.remember(generation, Some(stand.commit));
        Ok(stand)
    }

    /// Makes the changes of a commit that is written down, and says that it is done.
    async fn finish(&self, generation: Generation, journal: &Journal, writes: &[Write]) -> Result<(), StoreError> {
        if !writes.is_empty() {
            self.apply(generation, journal.stand.checkpoint.position, writes)
                .await?;
            let refresh = Request::new(Method::Post, format!("{}/_refresh", self.node.index(generation)));
            self.node.call::<Ignored>(refresh.patiently(Patience::WRITE)).await?;
        }
        self.node.end_commit(generation, journal).await
    }

    /// Entries that match, in the order of their keys.
    pub(super) async fn entries(&self, generation: Generation, body: &Value) -> Result<Vec<Hit>, StoreError> {
        let request = Request::new(Method::Post, format!("{}/_search", self.node.index(generation))).json(body);
        let Searched { hits } = self.node.call(request).await?;
        Ok(hits.hits)
    }
}

#[async_trait]
impl<S: Shape> DocumentStore for ElasticDocuments<S> {
    async fn generations(&self, model: &'static str) -> Result<Generations, StoreError> {
        let found = self.node.indices(model).await?;
        if let Some(generations) = found.generations(model) {
            return Ok(generations);
        }
        let number = found.next();
        self.create(Generation { model, number }, true).await?;
        let found = self.node.indices(model).await?.generations(model);
        found.ok_or_else(|| StoreError::Unavailable(format!("{model} has no index that is live")))
    }

    async fn begin(&self, model: &'static str) -> Result<Generation, StoreError> {
        self.generations(model).await?;
        let found = self.node.indices(model).await?;
        let generation = Generation {
            model,
            number: found.next(),
        };
        self.create(generation, false).await?;
        // What was being built before goes in the same step, and what killed processes left.
        let kept = [found.live, found.previous];
        let gone = found.all.into_iter().filter(|number| !kept.contains(&Some(*number)));
        let mut actions: Vec<_> = gone
            .map(|number| self.node.dropping(Generation { model, number }))
            .collect();
        actions.push(self.node.adding(generation, Role::Building));
        self.node.change(actions).await?;
        Ok(generation)
    }

    async fn promote(&self, generation: Generation) -> Result<(), StoreError> {
        let model = generation.model;
        let Generations { live, previous, .. } = self.generations(model).await?;
        if live == generation {
            return Ok(());
        }
        let mut actions = vec![
            self.node.taking(live, Role::Live),
            self.node.adding(live, Role::Previous),
            self.node.taking(generation, Role::Building),
            self.node.taking(generation, Role::Previous),
            self.node.adding(generation, Role::Live),
        ];
        actions.extend(
            previous
                .filter(|previous| *previous != generation)
                .map(|gone| self.node.dropping(gone)),
        );
        let Err(error) = self.node.change(actions).await else {
            return Ok(());
        };
        // Perhaps only the answer was lost.
        match self.node.indices(model).await?.live {
            Some(number) if number == generation.number => Ok(()),
            _ => Err(error.into()),
        }
    }

    async fn discard(&self, generation: Generation) -> Result<(), StoreError> {
        if self.generations(generation.model).await?.live == generation {
            return Err(StoreError::Unavailable(format!(
                "{generation} is live and cannot be dropped"
            )));
        }
        self.commits
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&generation);
        Ok(self.node.drop_index(generation).await?)
    }

    async fn checkpoint(&self, generation: Generation) -> Result<Checkpoint, StoreError> {
        Ok(self.recover(generation).await?.checkpoint)
    }

    async fn get(&self, generation: Generation, part: Part, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let path = format!("{}/_doc/{}", self.node.index(generation), entries::id(part, key));
        let request = Request::new(Method::Get, path)
            .with("realtime", false)
            .with("_source_includes", "part,key,document,bytes");
        let got: Option<Got> = self.node.find(request).await?;
        Ok(got.and_then(|got| got.source).and_then(Entry::value))
    }

    async fn scan(
        &self,
        generation: Generation,
        part: Part,
        scan: Scan<'_>,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        let mut found: Vec<(Vec<u8>, Bytes)> = vec![];
        // Where the keys begin and end; all digits are less than 'g'.
        let prefix = entries::hex(scan.prefix);
        let (mut from, mut to) = (("gte", prefix.clone()), ("lt", format!("{prefix}g")));
        match scan.after {
            Some(key) if !key.starts_with(scan.prefix) => return Ok(vec![]),
            Some(key) if scan.backwards => to.1 = entries::hex(key),
            Some(key) => from = ("gt", entries::hex(key)),
            None => {}
        }
        let order = if scan.backwards { "desc" } else { "asc" };
        while found.len() < scan.limit {
            let size = (scan.limit - found.len()).min(PAGE);
            let hits = self
                .entries(
                    generation,
                    &json!({
                        "query": { "bool": { "filter": [
                            { "term": { "part": entries::letter(part) } },
                            { "range": { "key": { from.0: from.1, to.0: to.1 } } },
                        ] } },
                        "sort": [{ "key": order }],
                        "size": size,
                        "track_total_hits": false,
                        "_source": ["part", "key", "document", "bytes"],
                    }),
                )
                .await?;
            let last = hits.len() < size;
            for Hit { source, .. } in hits {
                if scan.backwards {
                    to.1.clone_from(&source.key);
                } else {
                    from = ("gt", source.key.clone());
                }
                let key = entries::unhex(&source.key).ok_or_else(|| unreadable(generation, &"a key is damaged"))?;
                if let Some(value) = source.value() {
                    found.push((key, value));
                }
            }
            if last {
                break;
            }
        }
        Ok(found)
    }

    async fn commit(
        &self,
        generation: Generation,
        writes: Vec<Write>,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        let commit = self.last_commit(generation).await? + 1;
        // Whatever ends this early, an error or a caller that goes away: what is there is read before the next commit.
        self.remember(generation, None);
        let stand = Stand { checkpoint, commit };
        let journal = self.node.begin_commit(generation, self.writer, stand, &writes).await?;
        self.finish(generation, &journal, &writes).await?;
        self.remember(generation, Some(commit));
        Ok(())
    }

    async fn rejected(&self, generation: Generation, limit: usize) -> Result<Vec<Rejected>, StoreError> {
        self.dead_letters(generation, limit).await
    }
}

impl<S> std::fmt::Debug for ElasticDocuments<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ElasticDocuments")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}
