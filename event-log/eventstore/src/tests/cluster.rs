//! Several nodes, of which one leads.

use std::{convert::Infallible, sync::Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{middleman::Middleman, *};
use crate::address::Node;

fn node(address: SocketAddr) -> Node {
    Node {
        host: address.ip().to_string(),
        port: address.port(),
    }
}

/// A node that knows who leads, and does nothing else.
struct Gossiping {
    address: SocketAddr,
    leader: Arc<Mutex<SocketAddr>>,
    task: tokio::task::JoinHandle<()>,
}

impl Gossiping {
    async fn of(leader: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let leader = Arc::new(Mutex::new(leader));
        let known = Arc::clone(&leader);
        let task = tokio::spawn(async move {
            loop {
                let (mut asking, _) = listener.accept().await.unwrap();
                let mut request = [0; 1024];
                let length = asking.read(&mut request).await.unwrap();
                assert!(request[..length].starts_with(b"GET /gossip HTTP/1.1\r\n"));
                let leader = *known.lock().unwrap();
                let body = serde_json::json!({"members": [
                    {"state": "Follower", "isAlive": true, "httpEndPointIp": "127.0.0.1", "httpEndPointPort": address.port()},
                    {"state": "Leader", "isAlive": true, "httpEndPointIp": "127.0.0.1", "httpEndPointPort": leader.port()},
                ]});
                let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}");
                asking.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { address, leader, task }
    }
}

impl Drop for Gossiping {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The leader goes away, another node leads: appends and subscriptions go on there, without gap or double.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leader_is_followed() {
    let memory = memory();
    let (one, two) = (serve(&memory, 0).await, serve(&memory, 0).await);
    let gossiping = Gossiping::of(one.address()).await;
    let nobody = free_port().await;
    let url = format!("esdb://127.0.0.1:{nobody},{}?tls=false", gossiping.address);
    let log = EventStoreLog::connect(&url, settings(20_000, 1_000)).await.unwrap();
    let mut subscription = follow(&log, Position::START).await;
    let first = add(&*log, "order-1", 3).await;
    assert_eq!(heard_until(&mut subscription, first.position).await.len(), 3);

    *gossiping.leader.lock().unwrap() = two.address();
    one.stop().await;
    let second = add(&*log, "order-1", 2).await;
    assert_eq!(second.version, 4);
    assert_eq!(
        positions(&heard_until(&mut subscription, second.position).await),
        [4, 5]
    );
    two.stop().await;
}

/// A node says that another one leads, though it is alive itself: connections go over at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_leader_takes_the_connections_with_it() {
    let memory = memory();
    let endpoint = serve(&memory, 0).await;
    let (one, two) = (
        Middleman::before(endpoint.address()).await,
        Middleman::before(endpoint.address()).await,
    );
    let log = connect(one.address).await;
    let mut subscription = follow(&log, Position::START).await;
    let first = add(&*log, "order-1", 1).await;
    heard_until(&mut subscription, first.position).await;
    assert!(one.connections() > 0 && two.connections() == 0);

    log.board.relay.lead(node(two.address));
    let before = one.connections();
    for _ in 0..3 {
        let appended = add(&*log, "order-1", 1).await;
        assert_eq!(
            positions(&heard_until(&mut subscription, appended.position).await),
            [appended.position.0]
        );
    }
    assert_eq!(one.connections(), before, "the leader of before was asked again");
    assert!(two.connections() > 0);
    // That one goes away, and nobody knows another: the node of the connection string is asked again.
    drop(two);
    let last = add(&*log, "order-1", 1).await;
    assert_eq!(last.version, 4);
    assert_eq!(all_of(&*memory).await.len(), 5);
    endpoint.stop().await;
}

/// A node that takes nothing and says who does, as EventStoreDB's followers do: by what stands in the trailers.
async fn follower_of(leader: SocketAddr) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move |request: http::Request<hyper::body::Incoming>| async move {
        let answer = http::Response::builder().header("content-type", "application/grpc");
        let answer = if request.uri().path().ends_with("/GetSupportedMethods") {
            answer.header("grpc-status", "12")
        } else {
            assert_eq!(request.headers()["requires-leader"], "true");
            answer
                .header("grpc-status", "5")
                .header("exception", "not-leader")
                .header("leader-endpoint-host", leader.ip().to_string())
                .header("leader-endpoint-port", leader.port().to_string())
        };
        Ok::<_, Infallible>(answer.body(http_body_util::Empty::<Bytes>::new()).unwrap())
    };
    let task = tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let service = hyper::service::service_fn(answer);
            let executor = hyper_util::rt::TokioExecutor::new();
            tokio::spawn(
                hyper::server::conn::http2::Builder::new(executor)
                    .serve_connection(hyper_util::rt::TokioIo::new(socket), service),
            );
        }
    });
    (address, task)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_names_the_leader_is_believed() {
    let memory = memory();
    let endpoint = serve(&memory, 0).await;
    let (follower, task) = follower_of(endpoint.address()).await;
    for first in ["append", "read", "follow"] {
        let log = connect(follower).await;
        let head = memory.head().await.unwrap();
        match first {
            "append" => {
                add(&*log, "order-1", 1).await;
            }
            "read" => assert_eq!(log.head().await.unwrap(), head),
            _ => {
                let mut subscription = follow(&log, head).await;
                let appended = add(&*memory, "order-1", 1).await;
                assert_eq!(heard_until(&mut subscription, appended.position).await.len(), 1);
            }
        }
    }
    assert_eq!(all_of(&*memory).await.len(), 2);
    task.abort();
    endpoint.stop().await;
}
