//! What comes back, in which order.

use std::sync::Arc;

use bytes::Bytes;
use event_schemas::{NewEvent, Timestamp};

use super::{Corner, event, events, ids, new_ids};
use crate::port::{Direction, EventFilter, EventLog, ExpectedVersion, Position, StreamSummary};

/// Every check of this file.
pub async fn all<Made: Future<Output = Arc<dyn EventLog>>>(make: impl Fn() -> Made) {
    events_come_back_as_they_were(make().await).await;
    streams_both_ways(make().await).await;
    the_whole_log_in_pages(make().await).await;
    the_whole_log_backwards(make().await).await;
    filters(make().await).await;
    lists_of_streams(make().await).await;
    counts(make().await).await;
}

/// Every field.
pub async fn events_come_back_as_they_were(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let stream = corner.stream("a");
    let before = Timestamp::now();
    let new = NewEvent {
        metadata: Bytes::from_static(r#"{"schema_version":3,"note":"메모"}"#.as_bytes()),
        ..event("OrderPlaced", "장터 \"quoted\" \u{1F6D2}")
    };
    let appended = corner
        .append(&stream, ExpectedVersion::None, std::slice::from_ref(&new))
        .await
        .unwrap();
    let by_stream = log.read_stream(&stream, None, Direction::Forwards, 10).await.unwrap();
    let by_position = corner
        .read_on(Position(appended.position.0 - 1), &corner.filter(), 10)
        .await;
    for read in [by_stream, by_position] {
        assert_eq!(read.len(), 1);
        let read = &read[0];
        assert_eq!(read.stream, stream);
        assert_eq!((read.version, read.position), (0, appended.position));
        assert_eq!((read.id, &*read.event_type), (new.id, new.event_type.as_str()));
        // A server may write JSON down in its own way.
        let json = |bytes: &Bytes| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        assert_eq!(json(&read.data), json(&new.data));
        assert_eq!(json(&read.metadata), json(&new.metadata));
        // The server's clock may differ from ours by a little.
        let minute = 60_000;
        assert!(read.recorded_at >= before.plus_millis(-minute));
        assert!(read.recorded_at <= Timestamp::now().plus_millis(minute));
    }
}

/// From any version, in either direction, any number.
pub async fn streams_both_ways(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let stream = corner.stream("a");
    // Neighbours in name order, to be kept out.
    corner.add("Z", &events("Other", 3)).await;
    corner.add("a-b", &events("Other", 3)).await;
    let mut written = vec![];
    for _ in 0..20 {
        let more = events("Counted", 10);
        corner.append(&stream, ExpectedVersion::Any, &more).await.unwrap();
        written.extend(new_ids(&more));
        corner.add("b", &events("Other", 1)).await;
    }
    let backwards: Vec<_> = written.iter().rev().copied().collect();
    let read = |from, direction, max| {
        let (log, stream) = (Arc::clone(&log), stream.clone());
        async move { ids(&log.read_stream(&stream, from, direction, max).await.unwrap()) }
    };
    for max in [0, 1, 7, 64, 65, 150, 1000] {
        for from in [0_usize, 1, 63, 64, 130, 198, 199] {
            let version = Some(from as u64);
            let end = written.len().min(from + max);
            assert_eq!(
                read(version, Direction::Forwards, max).await,
                written[from..end],
                "{max} from {from}"
            );
            let start = 199 - from;
            let end = backwards.len().min(start + max);
            assert_eq!(
                read(version, Direction::Backwards, max).await,
                backwards[start..end],
                "{max} back from {from}"
            );
        }
        let end = written.len().min(max);
        assert_eq!(read(None, Direction::Forwards, max).await, written[..end]);
        assert_eq!(read(None, Direction::Backwards, max).await, backwards[..end]);
        assert!(read(Some(200), Direction::Forwards, max).await.is_empty());
        assert_eq!(
            read(Some(u64::MAX - 1), Direction::Backwards, max).await,
            backwards[..end]
        );
    }
    for direction in [Direction::Forwards, Direction::Backwards] {
        let none = log
            .read_stream(&corner.stream("none"), None, direction, 10)
            .await
            .unwrap();
        assert!(none.is_empty());
    }
}

/// Pages of any size make up the same whole; the last one says that it is the last.
pub async fn the_whole_log_in_pages(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let start = log.head().await.unwrap();
    let mut written = vec![];
    for round in 0..60 {
        let more = events("Paged", 1 + round % 4);
        corner.add(&format!("s{}", round % 7), &more).await;
        written.extend(new_ids(&more));
    }
    for page in [1, 3, 64, 65, 1000] {
        let all = corner.read_on(start, &corner.filter(), page).await;
        assert_eq!(ids(&all), written, "in pages of {page}");
        // From the middle: after a position means without it.
        let middle = &all[all.len() / 2];
        let rest = corner.read_on(middle.position, &corner.filter(), page).await;
        assert_eq!(ids(&rest), written[all.len() / 2 + 1..]);
    }
    let head = log.head().await.unwrap();
    let (none, at) = log.read_all(head, &EventFilter::default(), 10).await.unwrap();
    assert!(
        none.is_empty() && at == head,
        "{} events, then {at} after the head {head}",
        none.len()
    );
    let from_the_start = log.read_all(Position::START, &EventFilter::default(), 1).await.unwrap();
    assert_eq!(from_the_start.0.len(), 1);
}

/// Newest first, from the end or from before a position, in pages of any size.
pub async fn the_whole_log_backwards(log: Arc<dyn EventLog>) {
    let (corner, other) = (Corner::of(&log), Corner::of(&log));
    let start = log.head().await.unwrap();
    let mut written = vec![];
    for round in 0..60 {
        let more = events(["Even", "Odd"][round % 2], 1 + round % 4);
        corner.add(&format!("s{}", round % 7), &more).await;
        other.add("s", &events("Other", 1 + round % 3)).await;
        written.extend(more.iter().map(|event| (event.id, event.event_type.clone())));
    }
    written.reverse();
    let all: Vec<_> = written.iter().map(|(id, _)| *id).collect();
    let odd: Vec<_> = written
        .iter()
        .filter(|(_, of)| of == "Odd")
        .map(|(id, _)| *id)
        .collect();
    let only_odd = EventFilter {
        types: vec!["Odd".to_owned()],
        ..corner.filter()
    };
    for page in [1, 3, 64, 65, 1000] {
        let back = corner.read_back(None, start, &corner.filter(), page).await;
        assert_eq!(ids(&back), all, "in pages of {page}");
        assert_eq!(
            ids(&corner.read_back(None, start, &only_odd, page).await),
            odd,
            "odd ones in pages of {page}"
        );
        // From the middle: before a position means without it.
        let middle = back[all.len() / 2].position;
        let rest = corner.read_back(Some(middle), start, &corner.filter(), page).await;
        assert_eq!(ids(&rest), all[all.len() / 2 + 1..]);
    }
    // The whole log, where nothing is left out: the same events as forwards.
    let everything = EventFilter::default();
    let mut forwards = ids(&corner.read_on(start, &everything, 100).await);
    forwards.reverse();
    assert_eq!(ids(&corner.read_back(None, start, &everything, 100).await), forwards);

    // At its beginning.
    let first = log.read_all(Position::START, &everything, 2).await.unwrap().0;
    let before_second = corner
        .read_back(Some(first[1].position), Position::START, &everything, 10)
        .await;
    assert_eq!(ids(&before_second), [first[0].id]);
    let before_first = corner
        .read_back(Some(first[0].position), Position::START, &everything, 10)
        .await;
    assert!(before_first.is_empty(), "{before_first:?}");
    let (none, at) = log
        .read_all_backwards(Some(Position::START), &everything, 10)
        .await
        .unwrap();
    assert!(none.is_empty() && at == Position::START);
}

/// By category, by type, by both, by several.
pub async fn filters(log: Arc<dyn EventLog>) {
    let (one, two) = (Corner::of(&log), Corner::of(&log));
    let start = log.head().await.unwrap();
    let mut written = vec![];
    for round in 0..40 {
        let corner = if round % 2 == 0 { &one } else { &two };
        let event_type = ["Red", "Green", "Blue"][round % 3];
        let new = event(event_type, "");
        written.push((corner.category.clone(), event_type, new.id));
        corner.add("s", &[new]).await;
    }
    let categories = [&one, &two].map(|corner| corner.category.clone());
    let types = ["Red", "Green", "Nowhere"].map(str::to_owned);
    let filters = [
        (categories.to_vec(), vec![]),
        (categories[..1].to_vec(), vec![]),
        (categories.to_vec(), types[..1].to_vec()),
        (categories[1..].to_vec(), types[..2].to_vec()),
        (categories.to_vec(), types[2..].to_vec()),
        // A category is a whole word, not the beginning of one.
        (vec![categories[0][..20].to_owned()], vec![]),
    ];
    for (categories, types) in filters {
        let filter = EventFilter { categories, types };
        let wanted: Vec<_> = written
            .iter()
            .filter(|(category, event_type, _)| filter.passes(category, event_type))
            .map(|(_, _, id)| *id)
            .collect();
        for page in [1, 7, 100] {
            assert_eq!(
                ids(&one.read_on(start, &filter, page).await),
                wanted,
                "{filter:?} in pages of {page}"
            );
        }
    }
}

/// In the order of their names, by prefix, in pages.
pub async fn lists_of_streams(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    // One name begins another; a long stream between short ones.
    let names = ["a", "a-1", "a0", "aa", "b", "b~", "é", "장터"];
    let mut expected = vec![];
    for (index, name) in names.iter().enumerate() {
        let count = if *name == "aa" { 300 } else { index + 1 };
        let appended = corner.add(name, &events("Listed", count)).await;
        expected.push(StreamSummary {
            stream: corner.stream(name),
            version: appended.version,
            position: appended.position,
        });
    }
    expected.sort_by(|one, other| one.stream.cmp(&other.stream));
    let prefix = format!("{}-", corner.category);
    assert_eq!(log.streams(&prefix, None, 100).await.unwrap(), expected);
    for page in [1, 3] {
        let mut listed: Vec<StreamSummary> = vec![];
        loop {
            let after = listed.last().map(|summary| summary.stream.as_str().to_owned());
            let more = log.streams(&prefix, after.as_deref(), page).await.unwrap();
            assert!(more.len() <= page);
            if more.is_empty() {
                break;
            }
            listed.extend(more);
        }
        assert_eq!(listed, expected, "in pages of {page}");
    }
    let with_a = log.streams(corner.stream("a").as_str(), None, 100).await.unwrap();
    assert_eq!(with_a, expected[..4]);
    assert!(log.streams("no such stream", None, 10).await.unwrap().is_empty());
    let behind = log.streams(&prefix, Some("zzzz-"), 10).await.unwrap();
    assert!(behind.is_empty());
    let before = log.streams(&prefix, Some("a"), 1).await.unwrap();
    assert_eq!(before, expected[..1]);
}

/// Counts go up by what is written, and by nothing else.
pub async fn counts(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let before = log.stats().await.unwrap();
    corner.add("a", &events("Counted", 3)).await;
    let twice = events("Counted", 2);
    corner.add("a", &twice).await;
    corner.add("a", &twice).await;
    let last = corner.add("b", &events("Counted", 1)).await;
    let refused = corner
        .append(&corner.stream("c"), ExpectedVersion::Exact(5), &events("Counted", 1))
        .await;
    assert!(refused.is_err());
    let after = log.stats().await.unwrap();
    assert_eq!(after.events, before.events + 6);
    assert_eq!(after.streams, before.streams + 2);
    assert_eq!(after.head, last.position);
    let own: Vec<_> = after
        .categories
        .iter()
        .filter(|(name, _)| *name == corner.category)
        .collect();
    assert_eq!(own, [&(corner.category.clone(), 6)]);
    assert!(after.categories.is_sorted_by(|(_, more), (_, less)| more >= less));
    assert_eq!(
        after.categories.iter().map(|(_, count)| count).sum::<u64>(),
        after.events
    );
}
