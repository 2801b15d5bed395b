//! How far the log is taken in without a gap, while facts of different sagas finish in any order.

use std::collections::VecDeque;

use event_log::Position;

/// A fact that is being taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// The positions taken in, and those still in the works, in the order of the log.
#[derive(Debug)]
pub(crate) struct Watermark {
    at: Position,
    /// The ticket of the first slot.
    first: u64,
    slots: VecDeque<(Position, bool)>,
}

impl Watermark {
    pub(crate) const fn new(at: Position) -> Self {
        Self {
            at,
            first: 0,
            slots: VecDeque::new(),
        }
    }

    /// Everything up to here is taken in.
    pub(crate) const fn at(&self) -> Position {
        self.at
    }

    /// A fact is about to be taken in.
    pub(crate) fn begin(&mut self, position: Position) -> Ticket {
        self.slots.push_back((position, false));
        Ticket(self.first + self.slots.len() as u64 - 1)
    }

    /// The reader came by here; behind the facts begun before it.
    pub(crate) fn pass(&mut self, position: Position) {
        let ticket = self.begin(position);
        self.finish(ticket);
    }

    /// The fact is taken in, durably.
    pub(crate) fn finish(&mut self, ticket: Ticket) {
        let slot = ticket
            .0
            .checked_sub(self.first)
            .and_then(|index| usize::try_from(index).ok());
        if let Some((_, done)) = slot.and_then(|index| self.slots.get_mut(index)) {
            *done = true;
        }
        while let Some((position, true)) = self.slots.front() {
            self.at = *position;
            self.first += 1;
            self.slots.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_waits_for_the_slowest_fact_before_it() {
        let mut mark = Watermark::new(Position(10));
        let (slow, quick) = (mark.begin(Position(11)), mark.begin(Position(12)));
        mark.pass(Position(15));
        mark.finish(quick);
        mark.finish(quick);
        assert_eq!(mark.at(), Position(10));
        mark.finish(slow);
        assert_eq!(mark.at(), Position(15));
        mark.finish(slow);
        let later = mark.begin(Position(16));
        mark.finish(later);
        assert_eq!(mark.at(), Position(16));
    }
}
