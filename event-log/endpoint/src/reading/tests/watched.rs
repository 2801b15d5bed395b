//! A log that counts what its followers were given.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use event_log::{
    Append, AppendError, Appended, Direction, EventFilter, EventLog, ExpectedVersion, Follow, LogError, LogStats,
    Position, RecordedEvent, StreamSummary, StreamVersion, Subscription, memory::MemoryLog,
};
use event_schemas::StreamName;

/// A memory log whose readers are counted.
pub(super) struct Watched {
    log: Arc<dyn EventLog>,
    pub(super) counts: Arc<Counts>,
}

/// What is counted.
#[derive(Default)]
pub(super) struct Counts {
    followers: AtomicUsize,
    given: AtomicU64,
}

impl Counts {
    /// Followers there are, beside the endpoint's own.
    pub(super) fn followers(&self) -> usize {
        self.followers.load(Ordering::SeqCst)
    }

    /// Events that followers were given.
    pub(super) fn given(&self) -> u64 {
        self.given.load(Ordering::SeqCst)
    }
}

struct Counted {
    subscription: Subscription,
    counts: Arc<Counts>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.counts.followers.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Follow for Counted {
    async fn next(&mut self, max: usize) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        let page = self.subscription.next(max).await?;
        self.counts.given.fetch_add(page.0.len() as u64, Ordering::SeqCst);
        Ok(page)
    }
}

impl Watched {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            log: MemoryLog::new(),
            counts: Arc::default(),
        })
    }
}

#[async_trait]
impl EventLog for Watched {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.log.append(append).await
    }

    async fn tombstone(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError> {
        self.log.tombstone(stream, expected).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        self.log.read_stream(stream, from, direction, max).await
    }

    async fn read_all(
        &self,
        after: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.log.read_all(after, filter, max).await
    }

    async fn read_all_backwards(
        &self,
        before: Option<Position>,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.log.read_all_backwards(before, filter, max).await
    }

    async fn subscribe(self: Arc<Self>, after: Position, filter: EventFilter) -> Result<Subscription, LogError> {
        // The endpoint follows metadata for itself.
        let own = !filter.types.is_empty();
        let subscription = Arc::clone(&self.log).subscribe(after, filter).await?;
        if own {
            return Ok(subscription);
        }
        let counts = Arc::clone(&self.counts);
        counts.followers.fetch_add(1, Ordering::SeqCst);
        Ok(Subscription::of(Box::new(Counted { subscription, counts })))
    }

    async fn head(&self) -> Result<Position, LogError> {
        self.log.head().await
    }

    async fn streams(&self, prefix: &str, after: Option<&str>, max: usize) -> Result<Vec<StreamSummary>, LogError> {
        self.log.streams(prefix, after, max).await
    }

    async fn stats(&self) -> Result<LogStats, LogError> {
        self.log.stats().await
    }
}
