//! Inventory: how many pieces there are, and how many of them are promised. Relational, because a promise is only worth
//! something if no piece is promised twice.
//!
//! One writer task drains a queue of commands and runs as many as it finds in one transaction: read every row they touch,
//! decide in memory ([`books`]), write what changed and the events into the [`outbox`](crate::outbox), commit, answer
//! all. A batch costs eight statements and one fsync whether it holds one order or five hundred.
//!
//! A reservation is all or none and conditional: each line needs `on_hand - reserved >= quantity` at that moment, in the
//! one transaction that can write. The table's own checks would stop a batch that got this wrong.

mod books;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

use std::{path::Path, sync::Arc, time::Duration};

use domain::commands::{Directive, ServiceCommand};
use event_log::{EventLog, Position};
use event_schemas::{ProductId, stock::StockReceived};
use tokio::sync::{mpsc, oneshot};

pub use self::books::{MAX_ON_HAND, MAX_RECEIPT};
use self::{
    books::{Command, Request},
    writer::{Done, Job, Writer},
};
use crate::{
    execution::CommandContext,
    outbox::{Outbox, PATIENCE, RelaySettings},
    relational::{Database, DatabaseError, Step},
    services::ServiceError,
};

const STEPS: &[Step] = &[(
    1,
    "stock",
    include_str!("../../migrations/inventory/sqlite/0001_stock.sql"),
)];

/// Commands that may wait for the writer; more wait at the sender.
const QUEUE: usize = 4096;

/// Inventory. Cheap to share behind an [`Arc`].
pub struct Inventory {
    queue: mpsc::Sender<Job>,
    outbox: Arc<Outbox>,
    database: Arc<Database>,
    log: Arc<dyn EventLog>,
}

/// Goods that came in, and where in the log it can be seen; no position where the log did not take it in time, and it
/// follows later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What happened.
    pub event: StockReceived,
    /// A position from which it can be seen.
    pub position: Option<Position>,
}

impl Inventory {
    /// Opens the database file, and begins to tell `log` what an earlier process left in the outbox.
    ///
    /// # Errors
    /// When the file cannot be opened or was written by a newer version.
    pub async fn open(file: &Path, log: Arc<dyn EventLog>) -> Result<Self, DatabaseError> {
        Self::open_with(file, log, RelaySettings::default()).await
    }

    /// As [`Self::open`], for a log that needs another relay.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(file: &Path, log: Arc<dyn EventLog>, relay: RelaySettings) -> Result<Self, DatabaseError> {
        let database = Arc::new(Database::open(file, STEPS).await?);
        let outbox = Arc::new(Outbox::start(Arc::clone(&database), Arc::clone(&log), relay).await?);
        let (queue, jobs) = mpsc::channel(QUEUE);
        let writer = Writer {
            database: Arc::clone(&database),
            outbox: Arc::clone(&outbox),
            jobs,
        };
        tokio::spawn(writer.run());
        Ok(Self {
            queue,
            outbox,
            database,
            log,
        })
    }

    /// Goods came in. The same command again gets the same answer; with another fingerprint it is refused.
    ///
    /// # Errors
    /// When the quantity is not acceptable, or the database fails.
    pub async fn receive(
        &self,
        product_id: ProductId,
        quantity: u32,
        context: &CommandContext,
    ) -> Result<Received, ServiceError> {
        let request = Request::new(Command::Receive(product_id, quantity), context);
        let done = self.submit(request).await?;
        let position = match done.seq {
            Some(seq) => self.outbox.sent(seq, PATIENCE).await,
            // A repeat: the event went before, to a place that nobody noted.
            None if self.outbox.drained(PATIENCE).await => self.log.head().await.ok(),
            None => None,
        };
        match done.received {
            Some(event) => Ok(Received { event, position }),
            None => Err(ServiceError::Fault("inventory answered another question".to_owned())),
        }
    }

    /// Does what a saga asks: reserve, release or issue. Answered by an event.
    ///
    /// # Errors
    /// When the state does not allow it, the command is not for inventory, or the database fails.
    pub async fn execute(&self, directive: &Directive) -> Result<(), ServiceError> {
        let command = match &directive.command {
            ServiceCommand::ReserveStock { order_id, lines } => Command::Reserve(*order_id, lines.clone()),
            ServiceCommand::ReleaseStock { order_id, .. } => Command::Release(*order_id),
            ServiceCommand::IssueStock { order_id, .. } => Command::Issue(*order_id),
            other => return Err(ServiceError::Fault(format!("not for inventory: {other:?}"))),
        };
        let context = CommandContext::of_directive(directive, "inventory");
        let request = Request::new(command, &context);
        self.submit(request).await.map(|_| ())
    }

    /// Pieces that can be sold now; 0 for a product that never came in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn available(&self, product_id: ProductId) -> Result<u64, ServiceError> {
        let available: Option<i64> = sqlx::query_scalar("SELECT on_hand - reserved FROM stock WHERE product_id = ?1")
            .bind(product_id.to_string())
            .fetch_optional(self.database.readers())
            .await
            .map_err(DatabaseError::from)?;
        Ok(available.and_then(|pieces| u64::try_from(pieces).ok()).unwrap_or(0))
    }

    /// Waits until the log has everything; false when `patience` ran out. For a clean stop.
    pub async fn drained(&self, patience: Duration) -> bool {
        self.outbox.drained(patience).await
    }

    async fn submit(&self, request: Request) -> Result<Done, ServiceError> {
        let (answer, answered) = oneshot::channel();
        let stopped = || ServiceError::Fault("inventory is shutting down".to_owned());
        self.queue.send(Job { request, answer }).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}
