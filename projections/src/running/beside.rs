//! What is made beside the live generation, and how it takes its place.

use std::{sync::Arc, thread};

use read_models::documents::Model;
use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
};

use super::{
    comparing::settle,
    generation::Building,
    rebuilding::{Failure, Ready, Task, Workplace, make_ready},
    runner::{Answer, Running},
};
use crate::{
    comparison::{CutOver, Decision},
    projection::Projection,
    projections::RebuildError,
    status::RebuildPhase,
};

/// A generation beside the live one.
pub(super) enum Beside<P: Projection> {
    /// There is none.
    Nothing,
    /// It is being made ready.
    Made(Making<P>),
    /// It was compared, and waits for somebody to approve it.
    Waits(Box<Building<P>>),
}

/// A generation on its way.
pub(super) struct Making<P: Projection> {
    /// Gives it when it is ready.
    ready: oneshot::Receiver<Box<Ready<P>>>,
    thread: Option<thread::JoinHandle<()>>,
    cut_over: CutOver,
    give_up: watch::Sender<bool>,
    /// Whoever wants to know that it is given up.
    rejected: Option<Answer>,
}

/// What came of it.
pub(super) enum Made<P: Projection> {
    Ready(Box<Ready<P>>),
    /// Given up, or broken off.
    Nothing,
}

impl<P: Projection> Beside<P> {
    /// What came of the generation on its way, once it is known; never if there is none.
    pub(super) async fn made(&mut self) -> Made<P> {
        if let Self::Made(making) = self {
            match (&mut making.ready).await {
                Ok(ready) => return Made::Ready(ready),
                Err(_) => return Made::Nothing,
            }
        }
        std::future::pending().await
    }

    /// Waits for its thread: it must let go of the store before anybody opens it again.
    pub(super) fn join(&mut self) {
        if let Self::Made(making) = self
            && making.thread.take().is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!(projection = P::Model::NAME, "a rebuild did not stop as it should");
        }
    }
}

impl<P: Projection> Running<P> {
    /// Begins to build a new generation, or goes on with one that was left unfinished.
    pub(super) fn begin_rebuild(&mut self, resume: bool, cut_over: CutOver) -> Result<(), RebuildError> {
        match &mut self.beside {
            // Whoever asked last says how it ends.
            Beside::Made(making) => {
                making.cut_over = cut_over;
                Err(RebuildError::UnderWay(P::Model::NAME))
            }
            Beside::Nothing | Beside::Waits(_) => self.begin(Task::New { resume }, cut_over),
        }
    }

    /// Does what was decided. The answer is given when it is begun; of a rejection, when it is done.
    pub(super) async fn decide(&mut self, decision: Decision, answer: Answer) -> Result<(), Failure> {
        let name = P::Model::NAME;
        let outcome = match (decision, std::mem::replace(&mut self.beside, Beside::Nothing)) {
            (Decision::Approve, Beside::Waits(building)) => self.begin(Task::Approved(building), CutOver::Always),
            (Decision::Reject, Beside::Waits(building)) => {
                let dropped = self.collection.discard(building.generation()).await;
                if dropped.is_ok() {
                    self.report.rebuild_over();
                } else {
                    self.beside = Beside::Waits(building);
                }
                dropped.map_err(|error| RebuildError::Failed(error.to_string()))
            }
            (Decision::Reject, Beside::Made(mut making)) => {
                making.give_up.send_replace(true);
                making.rejected = Some(answer);
                self.beside = Beside::Made(making);
                return Ok(());
            }
            (Decision::RollBack, Beside::Nothing) => match self.collection.previous().await {
                Ok(Some(previous)) => self.begin(Task::Previous(previous), CutOver::Always),
                Ok(None) => Err(RebuildError::NothingKept(name)),
                Err(error) => Err(RebuildError::Failed(error.to_string())),
            },
            (Decision::Approve | Decision::Reject, Beside::Nothing) => Err(RebuildError::NothingWaits(name)),
            (Decision::Approve, beside @ Beside::Made(_)) => {
                self.beside = beside;
                Err(RebuildError::NotReady(name))
            }
            (Decision::RollBack, beside) => {
                self.beside = beside;
                Err(RebuildError::UnderWay(name))
            }
        };
        // Whoever asked may have gone.
        let _gone = answer.send(outcome);
        Ok(())
    }

