//! Subscriptions.

use std::sync::Arc;

use event_log::{EventLog, ExpectedVersion, embedded::EmbeddedLog};
use tonic::Code;

use super::corner::{Corner, Wish, name, prefixes};
use crate::reading::request::Place::{At, End, Start};

#[tokio::test]
async fn a_subscriber_to_a_stream_catches_up_and_is_then_live() {
    let corner = Corner::new();
    corner.add_many("order-1", 2).await;
    let follow = |from| corner.follow(Wish::of_stream("order-1", from).for_ever());
    let mut from_start = follow(Start).await;
    let mut from_first = follow(At(0)).await;
    let mut from_end = follow(End).await;
    let mut ahead = follow(At(3)).await;
    from_start
        .expect(&["confirmed", "order-1/0", "order-1/1", "caught up"])
        .await;
    from_first.expect(&["confirmed", "order-1/1", "caught up"]).await;
    from_end.expect(&["confirmed", "caught up"]).await;
    ahead.expect(&["confirmed", "caught up"]).await;
    assert!(from_start.waits() && from_end.waits());
    for _ in 0..3 {
        corner.add_many("order-2", 4).await;
        corner.add_many("order-1", 1).await;
    }
    for follower in [&mut from_start, &mut from_first, &mut from_end] {
        follower.expect(&["order-1/2", "order-1/3", "order-1/4"]).await;
        assert!(follower.waits());
    }
    ahead.expect(&["order-1/4"]).await;
}

#[tokio::test]
async fn a_subscriber_to_a_stream_that_is_not_there_waits_for_it() {
    let corner = Corner::new();
    let mut follower = corner.follow(Wish::of_stream("order-1", Start).for_ever()).await;
    follower.expect(&["confirmed", "caught up"]).await;
    assert!(follower.waits());
    corner.add_many("order-1", 2).await;
    follower.expect(&["order-1/0", "order-1/1"]).await;
}

