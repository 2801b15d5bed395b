//! On a stopped shop's folder: this process opens it itself, and answers with the same functions as the routes.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use edge::{Principal, RequestContext};
use event_log::{Direction, EventFilter, EventLog, Position};
use event_schemas::{Actor, DeadLetterId, StreamName, saga::SagaStatus};
use projections::{AuditError, AuditScope, CutOver, Decision, Projections, RebuildError};
use read_models::sagas::{SagaView, SagasView};
use subscribers::DeadLetterError;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{OperationError, Operations, no_such_saga, no_such_stream};
use crate::{
    audit::Audit,
    config::{Config, LogPlace},
    folder::{DataFolder, FolderError, FolderLock},
    ops::{
        auditing::AuditView,
        circuits::CircuitsView,
        comparison::ComparisonView,
        dead_letters::DeadLettersView,
        reading, sagas,
        undelivered::{Undelivered, UndeliveredError, UndeliveredView},
        view::{LogPage, ProjectionView, StatsView, StreamPage, StreamsPage},
    },
    roles::Role,
    sink::LocalSink,
    startup::{
        StartError,
        event_log::{OpenError, OpenLog},
        query_side, subscriptions,
    },
    witness,
};

/// Operates a stopped shop's folder; holds it as long as it lives.
pub struct LocalOperations {
    folder: DataFolder,
    lock: Mutex<Option<FolderLock>>,
    log: OpenLog,
    /// Where the read models are, among others.
    config: Config,
    /// Started when a command is about the read models; they then bring them up to date.
    reading: Mutex<Option<Arc<Projections>>>,
}

impl LocalOperations {
    /// Opens the folder.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(config: &Config) -> Result<Self, OpenError> {
        let folder = DataFolder::existing(&config.data)?;
        let lock = folder.lock().map_err(|error| match error {
            FolderError::InUse(folder) => OpenError::InUse(folder),
            error => OpenError::Folder(error),
        })?;
        let embedded = config.event_log.at == LogPlace::Embedded;
        if let Some(place) = folder.log_elsewhere().filter(|_| embedded) {
            let folder = folder.path().to_owned();
            return Err(OpenError::Elsewhere { folder, place });
        }
        let log = OpenLog::open(&config.event_log, &folder, folder.operator_token().as_deref()).await?;
        Ok(Self {
            folder,
            lock: Mutex::new(Some(lock)),
            log,
            config: config.clone(),
            reading: Mutex::new(None),
        })
    }

    /// A sink into its log.
    pub fn sink(&self) -> LocalSink {
        LocalSink::new(self.log())
    }

    /// The projections, started at the first call.
    async fn running(&self) -> Result<Arc<Projections>, OperationError> {
        let mut reading = self.reading.lock().await;
        if let Some(projections) = &*reading {
            return Ok(Arc::clone(projections));
        }
        if let Some(role) = self.folder.role().filter(|role| role != Role::Query.as_str()) {
            return Err(OperationError::Projections(format!(
                "{} is the {role} role's folder: the read models are in the query role's, and while the roles run the \
                 projection role is asked about them (--data DIR or --server URL of that one)",
                self.folder.path().display()
            )));
        }
        if let Some(place) = self
            .folder
            .read_models_elsewhere()
            .filter(|_| self.config.elasticsearch.used().is_none())
        {
            return Err(OperationError::Projections(format!(
                "the shop in {folder} has its read models on {place}, not in the folder: name it with \
                 JANGTEO_ELASTICSEARCH=http://… or as `url` under [elasticsearch] in {folder}/jangteo.toml",
                folder = self.folder.path().display()
            )));
        }
        let failed = |error: StartError| OperationError::Projections(error.to_string());
        let settled = witness::settle(&self.folder, &self.log()).await;
        let settled = settled.map_err(|error| OperationError::Projections(error.to_string()))?;
        let log = self.log();
        let models = query_side::open(&self.config, &self.folder, &log, settled.floor)
            .await
            .map_err(failed)?;
        // For the length of a command: nobody's documents are looked after.
        let started = query_side::project(&self.log(), &models, false).await;
        let projections = Arc::new(started.map_err(failed)?);
        *reading = Some(Arc::clone(&projections));
        Ok(projections)
    }

    /// The dead letters in its log. Commands wait on NATS: a running shop is asked about those.
    fn letters(&self) -> Result<Undelivered, OperationError> {
        let resting = subscriptions::resting(&self.config, &self.folder, self.log());
        let subscriptions = resting.map_err(|error| OperationError::Undelivered(error.to_string()))?;
        Ok(Undelivered {
            subscriptions,
            commands: None,
        })
    }

    fn log(&self) -> Arc<dyn EventLog> {
        self.log.log()
    }
}

#[async_trait]
impl Operations for LocalOperations {
    async fn streams(&self, prefix: &str, after: Option<&str>, size: usize) -> Result<StreamsPage, OperationError> {
        Ok(reading::streams(self.log().as_ref(), prefix, after, size).await?)
    }

