//! The streams of the log and its counts. The server has no such list, so the log is read, each event once in the life of this process.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
    sync::Arc,
};

use event_log::{EventFilter, LogError, LogStats, Position, STREAM_DELETED, StreamSummary, StreamVersion};
use tokio::sync::Mutex;

use crate::{
    events::{self, Foreign},
    log::EventStoreLog,
};

/// Events read at once.
const PAGE: usize = 1000;

#[derive(Default)]
pub(crate) struct Census(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    at: Position,
    events: u64,
    streams: BTreeMap<Arc<str>, Last>,
    /// How many hold an event beside a tombstone.
    alive: u64,
    categories: BTreeMap<String, u64>,
}

struct Last {
    version: StreamVersion,
    position: Position,
    holds_events: bool,
}

impl Counts {
    fn count(&mut self, event: &Foreign) {
        self.at = events::position(event);
        self.events += 1;
        let category = events::category(&event.stream_id);
        match self.categories.get_mut(category) {
            Some(count) => *count += 1,
            None => {
                self.categories.insert(category.to_owned(), 1);
            }
        }
        let last = match self.streams.entry(event.stream_id.as_str().into()) {
            Entry::Occupied(last) => last.into_mut(),
            Entry::Vacant(first) => first.insert(Last {
                version: 0,
                position: Position::START,
                holds_events: false,
            }),
        };
        (last.version, last.position) = (event.revision, self.at);
        if event.event_type != STREAM_DELETED && !last.holds_events {
            last.holds_events = true;
            self.alive += 1;
        }
    }
}

impl EventStoreLog {
    /// Counts what came since the last time.
    pub(crate) async fn count_on(&self) -> Result<(), LogError> {
        let everything = EventFilter::default();
        let mut counts = self.census.0.lock().await;
        loop {
            let page = self.read_positions(counts.at, PAGE, (&everything, PAGE)).await?;
            for event in &page {
                counts.count(event);
            }
            if page.is_empty() {
                return Ok(());
            }
        }
    }
}

impl Census {
    pub(crate) async fn page(&self, prefix: &str, after: Option<&str>, max: usize) -> Vec<StreamSummary> {
        let counts = self.0.lock().await;
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let range = counts.streams.range::<str, _>((from, Bound::Unbounded));
        range
            .take_while(|(name, _)| name.starts_with(prefix))
            // A name that the port has no room for cannot be asked for either.
            .filter_map(|(name, last)| {
                Some(StreamSummary {
                    stream: name.parse().ok()?,
                    version: last.version,
                    position: last.position,
                })
            })
            .take(max)
            .collect()
    }

    pub(crate) async fn stats(&self) -> LogStats {
        let counts = self.0.lock().await;
        let mut categories: Vec<_> = counts
            .categories
            .iter()
            .map(|(name, count)| (name.clone(), *count))
            .collect();
        categories.sort_by_key(|(_, count)| Reverse(*count));
        LogStats {
            events: counts.events,
            streams: counts.alive,
            head: counts.at,
            bytes_on_disk: None,
            categories,
        }
    }
}
