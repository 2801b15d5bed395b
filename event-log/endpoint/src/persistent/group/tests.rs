//! The state machine, one rule at a time.

use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::persistent::settings::{Strategy, usual};

const SECOND: Duration = Duration::from_secs(1);

fn id(place: u64) -> Uuid {
    Uuid::from_u128(u128::from(place) + 1)
}

fn arrival(place: u64) -> Arrival<u64> {
    Arrival {
        id: id(place),
        place,
        origin: Origin::Followed,
        pin: place % 7,
        bytes: 10,
        body: place,
    }
}

fn group(settings: Settings) -> Group<u64> {
    Group::new(settings, None, 0)
}

/// What is delivered to whom, in order.
fn delivered(outputs: &[Output<u64>]) -> Vec<(ConsumerId, u64)> {
    let delivered = outputs.iter().filter_map(|output| match output {
        Output::Deliver { consumer, body, .. } => Some((*consumer, *body)),
        Output::Park { .. } | Output::End { .. } => None,
    });
    delivered.collect()
}

fn bodies(outputs: &[Output<u64>]) -> Vec<u64> {
    delivered(outputs).into_iter().map(|(_, body)| body).collect()
}

fn parkings(outputs: Vec<Output<u64>>) -> Vec<(Sequence, u64, String)> {
    let parkings = outputs.into_iter().filter_map(|output| match output {
        Output::Park { sequence, reason, body } => Some((sequence, body, reason)),
        Output::Deliver { .. } | Output::End { .. } => None,
    });
    parkings.collect()
}

#[test]
fn a_consumer_gets_as_many_as_it_has_room_for() {
    let mut group = group(usual());
    let consumer = group.join(Moment::ZERO, 3).unwrap();
    (0..5).for_each(|place| group.arrived(Moment::ZERO, arrival(place)));
    assert_eq!(bodies(&group.outputs()), [0, 1, 2]);
    group.ack(SECOND, consumer, &[id(1)]);
    assert_eq!(bodies(&group.outputs()), [3]);
    assert_eq!(group.figures().waiting, 1);
}

#[test]
fn nobody_else_can_acknowledge_and_nothing_twice() {
    let mut group = group(usual());
    let first = group.join(Moment::ZERO, 1).unwrap();
    group.arrived(Moment::ZERO, arrival(0));
    let second = group.join(Moment::ZERO, 1).unwrap();
    group.ack(Moment::ZERO, second, &[id(0), id(99)]);
    assert_eq!(group.figures().held, 1);
    group.ack(Moment::ZERO, first, &[id(0), id(0)]);
    let figures = group.figures();
    assert_eq!((figures.held, figures.total), (0, 1));
}

#[test]
fn a_message_is_tried_again_and_then_parked() {
    let mut group = group(Settings {
        max_retry_count: 2,
        ..usual()
    });
    let consumer = group.join(Moment::ZERO, 1).unwrap();
    group.arrived(Moment::ZERO, arrival(0));
    for expected in 0..=2 {
        let outputs = group.outputs();
        assert!(
            matches!(&outputs[..], [Output::Deliver { retries, .. }] if *retries == expected),
            "{outputs:?}"
        );
        group.nack(Moment::ZERO, consumer, &[id(0)], Refusal::Retry, "not now");
    }
    let parked = parkings(group.outputs());
    assert_eq!(parked.len(), 1);
    assert!(parked[0].2.contains("not now"), "{}", parked[0].2);
    // Until the parking is confirmed the checkpoint waits.
    assert_eq!(group.checkpoint_due(SECOND, true), None);
    group.parked(parked[0].0);
    assert_eq!(group.checkpoint_due(SECOND, true), Some(0));
}

#[test]
fn what_is_held_too_long_goes_to_somebody_else() {
    let mut group = group(usual());
    let slow = group.join(Moment::ZERO, 1).unwrap();
    group.arrived(Moment::ZERO, arrival(0));
    group.outputs();
    let quick = group.join(SECOND, 1).unwrap();
    let tick = group.next_tick(SECOND).unwrap();
    assert_eq!(tick, Duration::from_secs(30));
    group.tick(tick - Duration::from_millis(1));
    assert!(group.outputs().is_empty());
    group.tick(tick);
    assert_eq!(delivered(&group.outputs()), [(quick, 0)]);
    // Too late: somebody else has it now.
    group.ack(tick, slow, &[id(0)]);
    assert_eq!(group.figures().held, 1);
}

