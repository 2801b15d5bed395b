//! What may be appended, and what happens to it.

use std::sync::Arc;

use bytes::Bytes;
use event_schemas::{NewEvent, StreamName};

use super::{Corner, event, events, ids, new_ids, within};
use crate::port::{AppendError, Appended, Direction, EventLog, ExpectedVersion, StreamVersion};

/// Every check of this file.
pub async fn all<Made: Future<Output = Arc<dyn EventLog>>>(make: impl Fn() -> Made) {
    expected_versions(make().await).await;
    whole_appends_only(make().await).await;
    repeating_changes_nothing(make().await).await;
    large_events(make().await).await;
    one_of_many_writers_wins(make().await).await;
    concurrent_writers_lose_nothing(make().await).await;
}

async fn assert_conflict(
    corner: &Corner,
    stream: &StreamName,
    expected: ExpectedVersion,
    actual: Option<StreamVersion>,
) {
    match corner.append(stream, expected, &events("Late", 1)).await {
        Err(AppendError::Conflict {
            stream: named,
            expected: believed,
            actual: told,
        }) => {
            assert_eq!((&named, believed, told), (stream, expected, actual));
        }
        other => panic!("{expected:?} on a stream at {actual:?} gave {other:?}"),
    }
}

async fn assert_refused(corner: &Corner, stream: &StreamName, events: &[NewEvent]) {
    match corner.append(stream, ExpectedVersion::Any, events).await {
        Err(AppendError::Refused(why)) => assert!(!why.is_empty()),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// None, exists, exact and any; a conflict tells the actual version and writes nothing.
pub async fn expected_versions(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let stream = corner.stream("a");
    assert_conflict(&corner, &stream, ExpectedVersion::Exact(0), None).await;
    assert_conflict(&corner, &stream, ExpectedVersion::Exists, None).await;

    let first = corner
        .append(&stream, ExpectedVersion::None, &events("First", 1))
        .await
        .unwrap();
    assert_eq!((first.version, first.duplicate), (0, false));
    assert!(first.position.0 > 0);
    assert_conflict(&corner, &stream, ExpectedVersion::None, Some(0)).await;
    assert_conflict(&corner, &stream, ExpectedVersion::Exact(1), Some(0)).await;

    let second = corner
        .append(&stream, ExpectedVersion::Exact(0), &events("Second", 2))
        .await
        .unwrap();
    assert_eq!(second.version, 2);
    assert!(second.position > first.position);
    assert_conflict(&corner, &stream, ExpectedVersion::Exact(0), Some(2)).await;

    let third = corner
        .append(&stream, ExpectedVersion::Any, &events("Third", 1))
        .await
        .unwrap();
    assert_eq!(third.version, 3);
    let fourth = corner
        .append(&stream, ExpectedVersion::Exists, &events("Fourth", 1))
        .await
        .unwrap();
    assert_eq!(fourth.version, 4);
    let other = corner.stream("b");
    let fresh = corner
        .append(&other, ExpectedVersion::Any, &events("First", 1))
        .await
        .unwrap();
    assert_eq!(fresh.version, 0);

    let stored = log.read_stream(&stream, None, Direction::Forwards, 100).await.unwrap();
    let types: Vec<_> = stored.iter().map(|event| &*event.event_type).collect();
    assert_eq!(types, ["First", "Second", "Second", "Third", "Fourth"]);
}

/// The events of an append stand together and in order, or not at all.
pub async fn whole_appends_only(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let stream = corner.stream("a");
    let many = events("Many", 50);
    let appended = corner.append(&stream, ExpectedVersion::None, &many).await.unwrap();
    assert_eq!(appended.version, 49);

    let refused = corner
        .append(&stream, ExpectedVersion::Exact(7), &events("Lost", 50))
        .await;
    assert!(matches!(refused, Err(AppendError::Conflict { .. })), "{refused:?}");
    assert_refused(&corner, &stream, &[]).await;

    let stored = log.read_stream(&stream, None, Direction::Forwards, 1000).await.unwrap();
    assert_eq!(ids(&stored), new_ids(&many));
    let versions: Vec<_> = stored.iter().map(|event| event.version).collect();
    assert_eq!(versions, (0..50).collect::<Vec<_>>());
    assert!(stored.windows(2).all(|pair| pair[0].position < pair[1].position));
    assert_eq!(stored.last().unwrap().position, appended.position);
}

/// The same ids to the same stream again: the same answer, nothing written, whatever is expected.
pub async fn repeating_changes_nothing(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let stream = corner.stream("a");
    let first = events("First", 2);
    let second = events("Second", 3);
    let one = corner.append(&stream, ExpectedVersion::None, &first).await.unwrap();
    let two = corner
        .append(&stream, ExpectedVersion::Exact(1), &second)
        .await
        .unwrap();
    let repeated = |appended: Appended| Appended {
        duplicate: true,
        ..appended
    };
    for expected in [
        ExpectedVersion::None,
        ExpectedVersion::Exact(1),
        ExpectedVersion::Exact(99),
        ExpectedVersion::Exists,
        ExpectedVersion::Any,
    ] {
        assert_eq!(
            corner.append(&stream, expected, &first).await.unwrap(),
            repeated(one),
            "{expected:?}"
        );
        assert_eq!(
            corner.append(&stream, expected, &second).await.unwrap(),
            repeated(two),
            "{expected:?}"
        );
    }
    // At the same moment, too: they are written once, and at least one caller hears that it wrote them.
    let third = events("Third", 2);
    let all =
        futures_util::future::join_all((0..8).map(|_| corner.append(&stream, ExpectedVersion::Any, &third))).await;
    let all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
    assert!(all.iter().any(|appended| !appended.duplicate), "{all:?}");
    assert!(
        all.iter()
            .all(|appended| appended.version == 6 && appended.position == all[0].position)
    );

    let stored = log.read_stream(&stream, None, Direction::Forwards, 100).await.unwrap();
    assert_eq!(
        ids(&stored),
        [new_ids(&first), new_ids(&second), new_ids(&third)].concat()
    );
}

/// Of the embedded and the in-memory log only: an id elsewhere in the log, an append known in part, an id twice in one append: refused.
pub async fn ids_stand_once_in_the_log(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let (stream, other) = (corner.stream("a"), corner.stream("b"));
    let known = events("Known", 2);
    corner.append(&stream, ExpectedVersion::None, &known).await.unwrap();

    assert_refused(&corner, &other, &known).await;
    assert_refused(&corner, &stream, &[known[1].clone(), event("New", "")]).await;
    assert_refused(&corner, &stream, &[event("New", ""), known[0].clone()]).await;
    let new = event("New", "");
    assert_refused(&corner, &stream, &[new.clone(), new]).await;

    let stored = log.read_stream(&stream, None, Direction::Forwards, 100).await.unwrap();
    assert_eq!(ids(&stored), new_ids(&known));
    let none = log.read_stream(&other, None, Direction::Forwards, 100).await.unwrap();
    assert!(none.is_empty());

    // Of those who append the same at the same moment, all but one are told so.
    let same = events("Same", 2);
    let all = futures_util::future::join_all((0..8).map(|_| corner.append(&stream, ExpectedVersion::Any, &same))).await;
    let new = all.iter().flatten().filter(|appended| !appended.duplicate);
    assert_eq!(new.count(), 1, "{all:?}");
}

/// Events of several hundred kilobytes, many to an append.
pub async fn large_events(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let stream = corner.stream("a");
    let large: Vec<_> = (1..=5_usize)
        .map(|size| NewEvent {
            data: Bytes::from(serde_json::to_vec(&"장터 ".repeat(size * 20_000)).unwrap()),
            ..event("Large", "")
        })
        .collect();
    corner.append(&stream, ExpectedVersion::None, &large).await.unwrap();
    corner.add("a", &events("Small", 1)).await;
    let stored = log.read_stream(&stream, None, Direction::Forwards, 100).await.unwrap();
    assert_eq!(stored.len(), 6);
    for (stored, large) in stored.iter().zip(&large) {
        assert!(
            stored.data == large.data,
            "{} bytes came back otherwise",
            large.data.len()
        );
    }
}

/// Of writers that expect the same version at the same time exactly one succeeds.
pub async fn one_of_many_writers_wins(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let stream = corner.stream("a");
    let mut expected = ExpectedVersion::None;
    for round in 0..20 {
        let writers = (0..8).map(|_| {
            let (corner, stream) = (corner.clone(), stream.clone());
            tokio::spawn(async move { corner.append(&stream, expected, &events("Contested", 2)).await })
        });
        let mut winners = vec![];
        for outcome in within(futures_util::future::join_all(writers)).await {
            match outcome.unwrap() {
                Ok(appended) => winners.push(appended.version),
                Err(AppendError::Conflict { actual, .. }) => assert_eq!(actual, Some(2 * round + 1)),
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(winners, [2 * round + 1]);
        expected = ExpectedVersion::Exact(2 * round + 1);
    }
    let stored = log.read_stream(&stream, None, Direction::Forwards, 100).await.unwrap();
    assert_eq!(stored.len(), 40);
}

/// Writers that expect nothing get versions and positions of their own, and everything is there.
pub async fn concurrent_writers_lose_nothing(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let start = log.head().await.unwrap();
    let writers = (0..8).map(|writer| {
        let corner = corner.clone();
        tokio::spawn(async move {
            let mut written = vec![];
            for round in 0..25 {
                let events = events("Any", 1 + round % 3);
                // Half of them share a stream.
                let appended = corner
                    .add(if writer % 2 == 0 { "shared" } else { "own" }, &events)
                    .await;
                written.push((appended, new_ids(&events)));
            }
            written
        })
    });
    let written: Vec<_> = within(futures_util::future::join_all(writers))
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();
    let all = corner.read_on(start, &corner.filter(), 64).await;
    assert_eq!(all.len(), written.iter().map(|(_, ids)| ids.len()).sum::<usize>());
    for (appended, ids) in written {
        let end = all
            .iter()
            .position(|event| event.position == appended.position)
            .unwrap()
            + 1;
        let own = &all[end - ids.len()..end];
        assert_eq!(super::ids(own), ids, "an append was torn apart");
        assert_eq!(own.last().unwrap().version, appended.version);
    }
    for stream in ["shared", "own"] {
        let stored = log
            .read_stream(&corner.stream(stream), None, Direction::Forwards, 1000)
            .await
            .unwrap();
        let versions: Vec<_> = stored.iter().map(|event| event.version).collect();
        assert_eq!(versions, (0..stored.len() as u64).collect::<Vec<_>>());
    }
}
