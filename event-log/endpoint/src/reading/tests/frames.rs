//! Calls that are no calls: each is answered with its fault, and the endpoint goes on.

use bytes::{BufMut, Bytes, BytesMut};
use event_log::memory::MemoryLog;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::Code;

use super::{
    corner::Wish,
    door::{APPEND, Caller, READ, framed, request, serve, soon},
};
use crate::{Endpoint, Limits, reading::request::Place::Start};

async fn still_answers(endpoint: &Endpoint) {
    let mut caller = Caller::connect(endpoint.address()).await;
    let (lines, end) = caller.read(Wish::of_stream("order-1", Start)).await.lines().await;
    assert_eq!((lines[0].as_str(), end.code), ("not found", Code::Ok));
}

/// A frame with that flag and length, whatever follows.
fn frame(flag: u8, length: u32, content: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(flag);
    frame.put_u32(length);
    frame.put_slice(content);
    frame.freeze()
}

#[tokio::test]
async fn a_malformed_frame_is_answered_with_its_fault() {
    let endpoint = serve(MemoryLog::new(), Limits::default()).await;
    let mut caller = Caller::connect(endpoint.address()).await;
    let good = framed(&Wish::of_all(Start).request());
    let cases = [
        ("nothing", Bytes::new()),
        ("half a header", frame(0, 0, b"").slice(..3)),
        ("cut short", good.slice(..good.len() - 1)),
        ("a length that never comes", frame(0, 100, b"abc")),
        ("4 GiB", frame(0, u32::MAX, b"abc")),
        ("no protobuf", frame(0, 3, &[0xff; 3])),
        ("a field that never ends", frame(0, 2, &[0x0a, 0x7f])),
        ("compressed, by nothing", frame(1, 3, b"abc")),
        ("an unknown flag", frame(7, 3, b"abc")),
    ];
    for path in [READ, APPEND] {
        for (what, body) in &cases {
            let end = caller.call(path, body.clone()).await.end().await;
            assert_ne!(end.code, Code::Ok, "{what}: {end:?}");
            assert_ne!(end.code, Code::Unavailable, "{what}: clients would come again: {end:?}");
        }
    }
    // The same connection, after all that.
    let (lines, end) = caller.call(READ, good).await.lines().await;
    assert_eq!((lines.len(), end.code), (0, Code::Ok));
    still_answers(&endpoint).await;
}

#[tokio::test]
async fn what_is_not_served_says_so() {
    let endpoint = serve(MemoryLog::new(), Limits::default()).await;
    let mut caller = Caller::connect(endpoint.address()).await;
    for path in [
        "/event_store.client.streams.Streams/Nothing",
        "/event_store.client.projections.Projections/Create",
        "/nothing.Nothing/Nothing",
    ] {
        assert_eq!(
            caller.call(path, Bytes::new()).await.end().await.code,
            Code::Unimplemented,
            "{path}"
        );
    }
    let compressed = {
        let mut request = request(READ, frame(1, 3, b"abc"));
        request.headers_mut().insert("grpc-encoding", "zstd".parse().unwrap());
        request
    };
    assert_eq!(caller.send(compressed).await.end().await.code, Code::Unimplemented);
    let mut json = request(READ, "{}");
    json.headers_mut()
        .insert("content-type", "application/json".parse().unwrap());
    let answer = caller.send(json).await;
    assert!(answer.http.is_client_error(), "{}", answer.http);
    still_answers(&endpoint).await;
}

/// Not even HTTP/2, or no longer: the connection is closed, the others go on.
#[tokio::test]
async fn what_is_no_http_is_cut_off() {
    let endpoint = serve(MemoryLog::new(), Limits::default()).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    // A frame of 16 MiB; data for a stream that nobody opened; headers that no table explains.
    let large = [0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1];
    let stray = [0, 0, 1, 0, 0, 0, 0, 0, 9, b'x'];
    let headers = [0, 0, 2, 1, 4, 0, 0, 0, 1, 0xff, 0xff];
    let mut cases = vec![
        b"\x16\x03\x01 is this TLS?\r\n\r\n".to_vec(),
        b"\0\0\0\0\r\n\r\n".to_vec(),
    ];
    for broken in [&large[..], &stray, &headers] {
        cases.push([&preface[..], &settings, broken].concat());
    }
    for case in cases {
        let mut stream = TcpStream::connect(endpoint.address()).await.unwrap();
        stream.write_all(&case).await.unwrap();
        // Some words of farewell, and the end.
        let mut said = vec![];
        let ended = soon(stream.read_to_end(&mut said)).await;
        assert!(ended.is_ok() || said.len() < 4096, "{case:?}");
    }
    still_answers(&endpoint).await;
}

/// A head that is larger than any client's is refused.
#[tokio::test]
async fn an_endless_head_is_refused() {
    let endpoint = serve(MemoryLog::new(), Limits::default()).await;
    let mut caller = Caller::connect(endpoint.address()).await;
    let mut large = request(READ, framed(&Wish::of_all(Start).request()));
    large
        .headers_mut()
        .insert("x-much", "y".repeat(128 * 1024).parse().unwrap());
    let answer = caller.try_send(large).await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.http.is_client_error()));
    still_answers(&endpoint).await;
}
