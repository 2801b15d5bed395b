//! The one thread that writes.
//!
//! It takes all that waits in the queue, writes it as one batch with one `fdatasync`, shows it to the readers, and then answers the
//! callers. While it waits for the disk the next batch gathers, so the more callers there are, the fewer syncs each one costs.

use std::{
    io,
    sync::{
        Arc, PoisonError,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use event_schemas::{StreamName, Timestamp};
use tokio::sync::{oneshot, watch};

use super::{
    batch::Batch,
    filling::Filling,
    folder::{Acknowledged, Folder, is_read_only},
    shared::{Shared, Slot, StreamHead},
    store::{Store, StoreError},
    totals::Totals,
};
use crate::port::{Append, AppendError, Appended, ExpectedVersion, LogError, Position, RecordedEvent};

/// The most appends of one batch, and the most bytes: a batch is held in memory, and everyone in it waits for all of it.
const BATCH_APPENDS: usize = 1024;
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// After a failure the store is opened again at most this often, when there is something to append.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// What can wait in the queue.
pub(super) enum Order {
    Append(Append),
    Tombstone {
        stream: StreamName,
        expected: ExpectedVersion,
    },
}

/// An order, and who waits for it.
pub(super) struct Request {
    pub(super) order: Order,
    pub(super) reply: oneshot::Sender<Result<Appended, AppendError>>,
}

impl Request {
    fn bytes(&self) -> usize {
        let events = match &self.order {
            Order::Append(append) => append.events.iter(),
            Order::Tombstone { .. } => [].iter(),
        };
        events.map(|event| event.data.len() + event.metadata.len()).sum()
    }
}

/// What the writer's thread owns.
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) queue: Receiver<Request>,
    pub(super) published: watch::Sender<Position>,
    pub(super) acknowledged: Acknowledged,
    /// Up to where the stored counts go.
    pub(super) counted: u64,
    pub(super) clock: fn() -> Timestamp,
    /// When the last event was recorded: no later one is older, even when the clock is set back.
    pub(super) recorded_at: Timestamp,
    pub(super) filling: Filling,
    /// Why the last batch failed, and when.
    pub(super) trouble: Option<(String, Instant)>,
    /// Given up last, when the store is closed.
    pub(super) folder: Folder,
}

/// What a batch brought about, once it is durable.
struct Written {
    events: Vec<Arc<RecordedEvent>>,
    heads: Vec<(StreamName, StreamHead)>,
}

type Answer = (
    oneshot::Sender<Result<Appended, AppendError>>,
    Result<Appended, AppendError>,
);

impl Writer {
    /// Until the last sender of the queue is gone.
    pub(super) fn run(mut self) {
        let mut requests = vec![];
        while let Some(first) = self.next() {
            let mut bytes = first.bytes();
            requests.push(first);
            while requests.len() < BATCH_APPENDS
                && bytes < BATCH_BYTES
                && let Ok(request) = self.queue.try_recv()
            {
                bytes += request.bytes();
                requests.push(request);
            }
            self.write(&mut requests);
            self.filling.go_on(bytes);
        }
        self.acknowledge();
        *self.shared.slot() = Slot::Gone("the event log is closed".to_owned());
    }

    /// The next append; catches up with the mark when there is none for a while.
    fn next(&mut self) -> Option<Request> {
        let head = self.shared.head().0;
        if self.acknowledged.is_due(head) {
            self.acknowledged.write(head);
        }
        if self.acknowledged.is_behind(head) {
            match self.queue.recv_timeout(Acknowledged::PAUSE) {
                Ok(request) => return Some(request),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.acknowledge(),
            }
        }
        self.queue.recv().ok()
    }

    fn acknowledge(&mut self) {
        let head = self.shared.head().0;
        if self.acknowledged.is_behind(head) {
            self.acknowledged.write(head);
        }
    }

    fn write(&mut self, requests: &mut Vec<Request>) {
        if let Err(why) = self.recover() {
            for request in requests.drain(..) {
                // A caller that no longer waits needs no answer; so below.
                let _ = request.reply.send(Err(LogError::Unavailable(why.clone()).into()));
            }
            return;
        }
        let (replies, orders): (Vec<_>, Vec<_>) =
            requests.drain(..).map(|request| (request.reply, request.order)).unzip();
        match self.commit(orders) {
            Ok((written, outcomes)) => self.show(written, replies.into_iter().zip(outcomes)),
            Err(error) => {
                // Even what would have been refused: it was compared with events that are not there now.
                for reply in replies {
                    let _ = reply.send(Err(error.clone().into()));
                }
            }
        }
    }