    fn begin(&mut self, task: Task<P>, cut_over: CutOver) -> Result<(), RebuildError> {
        let (done, ready) = oneshot::channel();
        let (give_up, given_up) = watch::channel(false);
        let place = Workplace {
            collection: self.collection.clone(),
            read_models: Arc::clone(&self.surroundings.read_models),
            pages: Arc::clone(&self.surroundings.pages),
            report: Arc::clone(&self.report),
            stop: self.surroundings.stop.clone(),
            given_up,
            bench: self.surroundings.benches.take(),
        };
        self.report.builds(self.live.generation(), 0);
        let handle = Handle::current();
        let body = move || {
            if let Some(ready) = handle.block_on(make_ready(task, place)) {
                // Nobody there: stopped meanwhile. The generation is gone on with at the next start.
                let _stopped = done.send(Box::new(ready));
            }
        };
        let name = format!("{}-rebuild", P::Model::NAME);
        let spawned = thread::Builder::new().name(name).spawn(body);
        let thread = spawned.map_err(|error| RebuildError::Failed(format!("no thread to be had: {error}")))?;
        self.beside = Beside::Made(Making {
            ready,
            thread: Some(thread),
            cut_over,
            give_up,
            rejected: None,
        });
        Ok(())
    }

    /// Takes over what was made.
    pub(super) async fn adopt(&mut self, made: Made<P>) -> Result<(), Failure> {
        let Beside::Made(making) = std::mem::replace(&mut self.beside, Beside::Nothing) else {
            return Ok(());
        };
        match made {
            Made::Nothing => self.give_up(making.rejected).await,
            Made::Ready(ready) if making.rejected.is_some() => {
                drop(ready);
                self.give_up(making.rejected).await
            }
            Made::Ready(mut ready) => match self.put_in_place(&mut ready, making.cut_over).await {
                Ok(true) => {
                    let generation = ready.building.generation().number;
                    tracing::info!(projection = P::Model::NAME, generation, "rebuilt and live");
                    self.live = ready.building.alone();
                    self.shown();
                    self.report.rebuild_over();
                    Ok(())
                }
                Ok(false) => {
                    self.report.enters(RebuildPhase::AwaitingApproval);
                    self.beside = Beside::Waits(Box::new(ready.building));
                    Ok(())
                }
                Err(error) => {
                    // Kept for the next try.
                    ready.building.forget();
                    let (again, kept) = oneshot::channel();
                    let _kept = again.send(ready);
                    self.beside = Beside::Made(Making { ready: kept, ..making });
                    Err(error)
                }
            },
        }
    }

    /// Brings both to the same place in the log, compares them there, and swaps them if that is what is wanted.
    async fn put_in_place(&mut self, ready: &mut Ready<P>, cut_over: CutOver) -> Result<bool, Failure> {
        let Ready { building, findings } = ready;
        building.go_on().await?;
        self.stand_together(building).await?;
        building.commit().await?;
        if let Some(findings) = findings {
            self.live.commit().await?;
            let comparison = settle(findings, building, &self.collection, &self.surroundings.read_models).await?;
            let goes_ahead = cut_over.goes_ahead(&comparison);
            self.report.compared_with(comparison);
            if !goes_ahead {
                return Ok(false);
            }
        }
        self.collection.promote(building.generation()).await?;
        Ok(true)
    }

    /// The one that is behind takes in what the other has, until both stand at the same place.
    async fn stand_together(&mut self, building: &mut Building<P>) -> Result<(), Failure> {
        while building.position() != self.live.position() {
            let behind = if building.position() < self.live.position() {
                &mut *building
            } else {
                &mut self.live
            };
            match self.surroundings.pages.read(behind.position()).await? {
                Some(page) => behind.take_in(&page).await?,
                // A log that was cut: nothing is swapped that shows less.
                None => return Err(Failure::Store(shorter(behind.position()))),
            }
        }
        Ok(())
    }

    /// Drops what was being made.
    async fn give_up(&mut self, rejected: Option<Answer>) -> Result<(), Failure> {
        if *self.surroundings.stop.borrow() {
            return Ok(());
        }
        let building = self.collection.unfinished().await;
        let dropped = match building {
            Ok(Some(building)) => self.collection.discard(building).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        self.report.rebuild_over();
        match rejected {
            Some(answer) => {
                let outcome = dropped.map_err(|error| RebuildError::Failed(error.to_string()));
                let _gone = answer.send(outcome);
            }
            None => tracing::error!(projection = P::Model::NAME, "a rebuild broke off and was given up"),
        }
        Ok(())
    }
}

fn shorter(position: u64) -> read_models::documents::StoreError {
    read_models::documents::StoreError::Unavailable(format!("the log ends before {position}, which is shown already"))
}
