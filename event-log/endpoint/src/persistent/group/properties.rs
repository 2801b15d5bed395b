//! Whatever consumers do: nothing is lost, nothing is handled that nobody handled, and the checkpoint never passes an
//! open message.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::{Just, ProptestConfig, any, prop, prop_oneof, proptest};
use proptest::strategy::Strategy as _;
use uuid::Uuid;

use super::*;
use crate::persistent::settings::{Strategy, usual};

/// What happens next. Numbers choose among what there is at that moment.
#[derive(Debug, Clone)]
enum Step {
    Arrive {
        left_out: bool,
    },
    Join {
        buffer: usize,
    },
    Leave(usize),
    Ack(usize),
    Nack(usize, Refusal),
    Pass(u64),
    Confirm(usize),
    Checkpoint,
    Room(usize, usize),
    /// The process ends and the group begins behind its checkpoint.
    Restart,
}

fn step() -> impl proptest::strategy::Strategy<Value = Step> {
    let refusal = prop_oneof![
        Just(Refusal::Park),
        Just(Refusal::Retry),
        Just(Refusal::Skip),
        Just(Refusal::Stop)
    ];
    prop_oneof![
        8 => Just(Step::Arrive { left_out: false }),
        1 => Just(Step::Arrive { left_out: true }),
        2 => (1_usize..4).prop_map(|buffer| Step::Join { buffer }),
        1 => any::<usize>().prop_map(Step::Leave),
        8 => any::<usize>().prop_map(Step::Ack),
        3 => (any::<usize>(), refusal).prop_map(|(which, refusal)| Step::Nack(which, refusal)),
        2 => (0_u64..40_000).prop_map(Step::Pass),
        3 => any::<usize>().prop_map(Step::Confirm),
        2 => Just(Step::Checkpoint),
        1 => (any::<usize>(), 0_usize..3).prop_map(|(which, free)| Step::Room(which, free)),
        1 => Just(Step::Restart),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Handled,
    Parked,
}

/// The world around a group, that knows what should have become of each message.
struct World {
    settings: Settings,
    group: Group<u64>,
    now: Moment,
    fates: Vec<Fate>,
    consumers: Vec<ConsumerId>,
    /// Who holds what, as the consumers see it: they never forget what they got.
    got: Vec<(ConsumerId, u64)>,
    /// Deliveries of each place in this life of the group.
    tries: BTreeMap<u64, u32>,
    parking: Vec<(Sequence, u64)>,
    saved: Option<u64>,
}

fn id(place: u64) -> Uuid {
    Uuid::from_u128(u128::from(place) + 1)
}

fn pick<T: Copy>(from: &[T], which: usize) -> Option<T> {
    (!from.is_empty()).then(|| from[which % from.len()])
}

impl World {
    fn new(settings: Settings) -> Self {
        Self {
            group: Group::new(settings.clone(), None, 0),
            settings,
            now: Moment::ZERO,
            fates: vec![],
            consumers: vec![],
            got: vec![],
            tries: BTreeMap::new(),
            parking: vec![],
            saved: None,
        }
    }

    fn arrive(&mut self, place: u64) {
        let (id, pin) = (id(place), place % 5);
        let arrival = Arrival {
            id,
            place,
            origin: Origin::Followed,
            pin,
            bytes: 1,
            body: place,
        };
        self.group.arrived(self.now, arrival);
    }

    /// Whether the group counts `consumer` as the last holder of `place`: only then its word counts.
    fn counts(&self, consumer: ConsumerId, place: u64) -> bool {
        self.group.find(consumer, id(place)).is_some()
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Arrive { left_out } => {
                let place = self.fates.len() as u64;
                self.fates.push(if left_out { Fate::Handled } else { Fate::Open });
                if left_out {
                    self.group.considered(Some(place), 1);
                } else {
                    self.arrive(place);
                }
            }
            Step::Join { buffer } => self.consumers.extend(self.group.join(self.now, buffer)),
            Step::Leave(which) => {
                if let Some(consumer) = pick(&self.consumers, which) {
                    self.consumers.retain(|other| *other != consumer);
                    self.group.leave(self.now, consumer);
                }
            }
            Step::Ack(which) => {
                if let Some((consumer, place)) = pick(&self.got, which) {
                    if self.counts(consumer, place) {
                        self.fates[place as usize] = Fate::Handled;
                    }
                    self.group.ack(self.now, consumer, &[id(place)]);
                }
            }
            Step::Nack(which, refusal) => {
                if let Some((consumer, place)) = pick(&self.got, which) {
                    if refusal == Refusal::Skip && self.counts(consumer, place) {
                        self.fates[place as usize] = Fate::Handled;
                    }
                    self.group.nack(self.now, consumer, &[id(place)], refusal, "");
                }
            }
            Step::Pass(millis) => {
                self.now += Duration::from_millis(millis);
                self.group.tick(self.now);
            }
            Step::Confirm(which) => {
                if let Some((sequence, place)) = pick(&self.parking, which) {
                    self.parking.retain(|(other, _)| *other != sequence);
                    self.fates[place as usize] = Fate::Parked;
                    self.group.parked(sequence);
                }
            }
            Step::Checkpoint => self.checkpoint(),
            Step::Room(which, free) => {
                if let Some(consumer) = pick(&self.consumers, which) {
                    self.group.room(consumer, free);
                }
            }
            Step::Restart => self.restart(),
        }
        self.heed();
    }

    fn checkpoint(&mut self) {
        if let Some(place) = self.group.checkpoint_due(self.now, true) {
            self.group.checkpointed(self.now, place);
            let passed = &self.fates[..=place as usize];
            assert!(
                !passed.contains(&Fate::Open),
                "the checkpoint {place} passes an open message: {passed:?}"
            );
            assert!(Some(place) > self.saved);
            self.saved = Some(place);
        }
    }

    fn restart(&mut self) {
        self.group = Group::new(self.settings.clone(), self.saved, 0);
        self.consumers.clear();
        self.got.clear();
        self.parking.clear();
        self.tries.clear();
        let first = self.saved.map_or(0, |saved| saved + 1);
        for place in first..self.fates.len() as u64 {
            // What was handled and not written down comes again.
            self.fates[place as usize] = Fate::Open;
            self.arrive(place);
        }
    }

    fn heed(&mut self) {
        for output in self.group.outputs() {
            match output {
                Output::Deliver { consumer, body, .. } => {
                    assert_eq!(
                        self.fates[body as usize],
                        Fate::Open,
                        "{body} comes although it is handled"
                    );
                    let tries = self.tries.entry(body).or_default();
                    *tries += 1;
                    assert!(*tries <= self.settings.max_retry_count + 1, "{body} comes too often");
                    self.got.push((consumer, body));
                }
                Output::Park { sequence, body, .. } => self.parking.push((sequence, body)),
                Output::End { consumer } => self.consumers.retain(|other| *other != consumer),
            }
        }
        assert!(self.group.figures().outstanding >= self.group.figures().held);
    }

    /// One good consumer and enough time: everything that is open is delivered, and then handled.
    fn settle(&mut self) {
        self.restart();
        self.heed();
        self.consumers.extend(self.group.join(self.now, 2));
        self.heed();
        while let Some((consumer, place)) = self.got.pop() {
            self.fates[place as usize] = Fate::Handled;
            self.group.ack(self.now, consumer, &[id(place)]);
            self.heed();
        }
        assert!(!self.fates.contains(&Fate::Open), "lost: {:?}", self.fates);
        let figures = self.group.figures();
        assert_eq!((figures.outstanding, figures.waiting, figures.retrying), (0, 0, 0));
        self.checkpoint();
        if let Some(last) = self.fates.len().checked_sub(1) {
            assert_eq!(self.saved, Some(last as u64));
        }
    }
}

fn settings() -> impl proptest::strategy::Strategy<Value = Settings> {
    let strategy = prop_oneof![
        Just(Strategy::DispatchToSingle),
        Just(Strategy::RoundRobin),
        Just(Strategy::Pinned)
    ];
    (strategy, 0_u32..4, 0_u32..3).prop_map(|(strategy, max_retry_count, max_subscriber_count)| Settings {
        strategy,
        max_retry_count,
        max_subscriber_count,
        ..usual()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn every_message_becomes_what_it_is_told_and_none_is_lost(
        settings in settings(),
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let mut world = World::new(settings);
        for step in &steps {
            world.step(step);
        }
        world.settle();
    }
}
