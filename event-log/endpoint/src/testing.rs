//! An endpoint on a log in memory, and raw clients of it, for tests.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use event_log::memory::MemoryLog;
use event_schemas::StreamName;
use http::{HeaderValue, Request, Response, Uri, header::AUTHORIZATION};
use hyper::{
    body::Incoming,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tonic::body::Body;
use uuid::Uuid;

use crate::{
    Endpoint, EndpointSettings, Limits, Security, messages,
    wire::{
        client::{self, Empty, ProposedMessage, StreamIdentifier},
        streams::{
            AppendReq, AppendResp,
            append_req::{self, options::ExpectedStreamRevision},
            streams_client::StreamsClient,
        },
    },
};

/// Everything a test waits for comes by then.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what).await.unwrap()
}

/// An endpoint and its log.
pub(crate) struct Rig {
    pub(crate) endpoint: Endpoint,
    pub(crate) log: Arc<MemoryLog>,
}

impl Rig {
    /// For anybody on this machine.
    pub(crate) async fn new() -> Self {
        Self::with(Security::Insecure, Limits::default()).await
    }

    pub(crate) async fn with(security: Security, limits: Limits) -> Self {
        let log = MemoryLog::new();
        let settings = EndpointSettings {
            log: Arc::clone(&log) as _,
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            security,
            limits,
        };
        Self {
            endpoint: Endpoint::start(settings).await.unwrap(),
            log,
        }
    }

    pub(crate) async fn connect(&self) -> Connection {
        let stream = TcpStream::connect(self.endpoint.address()).await.unwrap();
        Connection::over(stream).await
    }

    pub(crate) async fn streams(&self) -> StreamsClient<Connection> {
        let origin = format!("http://{}", self.endpoint.address());
        StreamsClient::with_origin(self.connect().await, origin.parse::<Uri>().unwrap())
    }
}

/// One HTTP/2 connection that generated clients speak over.
#[derive(Clone)]
pub(crate) struct Connection {
    sender: SendRequest<Body>,
    credentials: Option<HeaderValue>,
}

impl Connection {
    pub(crate) async fn over<S>(stream: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let builder = http2::Builder::new(TokioExecutor::new());
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self {
            sender,
            credentials: None,
        }
    }

    /// With these in every call.
    pub(crate) fn authorized(mut self, header: &str) -> Self {
        self.credentials = Some(header.parse().unwrap());
        self
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Incoming>, hyper::Error>> + Send>>;

impl tower_service::Service<Request<Body>> for Connection {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Answering;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.sender.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Answering {
        if let Some(credentials) = &self.credentials {
            request.headers_mut().insert(AUTHORIZATION, credentials.clone());
        }
        Box::pin(self.sender.send_request(request))
    }
}

pub(crate) fn name(text: &str) -> StreamName {
    text.parse().unwrap()
}

pub(crate) fn identifier(text: &str) -> Option<StreamIdentifier> {
    Some(messages::identifier(&name(text)))
}

/// An event with a new id.
pub(crate) fn proposal(event_type: &str, data: &str) -> ProposedMessage {
    proposal_of(Uuid::now_v7(), event_type, data)
}

pub(crate) fn proposal_of(id: Uuid, event_type: &str, data: &str) -> ProposedMessage {
    let words = [("type", event_type), ("content-type", "application/json")];
    ProposedMessage {
        id: Some(messages::Ids::Text.write(id)),
        metadata: words.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        custom_metadata: client::ProposedMessage::default().custom_metadata,
        data: data.to_owned().into(),
    }
}

/// The messages of one call of Append.
pub(crate) fn append_of(
    stream: &str,
    expected: ExpectedStreamRevision,
    events: Vec<ProposedMessage>,
) -> Vec<AppendReq> {
    let options = append_req::Options {
        stream_identifier: identifier(stream),
        expected_stream_revision: Some(expected),
    };
    let first = append_req::Content::Options(options);
    let rest = events.into_iter().map(append_req::Content::ProposedMessage);
    let all = std::iter::once(first).chain(rest);
    all.map(|content| AppendReq { content: Some(content) }).collect()
}

/// Appends in one call.
pub(crate) async fn append(
    client: &mut StreamsClient<Connection>,
    stream: &str,
    expected: ExpectedStreamRevision,
    events: Vec<ProposedMessage>,
) -> Result<AppendResp, tonic::Status> {
    let messages = futures_util::stream::iter(append_of(stream, expected, events));
    soon(client.append(messages)).await.map(tonic::Response::into_inner)
}

pub(crate) const ANY: ExpectedStreamRevision = ExpectedStreamRevision::Any(Empty {});
pub(crate) const NO_STREAM: ExpectedStreamRevision = ExpectedStreamRevision::NoStream(Empty {});
pub(crate) const EXISTS: ExpectedStreamRevision = ExpectedStreamRevision::StreamExists(Empty {});

pub(crate) const fn exactly(version: u64) -> ExpectedStreamRevision {
    ExpectedStreamRevision::Revision(version)
}
