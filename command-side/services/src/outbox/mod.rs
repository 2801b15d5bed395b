//! The outbox: how a relational database tells the log what it decided, without ever writing to both.
//!
//! Whoever changes the database writes the events into its table `outbox` in the same transaction ([`Outbox::write`]). The
//! relay, one task per database, appends them to the log under the ids they were given there, so that a crash between
//! the append and the note that it happened leads to a repeat that the log recognises, and nothing twice.
//!
//! **Order.** Rows are numbered under the database's write lock, so their order is the order of the commits. The relay hands
//! them to the log in that order and keeps many in flight: an append takes its place in the log's queue when it is first
//! polled, and [`FuturesOrdered`] polls in the order of pushing. So the numbers of pieces in the events, which are absolute,
//! stand in the log in the order in which they were true. An adapter that does not keep the order of appends under
//! way needs [`RelaySettings::in_flight`] = 1. The one exception is a log that fails in the middle of a page and takes a
//! later row of it: the earlier rows follow it when the log is back. They are all there, once.
//!
//! **Sweeping.** A row that is in the log is deleted by the next transaction that writes rows, or by the relay when nothing
//! happens for a while: telling the log costs no fsync of its own.

#[cfg(test)]
pub(crate) mod faulty;
mod relay;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use event_log::{EventLog, Position};
use event_schemas::{DomainEvent, Metadata, NewEvent, StreamName};
use serde::Serialize;
use sqlx::SqliteConnection;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::timeout,
};
use uuid::Uuid;

use crate::relational::{Database, DatabaseError};

/// How long a caller that wants a consistency token usually waits for its event to reach the log.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// An event and the stream it goes to.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Where to.
    pub stream: StreamName,
    /// What happened.
    pub event: NewEvent,
}

impl Outgoing {
    /// A domain event for the stream of the thing called `of`.
    pub fn new<E: DomainEvent>(of: Uuid, id: Uuid, event: &E, metadata: &Metadata) -> Self {
        Self {
            stream: E::CATEGORY.stream(of),
            event: NewEvent::new(id, event, metadata),
        }
    }
}

/// The number of a row in the outbox: greater than all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seq(i64);

/// How the relay works.
#[derive(Debug, Clone, Copy)]
pub struct RelaySettings {
    /// Appends under way at a time.
    pub in_flight: usize,
    /// The first pause after the log failed; doubled up to a hundred times this.
    pub first_pause: Duration,
    /// How long nothing must happen before the relay itself sweeps.
    pub sweep_after: Duration,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self {
            in_flight: 512,
            first_pause: Duration::from_millis(20),
            sweep_after: Duration::from_millis(500),
        }
    }
}

/// How far the relay has come.
#[derive(Debug, Clone, Copy)]
struct Sent {
    seq: Seq,
    position: Position,
}

/// A database's outbox and its relay, which ends when this is dropped.
#[derive(Debug)]
pub struct Outbox {
    next: AtomicI64,
    last_committed: AtomicI64,
    committed: Arc<Notify>,
    sent: Arc<watch::Sender<Sent>>,
    relay: Mutex<Option<JoinHandle<()>>>,
}

/// A row as SQLite unpacks it from JSON: one statement with one parameter inserts any number.
#[derive(Serialize)]
struct Row<'a> {
    seq: i64,
    event_id: Uuid,
    stream: &'a str,
    event_type: &'a str,
    metadata: &'a str,
    data: &'a str,
}

const LAST: &str = "\
    SELECT coalesce(max(seq), 0), coalesce(max(seq) FILTER (WHERE refused IS NULL), 0) FROM outbox";

const SWEEP: &str = "DELETE FROM outbox WHERE seq <= ?1 AND refused IS NULL";

const INSERT: &str = "\
    INSERT INTO outbox (seq, event_id, stream, event_type, metadata, data) \
    SELECT value ->> 'seq', value ->> 'event_id', value ->> 'stream', value ->> 'event_type', \
           value ->> 'metadata', value ->> 'data' \
    FROM json_each(?1)";

impl Outbox {
    /// Starts the relay of `database`, beginning with the rows that an earlier process left behind.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub async fn start(
        database: Arc<Database>,
        log: Arc<dyn EventLog>,
        settings: RelaySettings,
    ) -> Result<Self, DatabaseError> {
        let (last, last_waiting): (i64, i64) = sqlx::query_as(LAST).fetch_one(database.readers()).await?;
        let committed = Arc::new(Notify::new());
        let nothing = Sent {
            seq: Seq(0),
            position: Position::START,
        };
        let sent = Arc::new(watch::Sender::new(nothing));
        let relay = relay::Relay::new(database, log, Arc::clone(&committed), Arc::clone(&sent), settings);
        Ok(Self {
            next: AtomicI64::new(last.saturating_add(1)),
            last_committed: AtomicI64::new(last_waiting),
            committed,
            sent,
            relay: Mutex::new(Some(tokio::spawn(relay.run()))),
        })
    }

    /// Writes events into the caller's transaction. After its commit, call [`Self::committed`].
    ///
    /// The number returned is that of the last event; none where there are none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write(
        &self,
        transaction: &mut SqliteConnection,
        events: &[Outgoing],
    ) -> Result<Option<Seq>, DatabaseError> {
        if events.is_empty() {
            return Ok(None);
        }
        let sent = self.sent.borrow().seq;
        sqlx::query(SWEEP).bind(sent.0).execute(&mut *transaction).await?;
        // Whoever holds the transaction holds the write lock: numbers grow in the order of the commits. One that is
        // rolled back leaves a gap, which nobody minds.
        let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        let rows: Vec<_> = (first..)
            .zip(events)
            .map(|(seq, outgoing)| Row::new(seq, outgoing))
            .collect();
        let json = serde_json::to_string(&rows).unwrap_or_default();
        sqlx::query(INSERT).bind(json).execute(&mut *transaction).await?;
        Ok(Some(Seq(first + count - 1)))
    }

    /// Tells the relay that rows up to this one are there to be sent.
    pub fn committed(&self, last: Option<Seq>) {
        let Some(last) = last else { return };
        self.last_committed.fetch_max(last.0, Ordering::Relaxed);
        self.committed.notify_one();
    }

    /// Waits until the event of that number is in the log: a position from which it can be seen, or none when `patience`
    /// ran out, in which case it follows later.
    pub async fn sent(&self, seq: Seq, patience: Duration) -> Option<Position> {
        let mut sent = self.sent.subscribe();
        let reached = timeout(patience, sent.wait_for(|sent| sent.seq >= seq)).await;
        reached.ok()?.ok().map(|sent| sent.position)
    }

    /// Waits until everything that was committed is in the log; false when `patience` ran out.
    pub async fn drained(&self, patience: Duration) -> bool {
        let last = Seq(self.last_committed.load(Ordering::Relaxed));
        last.0 == 0 || self.sent(last, patience).await.is_some()
    }

    /// Stops the relay; what it has not sent, the next process sends.
    pub fn stop(&self) {
        let relay = self.relay.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(relay) = relay {
            relay.abort();
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<'a> Row<'a> {
    fn new(seq: i64, outgoing: &'a Outgoing) -> Self {
        // Invariant: both were written by serde_json and are UTF-8.
        let text = |json: &'a [u8]| str::from_utf8(json).unwrap_or_default();
        Self {
            seq,
            event_id: outgoing.event.id,
            stream: outgoing.stream.as_str(),
            event_type: &outgoing.event.event_type,
            metadata: text(&outgoing.event.metadata),
            data: text(&outgoing.event.data),
        }
    }
}
