//! All projections, running.

use std::{sync::Arc, thread, time::Duration};

use event_log::{EventLog, LogError};
use futures_util::future::BoxFuture;
use read_models::{
    ReadModels, Visitor,
    documents::{Collection, Rejected, StoreError},
    projection::Projection,
};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

use crate::{
    auditing::{AuditError, AuditScope, AuditStatus},
    comparison::{Comparison, CutOver, Decision},
    running::{
        pages::Pages,
        rebuilding::Benches,
        runner::{self, Answer, Request, Runner, Surroundings},
    },
    sentinel::{self, Sentinel, Watched},
    status::{ProjectionState, ProjectionStatus},
};

/// How often [`Projections::settled`] looks.
const LOOK: Duration = Duration::from_millis(20);

/// The projections cannot do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RebuildError {
    /// There is no projection of that name.
    #[error("there is no projection {0:?}; there are {names}", names = ReadModels::NAMES.join(", "))]
    Unknown(String),
    /// It is being rebuilt already.
    #[error("{0} is being rebuilt already: wait until it is live again (`jangteo projection status`)")]
    UnderWay(&'static str),
    /// It is not compared yet, so that nobody can have seen what differs.
    #[error("{0} is still being rebuilt: it can be approved when it is compared (`jangteo projection status`)")]
    NotReady(&'static str),
    /// There is nothing to decide.
    #[error("no rebuilt {0} awaits approval: `jangteo projection rebuild {0}` makes one")]
    NothingWaits(&'static str),
    /// There is nothing to go back to.
    #[error("no earlier {0} is kept to go back to: one is, after a rebuild took its place")]
    NothingKept(&'static str),
    /// It could not be done.
    #[error("it could not be done: {0}")]
    Failed(String),
}

/// How to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Looks after the documents all the time; nobody does where there is none.
    pub sentinel: Option<Sentinel>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sentinel: Some(Sentinel::default()),
        }
    }
}

impl Config {
    /// With another sentinel, or none.
    #[must_use]
    pub const fn with_sentinel(self, sentinel: Option<Sentinel>) -> Self {
        Self { sentinel }
    }
}

/// Starts the projection of each read model.
struct Starting {
    around: Surroundings,
    starts: Vec<BoxFuture<'static, Result<Runner, StoreError>>>,
}

impl Visitor for Starting {
    fn visit<P: Projection>(&mut self, documents: &Collection<P::Model>) {
        self.starts
            .push(Box::pin(runner::start::<P>(self.around.clone(), documents.clone())));
    }
}

/// All projections, running. Dropped, they stop by themselves soon after; [`Self::shutdown`] waits for it.
pub struct Projections {
    read_models: Arc<ReadModels>,
    runners: Vec<Runner>,
    pages: Arc<Pages>,
    stop: watch::Sender<bool>,
    follower: JoinHandle<()>,
    sentinel: Option<thread::JoinHandle<()>>,
}

impl Projections {
    /// Starts all projections, each from its checkpoint, and goes on with rebuilds that a killed process left unfinished.
    ///
    /// # Errors
    /// When the read models cannot be read.
    pub async fn start(
        log: Arc<dyn EventLog>,
        read_models: Arc<ReadModels>,
        config: Config,
    ) -> Result<Self, StoreError> {
        let (stop, stopped) = watch::channel(false);
        let pages = Arc::new(Pages::of(log));
        let around = Surroundings {
            read_models: Arc::clone(&read_models),
            pages: Arc::clone(&pages),
            stop: stopped.clone(),
            benches: Benches::default(),
        };
        let mut starting = Starting { around, starts: vec![] };
        read_models.visit(&mut starting);
        let mut runners = Vec::with_capacity(starting.starts.len());
        for start in starting.starts {
            runners.push(start.await?);
        }
        let sentinel = config
            .sentinel
            .map(|sentinel| set_up(sentinel, &runners, stopped.clone()));
        let following = Arc::clone(&pages);
        let follower = tokio::spawn(async move { following.follow(stopped).await });
        Ok(Self {
            read_models,
            runners,
            pages,
            stop,
            follower,
            sentinel: sentinel.transpose()?,
        })
    }

    /// Where each projection stands.
    ///
    /// # Errors
    /// When the log cannot say where it ends.
    pub async fn status(&self) -> Result<Vec<ProjectionStatus>, LogError> {
        let head = self.pages.head().await?;
        Ok(self.runners.iter().map(|runner| runner.report.status(head)).collect())
    }

    /// Begins to build a projection anew, beside the one that answers queries. When it is built, the two are compared; when it
    /// takes the other's place says `cut_over`. [`Self::status`] tells how far it is.
    ///
    /// # Errors
    /// See [`RebuildError`].
    pub async fn rebuild(&self, name: &str, cut_over: CutOver) -> Result<(), RebuildError> {
        self.ask(name, |answer| Request::Rebuild(cut_over, answer)).await
    }

