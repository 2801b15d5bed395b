//! The embedded adapter: a durable log in a folder, on fjall, with group commit.
//!
//! - [`Folder`](folder::Folder): the lock, the format, the mark of what was acknowledged
//! - [`Store`](store::Store): the keyspaces; [`record`]: the bytes in them
//! - [`Writer`](writer::Writer): the one thread that writes; [`Batch`](batch::Batch): one group commit
//! - [`Shared`](shared::Shared): what readers read: the store, the [`Tail`](tail::Tail) of recent events, the head
//!
//! An append travels: limits → queue → batch (versions and ids checked) → one `fdatasync` → tail and head → answer.

mod batch;
mod filling;
mod folder;
mod journal;
mod limits;
mod record;
mod salvage;
mod shared;
mod store;
mod tables;
mod tail;
#[cfg(test)]
mod tests;
mod totals;
mod writer;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock, mpsc},
    thread::JoinHandle,
};

use async_trait::async_trait;
use event_schemas::{StreamName, Timestamp};
use tokio::sync::{oneshot, watch};

use self::{
    filling::Filling,
    folder::{Acknowledged, Folder},
    shared::Shared,
    store::Store,
    writer::{Order, Request, Writer},
};
pub use self::{
    folder::OpenError,
    limits::Limits,
    salvage::{SalvageError, SalvageProgress, SalvageStep, Salvaged, salvage},
};
use crate::port::{
    Append, AppendError, Appended, Direction, EventFilter, EventLog, ExpectedVersion, LogError, LogStats, Position,
    RecordedEvent, StreamSummary, StreamVersion, Subscription,
};

/// Reads of up to this many events are made where they are asked for: some microseconds when the store's cache holds them. Larger
/// ones go to the blocking pool, so that a replay does not keep a runtime thread from serving requests.
const INLINE_EVENTS: usize = 64;
/// How many records one such page may look at.
const INLINE_SCAN: usize = 256;
const BLOCKING_SCAN: usize = 8 * 1024;

/// How much memory and what appends the log takes.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What one append may hold.
    pub limits: Limits,
    /// Memory for the newest events, so that those who follow the log share them.
    pub tail_bytes: usize,
    /// Memory for blocks read from disk.
    pub cache_bytes: u64,
    /// Memory for what was appended and is in the journal only; half as much again for each of the two indexes.
    pub write_buffer_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            tail_bytes: 32 * 1024 * 1024,
            cache_bytes: 16 * 1024 * 1024,
            write_buffer_bytes: 16 * 1024 * 1024,
        }
    }
}

/// A durable event log in a folder. Closed by [`EmbeddedLog::close`] or with its last [`Arc`].
pub struct EmbeddedLog {
    shared: Arc<Shared>,
    /// None once closed. Unbounded: each waiting caller holds one append, and callers are bounded by whoever lets them in.
    queue: RwLock<Option<mpsc::Sender<Request>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl EmbeddedLog {
    /// Opens the log in `dir`, or makes one.
    ///
    /// # Errors
    /// See [`OpenError`]; each says what to do.
    pub fn open(dir: &Path) -> Result<Arc<Self>, OpenError> {
        Self::open_with(dir, Options::default())
    }

    /// As [`Self::open`], with other limits.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(dir: &Path, options: Options) -> Result<Arc<Self>, OpenError> {
        Self::open_at(dir, options, Timestamp::now)
    }

    fn open_at(dir: &Path, options: Options, clock: fn() -> Timestamp) -> Result<Arc<Self>, OpenError> {
        let folder = Folder::take(dir)?;
        let (acknowledged, mark) = Acknowledged::open(&folder)?;
        if mark.is_none() {
            clear_unfinished(&folder)?;
        } else if !folder.store().exists() {
            return Err(folder.damaged("its store is gone"));
        }
        let store = Store::open(&folder.store(), &options).map_err(|error| folder.refused(error))?;
        let counted = store.count().and_then(|totals| Ok((store.last()?, totals)));
        let ((head, recorded_at), totals) = counted.map_err(|error| folder.damaged(error.to_string()))?;
        check_end(&folder, head, totals.at, mark)?;
        let (published, receiver) = watch::channel(Position(head));
        let shared = Arc::new(Shared::new(dir.to_owned(), options, store, totals, receiver));
        let (sender, queue) = mpsc::channel();
        let writer = Writer {
            shared: Arc::clone(&shared),
            queue,
            published,
            acknowledged,
            counted: 0,
            clock,
            recorded_at,
            filling: Filling::new(folder.store()),
            trouble: None,
            folder,
        };
        let writer = std::thread::Builder::new()
            .name("event-log".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| OpenError::Io {
                dir: dir.to_owned(),
                detail: "starting its thread",
                source,
            })?;
        Ok(Arc::new(Self {
            shared,
            queue: RwLock::new(Some(sender)),
            writer: Mutex::new(Some(writer)),
        }))
    }

    /// Finishes what is in the queue, closes the store and gives up the folder. Appends and reads fail from here on, subscriptions end.
    /// Waits for the disk: some milliseconds.
    pub fn close(&self) {
        drop(self.queue.write().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the event log's thread panicked");
        }
    }

