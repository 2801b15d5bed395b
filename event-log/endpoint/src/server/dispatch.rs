//! Which call goes where.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    Method, Request, Response, StatusCode, Uri, Version,
    header::{CONTENT_TYPE, HOST},
    uri::Authority,
};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::Value;
use tokio::{sync::watch, time::timeout};
use tonic::{Status, body::Body};
use tower_service::Service as _;

use super::{Peer, calls::Calls, ending::Ending, gate::Gate};
use crate::{
    features::Features,
    gossip::{Asked, Node},
    persistent::Groups,
    service::Service,
    wire::{
        gossip::gossip_server::GossipServer,
        persistent_subscriptions::persistent_subscriptions_server::PersistentSubscriptionsServer,
        server_features::server_features_server::ServerFeaturesServer, streams::streams_server::StreamsServer,
    },
};

/// What an append may be larger than its events: names, ids, lengths.
const SLACK: usize = 1024 * 1024;
/// The longest time that a client's deadline is taken to mean.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// All services.
pub(super) struct Dispatch {
    service: Arc<Service>,
    /// None when nobody is asked who they are.
    gate: Option<Gate>,
    node: Node,
    stopping: watch::Receiver<bool>,
    streams: StreamsServer<Calls>,
    persistent: PersistentSubscriptionsServer<Groups>,
    features: ServerFeaturesServer<Features>,
    gossip: GossipServer<Node>,
}

/// A service of the protocol.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Called {
    Streams,
    Persistent,
    Features,
    Gossip,
}

impl Called {
    fn of(path: &str) -> Option<Self> {
        let (service, _method) = path.strip_prefix("/event_store.client.")?.split_once('/')?;
        match service {
            "streams.Streams" => Some(Self::Streams),
            "persistent_subscriptions.PersistentSubscriptions" => Some(Self::Persistent),
            "server_features.ServerFeatures" => Some(Self::Features),
            "gossip.Gossip" => Some(Self::Gossip),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Streams => "streams",
            Self::Persistent => "persistent_subscriptions",
            Self::Features => "server_features",
            Self::Gossip => "gossip",
        }
    }

    /// Clients ask what there is before they say who they are.
    const fn is_open(self) -> bool {
        matches!(self, Self::Features | Self::Gossip)
    }

    /// Whether the answer may go on for ever.
    fn is_endless(self, path: &str) -> bool {
        matches!(self, Self::Streams | Self::Persistent) && (path.ends_with("/Read") || path.ends_with("/BatchAppend"))
    }
}

impl Dispatch {
    pub(super) fn new(service: Arc<Service>, gate: Option<Gate>, node: Node, stopping: watch::Receiver<bool>) -> Self {
        let largest = service.limits.append_bytes + SLACK;
        let streams = StreamsServer::new(Calls::new(Arc::clone(&service)));
        let persistent = PersistentSubscriptionsServer::new(Groups::new(Arc::clone(&service)));
        Self {
            streams: streams.max_decoding_message_size(largest),
            persistent: persistent.max_decoding_message_size(SLACK),
            features: ServerFeaturesServer::new(Features),
            gossip: GossipServer::new(node),
            service,
            gate,
            node,
            stopping,
        }
    }

    /// Answers one request.
    pub(super) async fn answer(&self, mut request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        let authority = asked(&request);
        if !is_grpc(&request) {
            return self.answer_http(&request, authority.as_ref()).await;
        }
        let Some(called) = Called::of(request.uri().path()) else {
            return Status::unimplemented(format!("{} is not served", request.uri().path())).into_http();
        };
        metrics::counter!("log_endpoint_calls_total", "service" => called.name()).increment(1);
        if let Some(authority) = authority {
            request.extensions_mut().insert(Asked(authority));
        }
        request.extensions_mut().insert(Peer(peer));
        if let Some(gate) = self.gate.as_ref().filter(|_| !called.is_open()) {
            match gate.pass(request.headers()).await {
                Ok(granted) => {
                    request.extensions_mut().insert(granted);
                }
                Err(status) => return status.into_http(),
            }
        }
        let patience = deadline(&request);
        let endless = called.is_endless(request.uri().path());
        let answered = self.call(called, request);
        let response = match patience {
            None => answered.await,
            Some(patience) => match timeout(patience, answered).await {
                Ok(response) => response,
                Err(_) => Status::deadline_exceeded("not done in the time that the client gave").into_http(),
            },
        };
        if endless {
            response.map(|body| Body::new(Ending::new(body, self.stopping.clone())))
        } else {
            response
        }
    }

    async fn call(&self, called: Called, request: Request<Incoming>) -> Response<Body> {
        let answered: Result<Response<Body>, Infallible> = match called {
            Called::Streams => self.streams.clone().call(request).await,
            Called::Persistent => self.persistent.clone().call(request).await,
            Called::Features => self.features.clone().call(request).await,
            Called::Gossip => self.gossip.clone().call(request).await,
        };
        match answered {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// The few pages that clients and probes read without gRPC. They tell nobody more of the log than where it ends.
    async fn answer_http(&self, request: &Request<Incoming>, authority: Option<&Authority>) -> Response<Body> {
        let reads = [Method::GET, Method::HEAD].contains(request.method());
        match request.uri().path().trim_end_matches('/') {
            "/gossip" if reads => match self.service.log.head().await {
                Ok(head) => page(&self.node.gossip(authority, head.0)),
                Err(_) => bare(StatusCode::SERVICE_UNAVAILABLE),
            },
            "/info" if reads => page(&Node::introduction(self.gate.is_some())),
            "/health/live" if reads => bare(StatusCode::NO_CONTENT),
            "/gossip" | "/info" | "/health/live" => bare(StatusCode::METHOD_NOT_ALLOWED),
            _ => bare(StatusCode::NOT_FOUND),
        }
    }
}

fn is_grpc<B>(request: &Request<B>) -> bool {
    let kind = request.headers().get(CONTENT_TYPE);
    request.version() == Version::HTTP_2 && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// By what name the client asked.
fn asked<B>(request: &Request<B>) -> Option<Authority> {
    let of_uri = Uri::authority(request.uri()).cloned();
    of_uri.or_else(|| request.headers().get(HOST)?.to_str().ok()?.parse().ok())
}

/// How long the client waits, in gRPC's form: up to eight digits and a unit.
fn deadline<B>(request: &Request<B>) -> Option<Duration> {
    let text = request.headers().get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok().filter(|_| number.len() <= 8)?;
    let patience = match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    };
    Some(patience.min(LONGEST))
}

fn page(document: &Value) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(Bytes::from(document.to_string()))));
    response.headers_mut().insert(
        CONTENT_TYPE,
        http::HeaderValue::from_static("application/json; charset=utf-8"),
    );
    response
}

fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
