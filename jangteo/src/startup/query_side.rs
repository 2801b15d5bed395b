//! Opens what is read: the read models, and the projections that fill them from the log.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use event_log::{EventLog, Position};
use projections::{Config, Projections};
use read_models::ReadModels;

use super::StartError;
use crate::folder::DataFolder;

/// Everything that is read.
pub(crate) struct QuerySide {
    pub(crate) models: Arc<ReadModels>,
    pub(crate) projections: Arc<Projections>,
}

impl QuerySide {
    pub(crate) async fn open(folder: &DataFolder, log: &Arc<dyn EventLog>) -> Result<Self, StartError> {
        let models = ReadModels::open(folder.path())
            .await
            .map_err(StartError::of("the read models"))?;
        let models = Arc::new(models);
        let projections = Projections::start(Arc::clone(log), Arc::clone(&models), Config::default())
            .await
            .map_err(StartError::of("the projections"))?;
        Ok(Self {
            models,
            projections: Arc::new(projections),
        })
    }

    /// Stops the projections; what they have read is written.
    pub(crate) async fn close(self) {
        match Arc::into_inner(self.projections) {
            Some(projections) => projections.shutdown().await,
            // A request that was cut still holds them: they stop when it lets go, and go on from their checkpoints.
            None => tracing::warn!("the projections are left to stop by themselves"),
        }
    }
}

/// Waits until every read model shows the log up to `position`.
pub(super) async fn shows(models: &ReadModels, position: Position, patience: Duration) -> Result<(), String> {
    let deadline = Instant::now() + patience;
    for name in ReadModels::NAMES {
        let there = models.progress().wait_for(name, position.0, deadline).await;
        there.map_err(|behind| behind.to_string())?;
    }
    Ok(())
}
