//! All projections, running.

use std::{sync::Arc, time::Duration};

use event_log::{EventLog, LogError};
use futures_util::future::BoxFuture;
use read_models::{
    ReadModels, Visitor,
    documents::{Collection, StoreError},
    projection::Projection,
};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

use crate::{
    running::{
        pages::Pages,
        runner::{self, Request, Runner, Surroundings},
    },
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
    /// It could not be begun.
    #[error("the rebuild could not begin: {0}")]
    Failed(String),
}

/// How to run; so far nothing needs to be chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {}

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
    runners: Vec<Runner>,
    pages: Arc<Pages>,
    stop: watch::Sender<bool>,
    follower: JoinHandle<()>,
}

impl Projections {
    /// Starts all projections, each from its checkpoint, and goes on with rebuilds that a killed process left unfinished.
    ///
    /// # Errors
    /// When the read models cannot be read.
    pub async fn start(log: Arc<dyn EventLog>, read_models: Arc<ReadModels>, _: Config) -> Result<Self, StoreError> {
        let (stop, stopped) = watch::channel(false);
        let pages = Arc::new(Pages::of(log));
        let around = Surroundings {
            read_models: Arc::clone(&read_models),
            pages: Arc::clone(&pages),
            stop: stopped.clone(),
        };
        let mut starting = Starting { around, starts: vec![] };
        read_models.visit(&mut starting);
        let mut runners = Vec::with_capacity(starting.starts.len());
        for start in starting.starts {
            runners.push(start.await?);
        }
        let following = Arc::clone(&pages);
        let follower = tokio::spawn(async move { following.follow(stopped).await });
        Ok(Self {
            runners,
            pages,
            stop,
            follower,
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

    /// Begins to build a projection anew, beside the one that answers queries, which it replaces when it is ready.
    /// [`Self::status`] tells how far it is.
    ///
    /// # Errors
    /// See [`RebuildError`].
    pub async fn rebuild(&self, name: &str) -> Result<(), RebuildError> {
        let unknown = || RebuildError::Unknown(name.to_owned());
        let runner = self
            .runners
            .iter()
            .find(|runner| runner.name == name)
            .ok_or_else(unknown)?;
        let stopped = || RebuildError::Failed("the shop is stopping".to_owned());
        let (answer, answered) = oneshot::channel();
        runner
            .requests
            .send(Request::Rebuild(answer))
            .await
            .map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    /// Begins to build all projections anew; those that are being rebuilt already go on.
    ///
    /// # Errors
    /// See [`RebuildError`].
    pub async fn rebuild_all(&self) -> Result<(), RebuildError> {
        for runner in &self.runners {
            match self.rebuild(runner.name).await {
                Ok(()) | Err(RebuildError::UnderWay(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits until every projection shows all that is in the log now and no rebuild is under way; `watch` is told where they
    /// stand meanwhile. For the command line, on a stopped shop's folder.
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
                if statuses
                    .iter()
                    .all(|status| status.lag == 0 && status.rebuild.is_none())
                {
                    return Ok(statuses);
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Stops all projections; what they have read is written.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        for runner in self.runners {
            let joined = tokio::task::spawn_blocking(move || runner.thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!(projection = runner.name, "a projection did not stop as it should");
            }
        }
        if self.follower.await.is_err() {
            tracing::error!("the log was not followed to the end");
        }
    }
}
