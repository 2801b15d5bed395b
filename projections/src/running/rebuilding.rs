//! Making a generation ready beside the live one: a new one from the start of the log, or one that only has to catch up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use event_log::LogError;
use read_models::{
    ReadModels,
    catalogue::SearchError,
    documents::{Collection, Model, StoreError, Workspace},
};
use tokio::sync::watch;

use super::{
    comparing::{Findings, look},
    generation::Building,
    pages::Pages,
    report::Report,
};
use crate::{auditing::NotCompared, projection::Projection, status::RebuildPhase};

const RETRY: Duration = Duration::from_millis(500);
/// A comparison that fails so often is given up: whoever approves is told so.
const ATTEMPTS: u32 = 5;

/// What is to be made ready.
pub(super) enum Task<P: Projection> {
    /// A new generation; or with `resume` the one that a killed process left unfinished.
    New { resume: bool },
    /// One that was compared and approved.
    Approved(Box<Building<P>>),
    /// The one that was live before.
    Previous(Workspace<P::Model>),
}

/// A generation that shows all of the log, but for what is appended this moment.
pub(super) struct Ready<P: Projection> {
    pub(super) building: Building<P>,
    /// How it differs from the live one; none where nobody wants to know any more.
    pub(super) findings: Option<Findings>,
}

/// Where it is made.
pub(super) struct Workplace<P: Projection> {
    pub(super) collection: Collection<P::Model>,
    pub(super) read_models: Arc<ReadModels>,
    pub(super) pages: Arc<Pages>,
    pub(super) report: Arc<Report>,
    /// The shop is stopping: what was committed is gone on with later.
    pub(super) stop: watch::Receiver<bool>,
    /// It is not wanted any more.
    pub(super) given_up: watch::Receiver<bool>,
    /// Its place among those that are made at the same time.
    pub(super) bench: Bench,
}

/// How many generations are being made at this moment, in all projections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Benches(Arc<AtomicUsize>);

/// The place of one that is being made.
pub(super) struct Bench(Benches);

impl Benches {
    pub(super) fn take(&self) -> Bench {
        self.0.fetch_add(1, Ordering::Relaxed);
        Bench(self.clone())
    }
}

impl Bench {
    /// So many threads for this one: all cores if it is alone, one if there are many.
    fn threads(&self) -> u64 {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let benches = self.0.0.load(Ordering::Relaxed).max(1);
        (cores / benches).max(1) as u64
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Makes a generation ready. None when told to stop.
pub(super) async fn make_ready<P: Projection>(task: Task<P>, place: Workplace<P>) -> Option<Ready<P>> {
    let compared = matches!(task, Task::New { .. });
    let mut building = match task {
        Task::New { resume } => place.begin(resume).await?,
        Task::Approved(building) => *building,
        Task::Previous(workspace) => Building::on_threads(workspace, place.bench.threads()),
    };
    place.report.builds(building.generation(), building.position());
    let mut failures = 0;
    loop {
        match prepare(&mut building, &place, compared).await {
            Ok(None) => return None,
            Ok(Some(findings)) => return Some(Ready { building, findings }),
            Err(error) => {
                building.forget();
                tracing::warn!(projection = P::Model::NAME, %error, "a rebuild failed; trying again");
                failures += u32::from(place.report.is_comparing());
                if failures >= ATTEMPTS {
                    let findings = Some(Findings::failed(error.to_string()));
                    return Some(Ready { building, findings });
                }
                place.pause().await?;
            }
        }
    }
}

/// Brings it to the end of the log, and compares it if need be. None when told to stop.
async fn prepare<P: Projection>(
    building: &mut Building<P>,
    place: &Workplace<P>,
    compared: bool,
) -> Result<Option<Option<Findings>>, Failure> {
    place.report.enters(RebuildPhase::Building);
    if !place.catch_up(building).await? {
        return Ok(None);
    }
    if !compared {
        return Ok(Some(None));
    }
    place.report.enters(RebuildPhase::Comparing);
    Ok(look(building, place).await?.map(Some))
}

impl<P: Projection> Workplace<P> {
    async fn begin(&self, resume: bool) -> Option<Building<P>> {
        loop {
            match self.collection.build(resume).await {
                Ok(workspace) => {
                    let (generation, from) = (workspace.generation().number, workspace.committed().position);
                    tracing::info!(projection = P::Model::NAME, generation, from, "rebuilding");
                    return Some(Building::on_threads(workspace, self.bench.threads()));
                }
                Err(error) => {
                    tracing::warn!(projection = P::Model::NAME, %error, "a rebuild cannot begin; trying again")
                }
            }
            self.pause().await?;
        }
    }

    /// Takes in what the log has, and writes it. False when told to stop.
    pub(super) async fn catch_up(&self, building: &mut Building<P>) -> Result<bool, Failure> {
        building.go_on().await?;
        while let Some(page) = self.pages.read(building.position()).await? {
            building.take_in(&page).await?;
            self.report.built(building.position());
            if self.is_over() {
                return Ok(false);
            }
        }
        building.commit().await?;
        Ok(!self.is_over())
    }

    /// Whether it is told to stop.
    pub(super) fn is_over(&self) -> bool {
        *self.stop.borrow() || *self.given_up.borrow()
    }

    /// None when told to stop.
    async fn pause(&self) -> Option<()> {
        let (mut stop, mut given_up) = (self.stop.clone(), self.given_up.clone());
        tokio::select! {
            () = tokio::time::sleep(RETRY) => Some(()),
            () = super::stopped(&mut stop) => None,
            () = super::stopped(&mut given_up) => None,
        }
    }
}

/// The log or a store failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Compared(#[from] NotCompared),
    #[error(transparent)]
    Search(#[from] SearchError),
}
