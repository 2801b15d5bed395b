//! Connections that are slow, cut or half open, and readers that do not read.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use event_log::EventLog;
use futures_util::{FutureExt, StreamExt};
use tonic::Code;

use super::{
    corner::{Corner, Wish},
    door::{APPEND, Caller, Line, pieces, serve, soon, until},
    large::one_event,
    watched::Watched,
};
use crate::{
    Limits,
    reading::request::Place::{At, End, Start},
    wire::streams::AppendResp,
};

/// A client that is gone takes its subscription with it.
#[tokio::test]
async fn a_cut_connection_ends_its_subscriptions() {
    let log = Watched::new();
    let endpoint = serve(Arc::clone(&log) as Arc<dyn EventLog>, Limits::default()).await;
    let corner = Corner::on(Arc::clone(&log) as Arc<dyn EventLog>);
    corner.add_many("order-1", 3).await;
    let wire = Line::to(endpoint.address()).await;
    let mut cut = Caller::connect(wire.address).await;
    let mut other = Caller::connect(endpoint.address()).await;
    let mut first = cut.read(Wish::of_all(Start).for_ever()).await;
    let mut second = cut.read(Wish::of_stream("order-1", End).for_ever()).await;
    let mut going_on = other.read(Wish::of_all(End).for_ever()).await;
    first.expect(&["confirmed", "order-1/0"]).await;
    second.expect(&["confirmed", "caught up"]).await;
    going_on.expect(&["confirmed", "caught up"]).await;
    assert_eq!(log.counts.followers(), 3);
    wire.cut();
    until(|| log.counts.followers() == 1).await;
    corner.add_many("order-1", 1).await;
    going_on.expect(&["order-1/3"]).await;
    // Hanging up one call is enough.
    going_on.hang_up();
    until(|| log.counts.followers() == 0).await;
}

/// A client that is still connected but says nothing, not even that it lives, is given up.
#[tokio::test]
async fn a_half_open_connection_is_found() {
    let log = Watched::new();
    let limits = Limits {
        keep_alive: Duration::from_millis(200),
        ..Limits::default()
    };
    let endpoint = serve(Arc::clone(&log) as Arc<dyn EventLog>, limits).await;
    let wire = Line::to(endpoint.address()).await;
    let mut silent = Caller::connect(wire.address).await;
    let mut living = Caller::connect(endpoint.address()).await;
    let mut kept = silent.read(Wish::of_all(End).for_ever()).await;
    let mut answers = living.read(Wish::of_all(End).for_ever()).await;
    kept.expect(&["confirmed", "caught up"]).await;
    answers.expect(&["confirmed", "caught up"]).await;
    assert_eq!(log.counts.followers(), 2);
    wire.go_dead();
    until(|| log.counts.followers() == 1).await;
    // The one that answers is kept, however long nothing happens.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let corner = Corner::on(Arc::clone(&log) as Arc<dyn EventLog>);
    corner.add_many("order-1", 1).await;
    answers.expect(&["order-1/0"]).await;
}

/// A reader that takes its time gets everything, and holds up neither the others on its connection nor the writers.
#[tokio::test]
async fn a_slow_reader_gets_everything_and_holds_up_nobody() {
    let corner = Corner::new();
    let endpoint = serve(Arc::clone(&corner.log), Limits::default()).await;
    for _ in 0..20 {
        corner
            .add("order-1", &vec![("Tested", "x".repeat(2000).as_str()); 100])
            .await;
    }
    let mut caller = Caller::connect(endpoint.address()).await;
    let mut slow = caller.read(Wish::of_stream("order-1", Start)).await;
    for version in 0..2000 {
        slow.expect(&[&format!("order-1/{version}")]).await;
        if version % 20 == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            let (lines, _) = caller.read(Wish::of_all(End).backwards().count(1)).await.lines().await;
            assert_eq!(lines.len(), 1);
            corner.add_many("order-2", 1).await;
        }
    }
    slow.expect(&["last 1999"]).await;
    assert!(matches!(slow.line().await, Err(Some(end)) if end.code == Code::Ok));
}