    /// Makes a batch durable.
    fn commit(&mut self, orders: Vec<Order>) -> Result<(Written, Vec<Result<Appended, AppendError>>), LogError> {
        let shared = Arc::clone(&self.shared);
        let mut failed = None;
        let outcome = shared.with_store(|store| {
            let recorded_at = self.recorded_at.max((self.clock)());
            let mut batch = Batch::new(&shared, store, recorded_at);
            let outcomes = orders.into_iter().map(|order| match order {
                Order::Append(append) => batch.admit(append),
                Order::Tombstone { stream, expected } => batch.admit_tombstone(stream, expected),
            });
            let outcomes: Vec<_> = outcomes.collect();
            if !batch.events.is_empty() {
                let totals = self.totals_to_store();
                let started = Instant::now();
                if let Err(error) = batch.commit(totals.as_ref()) {
                    failed = Some(error);
                    return Err(LogError::Unavailable(String::new()));
                }
                metrics::counter!("event_log_appended_events_total").increment(batch.events.len() as u64);
                metrics::histogram!("event_log_batch_events").record(batch.events.len() as f64);
                metrics::histogram!("event_log_commit_seconds").record(started.elapsed().as_secs_f64());
                self.counted = totals.map_or(self.counted, |totals| totals.at);
                self.recorded_at = recorded_at;
            }
            let written = Written {
                events: batch.events,
                heads: batch.heads.into_iter().collect(),
            };
            Ok((written, outcomes))
        });
        match failed {
            None => outcome,
            Some(error) => Err(self.fail(error)),
        }
    }

    /// The counts up to the last batch, when it is time to store them.
    fn totals_to_store(&self) -> Option<Totals> {
        let totals = self.shared.totals.lock().unwrap_or_else(PoisonError::into_inner);
        (totals.at >= self.counted + Totals::PACE).then(|| totals.clone())
    }

    /// Readers first, then the callers: who gets an answer can read what was written.
    fn show(&self, written: Written, answers: impl Iterator<Item = Answer>) {
        let last = written.events.last().map(|event| event.position);
        if let Some(position) = last {
            let mut totals = self.shared.totals.lock().unwrap_or_else(PoisonError::into_inner);
            for event in &written.events {
                totals.count(event.position.0, event.stream.category(), event.version == 0);
            }
            drop(totals);
            let mut tail = self.shared.tail_mut();
            written.events.into_iter().for_each(|event| tail.push(event));
            drop(tail);
            for (stream, head) in written.heads {
                self.shared.heads.insert(stream, head);
            }
            self.published.send_replace(position);
        }
        for (reply, outcome) in answers {
            let _ = reply.send(outcome);
        }
    }

    fn fail(&mut self, error: fjall::Error) -> LogError {
        let dir = self.shared.dir.display();
        let cause = match &error {
            fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error)) => Some(error.kind()),
            _ => None,
        };
        // A background flush failed: its error is not told here.
        let cause = cause.or_else(|| probe(&self.folder).err().map(|error| error.kind()));
        let why = match cause {
            Some(kind) if is_full(kind) => {
                format!("the disk is full: free space for {dir}, appends go on by themselves then")
            }
            Some(kind) if is_read_only(kind) => {
                format!("{dir} cannot be written to any more: make it writable again, appends go on by themselves then")
            }
            _ => format!("writing to {dir} failed ({error}): check the disk, appends are tried again"),
        };
        tracing::error!(reason = %why, "the event log takes no appends");
        self.trouble = Some((why.clone(), Instant::now()));
        LogError::Unavailable(why)
    }

    /// After a failed write fjall takes no further ones, rightly: what reached the disk is not known. Opening the store again
    /// finds out. Readers go on until then.
    fn recover(&mut self) -> Result<(), String> {
        let Some((why, at)) = &mut self.trouble else {
            return Ok(());
        };
        if at.elapsed() < RETRY_PAUSE || probe(&self.folder).is_err() {
            return Err(why.clone());
        }
        *at = Instant::now();
        let why = why.clone();
        let mut slot = self.shared.slot();
        // Closed before it is opened again.
        *slot = Slot::Gone(why.clone());
        let reopened = Store::open(&self.folder.store(), &self.shared.options).and_then(|store| {
            let totals = store.count().map_err(|error| StoreError::Damaged(error.to_string()))?;
            Ok((store, totals))
        });
        let (store, totals) = reopened.map_err(|error| {
            tracing::error!(?error, "the event log could not be opened again");
            why
        })?;
        let head = Position(totals.at);
        // The failed batch may be whole on the disk after all. Then it counts, and whoever appends it again is told so.
        self.shared.heads.clear();
        self.shared.tail_mut().clear();
        *self.shared.totals.lock().unwrap_or_else(PoisonError::into_inner) = totals;
        *slot = Slot::Open(store);
        drop(slot);
        if head != self.shared.head() {
            self.published.send_replace(head);
        }
        self.trouble = None;
        tracing::info!(%head, "the event log takes appends again");
        Ok(())
    }
}

fn is_full(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(kind, StorageFull | QuotaExceeded | FileTooLarge)
}

/// Whether the disk takes a megabyte.
fn probe(folder: &Folder) -> io::Result<()> {
    let path = folder.dir().join("probe");
    let written = std::fs::write(&path, vec![1; 1024 * 1024]).and_then(|()| std::fs::File::open(&path)?.sync_all());
    let removed = std::fs::remove_file(&path);
    written.and(removed)
}
