//! An outbox without a database, for services that keep their books in memory in a simulated world.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use event_log::{Append, EventLog, ExpectedVersion, LogError};

use super::Outgoing;

/// Events that wait for the log.
pub(crate) struct Waiting {
    log: Arc<dyn EventLog>,
    events: Mutex<VecDeque<Outgoing>>,
    /// One at a time: events reach the log in the order in which they were decided.
    turn: tokio::sync::Mutex<()>,
}

impl Waiting {
    pub(crate) fn new(log: Arc<dyn EventLog>) -> Self {
        Self {
            log,
            events: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Call it while the books are locked: then the order is that of the decisions.
    pub(crate) fn push(&self, events: impl IntoIterator<Item = Outgoing>) {
        self.events().extend(events);
    }

    /// Tells the log what waits, in order, up to the first event that it does not take.
    pub(crate) async fn tell(&self) -> Result<(), LogError> {
        let _turn = self.turn.lock().await;
        loop {
            let Some(Outgoing { stream, event }) = self.events().front().cloned() else {
                return Ok(());
            };
            let append = Append {
                stream,
                expected: ExpectedVersion::Any,
                events: vec![event],
            };
            let appended = self.log.append(append).await;
            appended.map_err(|error| LogError::Unavailable(error.to_string()))?;
            self.events().pop_front();
        }
    }

    fn events(&self) -> MutexGuard<'_, VecDeque<Outgoing>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
