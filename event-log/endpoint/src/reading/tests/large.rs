//! Events as large as they may be, and one byte more.

use bytes::{Bytes, BytesMut};
use event_log::memory::MemoryLog;
use tonic::Code;
use uuid::Uuid;

use super::{
    corner::Wish,
    door::{APPEND, Answer, Caller, framed, serve},
};
use crate::{
    Limits,
    messages::Ids,
    reading::request::Place::Start,
    wire::{
        client::{Empty, ProposedMessage, StreamIdentifier},
        streams::{
            AppendReq, AppendResp, ReadResp,
            append_req::{Content, Options, options::ExpectedStreamRevision},
            append_resp, read_resp,
        },
    },
};

/// The body of an append of one event to `order-1`.
pub(super) fn one_event(data: Bytes, metadata: Bytes) -> Bytes {
    let options = Options {
        stream_identifier: Some(StreamIdentifier {
            stream_name: Bytes::from_static(b"order-1"),
        }),
        expected_stream_revision: Some(ExpectedStreamRevision::Any(Empty {})),
    };
    let message = ProposedMessage {
        id: Some(Ids::Text.write(Uuid::now_v7())),
        metadata: [("type", "Large"), ("content-type", "application/octet-stream")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        custom_metadata: metadata,
        data,
    };
    let mut body = BytesMut::new();
    for content in [Content::Options(options), Content::ProposedMessage(message)] {
        body.extend_from_slice(&framed(&AppendReq { content: Some(content) }));
    }
    body.freeze()
}

async fn append(caller: &mut Caller, data: Bytes, metadata: Bytes) -> Answer {
    caller.call(APPEND, one_event(data, metadata)).await
}

fn bytes(count: usize) -> Bytes {
    (0..count).map(|index| u8::try_from(index % 251).unwrap()).collect()
}

#[tokio::test]
async fn an_event_of_the_full_size_travels_both_ways_and_a_larger_one_is_refused() {
    let usual = Limits::default().event_bytes;
    assert_eq!(usual, 1024 * 1024);
    for limit in [usual, 5000] {
        let limits = Limits {
            event_bytes: limit,
            ..Limits::default()
        };
        let endpoint = serve(MemoryLog::new(), limits).await;
        let mut caller = Caller::connect(endpoint.address()).await;
        for metadata in [0, 1000] {
            let mut answer = append(&mut caller, bytes(limit - metadata), bytes(metadata)).await;
            let appended: AppendResp = answer.next().await.unwrap();
            assert!(matches!(appended.result, Some(append_resp::Result::Success(_))));
            let end = append(&mut caller, bytes(limit - metadata + 1), bytes(metadata))
                .await
                .end()
                .await;
            assert_eq!(end.code, Code::InvalidArgument, "{end:?}");
            assert_eq!(end.words["exception"], "maximum-append-size-exceeded");
            assert!(end.message.contains(&limit.to_string()), "{end:?}");
        }
        let mut answers = caller.read(Wish::of_stream("order-1", Start)).await;
        for metadata in [0, 1000] {
            let reply: ReadResp = answers.next().await.unwrap();
            let Some(read_resp::Content::Event(read)) = reply.content else {
                panic!("{reply:?}");
            };
            let event = read.event.unwrap();
            assert_eq!(
                (event.data, event.custom_metadata),
                (bytes(limit - metadata), bytes(metadata))
            );
            assert_eq!(event.metadata["content-type"], "application/octet-stream");
        }
    }
}

/// Many large events, read by one that reads slowly at first: pages are cut by size.
#[tokio::test]
async fn many_large_events_are_followed() {
    let endpoint = serve(MemoryLog::new(), Limits::default()).await;
    let mut caller = Caller::connect(endpoint.address()).await;
    let mut follower = caller.read(Wish::of_all(Start).for_ever()).await;
    follower.expect(&["confirmed", "caught up"]).await;
    for _ in 0..40 {
        let mut answer = append(&mut caller, bytes(1024 * 1024), Bytes::new()).await;
        let _: AppendResp = answer.next().await.unwrap();
    }
    let mut seen = 0;
    while seen < 40 {
        let line = follower.line().await.unwrap();
        if line.contains('/') {
            assert_eq!(line, format!("order-1/{seen}"));
            seen += 1;
        }
    }
}
