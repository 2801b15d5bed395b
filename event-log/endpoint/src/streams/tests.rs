//! What of a stream is to be seen, after metadata, deletions, and appends that know nothing of them.

use std::sync::Arc;

use bytes::Bytes;
use event_log::{Append, Direction, EventFilter, EventLog, ExpectedVersion, RecordedEvent, memory::MemoryLog};
use event_schemas::{ContentType, NewEvent};
use tonic::{Code, Status};
use uuid::Uuid;

use super::*;
use crate::{
    testing::{ANY, EXISTS, NO_STREAM, Rig, append, exactly, identifier, name, proposal, proposal_of, soon},
    wire::{
        client::Empty,
        streams::{
            AppendResp, DeleteReq, TombstoneReq, append_resp, delete_req, delete_req::options::ExpectedStreamRevision,
            delete_resp::PositionOption, tombstone_req,
        },
    },
};

async fn put(log: &MemoryLog, stream: &str, event_type: &str, data: &str) {
    let event = NewEvent {
        id: Uuid::now_v7(),
        event_type: event_type.to_owned(),
        content: ContentType::Json,
        metadata: Bytes::new(),
        data: data.to_owned().into(),
    };
    let append = Append {
        stream: name(stream),
        expected: ExpectedVersion::Any,
        events: vec![event],
    };
    log.append(append).await.unwrap();
}

/// The versions that are to be seen.
async fn seen(log: &Arc<MemoryLog>, streams: &Streams, stream: &str) -> Vec<u64> {
    let view = streams.view(&name(stream)).await.unwrap();
    let all = log
        .read_stream(&name(stream), None, Direction::Forwards, 100)
        .await
        .unwrap();
    all.iter()
        .filter(|event| view.shows(event))
        .map(|event| event.version)
        .collect()
}

async fn five() -> (Arc<MemoryLog>, Streams) {
    let log = MemoryLog::new();
    for _ in 0..5 {
        put(&log, "order-1", "A", "{}").await;
    }
    let streams = Streams::new(Arc::clone(&log) as _);
    (log, streams)
}

