//! The contract suite: what every adapter of [`EventLog`] must do, whatever it stands on.
//!
//! An adapter's test calls [`all`], or one check after the other where it has a reason to leave one out. Each check works under
//! category names of its own, so it also runs against a server whose log holds other events already. A check that does not hold
//! panics with what it saw.
//!
//! This is no `#[cfg(test)]` module because adapters in other crates call it; nothing else does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "asserts, as in tests")]
#![allow(clippy::expect_used, reason = "asserts, as in tests")]

pub mod appending;
pub mod deleting;
pub mod following;
pub mod foreign;
pub mod reading;

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use event_schemas::{ContentType, NewEvent, StreamName};
use uuid::Uuid;

use crate::port::{Append, AppendError, Appended, EventFilter, EventLog, ExpectedVersion, Position, RecordedEvent};

/// Longer than any check needs on a slow machine: one that waits for ever fails instead.
const DEADLINE: Duration = Duration::from_secs(60);

/// Every check that all adapters pass, each on a log that `make` makes (or the same one each time). Beyond them there is
/// [`appending::ids_stand_once_in_the_log`], a promise of the embedded and the in-memory log.
pub async fn all<Made: Future<Output = Arc<dyn EventLog>>>(make: impl Fn() -> Made) {
    appending::all(&make).await;
    deleting::all(&make).await;
    foreign::all(&make).await;
    reading::all(&make).await;
    following::all(&make).await;
}

/// A corner of a log that belongs to one check.
#[derive(Clone)]
struct Corner {
    log: Arc<dyn EventLog>,
    category: String,
}

impl Corner {
    fn of(log: &Arc<dyn EventLog>) -> Self {
        Self {
            log: Arc::clone(log),
            category: format!("contract{}", Uuid::now_v7().simple()),
        }
    }

    fn stream(&self, id: &str) -> StreamName {
        format!("{}-{id}", self.category).parse().unwrap()
    }

    fn filter(&self) -> EventFilter {
        EventFilter {
            categories: vec![self.category.clone()],
            types: vec![],
        }
    }

    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedVersion,
        events: &[NewEvent],
    ) -> Result<Appended, AppendError> {
        let append = Append {
            stream: stream.clone(),
            expected,
            events: events.to_vec(),
        };
        within(self.log.append(append)).await
    }

    /// Appends to a stream of which nothing is expected.
    async fn add(&self, stream: &str, events: &[NewEvent]) -> Appended {
        let stream = self.stream(stream);
        self.append(&stream, ExpectedVersion::Any, events).await.unwrap()
    }

    /// Everything after `after` that passes, by pages of `page`.
    async fn read_on(&self, after: Position, filter: &EventFilter, page: usize) -> Vec<Arc<RecordedEvent>> {
        let mut all = vec![];
        let mut at = after;
        loop {
            let (events, next) = self.log.read_all(at, filter, page).await.unwrap();
            assert!(events.len() <= page, "{} events on a page of {page}", events.len());
            assert!(next >= at, "the position went back from {at} to {next}");
            assert!(
                events.iter().all(|event| at < event.position && event.position <= next),
                "a page from {at} to {next} holds {:?}",
                events.iter().map(|event| event.position.0).collect::<Vec<_>>()
            );
            if next == at {
                assert!(events.is_empty());
                return all;
            }
            all.extend(events);
            at = next;
        }
    }

    /// Everything between `after` and `before` that passes, newest first, by pages of `page`.
    async fn read_back(
        &self,
        before: Option<Position>,
        after: Position,
        filter: &EventFilter,
        page: usize,
    ) -> Vec<Arc<RecordedEvent>> {
        let mut all = vec![];
        let mut at = before;
        loop {
            let (events, next) = self.log.read_all_backwards(at, filter, page).await.unwrap();
            assert!(events.len() <= page, "{} events on a page of {page}", events.len());
            let falling = events.is_sorted_by(|newer, older| newer.position > older.position);
            assert!(
                falling
                    && events
                        .iter()
                        .all(|event| event.position >= next && at.is_none_or(|at| event.position < at)),
                "a page back from {at:?} to {next} holds {:?}",
                events.iter().map(|event| event.position.0).collect::<Vec<_>>()
            );
            all.extend(events.into_iter().filter(|event| event.position > after));
            if next <= after {
                return all;
            }
            assert!(at.is_none_or(|at| next < at), "{next} is no further back than {at:?}");
            at = Some(next);
        }
    }
}

async fn within<T>(waiting: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, waiting)
        .await
        .expect("the log did not answer in time")
}

/// A new event whose data says what it is.
fn event(event_type: &str, data: &str) -> NewEvent {
    NewEvent {
        id: Uuid::now_v7(),
        event_type: event_type.to_owned(),
        content: ContentType::Json,
        metadata: Bytes::from_static(br#"{"schema_version":1}"#),
        data: Bytes::from(serde_json::to_vec(data).unwrap()),
    }
}

fn events(event_type: &str, count: usize) -> Vec<NewEvent> {
    (0..count).map(|index| event(event_type, &index.to_string())).collect()
}

fn ids(events: &[Arc<RecordedEvent>]) -> Vec<Uuid> {
    events.iter().map(|event| event.id).collect()
}

fn new_ids(events: &[NewEvent]) -> Vec<Uuid> {
    events.iter().map(|event| event.id).collect()
}