    async fn stream(
        &self,
        name: &StreamName,
        from: Option<u64>,
        direction: Direction,
        size: usize,
    ) -> Result<StreamPage, OperationError> {
        let page = reading::stream(self.log().as_ref(), name, from, direction, size).await?;
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
        Ok(reading::stats(self.log().as_ref()).await?)
    }

    async fn projections(&self) -> Result<Vec<ProjectionView>, OperationError> {
        let statuses = self.running().await?.status().await?;
        Ok(statuses.into_iter().map(Into::into).collect())
    }

    async fn rebuild(&self, name: &str, cut_over: CutOver) -> Result<(), OperationError> {
        match self.running().await?.rebuild(name, cut_over).await {
            Ok(()) | Err(RebuildError::UnderWay(_)) => Ok(()),
            Err(error) => Err(refused(&error)),
        }
    }

    async fn decide(&self, name: &str, decision: Decision) -> Result<(), OperationError> {
        let decided = self.running().await?.decide(name, decision).await;
        decided.map_err(|error| refused(&error))
    }

    async fn comparison(&self, name: &str) -> Result<Option<ComparisonView>, OperationError> {
        let comparison = self.running().await?.comparison(name);
        let comparison = comparison.map_err(|error| refused(&error))?;
        Ok(comparison.map(|comparison| ComparisonView::from(comparison.as_ref())))
    }

    async fn audit(&self, name: &str, scope: AuditScope) -> Result<(), OperationError> {
        let begun = self.running().await?.audit(name, scope);
        begun.map_err(|error| match error {
            AuditError::Unknown(_) => OperationError::NotFound(error.to_string()),
            error => OperationError::Projections(error.to_string()),
        })
    }

    async fn audited(&self, name: &str) -> Result<AuditView, OperationError> {
        let status = self.running().await?.audited(name);
        let none = || OperationError::NotFound(format!("no audit of {name} was asked for"));
        status.map(|status| AuditView::of(name, status)).ok_or_else(none)
    }

    async fn dead_letters(&self, name: &str, size: usize) -> Result<DeadLettersView, OperationError> {
        let projections = self.running().await?;
        let read = DeadLettersView::read(&projections, name, size).await;
        read.map_err(|error| refused(&error))
    }

    async fn undelivered(&self, all: bool) -> Result<UndeliveredView, OperationError> {
        self.letters()?.view(all).await.map_err(undone)
    }

    async fn retry(&self, id: DeadLetterId) -> Result<(), OperationError> {
        self.letters()?.retry(id, operator()).await.map_err(undone)
    }

    async fn discard(&self, id: DeadLetterId, reason: &str) -> Result<(), OperationError> {
        self.letters()?.discard(id, reason, operator()).await.map_err(undone)
    }

    async fn circuits(&self) -> Result<CircuitsView, OperationError> {
        Err(OperationError::NotFound(
            "circuits are those of a running shop, and nothing runs on this folder".to_owned(),
        ))
    }

    async fn sagas(&self, status: Option<SagaStatus>, size: usize) -> Result<SagasView, OperationError> {
        Ok(sagas::list(self.log().as_ref(), status, size).await?)
    }

    async fn saga(&self, id: Uuid) -> Result<SagaView, OperationError> {
        let known = sagas::saga(self.log().as_ref(), id).await?;
        known.ok_or_else(|| no_such_saga(id))
    }

    async fn retry_saga(&self, id: Uuid) -> Result<(), OperationError> {
        let known = self.saga(id).await?;
        if sagas::is_over(known.status) {
            return Err(OperationError::Saga(format!(
                "the saga {id} is over: there is nothing to try again"
            )));
        }
        let (audit, operator) = (Audit::new(self.log()), Principal::local_operator().account_id);
        let request = RequestContext::internal("jangteo saga retry");
        let written = audit.saga_retried(operator, &known.saga, id, &request).await;
        written.map_err(|_| OperationError::Saga("the audit trail cannot be written".to_owned()))
    }

    async fn close(&self) {
        if let Some(projections) = self.reading.lock().await.take() {
            query_side::close(projections).await;
        }
        self.log.close().await;
        drop(self.lock.lock().await.take());
    }
}

/// Whoever may read the folder operates the shop.
fn operator() -> Actor {
    Actor::Account(Principal::local_operator().account_id)
}

fn undone(error: UndeliveredError) -> OperationError {
    match error {
        UndeliveredError::Event(error @ DeadLetterError::Unknown(_)) => OperationError::NotFound(error.to_string()),
        error => OperationError::Undelivered(error.to_string()),
    }
}

fn refused(error: &RebuildError) -> OperationError {
    match error {
        RebuildError::Unknown(_) => OperationError::NotFound(error.to_string()),
        _ => OperationError::Projections(error.to_string()),
    }
}
