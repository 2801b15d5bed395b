//! Customers' credit: who may buy by invoice, and how much they may owe.
//!
//! Relational, because two orders at once must not both take the last of a limit. Decisions are in [`books`], pure; a command
//! reads the rows that it touches under the write lock, decides, and writes them with the event, in one transaction.

mod books;
mod memory;
#[cfg(test)]
#[path = "tests.rs"]
#[expect(clippy::duplicate_mod, reason = "one suite, run on each engine")]
mod on_postgres;
#[cfg(test)]
#[path = "tests.rs"]
mod on_sqlite;
pub(super) mod routes;
mod tables;

use std::sync::Arc;

use domain::commands::{Directive, ServiceCommand};
use event_log::{EventLog, LogError, Position};
use event_schemas::{CustomerId, Money};

pub use self::books::{CreditAccount, MAX_LIMIT};
use self::{
    books::{Books, Command, Request},
    memory::Memory,
};
use crate::{
    execution::CommandContext,
    outbox::{Outbox, PATIENCE, Seq},
    relational::Database,
    services::ServiceError,
};

/// Customers' credit. Cheap to share behind an [`Arc`].
pub struct Credit {
    keeper: Keeper,
}

/// Where the books are.
enum Keeper {
    Database(Kept),
    Memory(Box<Memory>),
}

/// The books in the accounts' database.
struct Kept {
    database: Arc<Database>,
    outbox: Arc<Outbox>,
    log: Arc<dyn EventLog>,
}

impl Credit {
    pub(super) const fn within(database: Arc<Database>, outbox: Arc<Outbox>, log: Arc<dyn EventLog>) -> Self {
        Self {
            keeper: Keeper::Database(Kept { database, outbox, log }),
        }
    }

    /// The same books in memory, for a world that is simulated: gone with the process, and no task of their own. What the
    /// log does not take waits for [`Self::tell`], or for the next command.
    pub fn in_memory(log: Arc<dyn EventLog>) -> Self {
        Self {
            keeper: Keeper::Memory(Box::new(Memory::new(log))),
        }
    }

    /// Does what a saga asks: reserve, charge, release or refund. Answered by an event.
    ///
    /// # Errors
    /// When the state does not allow it, the command is not for credit, or the database fails.
    pub async fn execute(&self, directive: &Directive) -> Result<(), ServiceError> {
        use ServiceCommand as C;
        let command = match &directive.command {
            C::ReserveCredit {
                order_id,
                customer_id,
                amount,
            } => Command::Reserve(*order_id, *customer_id, *amount),
            C::ChargeCredit {
                order_id,
                shipment_id,
                amount,
            } => Command::Charge(*order_id, *shipment_id, *amount),
            C::ReleaseCredit { order_id, customer_id } => Command::Release(*order_id, *customer_id),
            C::RefundCredit {
                order_id,
                refund_id,
                amount,
            } => Command::Refund(*order_id, *refund_id, *amount),
            other => return Err(ServiceError::Fault(format!("not for credit: {other:?}"))),
        };
        let context = CommandContext::of_directive(directive, "accounts");
        self.submit(Request::new(command, &context)).await.map(|_| ())
    }

    /// How much a customer may owe from now on. What is reserved or owed beyond it stays.
    ///
    /// # Errors
    /// When the limit is not acceptable, or the database fails.
    pub async fn set_limit(
        &self,
        customer_id: CustomerId,
        limit: Money,
        context: &CommandContext,
    ) -> Result<Option<Position>, ServiceError> {
        let command = Command::SetLimit(customer_id, limit);
        self.submit(Request::new(command, context)).await
    }

    /// The customer paid some of what they owe. The same command again does nothing again.
    ///
    /// # Errors
    /// When it is more than is owed, the command's key was used with another body, or the database fails.
    pub async fn pay(
        &self,
        customer_id: CustomerId,
        amount: Money,
        context: &CommandContext,
    ) -> Result<Option<Position>, ServiceError> {
        let command = Command::Pay(customer_id, amount);
        self.submit(Request::new(command, context)).await
    }

    /// A customer's credit; none where no limit was ever set.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&self, customer_id: CustomerId) -> Result<Option<CreditAccount>, ServiceError> {
        match &self.keeper {
            Keeper::Database(kept) => {
                let mut reader = kept.database.reader().await?;
                Ok(tables::account(&mut reader, customer_id).await?)
            }
            Keeper::Memory(memory) => Ok(memory.account(customer_id)),
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

    async fn submit(&self, request: Request) -> Result<Option<Position>, ServiceError> {
        match &self.keeper {
            Keeper::Database(kept) => kept.submit(&request).await,
            Keeper::Memory(memory) => memory.submit(&request).await,
        }
    }
}

impl Kept {
    async fn submit(&self, request: &Request) -> Result<Option<Position>, ServiceError> {
        let mut transaction = self.database.begin().await?;
        let mut books = Books::load(&mut transaction, request).await?;
        books.apply(request)?;
        let seq = if books.outgoing.is_empty() {
            None
        } else {
            books.store(&mut transaction, request).await?;
            self.outbox.write(&mut transaction, &books.outgoing).await?
        };
        transaction.commit().await?;
        self.outbox.committed(seq);
        Ok(match request.is_from_outside() {
            true => self.position(seq).await,
            // A saga reads the answer in the log.
            false => None,
        })
    }

    /// From where the event of that number can be seen; for a repeat, anywhere from now on.
    async fn position(&self, seq: Option<Seq>) -> Option<Position> {
        match seq {
            Some(seq) => self.outbox.sent(seq, PATIENCE).await,
            None if self.outbox.drained(PATIENCE).await => self.log.head().await.ok(),
            None => None,
        }
    }
}
