//! One append per call.

use event_log::{Direction, EventLog, ExpectedVersion};
use event_schemas::ContentType;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    Limits, Security,
    testing::{ANY, EXISTS, NO_STREAM, Rig, append, append_of, exactly, name, proposal, proposal_of, soon},
    wire::{
        client::Empty,
        streams::{
            AppendResp,
            append_resp::{
                Result as Answer, Success,
                success::{CurrentRevisionOption, PositionOption},
                wrong_expected_version as wrong,
            },
        },
    },
};

fn success(answer: AppendResp) -> Success {
    match answer.result {
        Some(Answer::Success(success)) => success,
        other => panic!("{other:?}"),
    }
}

fn revision(answer: AppendResp) -> u64 {
    match success(answer).current_revision_option {
        Some(CurrentRevisionOption::CurrentRevision(revision)) => revision,
        other => panic!("{other:?}"),
    }
}

fn exception(status: &Status) -> &str {
    status.metadata().get("exception").unwrap().to_str().unwrap()
}

#[tokio::test]
async fn events_are_appended_as_they_were_sent() {
    let rig = Rig::new().await;
    let mut client = rig.streams().await;
    let mut binary = proposal("Photographed", "\u{1}\u{2}");
    binary
        .metadata
        .insert("content-type".to_owned(), "application/octet-stream".to_owned());
    binary.custom_metadata = "{\"by\":\"kim\"}".into();
    let events = vec![proposal("Placed", "{\"a\":1}"), binary];
    let answer = append(&mut client, "order-1", NO_STREAM, events.clone()).await.unwrap();
    let success = success(answer);
    assert_eq!(
        success.current_revision_option,
        Some(CurrentRevisionOption::CurrentRevision(1))
    );
    let Some(PositionOption::Position(position)) = success.position_option else {
        panic!("no position")
    };
    assert!(position.commit_position > 0 && position.commit_position == position.prepare_position);

    let stored = rig
        .log
        .read_stream(&name("order-1"), None, Direction::Forwards, 10)
        .await
        .unwrap();
    let stored: Vec<_> = stored
        .iter()
        .map(|event| {
            (
                event.version,
                &*event.event_type,
                event.content,
                &event.data,
                &event.metadata,
            )
        })
        .collect();
    assert_eq!(
        stored[0],
        (
            0,
            "Placed",
            ContentType::Json,
            &events[0].data,
            &events[0].custom_metadata
        )
    );
    assert_eq!(
        stored[1],
        (
            1,
            "Photographed",
            ContentType::Binary,
            &events[1].data,
            &events[1].custom_metadata
        )
    );
}

#[tokio::test]
async fn a_conflict_is_told_in_the_answer_in_the_words_of_both_ages() {
    let rig = Rig::new().await;
    let mut client = rig.streams().await;
    let absent = append(&mut client, "order-1", exactly(4), vec![proposal("A", "{}")])
        .await
        .unwrap();
    let Some(Answer::WrongExpectedVersion(absent)) = absent.result else {
        panic!("taken")
    };
    assert_eq!(
        absent.current_revision_option,
        Some(wrong::CurrentRevisionOption::CurrentNoStream(Empty {}))
    );
    assert_eq!(
        absent.expected_revision_option,
        Some(wrong::ExpectedRevisionOption::ExpectedRevision(4))
    );

    append(
        &mut client,
        "order-1",
        NO_STREAM,
        vec![proposal("A", "{}"), proposal("B", "{}")],
    )
    .await
    .unwrap();
    let taken = append(&mut client, "order-1", NO_STREAM, vec![proposal("A", "{}")])
        .await
        .unwrap();
    let Some(Answer::WrongExpectedVersion(taken)) = taken.result else {
        panic!("taken")
    };
    assert_eq!(
        taken.current_revision_option,
        Some(wrong::CurrentRevisionOption::CurrentRevision(1))
    );
    assert_eq!(
        taken.current_revision_option_20_6_0,
        Some(wrong::CurrentRevisionOption2060::CurrentRevision2060(1))
    );
    assert_eq!(
        taken.expected_revision_option,
        Some(wrong::ExpectedRevisionOption::ExpectedNoStream(Empty {}))
    );
    assert!(taken.expected_revision_option_20_6_0.is_some());
    assert_eq!(
        revision(
            append(&mut client, "order-1", exactly(1), vec![proposal("C", "{}")])
                .await
                .unwrap()
        ),
        2
    );
}

#[tokio::test]
async fn the_same_events_again_change_nothing() {
    let rig = Rig::new().await;
    let mut client = rig.streams().await;
    let events = vec![
        proposal_of(Uuid::now_v7(), "A", "{}"),
        proposal_of(Uuid::now_v7(), "B", "{}"),
    ];
    let first = append(&mut client, "order-1", NO_STREAM, events.clone()).await.unwrap();
    let again = append(&mut client, "order-1", NO_STREAM, events).await.unwrap();
    assert_eq!(first, again);
}

