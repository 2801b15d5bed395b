//! A projection running: it follows the log, and replaces its generation when a rebuilt one is ready.
//!
//! Each has a thread of its own. Applying thousands of events and committing a search index are not what the threads that
//! answer HTTP should wait behind.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use event_log::LogError;
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
    pages::{Page, Pages},
    rebuilding::{Failure, build},
    report::Report,
};
use crate::{
    auditing::{self, Audit, Comparison, Ordered},
    projection::Projection,
    projections::RebuildError,
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What a runner can be asked.
pub(crate) enum Request {
    /// Build a new generation beside the live one.
    Rebuild(oneshot::Sender<Result<(), RebuildError>>),
}

/// Something to do.
enum Next<P: Projection> {
    Asked(Request),
    Rebuilt(Box<Building<P>>),
    Compare(Comparison<P>),
    Page(Result<Arc<Page>, LogError>),
    Due,
    /// The pause after a failure is over.
    Again,
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
    pub(crate) audit: Arc<dyn Audit>,
    pub(crate) audits: Ordered,
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) thread: thread::JoinHandle<()>,
}

struct Running<P: Projection> {
    surroundings: Surroundings,
    collection: Collection<P::Model>,
    report: Arc<Report>,
    live: Building<P>,
    /// Documents to be held against the log.
    comparisons: mpsc::Receiver<Comparison<P>>,
    /// Gives the rebuilt generation when it is ready.
    rebuilt: Option<oneshot::Receiver<Box<Building<P>>>>,
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
    let (pages, said) = (Arc::clone(&surroundings.pages), Arc::clone(&report));
    let (audit, comparisons) = auditing::auditor(collection.clone(), pages, said);
    let unfinished = collection.unfinished().await?.is_some();
    let mut running = Running::<P> {
        live: Building::new(collection.workspace().await?),
        surroundings,
        collection,
        report: Arc::clone(&report),
        comparisons,
        rebuilt: None,
        builder: None,
        pause: None,
        next_pause: FIRST_PAUSE,
    };
    running.shown();
    let handle = Handle::current();
    let body = move || {
        handle.block_on(async move {
            if unfinished && let Err(error) = running.begin_rebuild(true) {
                tracing::error!(projection = P::Model::NAME, %error, "an unfinished rebuild is not gone on with");
            }
            running.run(incoming).await;
        });
    };
    let thread = thread::Builder::new().name(P::Model::NAME.to_owned()).spawn(body);
    Ok(Runner {
        name: P::Model::NAME,
        audits: Ordered::new(P::Model::NAME, Arc::clone(&audit), Arc::clone(&report)),
        report,
        audit,
        requests,
        thread: thread.map_err(|error| StoreError::Unavailable(format!("no thread to be had: {error}")))?,
    })
}

impl<P: Projection> Running<P> {
    async fn run(&mut self, mut requests: mpsc::Receiver<Request>) {
        let mut stop = self.surroundings.stop.clone();
        loop {
            // Waiting can be broken off, doing cannot: a page is applied and counted as a whole.
            let next = tokio::select! {
                biased;
                () = super::stopped(&mut stop) => break,
                next = self.next(&mut requests) => next,
            };
            // Neither a request nor another try has brought anything about yet.
            let begins = matches!(next, Next::Asked(_) | Next::Again);
            let outcome = self.act(next).await;
            if !begins || outcome.is_err() {
                self.after(outcome);
            }
        }
        self.close().await;
    }

    /// Waits for something to do.
    async fn next(&mut self, requests: &mut mpsc::Receiver<Request>) -> Next<P> {
        if let Some(pause) = self.pause {
            tokio::select! {
                biased;
                Some(request) = requests.recv() => return Next::Asked(request),
                () = tokio::time::sleep_until(pause.into()) => {
                    self.pause = None;
                    return Next::Again;
                }
            }
        }
        let due = self.live.due();
        tokio::select! {
            biased;
            Some(request) = requests.recv() => Next::Asked(request),
            rebuilt = ready(&mut self.rebuilt) => Next::Rebuilt(rebuilt),
            Some(comparison) = self.comparisons.recv() => Next::Compare(comparison),
            page = self.surroundings.pages.after(self.live.position()) => Next::Page(page),
            () = until(due), if due.is_some() => Next::Due,
        }
    }

    async fn act(&mut self, next: Next<P>) -> Result<(), Failure> {
        match next {
            Next::Asked(Request::Rebuild(answer)) => {
                // Whoever asked may have gone.
                let _gone = answer.send(self.begin_rebuild(false));
            }
            Next::Rebuilt(rebuilt) => self.adopt(*rebuilt).await?,
            Next::Compare(comparison) => comparison.carry_out(&mut self.live, &self.surroundings.pages).await?,
            Next::Page(page) => self.live.take_in(&*page?).await?,
            Next::Due => self.live.commit().await?,
            Next::Again => {
                self.live.go_on().await?;
                self.shown();
            }
        }
        Ok(())
    }

    async fn close(&mut self) {
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

    fn shown(&mut self) {
        let shown = self.live.shown();
        if let Some(recorded) = self.live.newly_shown() {
            self.report.freshness.shown(recorded);
        }
        self.report.shows(self.live.generation(), self.live.checkpoint(), shown);
        self.surroundings.read_models.progress().reached(P::Model::NAME, shown);
        let lag = self.surroundings.pages.heard().saturating_sub(shown);
        metrics::gauge!("projection_position", "projection" => P::Model::NAME).set(gauge(shown));
        metrics::gauge!("projection_lag", "projection" => P::Model::NAME).set(gauge(lag));
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
                let _stopped = ready.send(Box::new(building));
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
            let _kept = ready.send(Box::new(rebuilt));
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
        rebuilt.go_on().await?;
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

/// A gauge is a float: exact up to 2^53, which no log reaches.
fn gauge(position: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    let gauge = position as f64;
    gauge
}
