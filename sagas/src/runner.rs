//! The runner: makes a pure saga durable.
//!
//! A fact is read from the log, and the commands that follow from it are sent at once: the fact stands in the log, and what a
//! saga asks for is a function of the facts. The saga's new state is written to its own stream a moment later, with what else
//! came meanwhile; until then the fact counts as not taken in. Killed before that, the runner reads the fact again and sends the
//! commands again; they and the events carry derived ids, so whatever is done again is done once. Only a timer, which no
//! event tells of, is written first.
//!
//! - [`reader`]: follows the log; - [`conductor`]: the one task that holds all state, so that nothing is locked;
//! - [`advance`]: one fact of one saga, as a future: those of different sagas overlap; - [`writing`]: a saga's own events;
//! - [`backlog`]: who has something to write.

mod advance;
mod backlog;
mod conductor;
mod obstacle;
mod reader;
#[cfg(test)]
mod tests;
mod writing;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use event_log::{EventLog, LogError, Position};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

use crate::{
    Clock, Dispatcher, Saga,
    checkpoint::{Checkpoint, FolderCheckpoint},
};
use conductor::Conductor;

/// What a runner works with.
pub struct RunnerConfig {
    /// Where facts come from and advances go.
    pub log: Arc<dyn EventLog>,
    /// Where commands go.
    pub dispatcher: Arc<dyn Dispatcher>,
    /// Where the checkpoint is kept: a folder `<saga's name>` in here.
    pub folder: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How much at once.
    pub limits: Limits,
}

/// How much a runner does at once.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Facts being taken in, of all sagas together.
    pub facts_in_flight: usize,
    /// States of sagas kept in memory between two facts.
    pub states_in_memory: usize,
    /// Commands on their way to any one service.
    pub dispatches_per_service: usize,
    /// A service that has not answered by then is counted as failed.
    pub dispatch_deadline: Duration,
    /// Pauses before a failed dispatch is repeated, before it is left to the saga's patience.
    pub prompt_repeats: &'static [Duration],
    /// A saga that learned something writes it down after this time, or a little later. Those that wait take turns, so that they
    /// never all stand in the way of what is urgent.
    pub write_behind: Duration,
    /// How often the checkpoint is saved.
    pub checkpoint_every: Duration,
    /// At shutdown, how long appends begun, and then commands on their way, are waited for. What takes longer is done again
    /// at the next start.
    pub farewell: Duration,
}

const PROMPT_REPEATS: &[Duration] = &[Duration::from_millis(100), Duration::from_secs(1)];

impl Default for Limits {
    fn default() -> Self {
        Self {
            facts_in_flight: 1_024,
            states_in_memory: 100_000,
            dispatches_per_service: 256,
            dispatch_deadline: Duration::from_secs(60),
            prompt_repeats: PROMPT_REPEATS,
            write_behind: Duration::from_millis(50),
            // Often, so that there is little to save each time: the conductor waits for it.
            checkpoint_every: Duration::from_millis(50),
            farewell: Duration::from_secs(5),
        }
    }
}

/// Why a runner could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder cannot be used: another process has it, or the disk fails.
    #[error("the sagas' folder {folder} cannot be used: {detail}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the store says.
        detail: String,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// A running saga runner. Dropped without [`SagaRunner::shutdown`] it stops at once, as if killed: nothing is lost.
pub struct SagaRunner {
    position: watch::Receiver<Position>,
    stop: Option<oneshot::Sender<()>>,
    conductor: JoinHandle<()>,
}

impl SagaRunner {
    /// Starts running `saga` from where it was.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start<S: Saga>(saga: S, config: RunnerConfig) -> Result<Self, StartError> {
        let folder = config.folder.join(S::NAME);
        let unusable = |error: &dyn std::fmt::Display| unusable(&folder, error);
        std::fs::create_dir_all(&folder).map_err(|error| unusable(&error))?;
        let checkpoint = FolderCheckpoint::open(&folder).map_err(|error| unusable(&error))?;
        Self::start_from(saga, config, Box::new(checkpoint)).await
    }

    /// As [`Self::start`], with a checkpoint of another kind; the configured folder is left alone.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start_from<S: Saga>(
        saga: S,
        config: RunnerConfig,
        checkpoint: Box<dyn Checkpoint>,
    ) -> Result<Self, StartError> {
        let unusable = |error: &dyn std::fmt::Display| unusable(&config.folder, error);
        let head = config.log.head().await?;
        let (mut from, mut open) = checkpoint.load().map_err(|error| unusable(&error))?;
        if from > head {
            tracing::warn!(saga = S::NAME, %from, %head, "the checkpoint is ahead of the log: reading the log anew");
            checkpoint.clear().map_err(|error| unusable(&error))?;
            (from, open) = (Position::START, vec![]);
        }
        tracing::info!(saga = S::NAME, %from, %head, open = open.len(), "sagas go on");
        let (positions, position) = watch::channel(from);
        let (stop, stopped) = oneshot::channel();
        let conductor = Conductor::new(saga, config, checkpoint, head, open, positions);
        Ok(Self {
            position,
            stop: Some(stop),
            conductor: tokio::spawn(conductor.run(stopped)),
        })
    }

    /// Everything up to here is taken in, and what it led to is durable.
    pub fn position(&self) -> watch::Receiver<Position> {
        self.position.clone()
    }

    /// Takes no further facts, finishes those begun, and keeps the checkpoint.
    pub async fn shutdown(mut self) {
        self.stop.take();
        if let Err(died) = (&mut self.conductor).await {
            tracing::error!(%died, "the saga runner died");
        }
    }
}

fn unusable(folder: &Path, error: &dyn std::fmt::Display) -> StartError {
    StartError::Folder {
        folder: folder.to_owned(),
        detail: error.to_string(),
    }
}

impl Drop for SagaRunner {
    fn drop(&mut self) {
        if self.stop.is_some() {
            self.conductor.abort();
        }
    }
}