#[tokio::test]
async fn a_stream_with_metadata_alone_exists_for_who_asks_no_more() {
    let rig = Rig::new().await;
    let mut client = rig.streams().await;
    let absent = append(&mut client, "order-1", EXISTS, vec![proposal("A", "{}")])
        .await
        .unwrap();
    assert!(
        matches!(absent.result, Some(Answer::WrongExpectedVersion(_))),
        "{absent:?}"
    );
    append(&mut client, "$$order-1", ANY, vec![proposal("$metadata", "{}")])
        .await
        .unwrap();
    assert_eq!(
        revision(
            append(&mut client, "order-1", EXISTS, vec![proposal("A", "{}")])
                .await
                .unwrap()
        ),
        0
    );
}

#[tokio::test]
async fn an_append_of_nothing_only_asks() {
    let rig = Rig::new().await;
    let mut client = rig.streams().await;
    let absent = success(append(&mut client, "order-1", NO_STREAM, vec![]).await.unwrap());
    assert_eq!(
        absent.current_revision_option,
        Some(CurrentRevisionOption::NoStream(Empty {}))
    );
    assert_eq!(absent.position_option, Some(PositionOption::NoPosition(Empty {})));
    append(&mut client, "order-1", ANY, vec![proposal("A", "{}")])
        .await
        .unwrap();
    assert_eq!(revision(append(&mut client, "order-1", ANY, vec![]).await.unwrap()), 0);
    let wrong = append(&mut client, "order-1", exactly(7), vec![]).await.unwrap();
    assert!(
        matches!(wrong.result, Some(Answer::WrongExpectedVersion(_))),
        "{wrong:?}"
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_says_why() {
    let rig = Rig::new().await;
    let mut client = rig.streams().await;
    let mut typeless = proposal("A", "{}");
    typeless.metadata.remove("type");
    let mut contentless = proposal("A", "{}");
    contentless
        .metadata
        .insert("content-type".to_owned(), "text/plain".to_owned());
    let mut idless = proposal("A", "{}");
    idless.id = None;
    for (event, word) in [(typeless, "type"), (contentless, "text/plain"), (idless, "id")] {
        let refused = append(&mut client, "order-1", ANY, vec![event]).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        assert!(refused.message().contains(word), "{refused}");
    }
    for stream in ["$all", "$$"] {
        let refused = append(&mut client, stream, ANY, vec![proposal("A", "{}")])
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    }
    let headless = append_of("order-1", ANY, vec![proposal("A", "{}")]).split_off(1);
    let refused = soon(client.append(futures_util::stream::iter(headless)))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    assert_eq!(rig.log.head().await.unwrap().0, 0);
}

#[tokio::test]
async fn more_than_the_limit_is_refused_clearly_and_the_limit_itself_is_taken() {
    let limits = Limits {
        event_bytes: 1000,
        append_bytes: 2500,
        append_events: 4,
        ..Limits::default()
    };
    let rig = Rig::with(Security::Insecure, limits).await;
    let mut client = rig.streams().await;
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let full = || proposal("A", &text(1000));
    append(&mut client, "order-1", ANY, vec![full(), full()]).await.unwrap();
    // The last one is larger than any message that is decoded at all.
    for events in [
        vec![proposal("A", &text(1001))],
        vec![full(), full(), full()],
        vec![proposal("A", &text(3_000_000))],
    ] {
        let refused = append(&mut client, "order-1", ANY, events).await.unwrap_err();
        assert_eq!(
            (refused.code(), exception(&refused)),
            (Code::InvalidArgument, "maximum-append-size-exceeded")
        );
        assert!(refused.metadata().get("maximum-append-size").is_some());
    }
    let many = append(&mut client, "order-1", ANY, vec![proposal("A", "{}"); 5])
        .await
        .unwrap_err();
    assert_eq!(many.code(), Code::InvalidArgument, "{many}");
    append(&mut client, "order-1", exactly(1), vec![proposal("B", "{}")])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_tombstoned_stream_takes_nothing_and_neither_does_its_metadata() {
    let rig = Rig::new().await;
    let mut client = rig.streams().await;
    rig.log.tombstone(&name("order-1"), ExpectedVersion::Any).await.unwrap();
    for stream in ["order-1", "$$order-1"] {
        for events in [vec![proposal("A", "{}")], vec![]] {
            let deleted = append(&mut client, stream, ANY, events).await.unwrap_err();
            assert_eq!(
                (deleted.code(), exception(&deleted)),
                (Code::FailedPrecondition, "stream-deleted")
            );
            assert_eq!(deleted.metadata().get("stream-name").unwrap(), stream);
            assert!(deleted.message().contains("is deleted"), "{deleted}");
        }
    }
}