/// What is hidden when the subscriber comes stays hidden; what comes is new and is not.
#[tokio::test]
async fn a_subscriber_sees_no_truncated_events() {
    let corner = Corner::new();
    corner.add_many("order-1", 4).await;
    corner.add("$$order-1", &[("$metadata", r#"{"$maxCount":1}"#)]).await;
    let mut follower = corner.follow(Wish::of_stream("order-1", Start).for_ever()).await;
    follower.expect(&["confirmed", "order-1/3", "caught up"]).await;
    corner.add_many("order-1", 2).await;
    follower.expect(&["order-1/4", "order-1/5"]).await;
    let mut metadata = corner.follow(Wish::of_stream("$$order-1", End).for_ever()).await;
    metadata.expect(&["confirmed", "caught up"]).await;
    corner.add("$$order-1", &[("$metadata", "{}")]).await;
    metadata.expect(&["$$order-1/1"]).await;
}

#[tokio::test]
async fn a_tombstone_ends_the_subscription_to_its_stream() {
    let corner = Corner::new();
    corner.add_many("order-1", 1).await;
    let mut live = corner.follow(Wish::of_stream("order-1", Start).for_ever()).await;
    let mut catching_up = corner.follow(Wish::of_stream("order-1", Start).for_ever()).await;
    let mut all = corner.follow(Wish::of_all(End).for_ever()).await;
    live.expect(&["confirmed", "order-1/0", "caught up"]).await;
    all.expect(&["confirmed", "caught up"]).await;
    corner
        .log
        .tombstone(&name("order-1"), ExpectedVersion::Any)
        .await
        .unwrap();
    catching_up.expect(&["confirmed", "order-1/0"]).await;
    for follower in [&mut live, &mut catching_up] {
        let end = follower.next().await.unwrap_err();
        assert_eq!(end.code(), Code::FailedPrecondition);
        assert_eq!(end.metadata().get("exception").unwrap(), "stream-deleted");
        assert_eq!(end.metadata().get("stream-name").unwrap(), "order-1");
    }
    all.expect(&["order-1/9223372036854775807"]).await;
}

#[tokio::test]
async fn a_subscriber_to_everything_goes_on_behind_a_position() {
    let corner = Corner::new();
    let first = corner.add_many("order-1", 1).await.position.0;
    corner.add_many("cart-1", 1).await;
    let follow = |from| corner.follow(Wish::of_all(from).for_ever());
    let mut from_start = follow(Start).await;
    let mut from_first = follow(At(first)).await;
    let mut from_end = follow(End).await;
    from_start
        .expect(&["confirmed", "order-1/0", "cart-1/0", "caught up"])
        .await;
    from_first.expect(&["confirmed", "cart-1/0", "caught up"]).await;
    from_end.expect(&["confirmed", "caught up"]).await;
    corner.add_many("order-1", 2).await;
    for follower in [&mut from_start, &mut from_first, &mut from_end] {
        follower.expect(&["order-1/1", "order-1/2"]).await;
        assert!(follower.waits());
    }
    let mut empty = Corner::new().follow(Wish::of_all(Start).for_ever()).await;
    empty.expect(&["confirmed", "caught up"]).await;
}

/// A checkpoint after as many events as were asked for, wanted or not, and one where the subscriber has caught up.
#[tokio::test]
async fn a_filtered_subscriber_is_told_how_far_it_is() {
    let corner = Corner::new();
    corner.add_many("order-1", 1).await;
    corner.add_many("cart-1", 4).await;
    corner.add_many("order-1", 1).await;
    let orders = |from| Wish::of_all(from).filter(prefixes(&["order-"], 2)).for_ever();
    let mut follower = corner.follow(orders(Start)).await;
    follower
        .expect(&[
            "confirmed",
            "order-1/0",
            "checkpoint 2",
            "checkpoint 4",
            "order-1/1",
            "checkpoint 6",
            "caught up",
        ])
        .await;
    corner.add_many("cart-1", 3).await;
    corner.add_many("order-1", 1).await;
    follower.expect(&["checkpoint 8", "order-1/2", "checkpoint 10"]).await;
    let mut seldom = prefixes(&["order-"], 3);
    seldom.checkpoint_interval_multiplier = 2;
    let mut follower = corner.follow(Wish::of_all(At(1)).filter(seldom).for_ever()).await;
    follower
        .expect(&[
            "confirmed",
            "order-1/1",
            "checkpoint 7",
            "order-1/2",
            "checkpoint 10",
            "caught up",
        ])
        .await;
    let mut at_end = corner.follow(orders(End)).await;
    at_end.expect(&["confirmed", "checkpoint 10", "caught up"]).await;
    assert!(at_end.waits());
    let mut empty = Corner::new().follow(orders(Start)).await;
    empty.expect(&["confirmed", "caught up"]).await;
}

/// A subscriber that was away for long is told so, gets everything, and hears when it is live again.
#[tokio::test]
async fn a_subscriber_that_falls_behind_is_told() {
    for wish in [Wish::of_stream("order-1", Start), Wish::of_all(Start)] {
        let corner = Corner::new();
        corner.add_many("order-1", 1).await;
        let mut follower = corner.follow(wish.for_ever()).await;
        follower.expect(&["confirmed", "order-1/0", "caught up"]).await;
        for _ in 0..10 {
            corner.add_many("order-1", 1000).await;
        }
        let (mut next, mut behind) = (1, false);
        loop {
            match follower.next().await.unwrap().as_str() {
                "fell behind" => behind = true,
                "caught up" => break,
                line => {
                    assert_eq!(line, format!("order-1/{next}"));
                    next += 1;
                }
            }
        }
        assert!(behind);
        assert_eq!(next, 10_001);
        corner.add_many("order-1", 1).await;
        follower.expect(&["order-1/10001"]).await;
        assert!(follower.waits());
    }
}

/// A log that is closed under its subscribers is away: they may come again.
#[tokio::test]
async fn a_closed_log_ends_subscriptions_as_unavailable() {
    let dir = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(dir.path()).unwrap();
    let corner = Corner::on(Arc::clone(&log) as Arc<dyn EventLog>);
    corner.add_many("order-1", 1).await;
    let mut all = corner.follow(Wish::of_all(Start).for_ever()).await;
    let mut stream = corner.follow(Wish::of_stream("order-1", Start).for_ever()).await;
    for follower in [&mut all, &mut stream] {
        follower.expect(&["confirmed", "order-1/0", "caught up"]).await;
    }
    tokio::task::spawn_blocking(move || log.close()).await.unwrap();
    for follower in [&mut all, &mut stream] {
        assert_eq!(follower.next().await.unwrap_err().code(), Code::Unavailable);
    }
    let refusal = corner
        .refused(Wish::of_stream("order-1", Start).request())
        .await
        .unwrap();
    assert_eq!(refusal.code(), Code::Unavailable);
}

/// Others' events, however many, do not keep a stream's subscriber from its own.
#[tokio::test]
async fn a_streams_subscriber_passes_over_what_others_wrote() {
    let corner = Corner::new();
    let mut follower = corner.follow(Wish::of_stream("order-1", Start).for_ever()).await;
    follower.expect(&["confirmed", "caught up"]).await;
    for round in 0..3 {
        for _ in 0..5 {
            corner.add_many("order-2", 700).await;
        }
        corner.add_many("order-1", 1).await;
        follower.expect(&[format!("order-1/{round}").as_str()]).await;
        assert!(follower.waits());
    }
}

/// Writers and followers at once: each follower sees what a reader sees afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_gap_and_nothing_twice_while_others_write() {
    let corner = Arc::new(Corner::new());
    corner.add_many("order-1", 100).await;
    let mut followers = vec![];
    for from in [Start, At(49), End] {
        followers.push(corner.follow(Wish::of_stream("order-1", from).for_ever()).await);
    }
    let mut all = corner.follow(Wish::of_all(Start).for_ever()).await;
    let writers: Vec<_> = [("order-1", 7), ("order-1", 1), ("order-2", 5)]
        .into_iter()
        .map(|(stream, count)| {
            let corner = Arc::clone(&corner);
            tokio::spawn(async move {
                for _ in 0..100 {
                    corner.add_many(stream, count).await;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for (mut follower, first) in followers.into_iter().zip([0, 50, 100]) {
        let mut next = first;
        while next < 900 {
            let line = follower.next().await.unwrap();
            if line.contains('/') {
                assert_eq!(line, format!("order-1/{next}"));
                next += 1;
            }
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let expected = corner.lines(Wish::of_all(Start)).await;
    let mut seen = vec![];
    while seen.len() < expected.len() {
        let line = all.next().await.unwrap();
        if line.contains('/') {
            seen.push(line);
        }
    }
    assert_eq!(seen, expected);
}
