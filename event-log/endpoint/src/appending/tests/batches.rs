//! Many appends over one stream of messages.

use event_log::{Direction, EventLog, ExpectedVersion};
use futures_util::{StreamExt, stream};
use prost::Message;
use tokio::sync::mpsc;
use tonic::{Code, Streaming};
use uuid::Uuid;

use crate::{
    Limits, Security,
    messages::{Ids, id_from},
    testing::{Rig, identifier, name, proposal, soon},
    wire::{
        client::{self, ProposedMessage},
        google::rpc,
        streams::{
            BatchAppendReq, BatchAppendResp,
            batch_append_req::{Options, options},
            batch_append_resp::{self as resp, Result as Answer, success::CurrentRevisionOption},
        },
    },
};

struct Session {
    say: mpsc::UnboundedSender<BatchAppendReq>,
    hear: Streaming<BatchAppendResp>,
}

impl Session {
    async fn new(rig: &Rig) -> Self {
        let (say, said) = mpsc::unbounded_channel();
        let messages = stream::unfold(said, |mut said| async {
            said.recv().await.map(|message| (message, said))
        });
        let hear = soon(rig.streams().await.batch_append(messages)).await.unwrap();
        Self {
            say,
            hear: hear.into_inner(),
        }
    }

    async fn answer(&mut self) -> BatchAppendResp {
        soon(self.hear.message()).await.unwrap().unwrap()
    }
}

fn options(stream: &str, expected: options::ExpectedStreamPosition) -> Option<Options> {
    Some(Options {
        stream_identifier: identifier(stream),
        expected_stream_position: Some(expected),
        deadline_option: None,
    })
}

fn piece(id: Uuid, options: Option<Options>, events: Vec<ProposedMessage>, is_final: bool) -> BatchAppendReq {
    BatchAppendReq {
        correlation_id: Some(Ids::Text.write(id)),
        options,
        proposed_messages: events,
        is_final,
    }
}

fn fault(answer: &BatchAppendResp) -> (&rpc::Status, &str) {
    match &answer.result {
        Some(Answer::Error(error)) => (error, error.details.as_ref().unwrap().type_url.as_str()),
        other => panic!("{other:?}"),
    }
}

const ANY: options::ExpectedStreamPosition = options::ExpectedStreamPosition::Any(());
const NO_STREAM: options::ExpectedStreamPosition = options::ExpectedStreamPosition::NoStream(());

