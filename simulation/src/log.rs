//! The log as the shop sees it in bad weather: slow, away, or silent about what it did.

use std::sync::Arc;

use async_trait::async_trait;
use event_log::{
    Append, AppendError, Appended, Direction, EventFilter, EventLog, ExpectedVersion, Follow, LogError, LogStats,
    Position, RecordedEvent, StreamSummary, StreamVersion, Subscription, memory::MemoryLog,
};
use event_schemas::StreamName;

use crate::weather::Weather;

/// The log and the weather.
pub struct StormyLog {
    /// What there is in truth.
    pub truth: Arc<MemoryLog>,
    /// What goes wrong.
    pub weather: Arc<Weather>,
}

impl StormyLog {
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
        let truth = Arc::clone(&self.truth).subscribe(after, filter).await?;
        Ok(Subscription::of(Box::new(Following { truth, log: self })))
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

struct Following {
    truth: Subscription,
    log: Arc<StormyLog>,
}

#[async_trait]
impl Follow for Following {
    async fn next(&mut self, max: usize) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.log.readable().await?;
        self.truth.next(max).await
    }
}
