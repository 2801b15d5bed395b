//! Over real connections: what a client sees, and what one client can do to the others.

use std::{net::SocketAddr, pin::Pin};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::oneshot,
    task::JoinHandle,
};
use utoipa::openapi::{HttpMethod, OpenApiBuilder, PathItem, PathsBuilder, path::Operation};
use warp::Filter;

use super::*;
use crate::{Problem, body::json_body, context::request_context, rejection::recovered, reply};

/// A server of a few routes, told to stop when dropped.
struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

fn routes() -> BoxedFilter<(Response,)> {
    let said = warp::path!("said" / String)
        .and(warp::get())
        .and(request_context())
        .map(|word: String, context: crate::RequestContext| reply::ok(&(word, context.request_id)));
    let echo = warp::path!("echo")
        .and(warp::post())
        .and(json_body::<std::collections::BTreeMap<String, u32>>(100))
        .map(|body: crate::JsonBody<_>| reply::ok(&body.value));
    let raw = warp::path!("raw")
        .and(warp::put())
        .and(crate::raw_body(1 << 30))
        .map(|body: crate::RawBody| reply::ok(&body.bytes.len()));
    let refused = warp::path!("refused")
        .and(warp::get())
        .then(async || Err(Problem::conflict("not now")))
        .map(reply::finish);
    let panics = warp::path!("panics")
        .and(warp::get())
        .map(|| -> Response { panic!("on purpose") });
    let slow = warp::path!("slow" / u64).and(warp::get()).then(async |millis| {
        sleep(Duration::from_millis(millis)).await;
        reply::no_content()
    });
    recovered(
        said.or(echo)
            .unify()
            .or(raw)
            .unify()
            .or(refused)
            .unify()
            .or(panics)
            .unify()
            .or(slow)
            .unify(),
    )
}

fn table() -> RouteTable {
    let paths = PathsBuilder::new()
        .path("/said/{word}", PathItem::new(HttpMethod::Get, Operation::new()))
        .path("/echo", PathItem::new(HttpMethod::Post, Operation::new()))
        .path("/raw", PathItem::new(HttpMethod::Put, Operation::new()));
    RouteTable::of(&OpenApiBuilder::new().paths(paths).build())
}

async fn running(limits: Limits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let shutdown: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async {
        let _ = stopped.await;
    });
    let server = tokio::spawn(serve(listener, routes(), Arc::new(table()), limits, shutdown));
    Running {
        address,
        stop: Some(stop),
        server,
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends a request that asks for the connection to be closed, and reads all there is to read.
    async fn exchange(&self, request: &str) -> Answer {
        let mut stream = self.connect().await;
        let request = request.replacen("HTTP/1.1\n", "HTTP/1.1\nhost: shop\nconnection: close\n", 1);
        stream
            .write_all(request.replace('\n', "\r\n").as_bytes())
            .await
            .unwrap();
        Answer(read_all(&mut stream).await)
    }

    async fn stop(mut self) -> Duration {
        let began = std::time::Instant::now();
        let _ = self.stop.take().unwrap().send(());
        self.server.await.unwrap();
        began.elapsed()
    }
}

/// Everything until the server closes the connection, which it must do in reasonable time.
async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await;
    // A reset after the answer is as good an end as any.
    let _ = read.expect("the server never closed the connection");
    String::from_utf8(bytes).unwrap()
}

struct Answer(String);

impl Answer {
    fn status(&self) -> u16 {
        self.0
            .get(9..12)
            .unwrap_or_else(|| panic!("no answer: {:?}", self.0))
            .parse()
            .unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let head = self.0.split("\r\n\r\n").next()?;
        head.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").unwrap().1
    }

    /// The `type` of the problem that this answer must be.
    fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{}",
            self.0
        );
        let document: serde_json::Value = serde_json::from_str(self.body()).unwrap();
        assert_eq!(document["status"], self.status());
        assert_eq!(document["instance"].as_str(), self.header("x-request-id"), "{}", self.0);
        document["type"]
            .as_str()
            .unwrap()
            .strip_prefix(crate::problem::TYPE_ROOT)
            .unwrap()
            .to_owned()
    }
}

