//! Opens what is read, and what fills it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use event_log::{EventLog, Position};
use projections::{Projections, Sentinel};
use read_models::ReadModels;

use super::{StartError, stores};
use crate::{config::Config, folder::DataFolder};

/// What people searched for, in the data folder.
const PAST_SEARCHES: &str = "past-searches.json";
/// What means the same, in the data folder unless the settings say otherwise.
pub(crate) const SYNONYMS: &str = "synonyms.txt";

/// The read models, where the settings say they are. Below `floor` they show nothing a consistency token can be held against.
pub(crate) async fn open(
    config: &Config,
    folder: &DataFolder,
    log: &Arc<dyn EventLog>,
    floor: Position,
) -> Result<Arc<ReadModels>, StartError> {
    let head = log.head().await.map_err(StartError::of("the read models"))?;
    let models = stores::open(&config.elasticsearch, folder, head).await?;
    models.progress().not_before(floor.0);
    let synonyms = config.synonyms.clone().unwrap_or_else(|| folder.place(SYNONYMS));
    Ok(Arc::new(models.finding_with(&synonyms, &folder.place(PAST_SEARCHES))))
}

/// What fills these read models from that log, with or without a sentinel over them.
pub(crate) async fn project(
    log: &Arc<dyn EventLog>,
    models: &Arc<ReadModels>,
    sentinel: bool,
) -> Result<Projections, StartError> {
    let config = projections::Config::default().with_sentinel(sentinel.then(Sentinel::default));
    let started = Projections::start(Arc::clone(log), Arc::clone(models), config).await;
    started.map_err(StartError::of("the projections"))
}

/// Stops the projections; what they have read is written.
pub(crate) async fn close(projections: Arc<Projections>) {
    match Arc::into_inner(projections) {
        Some(projections) => projections.shutdown().await,
        // A request that was cut still holds them: they stop when it lets go, and go on from their checkpoints.
        None => tracing::warn!("the projections are left to stop by themselves"),
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
