//! A log that fails, or hides something, as the test wants it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use event_schemas::StreamName;

use crate::{
    Intercept,
    port::{
        Append, AppendError, Appended, EventFilter, EventLog, ExpectedVersion, LogError, Position, RecordedEvent,
        StreamVersion,
    },
};

/// What is odd about it.
enum Oddity {
    /// Takes so many appends; the next ones fail, the first of them perhaps after all.
    Cut { after: usize, lose_answer: bool },
    /// Every so-many-th append is done and not answered, the one after it not done.
    Fails { every: usize },
    /// The first events of a stream are not there.
    Hides { stream: StreamName, before: StreamVersion },
    /// Nothing works.
    Gone,
}

pub(super) struct OddLog {
    inner: Arc<dyn EventLog>,
    oddity: Oddity,
    asked: AtomicUsize,
}

impl OddLog {
    fn of(inner: &Arc<dyn EventLog>, oddity: Oddity) -> Self {
        Self {
            inner: Arc::clone(inner),
            oddity,
            asked: AtomicUsize::new(0),
        }
    }

    pub(super) fn cut_after(inner: &Arc<dyn EventLog>, after: usize, lose_answer: bool) -> Self {
        Self::of(inner, Oddity::Cut { after, lose_answer })
    }

    pub(super) fn failing_every(inner: &Arc<dyn EventLog>, every: usize) -> Self {
        Self::of(inner, Oddity::Fails { every })
    }

    pub(super) fn without(inner: &Arc<dyn EventLog>, stream: &str, before: StreamVersion) -> Self {
        let stream = stream.parse().unwrap();
        Self::of(inner, Oddity::Hides { stream, before })
    }

    pub(super) fn gone(inner: &Arc<dyn EventLog>) -> Self {
        Self::of(inner, Oddity::Gone)
    }

    /// Whether the write is done, and whether that is said.
    fn write(&self) -> (bool, bool) {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        match self.oddity {
            Oddity::Cut { after, lose_answer } => (asked < after || asked == after && lose_answer, asked < after),
            Oddity::Fails { every } => (asked % every != every - 1, asked % every < every - 2),
            Oddity::Hides { .. } => (true, true),
            Oddity::Gone => (false, false),
        }
    }
}

fn away() -> LogError {
    LogError::Unavailable("cut by the test".to_owned())
}

#[async_trait]
impl Intercept for OddLog {
    fn behind(&self) -> Arc<dyn EventLog> {
        Arc::clone(&self.inner)
    }

    async fn before_reading(&self) -> Result<(), LogError> {
        match self.oddity {
            Oddity::Gone => Err(away()),
            _ => Ok(()),
        }
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let (done, said) = self.write();
        if !done {
            return Err(away().into());
        }
        let appended = self.inner.append(append).await?;
        if said { Ok(appended) } else { Err(away().into()) }
    }

    async fn tombstone(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError> {
        let (done, said) = self.write();
        if !done {
            return Err(away().into());
        }
        let appended = self.inner.tombstone(stream, expected).await?;
        if said { Ok(appended) } else { Err(away().into()) }
    }

    async fn read_all(
        &self,
        after: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        let (mut events, at) = self.inner.read_all(after, filter, max).await?;
        if let Oddity::Hides { stream, before } = &self.oddity {
            events.retain(|event| event.stream != *stream || event.version >= *before);
        }
        Ok((events, at))
    }
}
