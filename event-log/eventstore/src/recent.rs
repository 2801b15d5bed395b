//! What this process knows of streams it read or wrote lately: which event ids are in them. Saves a read before most appends.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use event_log::{Direction, Position, StreamVersion};
use event_schemas::StreamName;
use uuid::Uuid;

use crate::{appending::LOOK_BACK, events::Foreign};

/// Ids held at most, of all streams together; then everything is forgotten and begins anew.
const MOST_IDS: usize = 100_000;
/// Answers remembered, to tell a repeated one.
const MOST_ANSWERS: usize = 4096;

#[derive(Default)]
pub(crate) struct Recent(Mutex<Known>);

#[derive(Default)]
struct Known {
    streams: HashMap<StreamName, Held>,
    ids: usize,
    answers: HashSet<Position>,
    answered: VecDeque<Position>,
}

/// The ids of a stream's events from version `first` on, without a hole. What is before `first` was not looked at, or is not to be seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) first: StreamVersion,
    pub(crate) ids: Vec<Uuid>,
}

impl Held {
    /// The version behind the last one held.
    pub(crate) fn next(&self) -> StreamVersion {
        self.first + self.ids.len() as StreamVersion
    }

    /// Of a long stream, the newest.
    fn shorten(&mut self) {
        if self.ids.len() > 2 * LOOK_BACK {
            let older = self.ids.len() - LOOK_BACK;
            self.ids.drain(..older);
            self.first += older as StreamVersion;
        }
    }

    /// The version of the event with this id.
    pub(crate) fn version(&self, id: Uuid) -> Option<StreamVersion> {
        let index = self.ids.iter().position(|held| *held == id)?;
        Some(self.first + index as StreamVersion)
    }

    /// Events oldest first; none if there is a hole in them.
    pub(crate) fn of(events: &[Foreign]) -> Option<Self> {
        let first = events.first().map_or(0, |first| first.revision);
        let in_a_row = |(index, event): (usize, &Foreign)| event.revision == first + index as StreamVersion;
        events.iter().enumerate().all(in_a_row).then(|| Self {
            first,
            ids: events.iter().map(|event| event.id).collect(),
        })
    }
}

impl Recent {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn held(&self, stream: &StreamName) -> Option<Held> {
        self.known().streams.get(stream).cloned()
    }

    /// Everything of the stream from its beginning, or as far back as anybody looks.
    pub(crate) fn hold(&self, stream: &StreamName, held: Held) {
        self.known().hold(stream, held);
    }

    /// Behind what is held: more events, if they follow on.
    pub(crate) fn extend(&self, stream: &StreamName, first: StreamVersion, ids: impl IntoIterator<Item = Uuid>) {
        let mut known = self.known();
        if first == 0 && !known.streams.contains_key(stream) {
            known.hold(stream, Held::default());
        }
        let Known {
            streams, ids: count, ..
        } = &mut *known;
        // Others may have written in between; then the next look reads what they wrote.
        if let Some(held) = streams.get_mut(stream).filter(|held| held.next() == first) {
            *count -= held.ids.len();
            held.ids.extend(ids);
            held.shorten();
            *count += held.ids.len();
        }
        known.forget_if_full(0);
    }

    /// A page of the stream was read.
    pub(crate) fn remember_page(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
        page: &[Foreign],
    ) {
        let from = from.unwrap_or(0);
        // An empty page is no news: the stream may come to be at any moment. A page of one is of no use for ids.
        if direction == Direction::Backwards || page.is_empty() || max < 2 {
            return;
        }
        let Some(held) = Held::of(page) else { return };
        if from == 0 {
            self.hold(stream, held);
        } else {
            self.extend(stream, held.first, held.ids);
        }
    }

    /// An answer to an append. Whether this very answer had been given before: a position is given to one append only.
    pub(crate) fn answered_before(&self, position: Position) -> bool {
        let mut known = self.known();
        if !known.answers.insert(position) {
            return true;
        }
        known.answered.push_back(position);
        if known.answered.len() > MOST_ANSWERS
            && let Some(oldest) = known.answered.pop_front()
        {
            known.answers.remove(&oldest);
        }
        false
    }
}

impl Known {
    fn forget_if_full(&mut self, coming: usize) {
        if self.ids + coming > MOST_IDS {
            self.streams.clear();
            self.ids = 0;
        }
    }

    fn hold(&mut self, stream: &StreamName, mut held: Held) {
        held.shorten();
        self.forget_if_full(held.ids.len());
        self.ids += held.ids.len();
        if let Some(before) = self.streams.insert(stream.clone(), held) {
            self.ids -= before.ids.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn what_follows_on_is_added_and_what_does_not_is_left() {
        let (recent, stream): (_, StreamName) = (Recent::default(), "order-1".parse().unwrap());
        recent.extend(&stream, 3, [id(3)]);
        assert!(recent.held(&stream).is_none(), "nobody knows what is before it");
        recent.extend(&stream, 0, [id(0), id(1)]);
        recent.extend(&stream, 3, [id(3)]);
        recent.extend(&stream, 2, [id(2)]);
        let held = recent.held(&stream).unwrap();
        assert_eq!(
            (held.next(), held.version(id(2)), held.version(id(3))),
            (3, Some(2), None)
        );
    }

    #[test]
    fn memory_is_bounded() {
        let recent = Recent::default();
        let long: StreamName = "stock-1".parse().unwrap();
        for number in 0..10_000 {
            recent.extend(&long, number, [id(u128::from(number))]);
        }
        let held = recent.held(&long).unwrap();
        assert!((LOOK_BACK..=2 * LOOK_BACK).contains(&held.ids.len()) && held.next() == 10_000);
        assert_eq!(held.version(id(9_500)), Some(9_500));
        assert_eq!(recent.known().ids, held.ids.len());
        for number in 0..300_u128 {
            let stream = format!("order-{number}").parse().unwrap();
            recent.extend(&stream, 0, (0..1000).map(|index| id(number * 1000 + index)));
            assert!(recent.known().ids <= MOST_IDS);
        }
        for position in 0..10_000 {
            assert!(!recent.answered_before(Position(position)));
        }
        assert!(recent.answered_before(Position(9_999)));
        assert!(recent.known().answers.len() <= MOST_ANSWERS);
    }
}
