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
//! **Several processes** may share a database on a server. Each has a relay that sends every row it finds, in order, and the log
//! knows the repeats; a row that another process has sent and swept is in the log already. A relay looks again every second,
//! because rows may come from a process that ended before it sent them.
//!
//! **Sweeping.** A row that is in the log is deleted by the next transaction that writes rows, or by the relay when nothing
//! happens for a while: telling the log costs no fsync of its own.

#[cfg(test)]
pub(crate) mod faulty;
#[cfg(test)]
#[path = "suite.rs"]
#[expect(clippy::duplicate_mod, reason = "one suite, run on each engine")]
mod on_postgres;
#[cfg(test)]
#[path = "suite.rs"]
mod on_sqlite;
mod relay;
mod waiting;

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
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::timeout,
};
use uuid::Uuid;

use self::relay::Relay;
pub(crate) use self::waiting::Waiting;
use crate::relational::{Database, DatabaseError, Sql, Transaction, damaged};

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
    last_committed: Arc<AtomicI64>,
    committed: Arc<Notify>,
    sent: Arc<watch::Sender<Sent>>,
    relay: Mutex<Option<JoinHandle<()>>>,
}

/// A row as the database unpacks it from JSON: one statement with one parameter inserts any number.
#[derive(Serialize)]
struct Row<'a> {
    seq: i64,
    event_id: Uuid,
    stream: &'a str,
    event_type: &'a str,
    metadata: &'a str,
    data: &'a str,
}

const LAST_WAITING: &str = "SELECT coalesce(max(seq), 0) FROM outbox WHERE refused IS NULL";

const SWEEP: &str = "DELETE FROM outbox WHERE seq <= $1 AND refused IS NULL";

/// Numbers for so many rows: the last of them.
const NUMBER: &str = "UPDATE outbox_end SET seq = seq + $1 RETURNING seq";

const INSERT: Sql = Sql::each(
    "INSERT INTO outbox (seq, event_id, stream, event_type, metadata, data) \
     SELECT value ->> 'seq', value ->> 'event_id', value ->> 'stream', value ->> 'event_type', \
            value ->> 'metadata', value ->> 'data' \
     FROM json_each($1)",
    "INSERT INTO outbox (seq, event_id, stream, event_type, metadata, data) \
     SELECT (value ->> 'seq')::bigint, value ->> 'event_id', value ->> 'stream', value ->> 'event_type', \
            value ->> 'metadata', value ->> 'data' \
     FROM json_array_elements($1::json) AS value",
);

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
        let last: Option<(i64,)> = database.reader().await?.first(LAST_WAITING, []).await?;
        let committed = Arc::new(Notify::new());
        let nothing = Sent {
            seq: Seq(0),
            position: Position::START,
        };
        let sent = Arc::new(watch::Sender::new(nothing));
        let last_committed = Arc::new(AtomicI64::new(last.map_or(0, |(seq,)| seq)));
        let relay = Relay {
            database,
            log,
            committed: Arc::clone(&committed),
            last_committed: Arc::clone(&last_committed),
            sent: Arc::clone(&sent),
            settings,
        };
        Ok(Self {
            last_committed,
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
        transaction: &mut Transaction,
        events: &[Outgoing],
    ) -> Result<Option<Seq>, DatabaseError> {
        if events.is_empty() {
            return Ok(None);
        }
        let sent = self.sent.borrow().seq;
        transaction.run(SWEEP, [sent.0.into()]).await?;
        let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
        // Whoever holds the transaction holds the write lock: numbers grow in the order of the commits.
        let last: Option<(i64,)> = transaction.first(NUMBER, [count.into()]).await?;
        let Some((last,)) = last else {
            return Err(damaged("the outbox has lost its count"));
        };
        let rows: Vec<_> = (last - count + 1..)
            .zip(events)
            .map(|(seq, outgoing)| Row::new(seq, outgoing))
            .collect();
        let json = serde_json::to_string(&rows).unwrap_or_default();
        transaction.run(INSERT, [json.into()]).await?;
        Ok(Some(Seq(last)))
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