    /// Waits in the queue until it is done.
    async fn order(&self, order: Order) -> Result<Appended, AppendError> {
        let (reply, outcome) = oneshot::channel();
        let queued = match &*self.queue.read().unwrap_or_else(PoisonError::into_inner) {
            Some(queue) => queue.send(Request { order, reply }).is_ok(),
            None => false,
        };
        if !queued {
            return Err(LogError::Unavailable("the event log is closed".to_owned()).into());
        }
        let stopped = |_| LogError::Unavailable("the event log stopped".to_owned());
        outcome.await.map_err(stopped)?
    }

    /// Runs a read that may take a while where it keeps nobody waiting.
    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Shared) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let shared = Arc::clone(&self.shared);
        let read = tokio::task::spawn_blocking(move || read(&shared));
        read.await
            .unwrap_or_else(|error| Err(LogError::Unavailable(format!("a read was cut off: {error}"))))
    }
}

/// A process that was killed while it made the store left no event behind: fjall writes its version file before the first keyspace
/// (0 is its own), and without that file it would not go on where it stopped.
fn clear_unfinished(folder: &Folder) -> Result<(), OpenError> {
    let store = folder.store();
    if store.exists() && !store.join("version").exists() && !store.join("keyspaces/1").exists() {
        std::fs::remove_dir_all(&store).map_err(|source| folder.io("removing an unfinished store", source))?;
    }
    Ok(())
}

/// The store must reach as far as was acknowledged, and its counts must fit it.
fn check_end(folder: &Folder, head: u64, counted: u64, mark: Option<u64>) -> Result<(), OpenError> {
    if let Some(mark) = mark.filter(|mark| *mark > head) {
        return Err(folder.damaged(format!(
            "it ends at position {head}, but events up to {mark} had been written: the disk lost some \
             (to go on without them all the same, delete the file `acknowledged`)"
        )));
    }
    if counted != head {
        return Err(folder.damaged(format!("its counts go up to position {counted}, its events to {head}")));
    }
    Ok(())
}

impl Drop for EmbeddedLog {
    fn drop(&mut self) {
        self.close();
    }
}

#[async_trait]
impl EventLog for EmbeddedLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.shared.options.limits.check(&append)?;
        self.order(Order::Append(append)).await
    }

    async fn tombstone(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError> {
        let stream = stream.clone();
        self.order(Order::Tombstone { stream, expected }).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        // Most streams are short. Only what is left of a long one goes to another thread.
        let mut page = self
            .shared
            .stream_page(stream, from, direction, max.min(INLINE_EVENTS))?;
        let next = page.last().and_then(|last| match direction {
            Direction::Forwards => last.version.checked_add(1),
            Direction::Backwards => last.version.checked_sub(1),
        });
        if max > INLINE_EVENTS
            && page.len() == INLINE_EVENTS
            && let Some(next) = next
        {
            let stream = stream.clone();
            let rest = move |shared: &Shared| shared.stream_page(&stream, Some(next), direction, max - INLINE_EVENTS);
            page.append(&mut self.blocking(rest).await?);
        }
        Ok(page)
    }

    async fn read_all(
        &self,
        after: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        let head = self.shared.head();
        if after >= head || max == 0 {
            return Ok((vec![], after));
        }
        if let Some(page) = self.shared.tail().page(after, head, filter, max) {
            return Ok(page);
        }
        if max <= INLINE_EVENTS {
            return self.shared.page(after, filter, max, INLINE_SCAN);
        }
        let filter = filter.clone();
        self.blocking(move |shared| shared.page(after, &filter, max, BLOCKING_SCAN.max(max)))
            .await
    }

    async fn read_all_backwards(
        &self,
        before: Option<Position>,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        let end = Position(self.shared.head().0 + 1);
        let before = before.map_or(end, |before| before.min(end));
        if before.0 <= 1 {
            return Ok((vec![], Position::START));
        }
        if max == 0 {
            return Ok((vec![], before));
        }
        if let Some(page) = self.shared.tail().page_backwards(before, filter, max) {
            return Ok(page);
        }
        if max <= INLINE_EVENTS {
            return self.shared.page_backwards(before, filter, max, INLINE_SCAN);
        }
        let filter = filter.clone();
        self.blocking(move |shared| shared.page_backwards(before, &filter, max, BLOCKING_SCAN.max(max)))
            .await
    }

    async fn subscribe(self: Arc<Self>, after: Position, filter: EventFilter) -> Result<Subscription, LogError> {
        let heads = self.shared.published.clone();
        Ok(Subscription::new(self, heads, filter, after))
    }

    async fn head(&self) -> Result<Position, LogError> {
        Ok(self.shared.head())
    }

    async fn streams(&self, prefix: &str, after: Option<&str>, max: usize) -> Result<Vec<StreamSummary>, LogError> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.blocking(move |shared| shared.streams_page(&prefix, after.as_deref(), max))
            .await
    }

    async fn stats(&self) -> Result<LogStats, LogError> {
        let count = |shared: &Shared| {
            let totals = shared.totals.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let bytes_on_disk = Folder::bytes_on_disk(&shared.dir).map_err(|error| {
                LogError::Unavailable(format!("{} cannot be listed: {error}", shared.dir.display()))
            })?;
            Ok(LogStats {
                events: totals.at,
                streams: totals.streams,
                head: Position(totals.at),
                bytes_on_disk: Some(bytes_on_disk),
                categories: totals.categories(),
            })
        };
        self.blocking(count).await
    }
}
