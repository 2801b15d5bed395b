//! An endpoint, and clients of it that do what proper ones do not.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use event_log::EventLog;
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};
use tonic::Code;

use super::corner::{Wish, line};
use crate::{Endpoint, EndpointSettings, Limits, Security, wire::streams::ReadResp};

pub(super) const READ: &str = "/event_store.client.streams.Streams/Read";
pub(super) const APPEND: &str = "/event_store.client.streams.Streams/Append";

/// Everything a test waits for comes by then.
pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what).await.unwrap()
}

/// Waits until it is so.
pub(super) async fn until(mut so: impl FnMut() -> bool) {
    soon(async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// Serves `log` on loopback, to anybody.
pub(super) async fn serve(log: Arc<dyn EventLog>, limits: Limits) -> Endpoint {
    let settings = EndpointSettings {
        log,
        listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        security: Security::Insecure,
        limits,
    };
    Endpoint::start(settings).await.unwrap()
}

/// A line between one client and an endpoint, that can be cut, or go dead without anybody being told.
pub(super) struct Line {
    pub(super) address: SocketAddr,
    dead: Arc<Notify>,
    carrying: JoinHandle<()>,
}

impl Line {
    pub(super) async fn to(endpoint: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let dead = Arc::new(Notify::new());
        let die = Arc::clone(&dead);
        let carrying = tokio::spawn(async move {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut far = TcpStream::connect(endpoint).await.unwrap();
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                // Both ends stay open.
                () = die.notified() => std::future::pending().await,
            }
        });
        Self {
            address,
            dead,
            carrying,
        }
    }

    /// Closes both ends.
    pub(super) fn cut(&self) {
        self.carrying.abort();
    }

    /// Carries nothing any more.
    pub(super) fn go_dead(&self) {
        self.dead.notify_one();
    }
}

/// One HTTP/2 connection.
#[derive(Clone)]
pub(super) struct Caller(SendRequest<Body>);

type Body = UnsyncBoxBody<Bytes, Infallible>;

impl Caller {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let made = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(64 * 1024)
            .handshake(TokioIo::new(stream))
            .await;
        let (send, connection) = made.unwrap();
        tokio::spawn(connection);
        Self(send)
    }

    pub(super) async fn try_send(&mut self, request: Request<Body>) -> hyper::Result<Answer> {
        soon(self.0.ready()).await?;
        soon(self.0.send_request(request)).await.map(Answer::new)
    }

    pub(super) async fn send(&mut self, request: Request<Body>) -> Answer {
        self.try_send(request).await.unwrap()
    }

    pub(super) async fn call(&mut self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.send(request(path, body)).await
    }

    pub(super) async fn read(&mut self, wish: Wish) -> Answer {
        self.call(READ, framed(&wish.request())).await
    }
}

/// A gRPC request.
pub(super) fn request(path: &str, body: impl Into<Bytes>) -> Request<Body> {
    request_of(path, Full::new(body.into()).boxed_unsync())
}

/// A gRPC request that arrives piece by piece.
pub(super) fn pieces(path: &str, pieces: impl Stream<Item = Bytes> + Send + 'static) -> Request<Body> {
    let frames = pieces.map(|piece| Ok(Frame::data(piece)));
    request_of(path, StreamBody::new(frames).boxed_unsync())
}

fn request_of(path: &str, body: Body) -> Request<Body> {
    Request::post(format!("http://log{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(body)
        .unwrap()
}

/// A message as it travels.
pub(super) fn framed(message: &impl Message) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.encoded_len()).unwrap());
    message.encode(&mut frame).unwrap();
    frame.freeze()
}

/// How a call ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) words: HeaderMap,
}

impl End {
    fn of(words: &HeaderMap) -> Option<Self> {
        let code = words.get("grpc-status")?;
        let message = words.get("grpc-message").map(|text| text.to_str().unwrap().to_owned());
        Some(Self {
            code: Code::from_bytes(code.as_bytes()),
            message: message.unwrap_or_default(),
            words: words.clone(),
        })
    }
}

/// What comes back on one call.
pub(super) struct Answer {
    pub(super) http: http::StatusCode,
    end: Option<End>,
    body: Incoming,
    buffer: BytesMut,
}

impl Answer {
    fn new(response: Response<Incoming>) -> Self {
        let (head, body) = response.into_parts();
        Self {
            http: head.status,
            end: End::of(&head.headers),
            body,
            buffer: BytesMut::new(),
        }
    }

    /// The next message; at the end of the call, how it ended.
    pub(super) async fn next<M: Message + Default>(&mut self) -> Result<M, Option<End>> {
        loop {
            if let Some(mut header) = self.buffer.get(..5) {
                assert_eq!(header.get_u8(), 0, "nobody asked for compression");
                let length = header.get_u32() as usize;
                if self.buffer.len() >= 5 + length {
                    self.buffer.advance(5);
                    return Ok(M::decode(self.buffer.split_to(length)).unwrap());
                }
            }
            match soon(self.body.frame()).await.map(Result::unwrap).map(Frame::into_data) {
                Some(Ok(data)) => self.buffer.extend_from_slice(&data),
                Some(Err(frame)) => self.end = frame.trailers_ref().and_then(End::of),
                None => return Err(self.end.take()),
            }
        }
    }

    /// The next reply to a reader, as a line.
    pub(super) async fn line(&mut self) -> Result<String, Option<End>> {
        self.next::<ReadResp>().await.map(|reply| line(&reply))
    }

    pub(super) async fn expect(&mut self, lines: &[&str]) {
        for line in lines {
            assert_eq!(self.line().await.unwrap(), *line);
        }
    }

    /// All that is left of the replies, and the end.
    pub(super) async fn lines(&mut self) -> (Vec<String>, End) {
        let mut lines = vec![];
        loop {
            match self.line().await {
                Ok(line) => lines.push(line),
                Err(end) => return (lines, end.unwrap()),
            }
        }
    }

    /// How the call ended, which said nothing.
    pub(super) async fn end(&mut self) -> End {
        let (lines, end) = self.lines().await;
        assert!(lines.is_empty(), "{lines:?}");
        end
    }

    /// Gives the call up.
    pub(super) fn hang_up(self) {}
}
