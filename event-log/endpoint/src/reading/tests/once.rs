//! Reading once.

use event_log::ExpectedVersion;
use tonic::Code;

use super::corner::{Corner, Wish, name, prefixes, types};
use crate::{
    messages::id_from,
    reading::request::Place::{At, End, Start},
    wire::{
        client::uuid::Value,
        streams::read_resp::{Content, read_event::Position},
    },
};

fn numbered(stream: &str, versions: impl Iterator<Item = u64>) -> Vec<String> {
    versions.map(|version| format!("{stream}/{version}")).collect()
}

#[tokio::test]
async fn a_stream_is_read_both_ways_from_any_version() {
    let corner = Corner::new();
    corner.add_many("order-1", 5).await;
    corner.add_many("order-2", 3).await;
    let of = |from| Wish::of_stream("order-1", from);
    let said = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    for (wish, lines) in [
        (
            of(Start),
            &[
                "order-1/0",
                "order-1/1",
                "order-1/2",
                "order-1/3",
                "order-1/4",
                "last 4",
            ][..],
        ),
        (of(At(3)), &["order-1/3", "order-1/4", "last 4"]),
        (of(At(3)).count(1), &["order-1/3"]),
        (of(At(4)).count(1), &["order-1/4", "last 4"]),
        (of(At(5)), &["last 4"]),
        (of(End), &["last 4"]),
        (of(Start).count(0), &[]),
        (of(End).backwards().count(2), &["order-1/4", "order-1/3"]),
        (of(At(u64::MAX)).backwards().count(1), &["order-1/4"]),
        (of(At(77)).backwards().count(1), &["order-1/4"]),
        (of(At(1)).backwards(), &["order-1/1", "order-1/0", "last 4"]),
        (of(Start).backwards(), &["order-1/0", "last 4"]),
        (Wish::of_stream("order-3", Start), &["not found"]),
        (Wish::of_stream("order-3", End).backwards(), &["not found"]),
    ] {
        assert_eq!(corner.lines(wish).await, said(lines));
    }
    assert_eq!(corner.lines(of(At(4)).older()).await, ["order-1/4"]);
}

/// More than any page, so that pages are put together without a gap or a double.
#[tokio::test]
async fn long_streams_are_read_in_pages() {
    let corner = Corner::new();
    for _ in 0..10 {
        corner.add_many("order-1", 250).await;
        corner.add_many("order-2", 1).await;
    }
    let forwards = corner.lines(Wish::of_stream("order-1", At(3)).older()).await;
    assert_eq!(forwards, numbered("order-1", 3..2500));
    let some = corner.lines(Wish::of_stream("order-1", At(3)).count(1000)).await;
    assert_eq!(some, numbered("order-1", 3..1003));
    let backwards = corner.lines(Wish::of_stream("order-1", End).backwards().older()).await;
    assert_eq!(backwards, numbered("order-1", (0..2500).rev()));
    let all = corner.lines(Wish::of_all(Start)).await;
    assert_eq!(all.len(), 2510);
    let mut back = corner.lines(Wish::of_all(End).backwards()).await;
    back.reverse();
    assert_eq!(back, all);
    assert_eq!(corner.lines(Wish::of_all(Start).count(700)).await, all[..700]);
}

#[tokio::test]
async fn the_whole_log_is_read_from_a_position() {
    let corner = Corner::new();
    let first = corner.add_many("order-1", 2).await.position.0;
    let last = corner.add_many("cart-1", 1).await.position.0;
    for (wish, lines) in [
        (Wish::of_all(At(first)), &["order-1/1", "cart-1/0"][..]),
        (Wish::of_all(At(first)).backwards(), &["order-1/0"]),
        (Wish::of_all(At(last + 9)), &[]),
        (Wish::of_all(At(last + 9)).backwards().count(1), &["cart-1/0"]),
        (Wish::of_all(At(u64::MAX)).backwards().count(1), &["cart-1/0"]),
        (Wish::of_all(Start).backwards(), &[]),
        (Wish::of_all(End), &[]),
        (Wish::of_all(Start).count(0), &[]),
    ] {
        assert_eq!(corner.lines(wish).await, lines);
    }
    let empty = Corner::new();
    assert!(empty.lines(Wish::of_all(Start)).await.is_empty());
    assert!(empty.lines(Wish::of_all(End).backwards()).await.is_empty());
}