#[tokio::test]
async fn a_request_is_answered_with_its_id_and_the_headers_every_answer_has() {
    let shop = running(Limits::default()).await;
    let answer = shop.exchange("GET /said/hello HTTP/1.1\nx-request-id: abc-1\n\n").await;
    assert_eq!((answer.status(), answer.body()), (200, "[\"hello\",\"abc-1\"]"));
    assert_eq!(answer.header("x-request-id"), Some("abc-1"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert!(
        answer
            .header("content-security-policy")
            .unwrap()
            .contains("default-src 'none'")
    );
    // What the client sent is no id we would put into a log: it gets a fresh one, the same everywhere.
    let answer = shop
        .exchange("GET /said/hello HTTP/1.1\nx-request-id: {\"a\": 1}\n\n")
        .await;
    let id = answer.header("x-request-id").unwrap();
    assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 7);
    assert_eq!(answer.body(), format!("[\"hello\",\"{id}\"]"));
}

#[tokio::test]
async fn whatever_is_wrong_is_a_problem() {
    let shop = running(Limits::default()).await;
    let mut long = format!("POST /echo HTTP/1.1\ncontent-length: 101\n\n{}", "x".repeat(101));
    for (request, status, kind) in [
        ("GET /nothing HTTP/1.1\n\n", 404, "no-such-path"),
        ("POST /nothing HTTP/1.1\n\n", 404, "no-such-path"),
        ("GET /said/ HTTP/1.1\n\n", 404, "no-such-path"),
        ("DELETE /echo HTTP/1.1\n\n", 405, "method-not-allowed"),
        ("OPTIONS /said/x HTTP/1.1\n\n", 405, "method-not-allowed"),
        ("GET /refused HTTP/1.1\n\n", 409, "conflict"),
        ("GET /panics HTTP/1.1\n\n", 500, "internal"),
        (
            "POST /echo HTTP/1.1\ncontent-type: text/plain\ncontent-length: 2\n\n{}",
            415,
            "unsupported-media-type",
        ),
        ("POST /echo HTTP/1.1\ncontent-length: 2\n\n{]", 400, "malformed-json"),
        ("POST /echo HTTP/1.1\n\n", 400, "malformed-json"),
        (
            "POST /echo HTTP/1.1\ncontent-length: 8\n\n{\"a\":-1}",
            422,
            "validation",
        ),
        (&long, 413, "payload-too-large"),
    ] {
        let answer = shop.exchange(request).await;
        assert_eq!(
            (answer.status(), answer.problem().as_str()),
            (status, kind),
            "{request}"
        );
    }
    assert_eq!(
        shop.exchange("DELETE /echo HTTP/1.1\n\n").await.header("allow"),
        Some("POST")
    );
    assert_eq!(
        shop.exchange("PUT /said/x HTTP/1.1\n\n").await.header("allow"),
        Some("GET, HEAD")
    );
    // The same without a length that gives it away.
    long = format!(
        "POST /echo HTTP/1.1\ntransfer-encoding: chunked\n\n65\n{}\n0\n\n",
        "x".repeat(0x65)
    );
    assert_eq!(shop.exchange(&long).await.problem(), "payload-too-large");
}

#[tokio::test]
async fn no_route_can_be_made_to_read_more_than_the_server_takes() {
    let limits = Limits {
        body_bytes: 10,
        ..Limits::default()
    };
    let shop = running(limits).await;
    assert_eq!(
        shop.exchange("PUT /raw HTTP/1.1\ncontent-length: 10\n\n0123456789")
            .await
            .body(),
        "10"
    );
    let more = shop
        .exchange("PUT /raw HTTP/1.1\ncontent-length: 11\n\n01234567890")
        .await;
    assert_eq!((more.status(), more.problem().as_str()), (413, "payload-too-large"));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let shop = running(Limits::default()).await;
    let get = shop.exchange("GET /said/hello HTTP/1.1\nx-request-id: a\n\n").await;
    let head = shop.exchange("HEAD /said/hello HTTP/1.1\nx-request-id: a\n\n").await;
    assert_eq!((head.status(), head.body()), (200, ""));
    assert_eq!(head.header("content-length"), get.header("content-length"));
}

#[tokio::test]
async fn http_2_is_spoken_on_the_same_port() {
    let shop = running(Limits::default()).await;
    let mut stream = shop.connect().await;
    let empty_settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&empty_settings).await.unwrap();
    let mut frame = [0; 9];
    timeout(Duration::from_secs(20), stream.read_exact(&mut frame))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(frame[3], 4, "the server's first frame is its settings");
}

