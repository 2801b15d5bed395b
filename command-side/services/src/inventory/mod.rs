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
#[cfg(test)]
mod full_disk;
mod memory;
#[cfg(test)]
#[path = "tests/mod.rs"]
#[expect(clippy::duplicate_mod, reason = "one suite, run on each engine")]
mod on_postgres;
#[cfg(test)]
#[path = "tests/mod.rs"]
mod on_sqlite;
mod reservation;
mod tables;
mod writer;

use std::{sync::Arc, time::Duration};

use domain::commands::{Directive, ServiceCommand};
use event_log::{EventLog, LogError, Position};
use event_schemas::{ProductId, stock::StockReceived};
use tokio::sync::{mpsc, oneshot};

pub use self::books::{MAX_ON_HAND, MAX_RECEIPT};
use self::{
    books::{Command, Parcel, Request},
    memory::Memory,
    writer::{Done, Job, Writer},
};
use crate::{
    execution::CommandContext,
    outbox::{Outbox, PATIENCE, RelaySettings, Seq},
    relational::{Database, DatabaseError, Layout, OUTBOX, Place, Sql, Step, table},
    services::ServiceError,
};

const STEPS: &[Step] = &[
    Step {
        number: 1,
        name: "stock",
        sql: Sql::each(
            include_str!("../../migrations/inventory/sqlite/0001_stock.sql"),
            include_str!("../../migrations/inventory/postgres/0001_stock.sql"),
        ),
    },
    Step {
        number: 2,
        name: "parcels",
        sql: Sql::each(
            include_str!("../../migrations/inventory/sqlite/0002_parcels.sql"),
            include_str!("../../migrations/inventory/postgres/0002_parcels.sql"),
        ),
    },
    Step {
        number: 3,
        name: "outbox_end",
        sql: Sql::each(
            include_str!("../../migrations/inventory/sqlite/0003_outbox_end.sql"),
            include_str!("../../migrations/inventory/postgres/0003_outbox_end.sql"),
        ),
    },
    Step {
        number: 4,
        name: "house",
        sql: Sql::each(
            include_str!("../../migrations/inventory/sqlite/0004_house.sql"),
            include_str!("../../migrations/inventory/postgres/0004_house.sql"),
        ),
    },
];

/// What inventory keeps in its database.
pub const LAYOUT: Layout = Layout {
    name: "inventory",
    steps: STEPS,
    tables: &[
        table!(stock: product_id, on_hand, reserved),
        table!(reservations: order_id, state, lines, parts),
        table!(receipts: command_id, fingerprint, product_id, quantity, available),
        OUTBOX,
    ],
    renewed: &[],
};

/// Commands that may wait for the writer; more wait at the sender.
const QUEUE: usize = 4096;

/// How long goods are kept for an order that is not confirmed, unless it is said otherwise.
pub const HOLD: Duration = Duration::from_secs(30 * 60);

/// Inventory. Cheap to share behind an [`Arc`].
pub struct Inventory {
    keeper: Keeper,
    hold: Duration,
}

/// Where the books are.
enum Keeper {
    Database(Kept),
    Memory(Box<Memory>),
}

/// The books in a database, and the way to its writer.
struct Kept {
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
    /// Opens the database, and begins to tell `log` what an earlier process left in the outbox.
    ///
    /// # Errors
    /// When it cannot be opened or was written by a newer version.
    pub async fn open(place: &Place, log: Arc<dyn EventLog>) -> Result<Self, DatabaseError> {
        Self::open_with(place, log, RelaySettings::default()).await
    }

