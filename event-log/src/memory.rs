//! The in-memory adapter, for tests: the whole port, nothing on disk.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use event_schemas::{NewEvent, StreamName, Timestamp};
use tokio::sync::watch;
use uuid::Uuid;

use crate::clock::{Clock, SystemClock};
use crate::port::{
    Append, AppendError, Appended, Direction, EventFilter, EventLog, ExpectedVersion, LogError, LogStats, Position,
    Recorded, RecordedEvent, StreamSummary, StreamVersion, Subscription, TOMBSTONE, stream_deleted,
};

/// An event log that lives as long as its last [`Arc`].
pub struct MemoryLog {
    events: Mutex<Events>,
    heads: watch::Sender<Position>,
    clock: Arc<dyn Clock>,
}

/// `all[p - 1]` is the event at position `p`.
#[derive(Default)]
struct Events {
    all: Vec<Arc<RecordedEvent>>,
    streams: BTreeMap<StreamName, Vec<Arc<RecordedEvent>>>,
    by_id: HashMap<Uuid, Arc<RecordedEvent>>,
}

impl MemoryLog {
    /// An empty log, shared from the start as [`EventLog::subscribe`] needs it.
    pub fn new() -> Arc<Self> {
        Self::by(Arc::new(SystemClock))
    }

    /// An empty log that records its events by this clock.
    pub fn by(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            events: Mutex::default(),
            heads: watch::Sender::new(Position::START),
            clock,
        })
    }

    /// A thread that panicked here left whole appends only: they are made of infallible steps.
    fn events(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Events {
    fn append(&mut self, append: Append, now: Timestamp) -> Result<Appended, AppendError> {
        let Append {
            stream,
            expected,
            events,
        } = append;
        let actual = self.version(&stream)?;
        if let Some(appended) = self.duplicate(&stream, &events)? {
            return Ok(appended);
        }
        if !expected.fits(actual) {
            return Err(AppendError::Conflict {
                stream,
                expected,
                actual,
            });
        }
        Ok(self.write(&stream, actual.map_or(0, |actual| actual + 1), events, now))
    }

    fn tombstone(
        &mut self,
        stream: &StreamName,
        expected: ExpectedVersion,
        now: Timestamp,
    ) -> Result<Appended, AppendError> {
        let actual = self.version(stream)?;
        if !expected.fits(actual) {
            return Err(AppendError::Conflict {
                stream: stream.clone(),
                expected,
                actual,
            });
        }
        Ok(self.write(stream, TOMBSTONE, vec![stream_deleted()], now))
    }

    /// The version of a stream's last event.
    fn version(&self, stream: &StreamName) -> Result<Option<StreamVersion>, AppendError> {
        let last = self.streams.get(stream).and_then(|own| own.last());
        match last.map(|last| last.version) {
            Some(TOMBSTONE) => Err(AppendError::Deleted { stream: stream.clone() }),
            version => Ok(version),
        }
    }

    /// The first of `events` gets the version `first`.
    fn write(&mut self, stream: &StreamName, first: StreamVersion, events: Vec<NewEvent>, now: Timestamp) -> Appended {
        // A clock that is set back does not make later events older.
        let last = self.all.last().map(|last| last.recorded_at);
        let recorded_at = last.map_or(now, |last| last.max(now));
        let own = self.streams.entry(stream.clone()).or_default();
        let (mut version, mut position) = (first, Position(self.all.len() as u64));
        for (event, next) in events.into_iter().zip(first..) {
            (version, position) = (next, Position(position.0 + 1));
            let recorded = Arc::new(RecordedEvent::new(Recorded {
                position,
                stream: stream.clone(),
                version,
                id: event.id,
                event_type: event.event_type.into(),
                recorded_at,
                content: event.content,
                metadata: event.metadata,
                data: event.data,
            }));
            own.push(Arc::clone(&recorded));
            self.by_id.insert(recorded.id, Arc::clone(&recorded));
            self.all.push(recorded);
        }
        Appended {
            version,
            position,
            duplicate: false,
        }
    }

    /// What the same append answered before, if it was made before.
    fn duplicate(&self, stream: &StreamName, events: &[NewEvent]) -> Result<Option<Appended>, AppendError> {
        let refused = |text: String| Err(AppendError::Refused(text));
        if events.is_empty() {
            return refused("it holds no event; append at least one".to_owned());
        }
        let mut ids = HashSet::new();
        if let Some(twice) = events.iter().find(|event| !ids.insert(event.id)) {
            return refused(format!("it holds the event id {} twice", twice.id));
        }
        let known: Vec<_> = events.iter().filter_map(|event| self.by_id.get(&event.id)).collect();
        if let Some(other) = known.iter().find(|known| known.stream != *stream) {
            return refused(format!("the event id {} stands in {} already", other.id, other.stream));
        }
        match known.last() {
            None => Ok(None),
            Some(last) if known.len() == events.len() => Ok(Some(Appended {
                version: last.version,
                position: last.position,
                duplicate: true,
            })),
            Some(last) => refused(format!(
                "some of its events, such as {}, are in {stream} already, others are not",
                last.id
            )),
        }
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let mut events = self.events();
        let appended = events.append(append, self.clock.now())?;
        // Published under the lock, so that heads never go backwards.
        self.heads.send_replace(Position(events.all.len() as u64));
        Ok(appended)
    }

    async fn tombstone(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError> {
        let mut events = self.events();
        let appended = events.tombstone(stream, expected, self.clock.now())?;
        self.heads.send_replace(appended.position);
        Ok(appended)
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let events = self.events();
        let Some(own) = events.streams.get(stream) else {
            return Ok(vec![]);
        };
        Ok(match direction {
            Direction::Forwards => {
                let start = own.partition_point(|event| event.version < from.unwrap_or(0));
                own[start..].iter().take(max).cloned().collect()
            }
            Direction::Backwards => {
                let end = own.partition_point(|event| from.is_none_or(|from| event.version <= from));
                own[..end].iter().rev().take(max).cloned().collect()
            }
        })
    }

    async fn read_all(
        &self,
        after: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        let events = self.events();
        let mut page = vec![];
        let mut at = after;
        let start = usize::try_from(after.0).unwrap_or(usize::MAX).min(events.all.len());
        for event in &events.all[start..] {
            if page.len() >= max {
                break;
            }
            at = event.position;
            if filter.passes(event.stream.category(), &event.event_type) {
                page.push(Arc::clone(event));
            }
        }
        Ok((page, at))
    }

    async fn read_all_backwards(
        &self,
        before: Option<Position>,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        let events = self.events();
        let end = before.map_or(usize::MAX, |before| usize::try_from(before.0).unwrap_or(usize::MAX));
        let end = end.saturating_sub(1).min(events.all.len());
        let mut page = vec![];
        for event in events.all[..end].iter().rev() {
            if page.len() >= max {
                return Ok((page, Position(event.position.0 + 1)));
            }
            if filter.passes(event.stream.category(), &event.event_type) {
                page.push(Arc::clone(event));
            }
        }
        Ok((page, Position::START))
    }

    async fn subscribe(self: Arc<Self>, after: Position, filter: EventFilter) -> Result<Subscription, LogError> {
        let heads = self.heads.subscribe();
        Ok(Subscription::new(self, heads, filter, after))
    }

    async fn head(&self) -> Result<Position, LogError> {
        Ok(*self.heads.borrow())
    }

    async fn streams(&self, prefix: &str, after: Option<&str>, max: usize) -> Result<Vec<StreamSummary>, LogError> {
        let events = self.events();
        let summaries = events.streams.iter().filter_map(|(stream, own)| {
            let wanted = stream.as_str().starts_with(prefix) && after.is_none_or(|after| stream.as_str() > after);
            let last = own.last().filter(|_| wanted)?;
            Some(StreamSummary {
                stream: stream.clone(),
                version: last.version,
                position: last.position,
            })
        });
        Ok(summaries.take(max).collect())
    }

    async fn stats(&self) -> Result<LogStats, LogError> {
        let events = self.events();
        let mut categories: BTreeMap<&str, u64> = BTreeMap::new();
        for (stream, own) in &events.streams {
            *categories.entry(stream.category()).or_default() += own.len() as u64;
        }
        let mut categories: Vec<_> = categories
            .into_iter()
            .map(|(category, count)| (category.to_owned(), count))
            .collect();
        categories.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Ok(LogStats {
            events: events.all.len() as u64,
            streams: events.streams.len() as u64,
            head: Position(events.all.len() as u64),
            bytes_on_disk: None,
            categories,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn keeps_the_contract() {
        crate::contract::all(|| async { MemoryLog::new() as Arc<dyn EventLog> }).await;
        crate::contract::appending::ids_stand_once_in_the_log(MemoryLog::new()).await;
    }
}