#[test]
fn a_late_acknowledgement_counts_while_nobody_else_has_the_message() {
    let mut group = group(usual());
    let consumer = group.join(Moment::ZERO, 1).unwrap();
    group.arrived(Moment::ZERO, arrival(0));
    group.arrived(Moment::ZERO, arrival(1));
    group.room(consumer, 0);
    group.tick(Duration::from_secs(30));
    assert_eq!(group.figures().retrying, 1);
    group.ack(Duration::from_secs(31), consumer, &[id(0)]);
    assert_eq!(group.figures().retrying, 0);
    assert_eq!(group.checkpoint_due(Duration::from_secs(31), true), Some(0));
}

#[test]
fn what_a_consumer_held_is_tried_again_before_what_is_new() {
    let mut group = group(usual());
    let first = group.join(Moment::ZERO, 2).unwrap();
    (0..4).for_each(|place| group.arrived(Moment::ZERO, arrival(place)));
    assert_eq!(bodies(&group.outputs()), [0, 1]);
    group.leave(Moment::ZERO, first);
    assert!(group.outputs().is_empty());
    group.join(Moment::ZERO, 10).unwrap();
    assert_eq!(bodies(&group.outputs()), [0, 1, 2, 3]);
}

#[test]
fn skipping_and_stopping() {
    let mut group = group(usual());
    let first = group.join(Moment::ZERO, 2).unwrap();
    (0..2).for_each(|place| group.arrived(Moment::ZERO, arrival(place)));
    group.outputs();
    group.nack(Moment::ZERO, first, &[id(0)], Refusal::Skip, "");
    assert_eq!(group.checkpoint_due(SECOND, true), Some(0));
    group.nack(Moment::ZERO, first, &[id(1)], Refusal::Stop, "");
    assert_eq!(group.outputs(), [Output::End { consumer: first }]);
    let second = group.join(Moment::ZERO, 2).unwrap();
    assert_eq!(delivered(&group.outputs()), [(second, 1)]);
}

#[test]
fn the_checkpoint_never_passes_an_open_message() {
    let settings = Settings {
        min_checkpoint_count: 1,
        max_checkpoint_count: 3,
        ..usual()
    };
    let mut group = group(settings);
    let consumer = group.join(Moment::ZERO, 10).unwrap();
    (0..6).for_each(|place| group.arrived(Moment::ZERO, arrival(place)));
    group.ack(Moment::ZERO, consumer, &[id(1), id(2), id(3)]);
    assert_eq!(group.checkpoint_due(10 * SECOND, true), None, "0 is open");
    group.ack(Moment::ZERO, consumer, &[id(0)]);
    assert_eq!(group.checkpoint_due(Moment::ZERO, false), Some(3), "more than the most");
    group.checkpointed(Moment::ZERO, 3);
    group.ack(Moment::ZERO, consumer, &[id(4)]);
    assert_eq!(group.checkpoint_due(SECOND, false), None, "not the time yet");
    assert_eq!(group.next_tick(SECOND), Some(2 * SECOND));
    assert_eq!(group.checkpoint_due(2 * SECOND, false), Some(4));
}

#[test]
fn what_the_filter_leaves_out_moves_the_checkpoint_too() {
    let mut group = group(usual());
    let consumer = group.join(Moment::ZERO, 10).unwrap();
    group.arrived(Moment::ZERO, arrival(5));
    group.considered(Some(9_000), 9_000);
    group.ack(Moment::ZERO, consumer, &[id(5)]);
    assert_eq!(group.checkpoint_due(SECOND, false), None);
    assert_eq!(group.checkpoint_due(SECOND, true), Some(9_000));
    group.considered(Some(10_000), 1_000);
    assert_eq!(group.checkpoint_due(SECOND, false), Some(10_000));
}

#[test]
fn only_so_many_consumers() {
    let mut group = group(Settings {
        max_subscriber_count: 1,
        ..usual()
    });
    let first = group.join(Moment::ZERO, 1).unwrap();
    assert_eq!(group.join(Moment::ZERO, 1), Err(Full));
    group.leave(Moment::ZERO, first);
    group.join(Moment::ZERO, 1).unwrap();
}