/// A filter looks as far as it must to find as many as were asked for.
#[tokio::test]
async fn a_filter_finds_its_events_among_many_others() {
    let corner = Corner::new();
    for _ in 0..6 {
        corner.add_many("cart-1", 1500).await;
        corner.add("order-1", &[("OrderPlaced", "{}"), ("$hidden", "{}")]).await;
    }
    let orders = || Wish::of_all(Start).filter(prefixes(&["seller-", "order-"], 32));
    assert_eq!(corner.lines(orders()).await, numbered("order-1", 0..12));
    assert_eq!(corner.lines(orders().count(5)).await, numbered("order-1", 0..5));
    let back = Wish::of_all(End).backwards().filter(prefixes(&["order-"], 32)).count(3);
    assert_eq!(corner.lines(back).await, numbered("order-1", [11, 10, 9].into_iter()));
    let placed = Wish::of_all(Start).filter(types("^Order"));
    assert_eq!(
        corner.lines(placed).await,
        numbered("order-1", [0, 2, 4, 6, 8, 10].into_iter())
    );
    // As the Python client writes "nothing of the system's".
    let python = Wish::of_all(End)
        .backwards()
        .filter(types(r"^(?!(\$.+$|Persistent.+$))"))
        .count(1);
    assert_eq!(corner.lines(python).await, ["order-1/10"]);
    let nothing = Wish::of_all(Start).filter(prefixes(&["nobody-"], 1));
    assert!(corner.lines(nothing).await.is_empty());
    let everything = Wish::of_all(Start).filter(prefixes(&[], 1)).count(2);
    assert_eq!(corner.lines(everything).await, ["cart-1/0", "cart-1/1"]);
}

