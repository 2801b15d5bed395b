//! The sagas that are not over: where each stands and when it wants to be woken.

use std::collections::{BTreeSet, HashMap};

use event_schemas::{Timestamp, saga::SagaStatus};
use uuid::Uuid;

/// An open saga, as much of it as the runner keeps in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// When it wants to be woken.
    pub wake_at: Option<Timestamp>,
    /// It asked for something and waits for the answer.
    pub asks: bool,
    /// It needs an operator.
    pub stuck: bool,
}

impl Open {
    /// None for a saga that is over.
    pub(crate) fn new(status: SagaStatus, wake_at: Option<Timestamp>, asks: bool) -> Option<Self> {
        let over = matches!(status, SagaStatus::Completed | SagaStatus::Compensated);
        (!over).then_some(Self {
            wake_at,
            asks,
            stuck: status == SagaStatus::Stuck,
        })
    }
}

/// All open sagas, their timers, and what changed since the last checkpoint.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    open: HashMap<Uuid, Open>,
    wakes: BTreeSet<(Timestamp, Uuid)>,
    changes: HashMap<Uuid, Option<Open>>,
    stuck: usize,
}

impl Roster {
    /// As the checkpoint remembers it.
    pub(crate) fn restore(open: impl IntoIterator<Item = (Uuid, Open)>) -> Self {
        let mut roster = Self::default();
        for (saga_id, open) in open {
            roster.set(saga_id, Some(open));
        }
        roster.changes.clear();
        roster
    }

    /// The saga stands like this now; none when it is over.
    pub(crate) fn set(&mut self, saga_id: Uuid, now: Option<Open>) {
        let before = match now {
            Some(open) => self.open.insert(saga_id, open),
            None => self.open.remove(&saga_id),
        };
        if let Some(moment) = before.and_then(|open| open.wake_at) {
            self.wakes.remove(&(moment, saga_id));
        }
        if let Some(moment) = now.and_then(|open| open.wake_at) {
            self.wakes.insert((moment, saga_id));
        }
        self.stuck -= usize::from(before.is_some_and(|open| open.stuck));
        self.stuck += usize::from(now.is_some_and(|open| open.stuck));
        if before != now {
            self.changes.insert(saga_id, now);
        }
    }

    /// When the first timer is due.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(moment, _)| *moment)
    }

    /// The first saga whose timer is due at `now`, with that timer; it is off until the saga is set again.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, Uuid)> {
        let first = self.wakes.first().filter(|(moment, _)| *moment <= now);
        first.copied().inspect(|due| {
            self.wakes.remove(due);
        })
    }

    /// Whether anything changed since [`Self::take_changes`].
    pub(crate) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// What changed since the last call.
    pub(crate) fn take_changes(&mut self) -> HashMap<Uuid, Option<Open>> {
        std::mem::take(&mut self.changes)
    }

    /// Puts changes back that could not be stored, beneath what has changed since.
    pub(crate) fn put_back(&mut self, unsaved: HashMap<Uuid, Option<Open>>) {
        for (saga_id, open) in unsaved {
            self.changes.entry(saga_id).or_insert(open);
        }
    }

    /// Sagas that wait for an answer, always in the same order.
    pub(crate) fn asking(&self) -> Vec<Uuid> {
        let asking = self.open.iter().filter(|(_, open)| open.asks);
        let mut asking: Vec<_> = asking.map(|(saga_id, _)| *saga_id).collect();
        asking.sort_unstable();
        asking
    }

    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }

    pub(crate) const fn stuck(&self) -> usize {
        self.stuck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(wake_at: i64) -> Option<Open> {
        Open::new(SagaStatus::Running, Some(Timestamp::from_millis(wake_at)), true)
    }

    #[test]
    fn a_timer_moves_with_its_saga_and_goes_with_it() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut roster = Roster::default();
        roster.set(a, open(10));
        roster.set(b, open(20));
        roster.set(a, open(30));
        assert_eq!(roster.next_wake(), Some(Timestamp::from_millis(20)));
        assert_eq!(roster.take_due(Timestamp::from_millis(19)), None);
        assert_eq!(
            roster.take_due(Timestamp::from_millis(20)),
            Some((Timestamp::from_millis(20), b))
        );
        roster.set(b, open(20));
        assert_eq!(
            roster.next_wake(),
            Some(Timestamp::from_millis(20)),
            "an ignored timer is set again"
        );
        roster.set(b, Open::new(SagaStatus::Completed, None, false));
        roster.set(a, Open::new(SagaStatus::Stuck, None, false));
        assert_eq!((roster.next_wake(), roster.open(), roster.stuck()), (None, 1, 1));
        assert_eq!(roster.take_changes().get(&b), Some(&None));
    }
}