#[tokio::test]
async fn who_sends_nothing_or_half_a_head_is_hung_up_on() {
    let limits = Limits {
        header_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let shop = running(limits).await;
    for sent in ["", "P", "GET /said/x HTTP/1.1\r\nhost: sh"] {
        let mut stream = shop.connect().await;
        stream.write_all(sent.as_bytes()).await.unwrap();
        assert!(!read_all(&mut stream).await.contains("200"), "{sent}");
    }
    // A request that takes longer than a head may is not cut.
    assert_eq!(shop.exchange("GET /slow/300 HTTP/1.1\n\n").await.status(), 204);
}

#[tokio::test]
async fn who_sends_half_a_body_is_told_that_time_is_up() {
    let limits = Limits {
        body_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let shop = running(limits).await;
    let answer = shop
        .exchange("POST /echo HTTP/1.1\ncontent-length: 50\n\n{\"a\":")
        .await;
    assert_eq!((answer.status(), answer.problem().as_str()), (408, "request-timeout"));
}

#[tokio::test]
async fn a_connection_over_the_limit_waits_until_one_is_closed() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let shop = running(limits).await;
    let mut first = shop.connect().await;
    first
        .write_all(b"GET /said/x HTTP/1.1\r\nhost: shop\r\n\r\n")
        .await
        .unwrap();
    let mut byte = [0];
    first.read_exact(&mut byte).await.unwrap();
    let waiting = shop.exchange("GET /said/y HTTP/1.1\n\n");
    tokio::pin!(waiting);
    assert!(
        timeout(Duration::from_millis(100), &mut waiting).await.is_err(),
        "served beyond the limit"
    );
    drop(first);
    assert_eq!(waiting.await.status(), 200);
}

#[tokio::test]
async fn stopping_lets_a_request_in_flight_finish_and_hangs_up_on_idle_clients() {
    let shop = running(Limits::default()).await;
    let mut idle = shop.connect().await;
    let mut busy = shop.connect().await;
    busy.write_all(b"GET /slow/300 HTTP/1.1\r\nhost: shop\r\n\r\n")
        .await
        .unwrap();
    // An answer on a third connection: the two before it were accepted.
    assert_eq!(shop.exchange("GET /slow/50 HTTP/1.1\n\n").await.status(), 204);
    let address = shop.address;
    assert!(shop.stop().await < Duration::from_secs(5));
    assert_eq!(Answer(read_all(&mut busy).await).status(), 204);
    assert_eq!(read_all(&mut idle).await, "");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn stopping_cuts_what_does_not_end() {
    let limits = Limits {
        shutdown_grace: Duration::from_millis(100),
        ..Limits::default()
    };
    let shop = running(limits).await;
    let mut endless = shop.connect().await;
    endless
        .write_all(b"GET /slow/600000 HTTP/1.1\r\nhost: shop\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(shop.exchange("GET /slow/50 HTTP/1.1\n\n").await.status(), 204);
    assert!(shop.stop().await < Duration::from_secs(5));
    assert_eq!(read_all(&mut endless).await, "");
}
