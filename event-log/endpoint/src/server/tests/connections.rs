//! What one client can do to the others, and how an endpoint ends.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::{Code, Streaming};

use crate::{
    Limits, Security,
    testing::{ANY, Rig, append, proposal, soon},
    wire::{
        client::Empty,
        streams::{
            ReadReq, ReadResp,
            read_req::{
                Options,
                options::{
                    AllOptions, CountOption, FilterOption, StreamOption, SubscriptionOptions, all_options::AllOption,
                },
            },
            read_resp::Content,
        },
    },
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An empty SETTINGS frame.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

async fn follow(rig: &Rig) -> Streaming<ReadResp> {
    let options = Options {
        stream_option: Some(StreamOption::All(AllOptions {
            all_option: Some(AllOption::Start(Empty {})),
        })),
        count_option: Some(CountOption::Subscription(SubscriptionOptions {})),
        filter_option: Some(FilterOption::NoFilter(Empty {})),
        ..Options::default()
    };
    let mut client = rig.streams().await;
    let mut answers = soon(client.read(ReadReq { options: Some(options) }))
        .await
        .unwrap()
        .into_inner();
    let first = soon(answers.message()).await.unwrap().unwrap();
    assert!(matches!(first.content, Some(Content::Confirmation(_))), "{first:?}");
    answers
}

/// Reads until the other side closes.
async fn closed(stream: &mut TcpStream) -> Duration {
    let began = Instant::now();
    let mut buffer = [0; 1024];
    // Closed or reset: either is an end.
    while soon(stream.read(&mut buffer)).await.unwrap_or(0) > 0 {}
    began.elapsed()
}

#[tokio::test]
async fn a_subscription_ends_as_unavailable_when_the_endpoint_stops() {
    let rig = Rig::new().await;
    let mut answers = follow(&rig).await;
    let address = rig.endpoint.address();
    let began = Instant::now();
    soon(rig.endpoint.stop()).await;
    assert!(began.elapsed() < Limits::default().stop_grace, "{:?}", began.elapsed());
    let end = loop {
        match soon(answers.message()).await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("ended as if all were said"),
            Err(status) => break status,
        }
    };
    assert_eq!(end.code(), Code::Unavailable, "{end}");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_client_that_says_nothing_or_half_a_word_is_shown_the_door() {
    let limits = Limits {
        header_timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    let rig = Rig::with(Security::Insecure, limits).await;
    for word in [&b""[..], b"PRI * HT", b"GET /gossip HTTP/1.1\r\nhost: a\r\nx-slow: "] {
        let mut stream = TcpStream::connect(rig.endpoint.address()).await.unwrap();
        stream.write_all(word).await.unwrap();
        closed(&mut stream).await;
    }
}

#[tokio::test]
async fn a_peer_that_is_gone_without_a_word_is_found() {
    let limits = Limits {
        keep_alive: Duration::from_millis(100),
        ..Limits::default()
    };
    let rig = Rig::with(Security::Insecure, limits).await;
    let mut stream = TcpStream::connect(rig.endpoint.address()).await.unwrap();
    stream.write_all(&[PREFACE, SETTINGS].concat()).await.unwrap();
    // It never answers a ping, as a machine does that lost its power.
    closed(&mut stream).await;
}

#[tokio::test]
async fn one_connection_too_many_waits_for_its_turn() {
    let limits = Limits {
        connections: 2,
        ..Limits::default()
    };
    let rig = Rig::with(Security::Insecure, limits).await;
    let first = follow(&rig).await;
    let second = follow(&rig).await;
    let mut third = rig.streams().await;
    let waiting = tokio::spawn(async move { append(&mut third, "order-1", ANY, vec![proposal("A", "{}")]).await });
    let mut second = second;
    let mut fourth = TcpStream::connect(rig.endpoint.address()).await.unwrap();
    fourth
        .write_all(b"GET /health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    // Both of those who have a place are served meanwhile.
    while !matches!(
        soon(second.message()).await.unwrap().unwrap().content,
        Some(Content::CaughtUp(_))
    ) {}
    assert!(!waiting.is_finished());
    drop((first, second));
    soon(waiting).await.unwrap().unwrap();
    closed(&mut fourth).await;
}

#[tokio::test]
async fn what_is_no_http_is_no_harm() {
    let rig = Rig::new().await;
    let frame_too_long = [PREFACE, &[0xff, 0xff, 0xff, 4, 0, 0, 0, 0, 0]].concat();
    let broken_headers = [PREFACE, SETTINGS, &[0, 0, 4, 1, 4, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]].concat();
    for noise in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello, TLS? \r\n\r\n"[..],
        &frame_too_long,
        &broken_headers,
    ] {
        let mut stream = TcpStream::connect(rig.endpoint.address()).await.unwrap();
        stream.write_all(noise).await.unwrap();
        closed(&mut stream).await;
    }
    let mut client = rig.streams().await;
    append(&mut client, "order-1", ANY, vec![proposal("A", "{}")])
        .await
        .unwrap();
}
