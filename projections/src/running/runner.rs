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
    beside::{Beside, Made},
    generation::Building,
    pages::{Page, Pages},
    rebuilding::{Benches, Failure},
    report::Report,
};
use crate::{
    auditing::{self, Audit, Comparison, Ordered},
    comparison::{CutOver, Decision},
    projection::Projection,
    projections::RebuildError,
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What a runner can be asked.
pub(crate) enum Request {
    /// Build a new generation beside the live one.
    Rebuild(CutOver, Answer),
    /// Decide what becomes of one that was built, or was live before.
    Decide(Decision, Answer),
}

/// Where whoever asked waits.
pub(crate) type Answer = oneshot::Sender<Result<(), RebuildError>>;

/// Something to do.
enum Next<P: Projection> {
    Asked(Request),
    Made(Made<P>),
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
    pub(crate) benches: Benches,
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

pub(super) struct Running<P: Projection> {
    pub(super) surroundings: Surroundings,
    pub(super) collection: Collection<P::Model>,
    pub(super) report: Arc<Report>,
    pub(super) live: Building<P>,
    pub(super) beside: Beside<P>,
    /// Documents to be held against the log.
    comparisons: mpsc::Receiver<Comparison<P>>,
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
        beside: Beside::Nothing,
        pause: None,
        next_pause: FIRST_PAUSE,
    };
    running.shown();
    if unfinished {
        // Said before anybody can ask whether something is being built.
        report.builds(running.live.generation(), 0);
    }
    let handle = Handle::current();
    let body = move || {
        handle.block_on(async move {
            // Nobody knows any more how it was to end: it takes its place if that makes no difference, and else waits.
            if unfinished && let Err(error) = running.begin_rebuild(true, CutOver::IfIdentical) {
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
        // From the start, so that an alarm sees the first of them.
        metrics::counter!("projection_skipped_total", "projection" => P::Model::NAME).increment(0);
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
            made = self.beside.made() => Next::Made(made),
            Some(comparison) = self.comparisons.recv() => Next::Compare(comparison),
            page = self.surroundings.pages.after(self.live.position()) => Next::Page(page),
            () = until(due), if due.is_some() => Next::Due,
        }
    }

    async fn act(&mut self, next: Next<P>) -> Result<(), Failure> {
        match next {
            Next::Asked(Request::Rebuild(cut_over, answer)) => {
                // Whoever asked may have gone.
                let _gone = answer.send(self.begin_rebuild(false, cut_over));
            }
            Next::Asked(Request::Decide(decision, answer)) => self.decide(decision, answer).await?,
            Next::Made(made) => self.adopt(made).await?,
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
        // It stops at its next page.
        self.beside.join();
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
                self.measure(self.live.shown());
                self.pause = Some(Instant::now() + self.next_pause);
                self.next_pause = (self.next_pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    pub(super) fn shown(&mut self) {
        let shown = self.live.shown();
        if let Some(recorded) = self.live.newly_shown() {
            self.report.freshness.shown(recorded);
        }
        self.report.shows(self.live.generation(), self.live.checkpoint(), shown);
        self.surroundings.read_models.progress().reached(P::Model::NAME, shown);
        self.measure(shown);
    }

    /// How far it has come, and how much is still to come: also while it fails, or nobody would be told.
    fn measure(&self, shown: u64) {
        let lag = self.surroundings.pages.heard().saturating_sub(shown);
        metrics::gauge!("projection_position", "projection" => P::Model::NAME).set(gauge(shown));
        metrics::gauge!("projection_lag", "projection" => P::Model::NAME).set(gauge(lag));
    }
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
