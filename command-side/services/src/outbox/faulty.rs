//! A log that can be made to fail, for tests of those who must cope.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use event_log::{
    Append, AppendError, Appended, EventFilter, EventLog, Intercept, LogError, Position, RecordedEvent,
    memory::MemoryLog,
};

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
impl Intercept for FaultyLog {
    fn behind(&self) -> Arc<dyn EventLog> {
        Arc::clone(&self.inner) as _
    }

    async fn before_reading(&self) -> Result<(), LogError> {
        self.check()
    }

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
