//! How far a group is: the checkpoint, the mark among its parked messages, its figures.

use std::time::Duration;

use super::{ConsumerFigures, Group, Moment, Origin};

/// So many events left out by the filter are worth a checkpoint.
const MOST_SKIPPED: u64 = 10_000;
/// So many replayed messages are handled before it is written down, unless they were the last ones.
const REPLAYED_BATCH: u64 = 100;
/// How often messages are offered again that no consumer had room for.
const OFFER_AGAIN: Duration = Duration::from_millis(500);

/// How far the group is, and when that was last written down.
pub(super) struct Progress {
    /// Everything up to here has arrived or was left out.
    pub(super) considered: Option<u64>,
    saved: Option<u64>,
    saved_at: Moment,
    handled: u64,
    skipped: u64,
    total: u64,
    total_at_measurement: u64,
    /// Everything before this version among the parked ones has arrived again.
    pub(super) replayed: u64,
    replayed_handled: u64,
}

impl Progress {
    pub(super) fn new(after: Option<u64>, replayed: u64) -> Self {
        Self {
            considered: after,
            saved: after,
            saved_at: Moment::ZERO,
            handled: 0,
            skipped: 0,
            total: 0,
            total_at_measurement: 0,
            replayed,
            replayed_handled: 0,
        }
    }

    pub(super) fn handled(&mut self, origin: Origin) {
        self.total += 1;
        match origin {
            Origin::Followed => self.handled += 1,
            Origin::Parked => self.replayed_handled += 1,
        }
    }
}

/// A group in numbers.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::persistent) struct Figures {
    pub(in crate::persistent) saved: Option<u64>,
    pub(in crate::persistent) considered: Option<u64>,
    pub(in crate::persistent) waiting: usize,
    pub(in crate::persistent) retrying: usize,
    pub(in crate::persistent) held: usize,
    pub(in crate::persistent) outstanding: usize,
    pub(in crate::persistent) replaying: usize,
    /// The first parked version that has not arrived again.
    pub(in crate::persistent) replayed: u64,
    pub(in crate::persistent) total: u64,
    pub(in crate::persistent) since_last_measurement: u64,
    pub(in crate::persistent) consumers: Vec<ConsumerFigures>,
}

impl<T: Clone> Group<T> {
    /// Everything up to `place` was looked at, and `skipped` of it is not for this group.
    pub(in crate::persistent) fn considered(&mut self, place: Option<u64>, skipped: u64) {
        self.progress.considered = self.progress.considered.max(place);
        self.progress.skipped += skipped;
    }

    /// All parked messages before this version have arrived again, or cannot.
    pub(in crate::persistent) fn replayed_up_to(&mut self, version: u64) {
        self.progress.replayed = self.progress.replayed.max(version);
        self.progress.replayed_handled += 1;
    }

    /// When to call [`Self::tick`] at the latest.
    pub(in crate::persistent) fn next_tick(&self, now: Moment) -> Option<Moment> {
        let deadline = self.deadlines.first().map(|(deadline, _)| *deadline);
        let offer = (!self.waiting.is_empty() && self.consumers.len() > 0).then(|| now + OFFER_AGAIN);
        let worth = self.progress.handled >= u64::from(self.settings.min_checkpoint_count.max(1));
        let checkpoint = (worth && self.handled_up_to() > self.progress.saved)
            .then(|| self.progress.saved_at + self.settings.checkpoint_after());
        [deadline, offer, checkpoint].into_iter().flatten().min()
    }

    /// The checkpoint that should be written now, if any; `closing` if there is no later.
    pub(in crate::persistent) fn checkpoint_due(&self, now: Moment, closing: bool) -> Option<u64> {
        let (progress, settings) = (&self.progress, &self.settings);
        let place = self.handled_up_to().filter(|_| self.handled_up_to() > progress.saved)?;
        let least = u64::from(settings.min_checkpoint_count.max(1));
        let elapsed = now.saturating_sub(progress.saved_at) >= settings.checkpoint_after();
        let due = (progress.handled >= least && elapsed)
            || progress.handled >= u64::from(settings.max_checkpoint_count.max(1))
            || progress.skipped >= MOST_SKIPPED
            || (closing && progress.handled + progress.skipped > 0);
        due.then_some(place)
    }

    /// A checkpoint is being written: what is handled from now on belongs to the next one.
    pub(in crate::persistent) fn checkpointed(&mut self, now: Moment, place: u64) {
        self.progress.saved = Some(place);
        self.progress.saved_at = now;
        self.progress.handled = 0;
        self.progress.skipped = 0;
    }

    /// The first parked version that is not handled again yet, if that should be written down now.
    pub(in crate::persistent) fn replay_mark_due(&self, replaying: bool, closing: bool, begins: bool) -> Option<u64> {
        let finished = !replaying && self.open[Origin::Parked as usize].is_empty();
        let least = if finished || closing { 1 } else { REPLAYED_BATCH };
        let due = begins || self.progress.replayed_handled >= least;
        due.then(|| self.replay_mark())
    }

    /// The first parked version that has not arrived again.
    pub(in crate::persistent) fn replayed_so_far(&self) -> u64 {
        self.progress.replayed
    }

    /// [`Self::replay_mark_due`] is being written down.
    pub(in crate::persistent) fn replay_marked(&mut self) {
        self.progress.replayed_handled = 0;
    }

    fn replay_mark(&self) -> u64 {
        let first = self.open[Origin::Parked as usize].first();
        let open = first.and_then(|first| self.messages.get(first));
        open.map_or(self.progress.replayed, |message| message.arrival.place)
    }

    /// The last place before everything that is still open.
    fn handled_up_to(&self) -> Option<u64> {
        let first = self.open[Origin::Followed as usize].first();
        let open = first.and_then(|first| self.messages.get(first));
        open.map_or(self.progress.considered, |message| message.before)
    }

    /// The group in numbers; counts since the last measurement begin anew.
    pub(in crate::persistent) fn figures(&mut self) -> Figures {
        let total = self.progress.total;
        let since_last_measurement = total - std::mem::replace(&mut self.progress.total_at_measurement, total);
        let waiting = self.waiting.iter().filter_map(|sequence| self.messages.get(sequence));
        let retrying = waiting.filter(|message| message.retries > 0).count();
        Figures {
            saved: self.progress.saved,
            considered: self.progress.considered,
            waiting: self.waiting.len() - retrying,
            retrying,
            held: self.consumers.held(),
            outstanding: self.messages.len(),
            replaying: self.open[Origin::Parked as usize].len(),
            replayed: self.progress.replayed,
            total,
            since_last_measurement,
            consumers: self.consumers.figures(),
        }
    }
}
