//! One group as a pure state machine: which consumer gets which event, what is tried again, what is parked, how far
//! all is handled.
//!
//! Inputs are what happens (an event arrived, a consumer acknowledged, time passed), each with the moment it happens
//! at; outputs are what is to be done ([`Output`]), taken by [`Group::outputs`]. The runner beside it does the I/O. A
//! message stays with the group until it is acknowledged, skipped, or parked *and* the parking is confirmed; the
//! checkpoint never passes a message that is still here.

mod consumers;
mod progress;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use uuid::Uuid;

use self::{consumers::Consumers, progress::Progress};
pub(super) use self::{
    consumers::{ConsumerFigures, ConsumerId},
    progress::Figures,
};
use super::settings::Settings;

/// Time since the group was started.
pub(super) type Moment = Duration;

/// Bytes of the events that a group holds; above, nothing more is read until some are handled.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Messages that a group holds: waiting, with its consumers, or being parked.
const MOST_MESSAGES: usize = 50_000;

/// Where a message comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The stream or the log that the group follows.
    Followed,
    /// The group's own parked messages, replayed.
    Parked,
}

/// An event for the group's consumers.
#[derive(Debug)]
pub(super) struct Arrival<T> {
    /// What consumers acknowledge it by.
    pub(super) id: Uuid,
    /// Its version, position, or version among the parked ones.
    pub(super) place: u64,
    pub(super) origin: Origin,
    /// Messages with the same pin go to the same consumer, where the strategy says so.
    pub(super) pin: u64,
    pub(super) bytes: usize,
    pub(super) body: T,
}

/// What a consumer wants to become of a message it does not acknowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Park,
    Retry,
    Skip,
    /// Try it again, and end this consumer.
    Stop,
}

/// A message by the order of its arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Sequence(u64);

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Output<T> {
    Deliver {
        consumer: ConsumerId,
        retries: u32,
        body: T,
    },
    /// To be confirmed by [`Group::parked`].
    Park {
        sequence: Sequence,
        reason: String,
        body: T,
    },
    /// The consumer asked to be stopped: it is out of the group already.
    End { consumer: ConsumerId },
}

/// The group has as many consumers as it may.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

struct Message<T> {
    arrival: Arrival<T>,
    /// The last place before it: the checkpoint while this message is the first one open.
    before: Option<u64>,
    retries: u32,
    state: State,
    /// Who had it last: a late acknowledgement of theirs counts while nobody else has it.
    last: Option<ConsumerId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Held { since: Moment, deadline: Option<Moment> },
    Parking,
}

/// See the module.
pub(super) struct Group<T> {
    settings: Settings,
    consumers: Consumers,
    messages: BTreeMap<Sequence, Message<T>>,
    waiting: BTreeSet<Sequence>,
    open: [BTreeSet<Sequence>; 2],
    deadlines: BTreeSet<(Moment, Sequence)>,
    by_id: HashMap<Uuid, BTreeSet<Sequence>>,
    outputs: Vec<Output<T>>,
    next: u64,
    bytes: usize,
    progress: Progress,
}

impl<T: Clone> Group<T> {
    /// A group that has handled everything up to `after`, and whose parked messages begin at version `replayed`.
    pub(super) fn new(settings: Settings, after: Option<u64>, replayed: u64) -> Self {
        Self {
            consumers: Consumers::new(settings.strategy, settings.extra_statistics),
            settings,
            messages: BTreeMap::new(),
            waiting: BTreeSet::new(),
            open: Default::default(),
            deadlines: BTreeSet::new(),
            by_id: HashMap::new(),
            outputs: vec![],
            next: 0,
            bytes: 0,
            progress: Progress::new(after, replayed),
        }
    }

    /// What is to be done since the last call.
    pub(super) fn outputs(&mut self) -> Vec<Output<T>> {
        std::mem::take(&mut self.outputs)
    }

    /// A consumer that takes at most `buffer` messages at once.
    pub(super) fn join(&mut self, now: Moment, buffer: usize) -> Result<ConsumerId, Full> {
        let most = self.settings.max_subscriber_count;
        if most > 0 && self.consumers.len() >= most as usize {
            return Err(Full);
        }
        let consumer = self.consumers.join(buffer.max(1));
        self.dispatch(now);
        Ok(consumer)
    }

    /// A consumer is gone: what it held is tried again.
    pub(super) fn leave(&mut self, now: Moment, consumer: ConsumerId) {
        for sequence in self.consumers.leave(consumer) {
            self.again(sequence, "its consumer went away");
        }
        self.dispatch(now);
    }

    /// How many messages can be handed on to a consumer at the moment, however many it may hold.
    pub(super) fn room(&mut self, consumer: ConsumerId, free: usize) {
        self.consumers.room(consumer, free);
    }

    /// Whether more events are of use now: there is somebody to take them, and not too much here already.
    pub(super) fn wants_more(&self, live: bool) -> bool {
        let room = self.waiting.len() < self.settings.buffer(live) && self.messages.len() < MOST_MESSAGES;
        self.consumers.len() > 0 && room && self.bytes < MOST_BYTES
    }

    /// The next event. Those of one origin come in the order of their places.
    pub(super) fn arrived(&mut self, now: Moment, arrival: Arrival<T>) {
        let sequence = Sequence(self.next);
        self.next += 1;
        let before = match arrival.origin {
            Origin::Followed => self.progress.considered.replace(arrival.place),
            Origin::Parked => {
                self.progress.replayed = arrival.place + 1;
                None
            }
        };
        self.bytes += arrival.bytes;
        self.by_id.entry(arrival.id).or_default().insert(sequence);
        self.open[arrival.origin as usize].insert(sequence);
        self.waiting.insert(sequence);
        let state = State::Waiting;
        let message = Message {
            arrival,
            before,
            retries: 0,
            state,
            last: None,
        };
        self.messages.insert(sequence, message);
        self.dispatch(now);
    }

