//! Logs in front of a log.

use std::sync::Arc;

use async_trait::async_trait;
use event_schemas::StreamName;

use crate::port::{
    Append, AppendError, Appended, Direction, EventFilter, EventLog, ExpectedVersion, LogError, LogStats, Position,
    RecordedEvent, StreamSummary, StreamVersion, Subscription,
};

/// A log in front of another one: it says what is different, and leaves everything else to the log behind it. Tests put such
/// logs between, which fail, hide or count.
#[async_trait]
pub trait Intercept: Send + Sync + 'static {
    /// The log behind it.
    fn behind(&self) -> Arc<dyn EventLog>;

    /// Comes before everything that reads.
    ///
    /// # Errors
    /// When nothing is to be read.
    async fn before_reading(&self) -> Result<(), LogError> {
        Ok(())
    }

    /// See [`EventLog::append`].
    ///
    /// # Errors
    /// As there.
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.behind().append(append).await
    }

    /// See [`EventLog::tombstone`].
    ///
    /// # Errors
    /// As there.
    async fn tombstone(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError> {
        self.behind().tombstone(stream, expected).await
    }

    /// See [`EventLog::read_all`].
    ///
    /// # Errors
    /// As there.
    async fn read_all(
        &self,
        after: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.behind().read_all(after, filter, max).await
    }

    /// See [`EventLog::subscribe`].
    ///
    /// # Errors
    /// As there.
    async fn subscribe(self: Arc<Self>, after: Position, filter: EventFilter) -> Result<Subscription, LogError> {
        self.behind().subscribe(after, filter).await
    }
}

#[async_trait]
impl<L: Intercept> EventLog for L {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        Intercept::append(self, append).await
    }

    async fn tombstone(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError> {
        Intercept::tombstone(self, stream, expected).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        self.before_reading().await?;
        self.behind().read_stream(stream, from, direction, max).await
    }

    async fn read_all(
        &self,
        after: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.before_reading().await?;
        Intercept::read_all(self, after, filter, max).await
    }

    async fn read_all_backwards(
        &self,
        before: Option<Position>,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.before_reading().await?;
        self.behind().read_all_backwards(before, filter, max).await
    }

    async fn subscribe(self: Arc<Self>, after: Position, filter: EventFilter) -> Result<Subscription, LogError> {
        self.before_reading().await?;
        Intercept::subscribe(self, after, filter).await
    }

    async fn head(&self) -> Result<Position, LogError> {
        self.before_reading().await?;
        self.behind().head().await
    }

    async fn streams(&self, prefix: &str, after: Option<&str>, max: usize) -> Result<Vec<StreamSummary>, LogError> {
        self.before_reading().await?;
        self.behind().streams(prefix, after, max).await
    }

    async fn stats(&self) -> Result<LogStats, LogError> {
        self.before_reading().await?;
        self.behind().stats().await
    }
}