    /// As [`Self::open`], for a log that needs another relay.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(place: &Place, log: Arc<dyn EventLog>, relay: RelaySettings) -> Result<Self, DatabaseError> {
        let database = Arc::new(Database::open(place, STEPS).await?);
        Self::within(database, log, relay).await
    }

    /// As [`Self::open_with`], in a database of that [`LAYOUT`] which is open already.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn within(
        database: Arc<Database>,
        log: Arc<dyn EventLog>,
        relay: RelaySettings,
    ) -> Result<Self, DatabaseError> {
        let outbox = Arc::new(Outbox::start(Arc::clone(&database), Arc::clone(&log), relay).await?);
        let (queue, jobs) = mpsc::channel(QUEUE);
        let writer = Writer {
            database: Arc::clone(&database),
            outbox: Arc::clone(&outbox),
            jobs,
        };
        tokio::spawn(writer.run());
        let kept = Kept {
            queue,
            outbox,
            database,
            log,
        };
        Ok(Self {
            keeper: Keeper::Database(kept),
            hold: HOLD,
        })
    }

    /// The same books in memory, for a world that is simulated: gone with the process, and no task of their own. What the
    /// log does not take waits for [`Self::tell`], or for the next command.
    pub fn in_memory(log: Arc<dyn EventLog>) -> Self {
        Self {
            keeper: Keeper::Memory(Box::new(Memory::new(log))),
            hold: HOLD,
        }
    }

    /// With another time for which goods are kept for an order that is not confirmed.
    #[must_use]
    pub fn holding(self, hold: Duration) -> Self {
        Self { hold, ..self }
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
        let position = match &self.keeper {
            Keeper::Database(kept) => kept.position(done.seq).await,
            Keeper::Memory(_) => None,
        };
        match done.received {
            Some(event) => Ok(Received { event, position }),
            None => Err(ServiceError::Fault("inventory answered another question".to_owned())),
        }
    }

    /// Does what a saga asks: reserve, release, issue or take back. Answered by an event.
    ///
    /// # Errors
    /// When the state does not allow it, the command is not for inventory, or the database fails.
    pub async fn execute(&self, directive: &Directive) -> Result<(), ServiceError> {
        use ServiceCommand as C;
        let parcel = |shipment_id: &Option<_>, lines: &Vec<_>| Parcel {
            shipment_id: *shipment_id,
            lines: lines.clone(),
        };
        let command = match &directive.command {
            C::ReserveStock { order_id, lines } => {
                let hold = i64::try_from(self.hold.as_millis()).unwrap_or(i64::MAX);
                Command::Reserve(*order_id, lines.clone(), directive.at.plus_millis(hold))
            }
            C::ReleaseStock {
                order_id,
                shipment_id,
                lines,
            } => Command::Release(*order_id, parcel(shipment_id, lines)),
            C::IssueStock {
                order_id,
                shipment_id,
                lines,
            } => Command::Issue(*order_id, parcel(shipment_id, lines)),
            C::RestockGoods {
                order_id,
                return_id,
                lines,
            } => Command::Restock(*order_id, *return_id, lines.clone()),
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
        match &self.keeper {
            Keeper::Database(kept) => Ok(tables::available(&kept.database, product_id).await?),
            Keeper::Memory(memory) => Ok(memory.stock(product_id).available()),
        }
    }

    /// Pieces in the house and how many of them are promised, for books in memory; none for a database.
    pub fn counted(&self, product_id: ProductId) -> Option<(u64, u64)> {
        match &self.keeper {
            Keeper::Database(_) => None,
            Keeper::Memory(memory) => {
                let stock = memory.stock(product_id);
                Some((stock.on_hand, stock.reserved))
            }
        }
    }

    /// Tells the log what waits for it, for books in memory; a database has a task that does.
    ///
    /// # Errors
    /// When the log does not take it now; it goes on waiting.
    pub async fn tell(&self) -> Result<(), LogError> {
        match &self.keeper {
            Keeper::Database(_) => Ok(()),
            Keeper::Memory(memory) => memory.tell().await,
        }
    }

    /// Waits until the log has everything; false when `patience` ran out. For a clean stop.
    pub async fn drained(&self, patience: Duration) -> bool {
        match &self.keeper {
            Keeper::Database(kept) => kept.outbox.drained(patience).await,
            Keeper::Memory(memory) => memory.tell().await.is_ok(),
        }
    }

    async fn submit(&self, request: Request) -> Result<Done, ServiceError> {
        match &self.keeper {
            Keeper::Database(kept) => kept.submit(request).await,
            Keeper::Memory(memory) => {
                let received = memory.submit(&request).await?;
                Ok(Done { received, seq: None })
            }
        }
    }
}

impl Kept {
    async fn submit(&self, request: Request) -> Result<Done, ServiceError> {
        let (answer, answered) = oneshot::channel();
        let stopped = || ServiceError::Fault("inventory is shutting down".to_owned());
        self.queue.send(Job { request, answer }).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    /// From where the event of that number can be seen.
    async fn position(&self, seq: Option<Seq>) -> Option<Position> {
        match seq {
            Some(seq) => self.outbox.sent(seq, PATIENCE).await,
            // A repeat: the event went before, to a place that nobody noted.
            None if self.outbox.drained(PATIENCE).await => self.log.head().await.ok(),
            None => None,
        }
    }
}
