//! On a stopped shop's folder: this process opens it itself, and answers with the same functions as the routes.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use event_log::{Direction, EventFilter, EventLog, Position, embedded::EmbeddedLog};
use event_schemas::StreamName;
use projections::{Projections, RebuildError};
use tokio::sync::Mutex;

use super::{OperationError, Operations, no_such_stream};
use crate::{
    config::Config,
    folder::{DataFolder, FolderError},
    ops::{
        reading,
        view::{LogPage, ProjectionView, StatsView, StreamPage, StreamsPage},
    },
    sink::LocalSink,
    startup::{StartError, query_side::QuerySide},
};

/// Operates a stopped shop's folder; holds it as long as it lives.
pub struct LocalOperations {
    folder: DataFolder,
    log: Arc<EmbeddedLog>,
    /// Opened when a command is about the read models; it then brings them up to date.
    queries: Mutex<Option<QuerySide>>,
}

/// Why a folder could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// It is no shop's, or cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The log in it cannot be opened.
    #[error(transparent)]
    Log(event_log::embedded::OpenError),
    /// The opening was cut off.
    #[error("opening the log was cut off: {0}")]
    Interrupted(String),
}

impl LocalOperations {
    /// Opens the folder.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(config: &Config) -> Result<Self, OpenError> {
        let folder = DataFolder::existing(&config.data)?;
        let log = open_log(&folder).await?;
        Ok(Self {
            folder,
            log,
            queries: Mutex::new(None),
        })
    }

    /// A sink into its log.
    pub fn sink(&self) -> LocalSink {
        LocalSink::new(self.log())
    }

    /// The projections, started at the first call.
    async fn running(&self) -> Result<Arc<Projections>, OperationError> {
        let mut queries = self.queries.lock().await;
        if let Some(open) = &*queries {
            return Ok(Arc::clone(&open.projections));
        }
        let failed = |error: StartError| OperationError::Projections(error.to_string());
        let opened = QuerySide::open(&self.folder, &self.log()).await.map_err(failed)?;
        let projections = Arc::clone(&opened.projections);
        *queries = Some(opened);
        Ok(projections)
    }

    fn log(&self) -> Arc<dyn EventLog> {
        Arc::clone(&self.log) as Arc<dyn EventLog>
    }
}

/// Opens the folder's log where it keeps nobody waiting.
pub(crate) async fn open_log(folder: &DataFolder) -> Result<Arc<EmbeddedLog>, OpenError> {
    use event_log::embedded;
    let place = folder.place("log");
    let opened = tokio::task::spawn_blocking(move || EmbeddedLog::open(&place)).await;
    match opened {
        Ok(Ok(log)) => Ok(log),
        Ok(Err(embedded::OpenError::InUse { .. })) => Err(OpenError::InUse(folder.path().to_owned())),
        Ok(Err(error)) => Err(OpenError::Log(error)),
        Err(error) => Err(OpenError::Interrupted(error.to_string())),
    }
}

/// Closes a log where it keeps nobody waiting.
pub(crate) async fn close_log(log: &Arc<EmbeddedLog>) {
    let log = Arc::clone(log);
    if let Err(error) = tokio::task::spawn_blocking(move || log.close()).await {
        tracing::error!(%error, "closing the log was cut off");
    }
}

#[async_trait]
impl Operations for LocalOperations {
    async fn streams(&self, prefix: &str, after: Option<&str>, size: usize) -> Result<StreamsPage, OperationError> {
        Ok(reading::streams(self.log.as_ref(), prefix, after, size).await?)
    }

    async fn stream(
        &self,
        name: &StreamName,
        from: Option<u64>,
        direction: Direction,
        size: usize,
    ) -> Result<StreamPage, OperationError> {
        let page = reading::stream(self.log.as_ref(), name, from, direction, size).await?;
        page.ok_or_else(|| no_such_stream(name))
    }

    async fn events(
        &self,
        after: u64,
        filter: &EventFilter,
        size: usize,
        _wait: Duration,
    ) -> Result<LogPage, OperationError> {
        // Nobody else can write while we hold the folder: there is nothing to wait for.
        Ok(reading::events(&self.log(), Position(after), filter, size, Duration::ZERO).await?)
    }

    fn is_live(&self) -> bool {
        false
    }

    async fn stats(&self) -> Result<StatsView, OperationError> {
        Ok(reading::stats(self.log.as_ref()).await?)
    }

    async fn projections(&self) -> Result<Vec<ProjectionView>, OperationError> {
        let statuses = self.running().await?.status().await?;
        Ok(statuses.into_iter().map(Into::into).collect())
    }

    async fn rebuild(&self, name: &str) -> Result<(), OperationError> {
        match self.running().await?.rebuild(name).await {
            Ok(()) | Err(RebuildError::UnderWay(_)) => Ok(()),
            Err(error @ RebuildError::Unknown(_)) => Err(OperationError::NotFound(error.to_string())),
            Err(error) => Err(OperationError::Projections(error.to_string())),
        }
    }

    async fn close(&self) {
        if let Some(queries) = self.queries.lock().await.take() {
            queries.close().await;
        }
        close_log(&self.log).await;
    }
}
