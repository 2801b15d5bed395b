//! What an operator does from the command line, on a running shop or on a stopped one's folder, alike.

mod local;
mod remote;

use std::time::Duration;

use async_trait::async_trait;
use event_log::{Direction, EventFilter, LogError};
use event_schemas::{DeadLetterId, StreamName, saga::SagaStatus};
use projections::{AuditScope, CutOver, Decision};
use read_models::sagas::{SagaView, SagasView};
use uuid::Uuid;

pub use local::LocalOperations;
pub use remote::{RemoteOperations, RemoteShop};

use crate::ops::{
    auditing::AuditView,
    circuits::CircuitsView,
    comparison::ComparisonView,
    dead_letters::DeadLettersView,
    undelivered::UndeliveredView,
    view::{LogPage, ProjectionView, StatsView, StreamPage, StreamsPage},
};
pub use crate::startup::event_log::OpenError;

/// Why an operation did not happen.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// There is no such stream or projection.
    #[error("{0}")]
    NotFound(String),
    /// The shop does not answer, or refuses.
    #[error("{0}")]
    Shop(String),
    /// The folder's log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// It cannot be done to this dead letter.
    #[error("{0}")]
    Undelivered(String),
    /// A read model failed.
    #[error("{0}")]
    Projections(String),
    /// The saga is over, or cannot be told.
    #[error("{0}")]
    Saga(String),
}

/// The operator's view of a shop. Its two sides give the same answers.
#[async_trait]
pub trait Operations: Send + Sync {
    /// The streams whose names start with `prefix` and stand after `after`.
    async fn streams(&self, prefix: &str, after: Option<&str>, size: usize) -> Result<StreamsPage, OperationError>;

    /// Events of one stream.
    async fn stream(
        &self,
        name: &StreamName,
        from: Option<u64>,
        direction: Direction,
        size: usize,
    ) -> Result<StreamPage, OperationError>;

    /// Events of the whole log after a position, waiting up to `wait` for one where there is none.
    async fn events(
        &self,
        after: u64,
        filter: &EventFilter,
        size: usize,
        wait: Duration,
    ) -> Result<LogPage, OperationError>;

    /// Whether anybody may append to the log meanwhile, so that following it makes sense.
    fn is_live(&self) -> bool;

    /// Counts.
    async fn stats(&self) -> Result<StatsView, OperationError>;

    /// The read models: where each is, and how far a rebuild has come.
    async fn projections(&self) -> Result<Vec<ProjectionView>, OperationError>;

    /// Starts to rebuild a read model beside the live one.
    async fn rebuild(&self, name: &str, cut_over: CutOver) -> Result<(), OperationError>;

    /// Approves or rejects a read model that was rebuilt, or starts to go back to the one before.
    async fn decide(&self, name: &str, decision: Decision) -> Result<(), OperationError>;

    /// How the last rebuilt read model differed from the live one; none where none was compared since the shop started.
    async fn comparison(&self, name: &str) -> Result<Option<ComparisonView>, OperationError>;

    /// Begins to hold a read model against the log.
    async fn audit(&self, name: &str, scope: AuditScope) -> Result<(), OperationError>;

    /// How the last audit of a read model stands.
    async fn audited(&self, name: &str) -> Result<AuditView, OperationError>;

    /// The documents of a read model that its store could not take, at most `size`.
    async fn dead_letters(&self, name: &str, size: usize) -> Result<DeadLettersView, OperationError>;

    /// What subscribers and services could not take; with `all` what was decided, too.
    async fn undelivered(&self, all: bool) -> Result<UndeliveredView, OperationError>;

    /// Has a dead letter tried again.
    async fn retry(&self, id: DeadLetterId) -> Result<(), OperationError>;

    /// Puts a dead letter aside for good.
    async fn discard(&self, id: DeadLetterId, reason: &str) -> Result<(), OperationError>;

    /// The ways out of the shop's process to other servers.
    async fn circuits(&self) -> Result<CircuitsView, OperationError>;

    /// Sagas, newest first, in one state or in any.
    async fn sagas(&self, status: Option<SagaStatus>, size: usize) -> Result<SagasView, OperationError>;

    /// Where a saga stands.
    async fn saga(&self, id: Uuid) -> Result<SagaView, OperationError>;

    /// Tells a saga to try again; one of a stopped shop does so when it starts.
    async fn retry_saga(&self, id: Uuid) -> Result<(), OperationError>;

    /// Gives the shop up, everything written. Call it at the end.
    async fn close(&self);
}

pub(crate) fn no_such_saga(id: Uuid) -> OperationError {
    OperationError::NotFound(format!(
        "there is no saga {id}: `jangteo saga list` shows those that there are"
    ))
}

pub(crate) fn no_such_stream(name: &StreamName) -> OperationError {
    OperationError::NotFound(format!(
        "there is no stream {name}: `jangteo log list --prefix {}` lists those that exist",
        name.category()
    ))
}
