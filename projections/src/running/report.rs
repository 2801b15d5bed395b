//! What a projection says of itself while it runs.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use read_models::documents::{Checkpoint, Generation};

use super::freshness::Freshness;
use crate::{
    comparison::Comparison,
    status::{ProjectionState, ProjectionStatus, RebuildPhase, RebuildStatus},
    tally::Tally,
};

/// A projection is live when it is no more than this behind: appends that are being shown this moment.
const LIVE_WITHIN: u64 = 256;

/// What a projection says of itself.
#[derive(Debug)]
pub(crate) struct Report {
    name: &'static str,
    said: Mutex<Said>,
    /// How soon queries see what is in the log.
    pub(crate) freshness: Freshness,
    /// What audits found.
    pub(crate) tally: Tally,
}

#[derive(Debug, Default)]
struct Said {
    generation: u32,
    /// As of the last commit.
    checkpoint: Checkpoint,
    /// May be ahead of the checkpoint, by events that changed nothing.
    position: u64,
    error: Option<String>,
    rebuild: Option<Rebuild>,
    /// Of the last rebuild, also after it is over.
    comparison: Option<Arc<Comparison>>,
}

#[derive(Debug, Clone, Copy)]
struct Rebuild {
    generation: u32,
    started_at: u64,
    started: Instant,
    position: u64,
    phase: RebuildPhase,
    compared: u64,
}

impl Report {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            said: Mutex::default(),
            freshness: Freshness::new(name),
            tally: Tally::new(name),
        }
    }

    /// What is shown now.
    pub(crate) fn shows(&self, generation: Generation, checkpoint: Checkpoint, position: u64) {
        let mut said = self.said();
        said.generation = generation.number;
        said.checkpoint = checkpoint;
        said.position = position;
        said.error = None;
    }

    /// What went wrong; until something is shown again.
    pub(crate) fn failed(&self, error: String) {
        self.said().error = Some(error);
    }

    /// A generation is being built, from here.
    pub(crate) fn builds(&self, generation: Generation, position: u64) {
        self.said().rebuild = Some(Rebuild {
            generation: generation.number,
            started_at: position,
            started: Instant::now(),
            position,
            phase: RebuildPhase::Building,
            compared: 0,
        });
    }

    /// It is built up to here.
    pub(crate) fn built(&self, position: u64) {
        if let Some(rebuild) = &mut self.said().rebuild {
            rebuild.position = position;
        }
    }

    /// What is done with it now.
    pub(crate) fn enters(&self, phase: RebuildPhase) {
        if let Some(rebuild) = &mut self.said().rebuild {
            rebuild.phase = phase;
        }
    }

    /// Whether it is being compared.
    pub(crate) fn is_comparing(&self) -> bool {
        let said = self.said();
        said.rebuild
            .is_some_and(|rebuild| rebuild.phase == RebuildPhase::Comparing)
    }

    /// So many of its documents are compared.
    pub(crate) fn compared(&self, documents: u64) {
        if let Some(rebuild) = &mut self.said().rebuild {
            rebuild.compared = documents;
        }
    }

    /// What came of it.
    pub(crate) fn compared_with(&self, comparison: Comparison) {
        self.said().comparison = Some(Arc::new(comparison));
    }

    /// What came of the last comparison.
    pub(crate) fn comparison(&self) -> Option<Arc<Comparison>> {
        self.said().comparison.clone()
    }

    /// It is live, or given up.
    pub(crate) fn rebuild_over(&self) {
        self.said().rebuild = None;
    }

    /// What queries see goes up to here.
    pub(crate) fn position(&self) -> u64 {
        self.said().position
    }

    /// How many documents there are.
    pub(crate) fn documents(&self) -> u64 {
        self.said().checkpoint.documents
    }

    /// Something is wrong.
    pub(crate) fn is_failed(&self) -> bool {
        self.said().error.is_some()
    }

    /// Against the log's head.
    pub(crate) fn status(&self, head: u64) -> ProjectionStatus {
        let said = self.said();
        let lag = head.saturating_sub(said.position);
        let state = match &*said {
            Said { error: Some(_), .. } => ProjectionState::Failed,
            Said {
                rebuild: Some(rebuild), ..
            } if rebuild.phase == RebuildPhase::AwaitingApproval => ProjectionState::AwaitingApproval,
            Said { rebuild: Some(_), .. } => ProjectionState::Rebuilding,
            _ if lag > LIVE_WITHIN => ProjectionState::CatchingUp,
            _ => ProjectionState::Live,
        };
        ProjectionStatus {
            name: self.name,
            state,
            position: said.position,
            head,
            lag,
            generation: said.generation,
            documents: said.checkpoint.documents,
            skipped: said.checkpoint.skipped,
            freshness: self.freshness.status(),
            drift: self.tally.status(),
            error: said.error.clone(),
            rebuild: said.rebuild.map(|rebuild| rebuild.status(head)),
        }
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rebuild {
    fn status(self, head: u64) -> RebuildStatus {
        let millis = self.started.elapsed().as_millis().max(1);
        let done = self.position.saturating_sub(self.started_at);
        RebuildStatus {
            generation: self.generation,
            phase: self.phase,
            position: self.position,
            head,
            compared: self.compared,
            per_second: u64::try_from(u128::from(done) * 1000 / millis).unwrap_or(u64::MAX),
        }
    }
}