#[tokio::test]
async fn pieces_of_several_appends_may_be_mixed_and_each_append_is_answered_once() {
    let rig = Rig::new().await;
    let mut session = Session::new(&rig).await;
    let (a, b) = (Uuid::now_v7(), Uuid::now_v7());
    session
        .say
        .send(piece(
            a,
            options("order-a", NO_STREAM),
            vec![proposal("A1", "{}")],
            false,
        ))
        .unwrap();
    session
        .say
        .send(piece(b, options("order-b", ANY), vec![], false))
        .unwrap();
    session
        .say
        .send(piece(a, None, vec![proposal("A2", "{}")], true))
        .unwrap();
    let first = session.answer().await;
    assert_eq!(id_from(first.correlation_id.as_ref()).unwrap(), a);
    assert_eq!(first.stream_identifier, identifier("order-a"));
    assert_eq!(
        first.expected_stream_position,
        Some(resp::ExpectedStreamPosition::NoStream(()))
    );
    let Some(Answer::Success(success)) = first.result else {
        panic!("{first:?}")
    };
    assert_eq!(
        success.current_revision_option,
        Some(CurrentRevisionOption::CurrentRevision(1))
    );
    session
        .say
        .send(piece(b, None, vec![proposal("B1", "{}")], true))
        .unwrap();
    let second = session.answer().await;
    assert_eq!(id_from(second.correlation_id.as_ref()).unwrap(), b);
    let Session { say, mut hear } = session;
    drop(say);
    assert!(soon(hear.message()).await.unwrap().is_none());
    assert_eq!(
        rig.log
            .read_stream(&name("order-a"), None, Direction::Forwards, 9)
            .await
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_wrong_version_is_a_detail_and_the_session_goes_on() {
    let rig = Rig::new().await;
    let mut session = Session::new(&rig).await;
    rig.log
        .tombstone(&name("order-gone"), ExpectedVersion::Any)
        .await
        .unwrap();
    let exact = options::ExpectedStreamPosition::StreamPosition(3);
    session
        .say
        .send(piece(
            Uuid::now_v7(),
            options("order-1", exact),
            vec![proposal("A", "{}")],
            true,
        ))
        .unwrap();
    let conflict = session.answer().await;
    let (error, url) = fault(&conflict);
    assert_eq!(
        (error.code, url),
        (
            Code::AlreadyExists as i32,
            "type.googleapis.com/event_store.client.WrongExpectedVersion"
        )
    );
    let detail = client::WrongExpectedVersion::decode(&*error.details.as_ref().unwrap().value).unwrap();
    use client::wrong_expected_version::{CurrentStreamRevisionOption, ExpectedStreamPositionOption};
    assert_eq!(
        detail.current_stream_revision_option,
        Some(CurrentStreamRevisionOption::CurrentNoStream(()))
    );
    assert_eq!(
        detail.expected_stream_position_option,
        Some(ExpectedStreamPositionOption::ExpectedStreamPosition(3))
    );
    assert_eq!(conflict.stream_identifier, identifier("order-1"));

    session
        .say
        .send(piece(
            Uuid::now_v7(),
            options("order-gone", ANY),
            vec![proposal("A", "{}")],
            true,
        ))
        .unwrap();
    let gone = session.answer().await;
    assert_eq!(fault(&gone).1, "type.googleapis.com/event_store.client.StreamDeleted");
    let mut typeless = proposal("A", "{}");
    typeless.metadata.clear();
    session
        .say
        .send(piece(Uuid::now_v7(), options("order-1", ANY), vec![typeless], true))
        .unwrap();
    let bad = session.answer().await;
    assert_eq!(fault(&bad).1, "type.googleapis.com/event_store.client.BadRequest");
    session.say.send(piece(Uuid::now_v7(), None, vec![], true)).unwrap();
    let status = soon(session.hear.message()).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
}

#[tokio::test]
async fn an_append_in_pieces_is_as_limited_as_any() {
    let limits = Limits {
        event_bytes: 1000,
        append_bytes: 2500,
        ..Limits::default()
    };
    let rig = Rig::with(Security::Insecure, limits).await;
    let mut session = Session::new(&rig).await;
    let id = Uuid::now_v7();
    let large = || vec![proposal("A", &format!("\"{}\"", "x".repeat(900)))];
    session
        .say
        .send(piece(id, options("order-1", ANY), large(), false))
        .unwrap();
    for is_final in [false, false, true] {
        session.say.send(piece(id, None, large(), is_final)).unwrap();
    }
    let refused = session.answer().await;
    let (error, url) = fault(&refused);
    assert_eq!(url, "type.googleapis.com/event_store.client.MaximumAppendSizeExceeded");
    let detail = client::MaximumAppendSizeExceeded::decode(&*error.details.as_ref().unwrap().value).unwrap();
    assert_eq!(detail.max_append_size, 2500);
    session
        .say
        .send(piece(Uuid::now_v7(), options("order-1", NO_STREAM), large(), true))
        .unwrap();
    assert!(matches!(session.answer().await.result, Some(Answer::Success(_))));
}

#[tokio::test]
async fn a_deadline_that_is_a_moment_by_mistake_harms_nobody() {
    let rig = Rig::new().await;
    let mut session = Session::new(&rig).await;
    let far = prost_types::Duration {
        seconds: 1_795_267_800,
        nanos: 0,
    };
    let mut options = options("order-1", ANY).unwrap();
    options.deadline_option = Some(options::DeadlineOption::Deadline(far));
    session
        .say
        .send(piece(Uuid::now_v7(), Some(options), vec![proposal("A", "{}")], true))
        .unwrap();
    assert!(matches!(session.answer().await.result, Some(Answer::Success(_))));
}

#[tokio::test]
async fn appends_of_one_session_reach_the_log_in_their_order() {
    let rig = Rig::new().await;
    let mut session = Session::new(&rig).await;
    for turn in 0..500_u64 {
        let expected = turn
            .checked_sub(1)
            .map_or(NO_STREAM, options::ExpectedStreamPosition::StreamPosition);
        session
            .say
            .send(piece(
                Uuid::now_v7(),
                options("order-1", expected),
                vec![proposal("A", "{}")],
                true,
            ))
            .unwrap();
    }
    let answers: Vec<_> = soon(session.hear.by_ref().take(500).collect()).await;
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer.as_ref().unwrap().result, Some(Answer::Success(_))))
    );
}