    /// A consumer has handled these.
    pub(super) fn ack(&mut self, now: Moment, consumer: ConsumerId, ids: &[Uuid]) {
        for id in ids {
            if let Some(sequence) = self.find(consumer, *id) {
                let since = self.take_back(sequence);
                self.consumers
                    .handled(consumer, since.map(|since| now.saturating_sub(since)));
                self.done(sequence);
            }
        }
        self.dispatch(now);
    }

    /// A consumer could not handle these.
    pub(super) fn nack(&mut self, now: Moment, consumer: ConsumerId, ids: &[Uuid], refusal: Refusal, reason: &str) {
        for id in ids {
            let Some(sequence) = self.find(consumer, *id) else {
                continue;
            };
            let held = self.take_back(sequence).is_some();
            match refusal {
                Refusal::Skip => self.done(sequence),
                Refusal::Park => self.park(sequence, reason.to_owned()),
                Refusal::Retry | Refusal::Stop if held => self.again(sequence, reason),
                // It is waiting for its next try already.
                Refusal::Retry | Refusal::Stop => {}
            }
        }
        if refusal == Refusal::Stop && self.consumers.has(consumer) {
            self.leave(now, consumer);
            self.outputs.push(Output::End { consumer });
        }
        self.dispatch(now);
    }

    /// Time passes: what was held too long is tried again.
    pub(super) fn tick(&mut self, now: Moment) {
        while let Some((deadline, sequence)) = self.deadlines.first().copied()
            && deadline <= now
        {
            self.take_back(sequence);
            self.again(sequence, "it was not acknowledged in time");
        }
        self.dispatch(now);
    }

    /// The message is stored among the parked ones.
    pub(super) fn parked(&mut self, sequence: Sequence) {
        self.done(sequence);
    }

    /// The message that `consumer` means by `id`: the oldest one of that id that it was the last to have.
    fn find(&self, consumer: ConsumerId, id: Uuid) -> Option<Sequence> {
        let of_id = self.by_id.get(&id)?.iter().copied();
        of_id.into_iter().find(|sequence| {
            let message = self.messages.get(sequence);
            message.is_some_and(|message| message.last == Some(consumer) && message.state != State::Parking)
        })
    }

    /// Out of its consumer's hands, if it is in any: since when it was there.
    fn take_back(&mut self, sequence: Sequence) -> Option<Moment> {
        let message = self.messages.get_mut(&sequence)?;
        let State::Held { since, deadline } = message.state else {
            return None;
        };
        message.state = State::Waiting;
        if let Some(consumer) = message.last {
            self.consumers.take_back(consumer, sequence);
        }
        if let Some(deadline) = deadline {
            self.deadlines.remove(&(deadline, sequence));
        }
        self.waiting.insert(sequence);
        Some(since)
    }

    /// One more try, or the end of trying.
    fn again(&mut self, sequence: Sequence, why: &str) {
        self.take_back(sequence);
        let most = self.settings.max_retry_count;
        let Some(message) = self.messages.get_mut(&sequence) else {
            return;
        };
        if message.retries < most {
            message.retries += 1;
        } else {
            self.park(sequence, format!("tried {} times: {why}", most.saturating_add(1)));
        }
    }

    fn park(&mut self, sequence: Sequence, reason: String) {
        self.waiting.remove(&sequence);
        if let Some(message) = self.messages.get_mut(&sequence) {
            message.state = State::Parking;
            let body = message.arrival.body.clone();
            self.outputs.push(Output::Park { sequence, reason, body });
        }
    }

    fn done(&mut self, sequence: Sequence) {
        let Some(message) = self.messages.remove(&sequence) else {
            return;
        };
        self.waiting.remove(&sequence);
        self.bytes -= message.arrival.bytes;
        self.open[message.arrival.origin as usize].remove(&sequence);
        if let Some(others) = self.by_id.get_mut(&message.arrival.id) {
            others.remove(&sequence);
            if others.is_empty() {
                self.by_id.remove(&message.arrival.id);
            }
        }
        self.progress.handled(message.arrival.origin);
    }

    /// Hands out what waits, oldest first, while there is room.
    fn dispatch(&mut self, now: Moment) {
        let mut from = Sequence(0);
        while self.consumers.any_room()
            && let Some(sequence) = self.waiting.range(from..).next().copied()
        {
            from = Sequence(sequence.0 + 1);
            let Some(message) = self.messages.get_mut(&sequence) else {
                continue;
            };
            // A pinned message waits for its own consumer; others need not wait with it.
            let Some(consumer) = self.consumers.choose(message.arrival.pin) else {
                continue;
            };
            let deadline = self.settings.message_timeout().map(|timeout| now + timeout);
            message.state = State::Held { since: now, deadline };
            message.last = Some(consumer);
            let (retries, body) = (message.retries, message.arrival.body.clone());
            self.waiting.remove(&sequence);
            self.deadlines.extend(deadline.map(|deadline| (deadline, sequence)));
            self.consumers.hold(consumer, sequence);
            self.outputs.push(Output::Deliver {
                consumer,
                retries,
                body,
            });
        }
    }
}
