//! The consumers of a group, and which of them gets the next message.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use super::Sequence;
use crate::persistent::settings::Strategy;

/// Buckets that pinned messages fall into.
const BUCKETS: u64 = 1024;
/// So many of the last handling times are kept for the extra statistics.
const MEASURED: usize = 1000;

/// A consumer; numbers are never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::persistent) struct ConsumerId(u64);

struct Consumer {
    id: ConsumerId,
    buffer: usize,
    /// How many more can be handed on now, as far as is known.
    free: usize,
    holds: BTreeSet<Sequence>,
    handled: u64,
    handled_at_measurement: u64,
    times: VecDeque<u64>,
}

impl Consumer {
    fn has_room(&self) -> bool {
        self.free > 0 && self.holds.len() < self.buffer
    }
}

/// A consumer in numbers.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::persistent) struct ConsumerFigures {
    pub(in crate::persistent) id: ConsumerId,
    pub(in crate::persistent) handled: u64,
    pub(in crate::persistent) since_last_measurement: u64,
    pub(in crate::persistent) free: usize,
    pub(in crate::persistent) held: usize,
    /// The last handling times in milliseconds, sorted; empty if they are not kept.
    pub(in crate::persistent) times: Vec<u64>,
}

/// All consumers of a group.
pub(super) struct Consumers {
    strategy: Strategy,
    measure: bool,
    all: Vec<Consumer>,
    joined: u64,
    /// Whose turn it is.
    turn: usize,
}

impl Consumers {
    pub(super) fn new(strategy: Strategy, measure: bool) -> Self {
        Self {
            strategy,
            measure,
            all: vec![],
            joined: 0,
            turn: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn join(&mut self, buffer: usize) -> ConsumerId {
        let id = ConsumerId(self.joined);
        self.joined += 1;
        self.all.push(Consumer {
            id,
            buffer,
            free: usize::MAX,
            holds: BTreeSet::new(),
            handled: 0,
            handled_at_measurement: 0,
            times: VecDeque::new(),
        });
        id
    }

    /// What it held.
    pub(super) fn leave(&mut self, id: ConsumerId) -> BTreeSet<Sequence> {
        let Some(index) = self.all.iter().position(|consumer| consumer.id == id) else {
            return BTreeSet::new();
        };
        if index < self.turn {
            self.turn -= 1;
        }
        self.all.remove(index).holds
    }

    pub(super) fn has(&self, id: ConsumerId) -> bool {
        self.all.iter().any(|consumer| consumer.id == id)
    }

    fn get(&mut self, id: ConsumerId) -> Option<&mut Consumer> {
        self.all.iter_mut().find(|consumer| consumer.id == id)
    }

    pub(super) fn room(&mut self, id: ConsumerId, free: usize) {
        if let Some(consumer) = self.get(id) {
            consumer.free = free;
        }
    }

    pub(super) fn any_room(&self) -> bool {
        self.all.iter().any(Consumer::has_room)
    }

    pub(super) fn hold(&mut self, id: ConsumerId, sequence: Sequence) {
        if let Some(consumer) = self.get(id) {
            consumer.free -= 1;
            consumer.holds.insert(sequence);
        }
    }

    pub(super) fn take_back(&mut self, id: ConsumerId, sequence: Sequence) {
        if let Some(consumer) = self.get(id) {
            consumer.holds.remove(&sequence);
        }
    }

    pub(super) fn held(&self) -> usize {
        self.all.iter().map(|consumer| consumer.holds.len()).sum()
    }

    /// The consumer has handled a message, `after` getting it if it still held it.
    pub(super) fn handled(&mut self, id: ConsumerId, after: Option<Duration>) {
        let measure = self.measure;
        let Some(consumer) = self.get(id) else {
            return;
        };
        consumer.handled += 1;
        if let (true, Some(after)) = (measure, after) {
            if consumer.times.len() == MEASURED {
                consumer.times.pop_front();
            }
            consumer
                .times
                .push_back(u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        }
    }

    /// Who gets a message of this pin, if there is room.
    pub(super) fn choose(&mut self, pin: u64) -> Option<ConsumerId> {
        let count = self.all.len();
        let in_turn = || (0..count).map(|step| (self.turn + step) % count);
        let index = match self.strategy {
            Strategy::RoundRobin => {
                let index = in_turn().find(|index| self.all[*index].has_room())?;
                self.turn = index + 1;
                index
            }
            Strategy::DispatchToSingle => {
                let index = in_turn().find(|index| self.all[*index].has_room())?;
                self.turn = index;
                index
            }
            // When a consumer comes or goes, only its own buckets move.
            Strategy::Pinned | Strategy::PinnedByCorrelation => {
                let score = |index: &usize| mix((pin % BUCKETS) ^ mix(self.all[*index].id.0));
                (0..count)
                    .max_by_key(score)
                    .filter(|index| self.all[*index].has_room())?
            }
        };
        Some(self.all[index].id)
    }

    pub(super) fn figures(&mut self) -> Vec<ConsumerFigures> {
        let figures = |consumer: &mut Consumer| {
            let since_last_measurement = consumer.handled - consumer.handled_at_measurement;
            consumer.handled_at_measurement = consumer.handled;
            let mut times: Vec<u64> = consumer.times.iter().copied().collect();
            times.sort_unstable();
            ConsumerFigures {
                id: consumer.id,
                handled: consumer.handled,
                since_last_measurement,
                free: consumer.buffer - consumer.holds.len(),
                held: consumer.holds.len(),
                times,
            }
        };
        self.all.iter_mut().map(figures).collect()
    }
}

/// Spreads numbers that are close to each other (the finaliser of SplitMix64).
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