#[test]
fn each_in_turn_or_one_until_it_is_full() {
    let order = |strategy| {
        let mut group = group(Settings { strategy, ..usual() });
        let consumers = [2, 2].map(|buffer| group.join(Moment::ZERO, buffer).unwrap());
        (0..4).for_each(|place| group.arrived(Moment::ZERO, arrival(place)));
        let delivered = delivered(&group.outputs());
        delivered
            .into_iter()
            .map(|(to, _)| consumers.iter().position(|id| *id == to).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(order(Strategy::RoundRobin), [0, 1, 0, 1]);
    assert_eq!(order(Strategy::DispatchToSingle), [0, 0, 1, 1]);
}

#[test]
fn pinned_messages_stay_with_their_consumer() {
    let mut group = group(Settings {
        strategy: Strategy::Pinned,
        ..usual()
    });
    let consumers = [100, 100, 100].map(|buffer| group.join(Moment::ZERO, buffer).unwrap());
    (0..70).for_each(|place| group.arrived(Moment::ZERO, arrival(place)));
    let before = delivered(&group.outputs());
    let owner = |of: &[(ConsumerId, u64)], pin| {
        let mut owners: Vec<_> = of
            .iter()
            .filter(|(_, body)| body % 7 == pin)
            .map(|(owner, _)| *owner)
            .collect();
        owners.dedup();
        assert_eq!(owners.len(), 1, "{pin} went to {owners:?}");
        owners[0]
    };
    let owners: Vec<_> = (0..7).map(|pin| owner(&before, pin)).collect();
    before
        .iter()
        .for_each(|(owner, body)| group.ack(Moment::ZERO, *owner, &[id(*body)]));
    // One goes: the others keep what is theirs.
    group.leave(Moment::ZERO, consumers[2]);
    (70..140).for_each(|place| group.arrived(Moment::ZERO, arrival(place)));
    let after = delivered(&group.outputs());
    for pin in (0..7).filter(|pin| owners[*pin as usize] != consumers[2]) {
        assert_eq!(owner(&after, pin), owners[pin as usize]);
    }
}

#[test]
fn a_full_consumer_does_not_keep_others_from_their_pinned_messages() {
    let mut group = group(Settings {
        strategy: Strategy::Pinned,
        ..usual()
    });
    let _two = [1, 1].map(|buffer| group.join(Moment::ZERO, buffer).unwrap());
    (0..70).for_each(|place| group.arrived(Moment::ZERO, arrival(place)));
    assert_eq!(group.outputs().len(), 2);
}

#[test]
fn nothing_more_is_wanted_without_consumers_or_above_the_bounds() {
    let mut group = group(Settings {
        live_buffer_size: 3,
        history_buffer_size: 5,
        ..usual()
    });
    assert!(!group.wants_more(true));
    group.join(Moment::ZERO, 1).unwrap();
    (0..4).for_each(|place| group.arrived(Moment::ZERO, arrival(place)));
    assert!(!group.wants_more(true) && group.wants_more(false));
    let large = Arrival {
        bytes: MOST_BYTES,
        ..arrival(4)
    };
    group.arrived(Moment::ZERO, large);
    assert!(!group.wants_more(false));
}

#[test]
fn replayed_messages_are_marked_when_they_are_handled() {
    let mut group = group(usual());
    let consumer = group.join(Moment::ZERO, 10).unwrap();
    for place in 0..3 {
        group.arrived(
            Moment::ZERO,
            Arrival {
                origin: Origin::Parked,
                ..arrival(place)
            },
        );
    }
    group.replayed_up_to(3);
    group.replay_marked();
    group.ack(Moment::ZERO, consumer, &[id(1)]);
    assert_eq!(group.replay_mark_due(false, true, false), Some(0), "0 is open");
    group.replay_marked();
    group.ack(Moment::ZERO, consumer, &[id(0)]);
    assert_eq!(group.replay_mark_due(false, false, false), None, "2 is open");
    assert_eq!(group.replay_mark_due(false, true, false), Some(2));
    group.ack(Moment::ZERO, consumer, &[id(2)]);
    assert_eq!(group.replay_mark_due(false, false, false), Some(3));
    assert_eq!(
        group.checkpoint_due(10 * SECOND, true),
        None,
        "the checkpoint is another matter"
    );
}

#[test]
fn two_messages_of_one_id_are_two_messages() {
    let mut group = group(usual());
    let consumer = group.join(Moment::ZERO, 10).unwrap();
    group.arrived(Moment::ZERO, arrival(0));
    group.arrived(
        Moment::ZERO,
        Arrival {
            id: id(0),
            ..arrival(1)
        },
    );
    group.ack(Moment::ZERO, consumer, &[id(0)]);
    assert_eq!(group.checkpoint_due(SECOND, true), Some(0));
    group.ack(Moment::ZERO, consumer, &[id(0)]);
    assert_eq!(group.checkpoint_due(SECOND, true), Some(1));
}