#[tokio::test]
async fn what_is_truncated_is_hidden_from_the_stream_alone() {
    let corner = Corner::new();
    corner.add_many("order-1", 6).await;
    corner.add("$$order-1", &[("$metadata", r#"{"$tb":2}"#)]).await;
    let read = corner.lines(Wish::of_stream("order-1", Start).count(2)).await;
    assert_eq!(read, ["first 2", "order-1/2", "order-1/3"]);
    let read = corner.lines(Wish::of_stream("order-1", At(4))).await;
    assert_eq!(read, ["order-1/4", "order-1/5", "last 5"]);
    corner.add("$$order-1", &[("$metadata", r#"{"$maxCount":1}"#)]).await;
    let back = corner.lines(Wish::of_stream("order-1", End).backwards()).await;
    assert_eq!(back, ["order-1/5", "last 5"]);
    let metadata = corner.lines(Wish::of_stream("$$order-1", End).backwards()).await;
    assert_eq!(metadata, ["$$order-1/1", "last 1"]);
    assert_eq!(corner.lines(Wish::of_all(Start)).await.len(), 8);
    // Deleted, and written to again.
    corner
        .add("$$order-1", &[("$metadata", r#"{"$tb":9223372036854775807}"#)])
        .await;
    assert_eq!(corner.lines(Wish::of_stream("order-1", Start)).await, ["not found"]);
    corner.add_many("order-1", 1).await;
    let read = corner.lines(Wish::of_stream("order-1", Start)).await;
    assert_eq!(read, ["first 6", "order-1/6", "last 6"]);
}

#[tokio::test]
async fn a_tombstoned_stream_is_refused_and_named() {
    let corner = Corner::new();
    corner.add_many("order-1", 2).await;
    corner
        .log
        .tombstone(&name("order-1"), ExpectedVersion::Any)
        .await
        .unwrap();
    for wish in [
        Wish::of_stream("order-1", Start),
        Wish::of_stream("order-1", End).backwards(),
        Wish::of_stream("order-1", Start).for_ever(),
        Wish::of_stream("$$order-1", Start),
    ] {
        let refusal = corner.refused(wish.request()).await.unwrap();
        assert_eq!(refusal.code(), Code::FailedPrecondition);
        assert_eq!(refusal.metadata().get("exception").unwrap(), "stream-deleted");
        assert!(
            refusal
                .metadata()
                .get("stream-name")
                .unwrap()
                .to_str()
                .unwrap()
                .ends_with("order-1")
        );
    }
    let all = corner.lines(Wish::of_all(Start)).await;
    assert_eq!(all, ["order-1/0", "order-1/1", "order-1/9223372036854775807"]);
}

#[tokio::test]
async fn links_are_followed_when_asked() {
    let corner = Corner::new();
    corner.add_many("order-1", 2).await;
    let links = [
        ("$>", "1@order-1"),
        ("$>", "7@order-1"),
        ("$>", "0@nobody-1"),
        ("$>", "?"),
        ("Plain", "1@order-1"),
    ];
    corner.add("links-a", &links).await;
    let plain = Wish::of_stream("links-a", Start).count(2);
    assert_eq!(corner.lines(plain).await, ["links-a/0", "links-a/1"]);
    let followed = [
        "order-1/1 by links-a/0",
        "nothing by links-a/1",
        "nothing by links-a/2",
        "nothing by links-a/3",
        "links-a/4",
    ];
    assert_eq!(
        corner.lines(Wish::of_stream("links-a", Start).links()).await[..5],
        followed
    );
    assert_eq!(corner.lines(Wish::of_all(At(3)).links()).await, followed);
    corner
        .add("$$order-1", &[("$metadata", r#"{"$maxCount":1,"$tb":2}"#)])
        .await;
    let hidden = corner.lines(Wish::of_stream("links-a", Start).links().count(1)).await;
    assert_eq!(hidden, ["nothing by links-a/0"]);
}

/// Each reader in the spelling it asked for.
#[tokio::test]
async fn an_event_carries_what_the_log_knows_of_it() {
    let corner = Corner::new();
    let appended = corner.add("order-1", &[("OrderPlaced", r#"{"total":5}"#)]).await;
    let stored = corner
        .log
        .read_all(event_log::Position::START, &event_log::EventFilter::default(), 1)
        .await;
    let stored = stored.unwrap().0.remove(0);
    let mut halves = Wish::of_stream("order-1", Start).request();
    halves.options.as_mut().unwrap().uuid_option = None;
    for request in [
        Wish::of_stream("order-1", Start).request(),
        Wish::of_all(Start).request(),
        halves,
    ] {
        let text = request.options.as_ref().unwrap().uuid_option.is_some();
        let reply = corner.first(request).await;
        let Some(Content::Event(read)) = reply.content else {
            panic!("{reply:?}");
        };
        assert_eq!(read.position, Some(Position::CommitPosition(appended.position.0)));
        assert!(read.link.is_none());
        let event = read.event.unwrap();
        let id = event.id.as_ref().and_then(|id| id.value.as_ref()).unwrap();
        assert_eq!(matches!(id, Value::String(_)), text);
        assert_eq!(id_from(event.id.as_ref()).unwrap(), stored.id);
        assert_eq!((event.stream_revision, event.commit_position), (0, appended.position.0));
        assert_eq!(event.prepare_position, event.commit_position);
        assert_eq!(event.data, r#"{"total":5}"#);
        assert_eq!(
            (event.metadata["type"].as_str(), event.metadata["content-type"].as_str()),
            ("OrderPlaced", "application/json")
        );
        let steps: i64 = event.metadata["created"].parse().unwrap();
        assert_eq!(steps, stored.recorded_at.as_millis() * 10_000);
    }
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_refused_with_the_reason() {
    let corner = Corner::new();
    let all = || Wish::of_all(Start);
    let without = |change: fn(&mut crate::wire::streams::read_req::Options)| {
        let mut request = all().request();
        change(request.options.as_mut().unwrap());
        request
    };
    for (request, reason) in [
        (without(|options| options.stream_option = None), "stream or all"),
        (without(|options| options.count_option = None), "count or subscription"),
        (without(|options| options.read_direction = 7), "forwards or backwards"),
        (
            Wish::of_stream("order-1", Start).filter(types("a")).request(),
            "only the whole log",
        ),
        (Wish::of_stream("", Start).request(), "cannot name a stream"),
        (all().backwards().for_ever().request(), "subscribes forwards only"),
        (all().filter(types("(a")).request(), "is not one"),
        (all().filter(types(&"a".repeat(9000))).request(), "at most 8192 bytes"),
        (all().filter(types(r"(\w{999}){999}")).request(), "is not one"),
        (all().filter(prefixes(&["a"], 0)).request(), "window is at least 1"),
        (
            all().filter(prefixes(&[""; 1025], 1)).request(),
            "at most 1024 prefixes",
        ),
    ] {
        let Some(refusal) = corner.refused(request).await else {
            panic!("{reason}: it was answered");
        };
        assert_eq!(refusal.code(), Code::InvalidArgument);
        assert!(refusal.message().contains(reason), "{reason}: {}", refusal.message());
    }
    let mut silent = prefixes(&["a"], 1);
    silent.checkpoint_interval_multiplier = 0;
    let refusal = corner
        .refused(all().filter(silent.clone()).for_ever().request())
        .await
        .unwrap();
    assert!(refusal.message().contains("checkpointIntervalMultiplier"));
    assert!(corner.lines(all().filter(silent)).await.is_empty());
}

/// An expression that would run for ever on some names ends the reading, with the reason.
#[tokio::test]
async fn an_expression_that_does_not_end_is_cut_off() {
    let corner = Corner::new();
    corner
        .add(&format!("order-{}", "a".repeat(200)), &[("Placed", "{}")])
        .await;
    let mut endless = types(r"^order-(?=(a+a+)+$)(a*a*)*\1b$");
    let Some(crate::wire::client::filter_options::Filter::EventType(expression)) = endless.filter.take() else {
        unreachable!()
    };
    endless.filter = Some(crate::wire::client::filter_options::Filter::StreamIdentifier(
        expression,
    ));
    let mut follower = corner.follow(Wish::of_all(Start).filter(endless)).await;
    let refusal = follower.next().await.unwrap_err();
    assert_eq!(refusal.code(), Code::InvalidArgument);
    assert!(
        refusal.message().contains("cannot be held against"),
        "{}",
        refusal.message()
    );
}
