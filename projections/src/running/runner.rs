//! A projection running: it follows the log, and replaces its generation when a rebuilt one is ready.
//!
//! Each has a thread of its own. Applying thousands of events and committing a search index are not what the threads that
//! answer HTTP should wait behind.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use read_models::{
    ReadModels,
    documents::{Collection, Model, StoreError},
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot, watch},
};

use super::{
    generation::Building,
    pages::Pages,
    rebuilding::{Failure, build},
    report::Report,
};
use crate::{projection::Projection, projections::RebuildError};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What a runner can be asked.
pub(crate) enum Request {
    /// Build a new generation beside the live one.
    Rebuild(oneshot::Sender<Result<(), RebuildError>>),
}

/// What all runners share.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) read_models: Arc<ReadModels>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) stop: watch::Receiver<bool>,
}

/// A running projection, from outside.
pub(crate) struct Runner {
    pub(crate) name: &'static str,
    pub(crate) report: Arc<Report>,
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) thread: thread::JoinHandle<()>,
}

struct Running<P: Projection> {
    surroundings: Surroundings,
    collection: Collection<P::Model>,
    report: Arc<Report>,
    live: Building<P>,
    /// Gives the rebuilt generation when it is ready.
    rebuilt: Option<oneshot::Receiver<Building<P>>>,
    /// The thread that builds it.
    builder: Option<thread::JoinHandle<()>>,
    /// Not before then, after something failed.
    pause: Option<Instant>,
    /// How long the next pause will be: longer each time.
    next_pause: Duration,
}

/// Starts a projection.
pub(crate) async fn start<P: Projection>(
    surroundings: Surroundings,
    collection: Collection<P::Model>,
) -> Result<Runner, StoreError> {
    let report = Arc::new(Report::new(P::Model::NAME));
    let (requests, incoming) = mpsc::channel(1);
    let unfinished = collection.unfinished().await?.is_some();
    let mut running = Running::<P> {
        live: Building::new(collection.workspace().await?),
        surroundings,
        collection,
        report: Arc::clone(&report),
        rebuilt: None,
        builder: None,
        pause: None,
        next_pause: FIRST_PAUSE,
    };
    running.shown();
    let handle = Handle::current();
    let body = move || {
        handle.block_on(async move {
            if unfinished {
                if let Err(error) = running.begin_rebuild(true) {
                    tracing::error!(projection = P::Model::NAME, %error, "an unfinished rebuild is not gone on with");
                }
            }
            running.run(incoming).await;
        });
    };
    let thread = thread::Builder::new().name(P::Model::NAME.to_owned()).spawn(body);
    Ok(Runner {
        name: P::Model::NAME,
        report,
        requests,
        thread: thread.map_err(|error| StoreError::Unavailable(format!("no thread to be had: {error}")))?,
    })
}

impl<P: Projection> Running<P> {
    async fn run(&mut self, mut requests: mpsc::Receiver<Request>) {
        let mut stop = self.surroundings.stop.clone();
        let pages = Arc::clone(&self.surroundings.pages);
        loop {
            let (due, pause) = (self.live.due(), self.pause);
            let outcome = tokio::select! {
                biased;
                () = super::stopped(&mut stop) => break,
                Some(Request::Rebuild(answer)) = requests.recv() => {
                    // Whoever asked may have gone.
                    let _gone = answer.send(self.begin_rebuild(false));
                    continue;
                }
                () = until(pause), if pause.is_some() => {
                    self.pause = None;
                    continue;
                }
                rebuilt = ready(&mut self.rebuilt), if pause.is_none() => self.adopt(rebuilt).await,
                page = pages.after(self.live.position()), if pause.is_none() => match page {
                    Ok(page) => self.live.take_in(&page).await.map_err(Failure::from),
                    Err(error) => Err(error.into()),
                },
                () = until(due), if due.is_some() && pause.is_none() => self.live.commit().await.map_err(Failure::from),
            };
            self.after(outcome);
        }
        if let Err(error) = self.live.commit().await {
            tracing::warn!(projection = P::Model::NAME, %error, "the last changes are not written; they will be read again");
        }
        // It stops at its next page, and must let go of the store before anybody opens it again.
        if self.builder.take().is_some_and(|builder| builder.join().is_err()) {
            tracing::error!(projection = P::Model::NAME, "a rebuild did not stop as it should");
        }
    }