/// A subscriber that does not read is given what its connection buffers and no more, however much is appended; when it reads again,
/// it gets everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_that_does_not_read_holds_little() {
    const APPENDED: u64 = 100_000;
    let log = Watched::new();
    let endpoint = serve(Arc::clone(&log) as Arc<dyn EventLog>, Limits::default()).await;
    let corner = Corner::on(Arc::clone(&log) as Arc<dyn EventLog>);
    let mut caller = Caller::connect(endpoint.address()).await;
    let mut idle = caller.read(Wish::of_all(Start).for_ever()).await;
    idle.expect(&["confirmed", "caught up"]).await;
    for _ in 0..APPENDED / 1000 {
        corner.add_many("order-1", 1000).await;
    }
    // Whatever it still wanted to take, it has taken by the time that others who came later have everything.
    let mut other = Caller::connect(endpoint.address()).await;
    let (lines, _) = other.read(Wish::of_stream("order-1", Start)).await.lines().await;
    assert_eq!(lines.len() as u64, APPENDED + 1);
    let held = log.counts.given();
    assert!(held < 5_000, "{held} events wait for a reader that does not read");
    let (mut next, mut behind) = (0, false);
    while next < APPENDED {
        match idle.line().await.unwrap().as_str() {
            "fell behind" => behind = true,
            line => {
                assert_eq!(line, format!("order-1/{next}"));
                next += 1;
            }
        }
    }
    assert!(behind);
    idle.expect(&["caught up"]).await;
    assert!(idle.line().now_or_never().is_none());
}

/// One that does not read does not hear of the stop either, and does not hold it up.
#[tokio::test]
async fn a_reader_that_does_not_read_holds_up_no_stop() {
    let corner = Corner::new();
    for _ in 0..10 {
        corner
            .add("order-1", &vec![("Tested", "x".repeat(2000).as_str()); 1000])
            .await;
    }
    let limits = Limits {
        stop_grace: Duration::from_millis(200),
        ..Limits::default()
    };
    let endpoint = serve(Arc::clone(&corner.log), limits).await;
    let mut caller = Caller::connect(endpoint.address()).await;
    let mut idle = caller.read(Wish::of_all(Start)).await;
    idle.expect(&["order-1/0"]).await;
    soon(endpoint.stop()).await;
    // The test's own.
    until(|| Arc::strong_count(&corner.log) == 3).await;
}

/// An append that arrives drop by drop is taken whole; one that breaks off half way is not taken at all.
#[tokio::test]
async fn a_slow_append_is_taken_and_half_a_one_is_not() {
    let corner = Corner::new();
    let endpoint = serve(Arc::clone(&corner.log), Limits::default()).await;
    let body = || one_event(Bytes::from(vec![b'x'; 10_000]), Bytes::new());
    let drops = || body().chunks(500).map(Bytes::copy_from_slice).collect::<Vec<_>>();
    let dripping = |drops: Vec<Bytes>| {
        futures_util::stream::iter(drops).then(|drop| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            drop
        })
    };
    let mut caller = Caller::connect(endpoint.address()).await;
    let mut answer = caller.send(pieces(APPEND, dripping(drops()))).await;
    let _: AppendResp = answer.next().await.unwrap();
    assert_eq!(
        corner.lines(Wish::of_stream("order-1", Start)).await,
        ["order-1/0", "last 0"]
    );

    let wire = Line::to(endpoint.address()).await;
    let mut cut = Caller::connect(wire.address).await;
    let mut half = drops();
    half.pop();
    let (sent, all_sent) = tokio::sync::oneshot::channel();
    let broken = dripping(half).chain(
        async {
            sent.send(()).unwrap();
            std::future::pending().await
        }
        .into_stream(),
    );
    let sending = tokio::spawn(async move { cut.try_send(pieces(APPEND, broken)).await.is_err() });
    soon(all_sent).await.unwrap();
    wire.cut();
    assert!(soon(sending).await.unwrap());
    let mut other = Caller::connect(endpoint.address()).await;
    let mut answer = other.call(APPEND, body()).await;
    let _: AppendResp = answer.next().await.unwrap();
    assert_eq!(
        corner.lines(Wish::of_stream("order-1", At(1))).await,
        ["order-1/1", "last 1"]
    );
}

/// Subscribers hear that the endpoint stops, and never that all was said.
#[tokio::test]
async fn a_stop_ends_subscriptions_as_unavailable() {
    let corner = Corner::new();
    corner.add_many("order-1", 1).await;
    let endpoint = serve(Arc::clone(&corner.log), Limits::default()).await;
    let mut caller = Caller::connect(endpoint.address()).await;
    let mut all = caller.read(Wish::of_all(Start).for_ever()).await;
    let mut stream = caller.read(Wish::of_stream("order-1", Start).for_ever()).await;
    for answers in [&mut all, &mut stream] {
        answers.expect(&["confirmed", "order-1/0", "caught up"]).await;
    }
    let stopping = tokio::spawn(endpoint.stop());
    for answers in [&mut all, &mut stream] {
        let (lines, end) = answers.lines().await;
        assert_eq!((lines.len(), end.code), (0, Code::Unavailable));
    }
    soon(stopping).await.unwrap();
}
