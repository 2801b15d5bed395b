//! A log that counts what its followers were given.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use event_log::{
    EventFilter, EventLog, Follow, Intercept, LogError, Position, RecordedEvent, Subscription, memory::MemoryLog,
};

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
impl Intercept for Watched {
    fn behind(&self) -> Arc<dyn EventLog> {
        Arc::clone(&self.log)
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
}