    /// Decides what becomes of a generation that was rebuilt, or begins to go back to the one before.
    ///
    /// # Errors
    /// See [`RebuildError`].
    pub async fn decide(&self, name: &str, decision: Decision) -> Result<(), RebuildError> {
        self.ask(name, |answer| Request::Decide(decision, answer)).await
    }

    /// How the last rebuilt generation differed from the live one; none where none was compared since the start.
    ///
    /// # Errors
    /// When there is no projection of that name.
    pub fn comparison(&self, name: &str) -> Result<Option<Arc<Comparison>>, RebuildError> {
        Ok(self.known(name)?.report.comparison())
    }

    /// The documents of a projection, as queries see it, that the store could not take; at most `limit`.
    ///
    /// # Errors
    /// When there is no projection of that name, or the store cannot say.
    pub async fn dead_letters(&self, name: &str, limit: usize) -> Result<Vec<Rejected>, RebuildError> {
        let letters = self.read_models.dead_letters(name, limit).await;
        let letters = letters.map_err(|error| RebuildError::Failed(error.to_string()))?;
        letters.ok_or_else(|| RebuildError::Unknown(name.to_owned()))
    }

    fn known(&self, name: &str) -> Result<&Runner, RebuildError> {
        self.runner(name).ok_or_else(|| RebuildError::Unknown(name.to_owned()))
    }

    async fn ask(&self, name: &str, request: impl FnOnce(Answer) -> Request) -> Result<(), RebuildError> {
        let stopped = || RebuildError::Failed("the shop is stopping".to_owned());
        let (answer, answered) = oneshot::channel();
        let requests = &self.known(name)?.requests;
        requests.send(request(answer)).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    /// Waits until every projection shows all that is in the log now and no rebuild is under way, but for those that wait to be
    /// approved; `watch` is told where they stand meanwhile. For the command line, on a stopped shop's folder.
    ///
    /// # Errors
    /// The first projection that failed; it goes on trying.
    pub async fn settled(
        &self,
        mut watch: impl FnMut(&[ProjectionStatus]),
    ) -> Result<Vec<ProjectionStatus>, ProjectionStatus> {
        loop {
            if let Ok(statuses) = self.status().await {
                watch(&statuses);
                if let Some(failed) = statuses.iter().find(|status| status.state == ProjectionState::Failed) {
                    return Err(failed.clone());
                }
                if statuses.iter().all(|status| status.lag == 0 && !status.is_rebuilding()) {
                    return Ok(statuses);
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Begins to hold a projection's documents against the log. [`Self::audited`] tells how far it is, and what it found.
    ///
    /// # Errors
    /// See [`AuditError`].
    pub fn audit(&self, name: &str, scope: AuditScope) -> Result<(), AuditError> {
        let audits = &self
            .runner(name)
            .ok_or_else(|| AuditError::Unknown(name.to_owned()))?
            .audits;
        audits.begin(scope, self.stop.subscribe())
    }

    /// How the last [`Self::audit`] of a projection stands; none where there was none since the start.
    pub fn audited(&self, name: &str) -> Option<AuditStatus> {
        self.runner(name)?.audits.status()
    }

    fn runner(&self, name: &str) -> Option<&Runner> {
        self.runners.iter().find(|runner| runner.name == name)
    }

    /// Stops all projections; what they have read is written.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        // Before the projections, which it may be waiting for.
        if let Some(sentinel) = self.sentinel {
            ended("sentinel", sentinel).await;
        }
        for runner in self.runners {
            let audit = runner.audits.thread();
            for thread in std::iter::once(runner.thread).chain(audit) {
                ended(runner.name, thread).await;
            }
        }
        if self.follower.await.is_err() {
            tracing::error!("the log was not followed to the end");
        }
    }
}

/// Waits for the end of a thread that was told to stop.
async fn ended(name: &'static str, thread: thread::JoinHandle<()>) {
    let joined = tokio::task::spawn_blocking(move || thread.join()).await;
    if !matches!(joined, Ok(Ok(()))) {
        tracing::error!(name, "a thread of the projections did not stop as it should");
    }
}

/// Sets the sentinel over all projections.
fn set_up(
    sentinel: Sentinel,
    runners: &[Runner],
    stop: watch::Receiver<bool>,
) -> Result<thread::JoinHandle<()>, StoreError> {
    let watched = runners.iter().map(|runner| Watched {
        name: runner.name,
        audit: Arc::clone(&runner.audit),
        report: Arc::clone(&runner.report),
    });
    let started = sentinel::start(sentinel, watched.collect(), stop);
    started.map_err(|error| StoreError::Unavailable(format!("no thread to be had: {error}")))
}
