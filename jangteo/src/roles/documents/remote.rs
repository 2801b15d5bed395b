//! The projections' side: the query role's stores, as a store.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use read_models::documents::{
    Checkpoint, DocumentStore, Generation, Generations, Part, Rejected, Scan, StoreError, Write,
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::wire::{Asked, Blob, Leased, PATH, UNREADABLE, WireGenerations, WireWrite};
use crate::roles::internal::{Peer, PeerError};

/// How long a question may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a commit may take: the index merges now and then.
const COMMIT_PATIENCE: Duration = Duration::from_secs(120);

/// The stores of the query role.
#[derive(Debug)]
pub(crate) struct RemoteDocuments {
    query: Peer,
    standing: Mutex<HashMap<Generation, Standing>>,
    live: Mutex<HashMap<&'static str, Generation>>,
}

/// Where a generation was when we last knew.
#[derive(Debug, Clone, Copy)]
struct Standing {
    committed: u64,
    /// None after a commit that failed: the checkpoint is to be read first.
    lease: Option<Uuid>,
}

impl RemoteDocuments {
    /// The stores of the query role at `url`.
    ///
    /// # Errors
    /// When no client can be made.
    pub(crate) fn new(url: &str, operator_token: &str) -> reqwest::Result<Self> {
        Ok(Self {
            query: Peer::new("query role", url, operator_token)?,
            standing: Mutex::default(),
            live: Mutex::default(),
        })
    }

    /// Says that nothing up to `position` changes the live generation any more. False when the query role stands elsewhere.
    pub(super) async fn shows(&self, model: &'static str, position: u64) -> Result<bool, StoreError> {
        let known = self.live().get(model).copied();
        let live = match known {
            Some(live) => live,
            None => self.generations(model).await?.live,
        };
        let Some(committed) = self.standing(live).map(|standing| standing.committed) else {
            return Ok(false);
        };
        if committed >= position {
            // The commit has said it.
            return Ok(true);
        }
        let of = live.into();
        let asked = Asked::Shows {
            of,
            committed,
            position,
        };
        self.ask(model, &asked, PATIENCE).await
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Generation, Standing>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self) -> MutexGuard<'_, HashMap<&'static str, Generation>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self, generation: Generation) -> Option<Standing> {
        self.held().get(&generation).copied()
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        model: &'static str,
        asked: &Asked,
        patience: Duration,
    ) -> Result<T, StoreError> {
        self.query
            .ask(PATH, asked, patience)
            .await
            .map_err(|error| match error {
                PeerError::Refused { slug, detail, .. } if slug == UNREADABLE => {
                    StoreError::Unreadable { model, detail }
                }
                other => StoreError::Unavailable(format!("the query role: {other}")),
            })
    }

    async fn leased(&self, generation: Generation) -> Result<(Checkpoint, Uuid), StoreError> {
        let asked = Asked::Checkpoint(generation.into());
        let Leased { checkpoint, lease } = self.ask(generation.model, &asked, PATIENCE).await?;
        let standing = Standing {
            committed: checkpoint.position,
            lease: Some(lease),
        };
        self.held().insert(generation, standing);
        Ok((checkpoint, lease))
    }
}

#[async_trait]
impl DocumentStore for RemoteDocuments {
    async fn generations(&self, model: &'static str) -> Result<Generations, StoreError> {
        let asked = Asked::Generations {
            model: model.to_owned(),
        };
        let WireGenerations {
            live,
            building,
            previous,
        } = self.ask(model, &asked, PATIENCE).await?;
        let generation = |number| Generation { model, number };
        self.live().insert(model, generation(live));
        Ok(Generations {
            live: generation(live),
            building: building.map(generation),
            previous: previous.map(generation),
        })
    }

    async fn begin(&self, model: &'static str) -> Result<Generation, StoreError> {
        let asked = Asked::Begin {
            model: model.to_owned(),
        };
        let number = self.ask(model, &asked, COMMIT_PATIENCE).await?;
        Ok(Generation { model, number })
    }

    async fn promote(&self, generation: Generation) -> Result<(), StoreError> {
        let asked = Asked::Promote(generation.into());
        self.ask::<()>(generation.model, &asked, COMMIT_PATIENCE).await?;
        // What is known of the others stays: one of them was live, and may be again.
        self.live().insert(generation.model, generation);
        Ok(())
    }

    async fn discard(&self, generation: Generation) -> Result<(), StoreError> {
        let asked = Asked::Discard(generation.into());
        self.ask(generation.model, &asked, COMMIT_PATIENCE).await
    }

    async fn checkpoint(&self, generation: Generation) -> Result<Checkpoint, StoreError> {
        Ok(self.leased(generation).await?.0)
    }

    async fn get(&self, generation: Generation, part: Part, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let asked = Asked::Get {
            of: generation.into(),
            part: part.into(),
            key: Blob(key.to_vec()),
        };
        let found: Option<Blob> = self.ask(generation.model, &asked, PATIENCE).await?;
        Ok(found.map(|blob| Bytes::from(blob.0)))
    }

    async fn scan(
        &self,
        generation: Generation,
        part: Part,
        scan: Scan<'_>,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        let asked = Asked::scan(generation, part, &scan);
        let found: Vec<(Blob, Blob)> = self.ask(generation.model, &asked, PATIENCE).await?;
        let pair = |(key, value): (Blob, Blob)| (key.0, Bytes::from(value.0));
        Ok(found.into_iter().map(pair).collect())
    }

    async fn rejected(&self, generation: Generation, limit: usize) -> Result<Vec<Rejected>, StoreError> {
        let asked = Asked::Rejected {
            of: generation.into(),
            limit,
        };
        self.ask(generation.model, &asked, PATIENCE).await
    }

    async fn commit(
        &self,
        generation: Generation,
        writes: Vec<Write>,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        let lease = match self.standing(generation) {
            Some(standing) => standing.lease.ok_or_else(|| {
                StoreError::Unavailable("the last commit failed, and the checkpoint was not read since".to_owned())
            })?,
            None => self.leased(generation).await?.1,
        };
        let asked = Asked::Commit {
            of: generation.into(),
            lease,
            writes: writes.into_iter().map(WireWrite::from).collect(),
            checkpoint,
        };
        let committed = self.ask::<()>(generation.model, &asked, COMMIT_PATIENCE).await;
        let mut held = self.held();
        if let Some(standing) = held
            .get_mut(&generation)
            .filter(|standing| standing.lease == Some(lease))
        {
            match &committed {
                Ok(()) => standing.committed = checkpoint.position,
                Err(_) => standing.lease = None,
            }
        }
        drop(held);
        committed
    }
}
