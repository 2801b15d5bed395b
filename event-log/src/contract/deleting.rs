//! Streams that are deleted for good.

use std::sync::Arc;

use super::{Corner, events, new_ids, within};
use crate::port::{
    AppendError, Direction, EventLog, ExpectedVersion, Position, STREAM_DELETED, StreamVersion, TOMBSTONE,
};

/// Every check of this file.
pub async fn all<Made: Future<Output = Arc<dyn EventLog>>>(make: impl Fn() -> Made) {
    deleted_streams_take_nothing_more(make().await).await;
    deleted_streams_stay_readable(make().await).await;
    the_whole_log_shows_tombstones(make().await).await;
}

/// Only what expects the right version deletes; then every append is refused, and every further deletion.
pub async fn deleted_streams_take_nothing_more(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let (stream, unknown) = (corner.stream("a"), corner.stream("unknown"));
    let held = corner.add("a", &events("Held", 3)).await;
    for (stream, wrong, actual) in [
        (&stream, ExpectedVersion::None, Some(2)),
        (&stream, ExpectedVersion::Exact(1), Some(2)),
        (&unknown, ExpectedVersion::Exists, None),
        (&unknown, ExpectedVersion::Exact(0), None),
    ] {
        match within(log.tombstone(stream, wrong)).await {
            Err(AppendError::Conflict { actual: told, .. }) => assert_eq!(told, actual),
            other => panic!("{wrong:?} on a stream at {actual:?} gave {other:?}"),
        }
    }
    let deleted = within(log.tombstone(&stream, ExpectedVersion::Exact(2))).await.unwrap();
    assert_eq!((deleted.version, deleted.duplicate), (TOMBSTONE, false));
    assert!(deleted.position > held.position);
    // One that never held anything, too.
    let at_once = within(log.tombstone(&unknown, ExpectedVersion::None)).await.unwrap();
    assert_eq!(at_once.version, TOMBSTONE);

    for stream in [&stream, &unknown] {
        for expected in [
            ExpectedVersion::Any,
            ExpectedVersion::None,
            ExpectedVersion::Exists,
            ExpectedVersion::Exact(2),
        ] {
            let appended = corner.append(stream, expected, &events("Late", 1)).await;
            match appended {
                Err(AppendError::Deleted { stream: named }) => assert_eq!(named, *stream),
                other => panic!("{expected:?} on a deleted stream gave {other:?}"),
            }
        }
        let again = within(log.tombstone(stream, ExpectedVersion::Any)).await;
        assert!(matches!(again, Err(AppendError::Deleted { .. })), "{again:?}");
    }
    // Its neighbours live on.
    corner.add("a-b", &events("Alive", 1)).await;
    corner.add("unknown2", &events("Alive", 1)).await;
}

/// What it held can still be read, in both directions and from anywhere; the tombstone is its last event.
pub async fn deleted_streams_stay_readable(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let (stream, empty) = (corner.stream("a"), corner.stream("empty"));
    let held = events("Held", 5);
    corner.append(&stream, ExpectedVersion::None, &held).await.unwrap();
    let deleted = within(log.tombstone(&stream, ExpectedVersion::Any)).await.unwrap();
    within(log.tombstone(&empty, ExpectedVersion::Any)).await.unwrap();

    let read = |from, direction, max| {
        let (log, stream) = (Arc::clone(&log), stream.clone());
        async move {
            let events = log.read_stream(&stream, from, direction, max).await.unwrap();
            events.iter().map(|event| event.version).collect::<Vec<StreamVersion>>()
        }
    };
    use Direction::{Backwards, Forwards};
    assert_eq!(read(None, Forwards, 100).await, [0, 1, 2, 3, 4, TOMBSTONE]);
    assert_eq!(read(Some(3), Forwards, 2).await, [3, 4]);
    assert_eq!(read(Some(4), Forwards, 2).await, [4, TOMBSTONE]);
    assert_eq!(read(Some(TOMBSTONE), Forwards, 2).await, [TOMBSTONE]);
    assert_eq!(read(None, Backwards, 100).await, [TOMBSTONE, 4, 3, 2, 1, 0]);
    assert_eq!(read(Some(TOMBSTONE), Backwards, 2).await, [TOMBSTONE, 4]);
    assert_eq!(read(Some(4), Backwards, 2).await, [4, 3]);

    let stored = log.read_stream(&stream, None, Forwards, 100).await.unwrap();
    assert_eq!(super::ids(&stored[..5]), new_ids(&held));
    assert_eq!(&*stored[5].event_type, STREAM_DELETED);
    assert_eq!(stored[5].position, deleted.position);
    let alone = log.read_stream(&empty, None, Forwards, 100).await.unwrap();
    assert_eq!(alone.iter().map(|event| event.version).collect::<Vec<_>>(), [TOMBSTONE]);
}

/// In the whole log a deletion is an event like any other, and the list of streams says so.
pub async fn the_whole_log_shows_tombstones(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let start = log.head().await.unwrap();
    let mut subscription = Arc::clone(&log).subscribe(start, corner.filter()).await.unwrap();
    corner.add("a", &events("Held", 2)).await;
    let deleted = within(log.tombstone(&corner.stream("a"), ExpectedVersion::Exists))
        .await
        .unwrap();
    let last = corner.add("b", &events("Held", 1)).await;

    let mut followed: Vec<(String, Position)> = vec![];
    while followed.len() < 4 {
        let (events, _) = within(subscription.next(10)).await.unwrap();
        followed.extend(
            events
                .iter()
                .map(|event| (event.event_type.to_string(), event.position)),
        );
    }
    let read = corner.read_on(start, &corner.filter(), 10).await;
    let read: Vec<_> = read
        .iter()
        .map(|event| (event.event_type.to_string(), event.position))
        .collect();
    assert_eq!(followed, read);
    assert_eq!(read[2], (STREAM_DELETED.to_owned(), deleted.position));
    assert_eq!(read[3].1, last.position);

    let listed = log.streams(corner.stream("").as_str(), None, 10).await.unwrap();
    let listed: Vec<_> = listed
        .iter()
        .map(|summary| (summary.version, summary.position))
        .collect();
    assert_eq!(listed, [(TOMBSTONE, deleted.position), (0, last.position)]);
}