    /// Shows what was done, or waits a while longer each time something fails.
    fn after(&mut self, outcome: Result<(), Failure>) {
        match outcome {
            Ok(()) => {
                self.next_pause = FIRST_PAUSE;
                self.shown();
            }
            Err(error) => {
                tracing::warn!(projection = P::Model::NAME, %error, "a projection failed; trying again");
                self.report.failed(error.to_string());
                self.live.forget();
                self.pause = Some(Instant::now() + self.next_pause);
                self.next_pause = (self.next_pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    fn shown(&self) {
        let shown = self.live.shown();
        self.report.shows(self.live.generation(), self.live.committed(), shown);
        self.surroundings.read_models.progress().reached(P::Model::NAME, shown);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge is a float; no log reaches 2^53 events"
        )]
        metrics::gauge!("projection_position", "projection" => P::Model::NAME).set(shown as f64);
    }

    fn begin_rebuild(&mut self, resume: bool) -> Result<(), RebuildError> {
        if self.rebuilt.is_some() {
            return Err(RebuildError::UnderWay(P::Model::NAME));
        }
        let (ready, rebuilt) = oneshot::channel();
        let Surroundings { pages, stop, .. } = self.surroundings.clone();
        let (collection, report) = (self.collection.clone(), Arc::clone(&self.report));
        report.builds(self.live.generation(), 0);
        let handle = Handle::current();
        let body = move || {
            if let Some(building) = handle.block_on(build::<P>(collection, resume, pages, report, stop)) {
                // Nobody there: stopped meanwhile. The generation is gone on with at the next start.
                let _stopped = ready.send(building);
            }
        };
        let name = format!("{}-rebuild", P::Model::NAME);
        let spawned = thread::Builder::new().name(name).spawn(body);
        let spawned = spawned.map_err(|error| RebuildError::Failed(format!("no thread to be had: {error}")))?;
        self.builder = Some(spawned);
        self.rebuilt = Some(rebuilt);
        Ok(())
    }

    /// Puts the rebuilt generation in the place of the live one, when it shows at least as much.
    async fn adopt(&mut self, mut rebuilt: Building<P>) -> Result<(), Failure> {
        if let Err(error) = self.promote(&mut rebuilt).await {
            // Kept for the next try.
            rebuilt.forget();
            let (ready, kept) = oneshot::channel();
            let _kept = ready.send(rebuilt);
            self.rebuilt = Some(kept);
            return Err(error);
        }
        tracing::info!(
            projection = P::Model::NAME,
            generation = rebuilt.generation().number,
            "rebuilt and live"
        );
        self.live = rebuilt;
        self.report.rebuild_over();
        Ok(())
    }

    async fn promote(&self, rebuilt: &mut Building<P>) -> Result<(), Failure> {
        while rebuilt.position() < self.live.position() {
            match self.surroundings.pages.read(rebuilt.position()).await? {
                Some(page) => rebuilt.take_in(&page).await?,
                None => break,
            }
        }
        rebuilt.commit().await?;
        Ok(self.collection.promote(rebuilt.generation()).await?)
    }
}

/// The rebuilt generation, once it is ready; never if none is being built.
async fn ready<T>(rebuilt: &mut Option<oneshot::Receiver<T>>) -> T {
    if let Some(receiver) = rebuilt {
        let built = receiver.await;
        *rebuilt = None;
        // Gone without a result: the shop is stopping.
        if let Ok(built) = built {
            return built;
        }
    }
    std::future::pending().await
}

async fn until(moment: Option<Instant>) {
    if let Some(moment) = moment {
        tokio::time::sleep_until(moment.into()).await;
    }
}
