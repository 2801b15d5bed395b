//! The query role's side: `POST /internal/documents`.

use std::sync::Arc;

use edge::{Principal, Problem, RawBody, Response, Tokens, authenticated, raw_body, reply};
use read_models::{
    documents::{Checkpoint, DocumentStore, Generation, Scan, StoreError, Write},
    filling::Filling,
};
use serde::Serialize;
use tokio::runtime::Handle;
use uuid::Uuid;
use warp::{Filter, filters::BoxedFilter};

use super::{
    leases::Leases,
    wire::{Asked, Blob, LEASE_LOST, Leased, UNREADABLE, WireGeneration, WireGenerations, WireWrite},
};
use crate::roles::internal::from_a_role;

/// A commit of some thousand products with long texts, in base64, and room to spare.
pub(crate) const LIMIT: u64 = 256 << 20;

/// The stores, as they are offered.
pub(super) struct Shelves {
    pub(super) store: Arc<dyn DocumentStore>,
    /// None in a test of the store alone.
    pub(super) filling: Option<Filling>,
    /// The names that may be asked for.
    pub(super) models: &'static [&'static str],
    pub(super) leases: Leases,
}

/// The route over the read models' stores.
pub(crate) fn routes(filling: &Filling, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    let shelves = Shelves {
        store: Arc::new(filling.clone()),
        filling: Some(filling.clone()),
        models: &read_models::ReadModels::NAMES,
        leases: Leases::default(),
    };
    route(shelves, tokens)
}

pub(super) fn route(shelves: Shelves, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    let shelves = Arc::new(shelves);
    warp::path!("internal" / "documents")
        .and(warp::post())
        .and(authenticated(Arc::clone(tokens)))
        .and_then(|principal: Principal| {
            // Before the body is read: it may be a large one.
            std::future::ready(from_a_role(&principal).map_err(warp::Rejection::from))
        })
        .untuple_one()
        .and(raw_body(LIMIT))
        .then(move |body| answer(Arc::clone(&shelves), body))
        .map(reply::finish)
        .boxed()
}

async fn answer(shelves: Arc<Shelves>, body: RawBody) -> Result<Response, Problem> {
    // On a thread of its own kind: stores read and write files. And to its end, whether the caller waits for it or not.
    let handle = Handle::current();
    let done = tokio::task::spawn_blocking(move || {
        let asked = serde_json::from_slice(&body.bytes);
        let asked: Asked = asked.map_err(|error| Problem::bad_request(error.to_string()))?;
        drop(body);
        handle.block_on(shelves.serve(asked))
    });
    done.await.map_err(Problem::internal)?
}

impl Shelves {
    async fn serve(&self, asked: Asked) -> Result<Response, Problem> {
        match asked {
            Asked::Generations { model } => {
                let generations = self.store.generations(self.model(&model)?).await;
                said(generations.map(WireGenerations::from))
            }
            Asked::Begin { model } => {
                let begun = self.store.begin(self.model(&model)?).await;
                said(begun.map(|generation| generation.number))
            }
            Asked::Promote(of) => said(self.store.promote(self.generation(&of)?).await),
            Asked::Discard(of) => said(self.store.discard(self.generation(&of)?).await),
            Asked::Checkpoint(of) => self.checkpoint(self.generation(&of)?).await,
            Asked::Get { of, part, key } => {
                let found = self.store.get(self.generation(&of)?, part.into(), &key.0).await;
                said(found.map(|found| found.map(|bytes| Blob(bytes.to_vec()))))
            }
            Asked::Scan {
                of,
                part,
                prefix,
                after,
                backwards,
                limit,
            } => {
                let scan = Scan {
                    prefix: &prefix.0,
                    after: after.as_ref().map(|key| key.0.as_slice()),
                    backwards,
                    limit,
                };
                let found = self.store.scan(self.generation(&of)?, part.into(), scan).await;
                let pairs = |found: Vec<(Vec<u8>, _)>| found.into_iter().map(pair).collect::<Vec<_>>();
                said(found.map(pairs))
            }
            Asked::Rejected { of, limit } => said(self.store.rejected(self.generation(&of)?, limit).await),
            Asked::Commit {
                of,
                lease,
                writes,
                checkpoint,
            } => {
                let generation = self.generation(&of)?;
                self.commit(generation, lease, writes, checkpoint).await
            }
            Asked::Shows {
                of,
                committed,
                position,
            } => {
                let generation = self.generation(&of)?;
                let Some(filling) = &self.filling else {
                    return Ok(reply::ok(&false));
                };
                said(filling.shows(generation, committed, position).await)
            }
        }
    }

    async fn commit(
        &self,
        generation: Generation,
        lease: Uuid,
        writes: Vec<WireWrite>,
        checkpoint: Checkpoint,
    ) -> Result<Response, Problem> {
        let turn = self.leases.turn(generation).await;
        if *turn != Some(lease) {
            let problem = Problem::conflict("the checkpoint was read since: go on from there");
            return Err(problem.of_type(LEASE_LOST, "Somebody else writes this read model now"));
        }
        let writes: Vec<Write> = writes.into_iter().map(Write::from).collect();
        said(self.store.commit(generation, writes, checkpoint).await)
    }

    async fn checkpoint(&self, generation: Generation) -> Result<Response, Problem> {
        let mut turn = self.leases.turn(generation).await;
        let checkpoint = self.store.checkpoint(generation).await.map_err(problem)?;
        let lease = Uuid::now_v7();
        *turn = Some(lease);
        Ok(reply::ok(&Leased { checkpoint, lease }))
    }

    fn model(&self, name: &str) -> Result<&'static str, Problem> {
        let known = self.models.iter().copied().find(|known| *known == name);
        known.ok_or_else(|| Problem::not_found(format!("there is no read model {name:?}")))
    }

    fn generation(&self, of: &WireGeneration) -> Result<Generation, Problem> {
        Ok(Generation {
            model: self.model(&of.model)?,
            number: of.number,
        })
    }
}

fn pair((key, value): (Vec<u8>, bytes::Bytes)) -> (Blob, Blob) {
    (Blob(key), Blob(value.to_vec()))
}

fn said<T: Serialize>(outcome: Result<T, StoreError>) -> Result<Response, Problem> {
    outcome.map(|answer| reply::ok(&answer)).map_err(problem)
}

fn problem(error: StoreError) -> Problem {
    match error {
        StoreError::Unavailable(detail) => Problem::unavailable(1, detail),
        StoreError::Unreadable { detail, .. } => {
            Problem::conflict(detail).of_type(UNREADABLE, "A document cannot be read")
        }
    }
}
