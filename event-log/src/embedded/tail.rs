//! The newest events, kept in memory.

use std::{collections::VecDeque, sync::Arc};

use crate::port::{EventFilter, Position, RecordedEvent};

/// What an event costs beside its bytes: itself, and its decoded form once a subscriber asked for that.
const OVERHEAD: usize = 512;

/// The last events in the order of their positions, without gaps, bounded by bytes.
///
/// Subscribers and sagas live here: they share one decoded event and touch no disk.
pub(super) struct Tail {
    events: VecDeque<Arc<RecordedEvent>>,
    bytes: usize,
    limit: usize,
}

impl Tail {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            events: VecDeque::new(),
            bytes: 0,
            limit,
        }
    }

    /// The decoded form is about as large as the JSON it comes from.
    fn cost(event: &RecordedEvent) -> usize {
        OVERHEAD + 2 * (event.metadata.len() + event.data.len())
    }

    /// Takes the next event and lets go of the oldest ones.
    pub(super) fn push(&mut self, event: Arc<RecordedEvent>) {
        self.bytes += Self::cost(&event);
        self.events.push_back(event);
        while self.bytes > self.limit
            && let Some(oldest) = self.events.pop_front()
        {
            self.bytes -= Self::cost(&oldest);
        }
    }

    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.bytes = 0;
    }

    fn index(&self, position: u64) -> Option<usize> {
        let first = self.events.front()?.position.0;
        usize::try_from(position.checked_sub(first)?).ok()
    }

    pub(super) fn get(&self, position: u64) -> Option<Arc<RecordedEvent>> {
        self.events.get(self.index(position)?).cloned()
    }

    /// As [`crate::EventLog::read_all`] up to `head`; none if the first event wanted is too old to be here.
    pub(super) fn page(
        &self,
        after: Position,
        head: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Option<(Vec<Arc<RecordedEvent>>, Position)> {
        let start = self.index(after.0 + 1)?;
        let mut page = vec![];
        let mut at = after;
        for event in self.events.iter().skip(start) {
            if page.len() >= max || event.position > head {
                break;
            }
            at = event.position;
            if filter.passes(event.stream.category(), &event.event_type) {
                page.push(Arc::clone(event));
            }
        }
        Some((page, at))
    }

    /// As [`crate::EventLog::read_all_backwards`], as far back as the oldest event here; none if the first one wanted is older.
    pub(super) fn page_backwards(
        &self,
        before: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Option<(Vec<Arc<RecordedEvent>>, Position)> {
        let last = self.index(before.0.checked_sub(1)?)?;
        let mut page = vec![];
        let mut at = before;
        for event in self.events.iter().take(last + 1).rev() {
            if page.len() >= max {
                break;
            }
            at = event.position;
            if filter.passes(event.stream.category(), &event.event_type) {
                page.push(Arc::clone(event));
            }
        }
        (at < before).then_some((page, at))
    }
}
