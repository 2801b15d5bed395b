//! Credit without a database: the same books, kept in memory, for a world that is simulated.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event_log::{EventLog, LogError, Position};
use event_schemas::CustomerId;

use super::books::{Books, CreditAccount, Request};
use crate::{outbox::Waiting, services::ServiceError};

/// Books that nobody else writes to.
pub(super) struct Memory {
    books: Mutex<Books>,
    waiting: Waiting,
}

impl Memory {
    pub(super) fn new(log: Arc<dyn EventLog>) -> Self {
        Self {
            books: Mutex::default(),
            waiting: Waiting::new(log),
        }
    }

    /// Decides at once; the log is told as soon as it takes it.
    pub(super) async fn submit(&self, request: &Request) -> Result<Option<Position>, ServiceError> {
        let decided = {
            let mut books = self.books();
            let decided = books.apply(request);
            self.waiting.push(books.outgoing.drain(..));
            decided
        };
        // An event that the log does not take now waits; it was decided all the same.
        let _ = self.tell().await;
        decided?;
        Ok(None)
    }

    pub(super) async fn tell(&self) -> Result<(), LogError> {
        self.waiting.tell().await
    }

    pub(super) fn account(&self, customer_id: CustomerId) -> Option<CreditAccount> {
        self.books().accounts.get(&customer_id).copied()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
