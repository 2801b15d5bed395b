//! The log as the shop sees it in bad weather: slow, away, or silent about what it did.

use std::{pin::pin, sync::Arc};

use async_trait::async_trait;
use event_log::{
    Append, AppendError, Appended, Direction, EventFilter, EventLog, ExpectedVersion, Follow, LogError, LogStats,
    Position, RecordedEvent, StreamSummary, StreamVersion, Subscription, memory::MemoryLog,
};
use event_schemas::StreamName;
use tokio::sync::Notify;

use crate::{
    clock::{VirtualClock, WallClock},
    weather::Weather,
};

/// The log and the weather.
pub struct StormyLog {
    /// What there is in truth.
    pub truth: Arc<MemoryLog>,
    /// What goes wrong.
    pub weather: Arc<Weather>,
    /// Rung after each append.
    news: Notify,
}

impl StormyLog {
    /// An empty log in that weather.
    pub fn new(weather: &Arc<Weather>, clock: &Arc<VirtualClock>) -> Arc<Self> {
        Arc::new(Self {
            truth: MemoryLog::by(Arc::new(WallClock(Arc::clone(clock)))),
            weather: Arc::clone(weather),
            news: Notify::new(),
        })
    }

    /// Everything, whatever the weather: for those who are not the shop.
    pub fn witness(self: Arc<Self>, filter: EventFilter) -> Subscription {
        let (log, at, always) = (self, Position::START, true);
        Subscription::of(Box::new(Following {
            log,
            filter,
            at,
            always,
        }))
    }

    async fn readable(&self) -> Result<(), LogError> {
        self.weather.takes(|storm| storm.log_takes).await;
        if self.weather.hits(|storm| storm.read_fails) {
            return Err(unavailable("it cannot be read"));
        }
        Ok(())
    }
}

fn unavailable(why: &str) -> LogError {
    LogError::Unavailable(format!("bad weather: {why}"))
}

#[async_trait]
impl EventLog for StormyLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.weather.takes(|storm| storm.log_takes).await;
        if self.weather.hits(|storm| storm.append_fails) {
            return Err(unavailable("it takes nothing").into());
        }
        let appended = self.truth.append(append).await;
        self.news.notify_waiters();
        // Whoever is killed here leaves an event behind of which it knows nothing.
        self.weather.takes(|storm| storm.log_takes).await;
        if self.weather.hits(|storm| storm.append_forgotten) {
            return Err(unavailable("its answer was lost").into());
        }
        appended
    }

    async fn tombstone(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError> {
        self.truth.tombstone(stream, expected).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        self.readable().await?;
        self.truth.read_stream(stream, from, direction, max).await
    }

    async fn read_all(
        &self,
        after: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.readable().await?;
        self.truth.read_all(after, filter, max).await
    }

    async fn read_all_backwards(
        &self,
        before: Option<Position>,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.readable().await?;
        self.truth.read_all_backwards(before, filter, max).await
    }

    async fn subscribe(self: Arc<Self>, after: Position, filter: EventFilter) -> Result<Subscription, LogError> {
        self.readable().await?;
        let (log, at, always) = (self, after, false);
        Ok(Subscription::of(Box::new(Following {
            log,
            filter,
            at,
            always,
        })))
    }

    async fn head(&self) -> Result<Position, LogError> {
        self.readable().await?;
        self.truth.head().await
    }

    async fn streams(&self, prefix: &str, after: Option<&str>, max: usize) -> Result<Vec<StreamSummary>, LogError> {
        self.readable().await?;
        self.truth.streams(prefix, after, max).await
    }

    async fn stats(&self) -> Result<LogStats, LogError> {
        self.readable().await?;
        self.truth.stats().await
    }
}

/// Reads on when there is news. The truth's own subscriptions would do but for one thing: they are woken in no fixed order.
struct Following {
    log: Arc<StormyLog>,
    filter: EventFilter,
    at: Position,
    /// In bad weather as in good.
    always: bool,
}

#[async_trait]
impl Follow for Following {
    async fn next(&mut self, max: usize) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        let log = Arc::clone(&self.log);
        if !self.always {
            log.readable().await?;
        }
        loop {
            let mut news = pin!(log.news.notified());
            news.as_mut().enable();
            let (events, at) = log.truth.read_all(self.at, &self.filter, max).await?;
            if at > self.at {
                self.at = at;
                return Ok((events, at));
            }
            news.await;
        }
    }
}
