//! Subscriptions: everything, in order, once; first what there is, then what comes.

use std::sync::Arc;

use futures_util::FutureExt;

use super::{Corner, event, events, ids, within};
use crate::port::{EventFilter, EventLog, Position};

/// Every check of this file.
pub async fn all<Made: Future<Output = Arc<dyn EventLog>>>(make: impl Fn() -> Made) {
    catching_up_and_going_live(make().await).await;
    moving_on_over_what_is_left_out(make().await).await;
    waiting_can_be_given_up(make().await).await;
}

/// A subscriber that starts in the middle while others write sees what a reader sees afterwards: no gap, nothing twice.
pub async fn catching_up_and_going_live(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let start = log.head().await.unwrap();
    for _ in 0..100 {
        corner.add("history", &events("Old", 2)).await;
    }
    let middle = corner.read_on(start, &corner.filter(), 50).await[99].position;
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let corner = corner.clone();
            tokio::spawn(async move {
                for round in 0..50 {
                    corner.add(&format!("w{writer}"), &events("New", 1 + round % 3)).await;
                }
            })
        })
        .collect();
    // Different paces, page sizes and starting points, all at once.
    let followers: Vec<_> = [(start, 1), (middle, 7), (start, 1000), (middle, 64)]
        .into_iter()
        .map(|(from, page)| {
            let corner = corner.clone();
            tokio::spawn(async move {
                let subscribed = Arc::clone(&corner.log).subscribe(from, corner.filter()).await;
                let mut subscription = subscribed.unwrap();
                let (mut seen, mut at) = (vec![], from);
                // The last event of all is written when the writers are done.
                while seen
                    .last()
                    .is_none_or(|event: &Arc<crate::RecordedEvent>| &*event.event_type != "Last")
                {
                    let (events, next) = subscription.next(page).await.unwrap();
                    assert!(events.len() <= page && next > at);
                    assert!(events.iter().all(|event| at < event.position && event.position <= next));
                    seen.extend(events);
                    at = next;
                }
                (from, seen)
            })
        })
        .collect();
    for writer in writers {
        within(writer).await.unwrap();
    }
    corner.add("history", &[event("Last", "")]).await;
    for follower in followers {
        let (from, seen) = within(follower).await.unwrap();
        assert_eq!(ids(&seen), ids(&corner.read_on(from, &corner.filter(), 1000).await));
    }
}

/// The position moves over events that the filter leaves out, so that a checkpoint can.
pub async fn moving_on_over_what_is_left_out(log: Arc<dyn EventLog>) {
    let (wanted, other) = (Corner::of(&log), Corner::of(&log));
    let start = log.head().await.unwrap();
    let mut subscription = Arc::clone(&log).subscribe(start, wanted.filter()).await.unwrap();
    let left_out = other.add("s", &events("Other", 20)).await;
    let mut at = start;
    while at < left_out.position {
        let (events, next) = within(subscription.next(5)).await.unwrap();
        assert!(events.is_empty());
        at = next;
    }
    let appended = wanted.add("s", &events("Wanted", 1)).await;
    let mut seen = vec![];
    while at < appended.position {
        let (events, next) = within(subscription.next(5)).await.unwrap();
        seen.extend(events);
        at = next;
    }
    assert_eq!(
        seen.iter().map(|event| event.position).collect::<Vec<_>>(),
        [appended.position]
    );
}

/// A subscriber at the end waits; giving up the wait loses nothing.
pub async fn waiting_can_be_given_up(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let head = log.head().await.unwrap();
    let mut subscription = Arc::clone(&log).subscribe(head, EventFilter::default()).await.unwrap();
    let mut expected = vec![];
    let mut seen: Vec<Position> = vec![];
    for _ in 0..10 {
        while let Some(next) = subscription.next(1).now_or_never() {
            seen.extend(next.unwrap().0.iter().map(|event| event.position));
        }
        expected.push(corner.add("s", &events("Awaited", 1)).await.position);
    }
    while seen.len() < expected.len() {
        let (events, _) = within(subscription.next(3)).await.unwrap();
        seen.extend(events.iter().map(|event| event.position));
    }
    assert_eq!(seen, expected);
    // It really waits, and is woken.
    let waiting = tokio::spawn(async move { subscription.next(10).await.unwrap().0 });
    let last = corner.add("s", &events("Awaited", 1)).await;
    assert_eq!(within(waiting).await.unwrap()[0].position, last.position);
}
