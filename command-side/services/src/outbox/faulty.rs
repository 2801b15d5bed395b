//! A log that can be made to fail, for tests of those who must cope.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use event_log::{
    Append, AppendError, Appended, Direction, EventFilter, EventLog, ExpectedVersion, LogError, LogStats, Position,
    RecordedEvent, StreamSummary, StreamVersion, Subscription, memory::MemoryLog,
};
use event_schemas::StreamName;

/// The in-memory log behind a switch.
pub(crate) struct FaultyLog {
    inner: Arc<MemoryLog>,
    down: AtomicBool,
    /// Takes the next append, and loses the answer.
    lose_answer: AtomicBool,
    refused_type: Option<&'static str>,
    /// How often it was asked for anything while it was down.
    pub(crate) asked_in_vain: AtomicUsize,
}

impl FaultyLog {
    pub(crate) fn over(inner: Arc<MemoryLog>) -> Self {
        Self {
            inner,
            down: AtomicBool::new(false),
            lose_answer: AtomicBool::new(false),
            refused_type: None,
            asked_in_vain: AtomicUsize::new(0),
        }
    }

    /// Refuses events of that type for good.
    pub(crate) fn refusing(mut self, event_type: &'static str) -> Self {
        self.refused_type = Some(event_type);
        self
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    pub(crate) fn lose_next_answer(&self) {
        self.lose_answer.store(true, Ordering::SeqCst);
    }

    fn check(&self) -> Result<(), LogError> {
        if self.down.load(Ordering::SeqCst) {
            self.asked_in_vain.fetch_add(1, Ordering::SeqCst);
            return Err(LogError::Unavailable("switched off by the test".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl EventLog for FaultyLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.check()?;
        if append
            .events
            .iter()
            .any(|event| Some(event.event_type.as_str()) == self.refused_type)
        {
            return Err(AppendError::Refused("the test refuses this type".to_owned()));
        }
        let appended = self.inner.append(append).await?;
        if self.lose_answer.swap(false, Ordering::SeqCst) {
            return Err(LogError::Unavailable("the answer was lost by the test".to_owned()).into());
        }
        Ok(appended)
    }

    async fn tombstone(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError> {
        self.check()?;
        self.inner.tombstone(stream, expected).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        self.check()?;
        self.inner.read_stream(stream, from, direction, max).await
    }

    async fn read_all(
        &self,
        after: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.check()?;
        self.inner.read_all(after, filter, max).await
    }

    async fn read_all_backwards(
        &self,
        before: Option<Position>,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.check()?;
        self.inner.read_all_backwards(before, filter, max).await
    }

    async fn subscribe(self: Arc<Self>, after: Position, filter: EventFilter) -> Result<Subscription, LogError> {
        Arc::clone(&self.inner).subscribe(after, filter).await
    }

    async fn head(&self) -> Result<Position, LogError> {
        self.check()?;
        self.inner.head().await
    }

    async fn streams(&self, prefix: &str, after: Option<&str>, max: usize) -> Result<Vec<StreamSummary>, LogError> {
        self.inner.streams(prefix, after, max).await
    }

    async fn stats(&self) -> Result<LogStats, LogError> {
        self.inner.stats().await
    }
}

/// Everything in the log.
pub(crate) async fn all(log: &dyn EventLog) -> Vec<Arc<RecordedEvent>> {
    let mut all = vec![];
    let mut at = Position::START;
    loop {
        let (events, next) = log.read_all(at, &EventFilter::default(), 1000).await.unwrap();
        all.extend(events);
        if next == at {
            return all;
        }
        at = next;
    }
}