#[tokio::test]
async fn metadata_hides_the_oldest() {
    for (metadata, expected) in [
        ("{}", vec![0, 1, 2, 3, 4]),
        (r#"{"$maxCount":2}"#, vec![3, 4]),
        (r#"{"$tb":3}"#, vec![3, 4]),
        (r#"{"$tb":1,"$maxCount":2}"#, vec![3, 4]),
        (r#"{"$tb":4,"$maxCount":3}"#, vec![4]),
        (r#"{"$tb":99}"#, vec![]),
        (
            r#"{"$maxAge":3600,"$cacheControl":7,"$acl":{"$r":"$all"}}"#,
            vec![0, 1, 2, 3, 4],
        ),
        ("not even JSON", vec![0, 1, 2, 3, 4]),
        (r#"{"$tb":3,"$maxCount":-1,"$maxAge":"a week"}"#, vec![3, 4]),
        (r#"{"$tb":9223372036854775807}"#, vec![]),
    ] {
        let (log, streams) = five().await;
        put(&log, "$$order-1", METADATA_TYPE, metadata).await;
        assert_eq!(seen(&log, &streams, "order-1").await, expected, "{metadata}");
    }
}

#[tokio::test]
async fn events_past_their_age_are_hidden() {
    let (log, streams) = five().await;
    put(&log, "$$order-1", METADATA_TYPE, r#"{"$maxAge":1}"#).await;
    let mut view = streams.view(&name("order-1")).await.unwrap();
    let event = log
        .read_stream(&name("order-1"), None, Direction::Forwards, 1)
        .await
        .unwrap()
        .remove(0);
    assert!(view.shows(&event));
    view.not_before = Some(event.recorded_at.plus_millis(1));
    assert!(!view.shows(&event));
}

#[tokio::test]
async fn a_metastream_shows_its_last_event_only() {
    let (log, streams) = five().await;
    for _ in 0..3 {
        put(&log, "$$order-1", METADATA_TYPE, r#"{"$maxCount":9}"#).await;
    }
    assert_eq!(seen(&log, &streams, "$$order-1").await, [2]);
}

#[tokio::test]
async fn a_deletion_hides_what_stands_before_it_whoever_appends_next() {
    let (log, streams) = five().await;
    put(&log, "$$order-1", METADATA_TYPE, r#"{"$tb":9223372036854775807}"#).await;
    let deleted = streams.view(&name("order-1")).await.unwrap();
    assert!(deleted.soft_deleted() && deleted.absent());
    // As the shop does it, in process: it knows of no deletion.
    for _ in 0..2 {
        put(&log, "order-1", "B", "{}").await;
    }
    assert_eq!(seen(&log, &streams, "order-1").await, [5, 6]);
    let again = streams.view(&name("order-1")).await.unwrap();
    assert!(!again.soft_deleted() && !again.absent());
}

#[tokio::test]
async fn metadata_that_others_write_is_noticed() {
    let (log, streams) = five().await;
    let following = tokio::spawn(streams.follow());
    assert_eq!(seen(&log, &streams, "order-1").await.len(), 5);
    put(&log, "$$order-1", METADATA_TYPE, r#"{"$maxCount":1}"#).await;
    soon(async {
        while seen(&log, &streams, "order-1").await != [4] {
            tokio::task::yield_now().await;
        }
    })
    .await;
    following.abort();
}

fn deletion(stream: &str, expected: ExpectedStreamRevision) -> DeleteReq {
    DeleteReq {
        options: Some(delete_req::Options {
            stream_identifier: identifier(stream),
            expected_stream_revision: Some(expected),
        }),
    }
}

fn trailer<'a>(status: &'a Status, name: &str) -> &'a str {
    status.metadata().get(name).unwrap().to_str().unwrap()
}

fn version(answer: AppendResp) -> u64 {
    match answer.result {
        Some(append_resp::Result::Success(success)) => match success.current_revision_option {
            Some(append_resp::success::CurrentRevisionOption::CurrentRevision(version)) => version,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_deleted_stream_is_made_anew_by_an_append_and_its_versions_go_on() {
    let rig = Rig::new().await;
    let mut client = rig.streams().await;
    append(
        &mut client,
        "$$order-1",
        ANY,
        vec![proposal("$metadata", r#"{"$maxCount":50,"owner":"kim"}"#)],
    )
    .await
    .unwrap();
    append(
        &mut client,
        "order-1",
        ANY,
        vec![proposal("A", "{}"), proposal("A", "{}")],
    )
    .await
    .unwrap();
    let deleted = soon(client.delete(deletion("order-1", ExpectedStreamRevision::Revision(1))))
        .await
        .unwrap();
    assert!(matches!(
        deleted.into_inner().position_option,
        Some(PositionOption::Position(_))
    ));
    let streams = Streams::new(Arc::clone(&rig.log) as _);
    assert!(streams.view(&name("order-1")).await.unwrap().soft_deleted());
    let exists = append(&mut client, "order-1", EXISTS, vec![proposal("B", "{}")])
        .await
        .unwrap_err();
    assert_eq!(trailer(&exists, "exception"), "stream-deleted");

    let events = vec![proposal("B", "{}"), proposal("B", "{}")];
    assert_eq!(
        version(append(&mut client, "order-1", NO_STREAM, events.clone()).await.unwrap()),
        3
    );
    // Once more the same: nothing changes, and nobody is told of a conflict.
    assert_eq!(
        version(append(&mut client, "order-1", NO_STREAM, events).await.unwrap()),
        3
    );
    assert_eq!(
        version(
            append(&mut client, "order-1", exactly(3), vec![proposal("C", "{}")])
                .await
                .unwrap()
        ),
        4
    );
    let streams = Streams::new(Arc::clone(&rig.log) as _);
    assert_eq!(seen(&rig.log, &streams, "order-1").await, [2, 3, 4]);
    let metadata = rig
        .log
        .read_stream(&name("$$order-1"), None, Direction::Backwards, 1)
        .await
        .unwrap();
    let document: serde_json::Value = serde_json::from_slice(&metadata[0].data).unwrap();
    assert_eq!(
        document,
        serde_json::json!({ "$maxCount": 50, "owner": "kim", "$tb": 2 })
    );
}

#[tokio::test]
async fn a_copy_made_over_the_wire_of_a_stream_made_anew_is_the_same() {
    let source = Rig::new().await;
    let mut client = source.streams().await;
    append(&mut client, "order-1", ANY, vec![proposal("A", "{}")])
        .await
        .unwrap();
    soon(client.delete(deletion("order-1", ExpectedStreamRevision::Any(Empty {}))))
        .await
        .unwrap();
    append(&mut client, "order-1", NO_STREAM, vec![proposal("B", "{}")])
        .await
        .unwrap();

    let target = Rig::new().await;
    let mut client = target.streams().await;
    let (events, _) = source
        .log
        .read_all(Position::START, &EventFilter::default(), 99)
        .await
        .unwrap();
    for event in &events {
        let mut again = proposal_of(event.id, &event.event_type, "");
        again.data = event.data.clone();
        let expected = event.version.checked_sub(1).map_or(NO_STREAM, exactly);
        let answer = append(&mut client, event.stream.as_str(), expected, vec![again])
            .await
            .unwrap();
        assert_eq!(version(answer), event.version, "{event:?}");
    }
    let (copied, _) = target
        .log
        .read_all(Position::START, &EventFilter::default(), 99)
        .await
        .unwrap();
    let named = |event: &Arc<RecordedEvent>| (event.stream.clone(), event.version, event.id, event.data.clone());
    let both = [events, copied].map(|events| events.iter().map(named).collect::<Vec<_>>());
    assert_eq!((both[0].len(), &both[0]), (4, &both[1]));
}

#[tokio::test]
async fn a_deletion_by_one_who_is_wrong_says_who_is_right() {
    let rig = Rig::new().await;
    let mut client = rig.streams().await;
    let events = vec![proposal("A", "{}"), proposal("A", "{}")];
    append(&mut client, "order-1", ANY, events).await.unwrap();
    let wrong = soon(client.delete(deletion("order-1", ExpectedStreamRevision::Revision(7))))
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), Code::FailedPrecondition);
    assert_eq!(trailer(&wrong, "exception"), "wrong-expected-version");
    assert_eq!(trailer(&wrong, "stream-name"), "order-1");
    assert_eq!(
        (trailer(&wrong, "expected-version"), trailer(&wrong, "actual-version")),
        ("7", "1")
    );
    assert!(
        wrong
            .message()
            .ends_with("Stream: order-1, Expected version: 7, Actual version: 1"),
        "{wrong}"
    );
}

#[tokio::test]
async fn a_stream_that_is_not_there_can_be_deleted_by_who_does_not_ask() {
    let rig = Rig::new().await;
    let mut client = rig.streams().await;
    for expected in [
        ExpectedStreamRevision::Any(Empty {}),
        ExpectedStreamRevision::NoStream(Empty {}),
    ] {
        soon(client.delete(deletion("order-1", expected))).await.unwrap();
    }
    let wrong = soon(client.delete(deletion("order-2", ExpectedStreamRevision::StreamExists(Empty {}))))
        .await
        .unwrap_err();
    assert_eq!(trailer(&wrong, "actual-version"), "-1");
    assert_eq!(
        version(
            append(&mut client, "order-1", NO_STREAM, vec![proposal("A", "{}")])
                .await
                .unwrap()
        ),
        0
    );
    let streams = Streams::new(Arc::clone(&rig.log) as _);
    assert_eq!(seen(&rig.log, &streams, "order-1").await, [0]);
}

#[tokio::test]
async fn a_tombstone_is_for_good() {
    let rig = Rig::new().await;
    let mut client = rig.streams().await;
    let tombstone = |expected| TombstoneReq {
        options: Some(tombstone_req::Options {
            stream_identifier: identifier("order-1"),
            expected_stream_revision: Some(expected),
        }),
    };
    use tombstone_req::options::ExpectedStreamRevision as Expected;
    append(&mut client, "order-1", ANY, vec![proposal("A", "{}")])
        .await
        .unwrap();
    let wrong = soon(client.tombstone(tombstone(Expected::Revision(3))))
        .await
        .unwrap_err();
    assert_eq!(
        (trailer(&wrong, "exception"), trailer(&wrong, "actual-version")),
        ("wrong-expected-version", "0")
    );
    soon(client.tombstone(tombstone(Expected::Revision(0)))).await.unwrap();
    let again = soon(client.tombstone(tombstone(Expected::Any(Empty {}))))
        .await
        .unwrap_err();
    assert_eq!(trailer(&again, "exception"), "stream-deleted");
    let soft = soon(client.delete(deletion("order-1", ExpectedStreamRevision::Any(Empty {}))))
        .await
        .unwrap_err();
    assert_eq!(
        (soft.code(), trailer(&soft, "exception")),
        (Code::FailedPrecondition, "stream-deleted")
    );
    let streams = Streams::new(Arc::clone(&rig.log) as _);
    assert!(streams.view(&name("order-1")).await.unwrap().tombstoned);
    assert!(streams.view(&name("$$order-1")).await.unwrap().tombstoned);
}

#[tokio::test]
async fn a_name_that_no_header_takes_is_told_all_the_same() {
    let rig = Rig::new().await;
    let mut client = rig.streams().await;
    let wrong = soon(client.delete(deletion("주문-1", ExpectedStreamRevision::Revision(1))))
        .await
        .unwrap_err();
    assert_eq!(trailer(&wrong, "stream-name"), "%EC%A3%BC%EB%AC%B8-1");
    assert!(wrong.message().contains("주문-1"), "{wrong}");
}
