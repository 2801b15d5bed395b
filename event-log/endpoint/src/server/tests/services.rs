//! What is served.

use bytes::Bytes;
use http::{Request, StatusCode, Version, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tonic::{Code, Status, body::Body};
use tower_service::Service as _;

use crate::{
    testing::{Rig, soon},
    wire::{
        client::Empty, gossip::gossip_client::GossipClient,
        server_features::server_features_client::ServerFeaturesClient,
    },
};

/// A page over HTTP/1.1.
async fn page(rig: &Rig, path: &str) -> (StatusCode, Bytes) {
    let stream = TcpStream::connect(rig.endpoint.address()).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::get(path)
        .header("host", "log.example:2113")
        .body(Body::empty())
        .unwrap();
    let response = soon(sender.send_request(request)).await.unwrap();
    assert_eq!(response.version(), Version::HTTP_11);
    (
        response.status(),
        response.into_body().collect().await.unwrap().to_bytes(),
    )
}

#[tokio::test]
async fn clients_find_the_methods_in_lower_case_and_a_version_they_can_read() {
    let rig = Rig::new().await;
    let origin = format!("http://{}", rig.endpoint.address()).parse().unwrap();
    let mut client = ServerFeaturesClient::with_origin(rig.connect().await, origin);
    let features = soon(client.get_supported_methods(Empty {})).await.unwrap().into_inner();
    let version = features.event_store_server_version;
    assert!(version.chars().all(|c| c.is_ascii_digit() || c == '.'), "{version}");
    let numbers: Vec<u32> = version.split('.').map(|number| number.parse().unwrap()).collect();
    assert!((numbers[0], numbers[1]) < (25, 1));
    for method in &features.methods {
        assert_eq!(method.method_name, method.method_name.to_lowercase());
        assert_eq!(method.service_name, method.service_name.to_lowercase());
    }
    let create = features.methods.iter().find(|method| {
        method.method_name == "create"
            && method.service_name == "event_store.client.persistent_subscriptions.persistentsubscriptions"
    });
    assert!(create.unwrap().features.contains(&"all".to_owned()));
}

#[tokio::test]
async fn there_is_one_node_the_leader_there_where_the_client_asked() {
    let rig = Rig::new().await;
    let origin = "http://log.example:2113".parse().unwrap();
    let mut client = GossipClient::with_origin(rig.connect().await, origin);
    let members = soon(client.read(Empty {})).await.unwrap().into_inner().members;
    assert_eq!(members.len(), 1);
    assert_eq!((members[0].state, members[0].is_alive), (8, true));
    let end_point = members[0].http_end_point.clone().unwrap();
    assert_eq!((end_point.address.as_str(), end_point.port), ("log.example", 2113));

    let (status, body) = page(&rig, "/gossip").await;
    let gossip: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status, StatusCode::OK);
    assert_eq!(gossip["members"][0]["state"], "Leader");
    assert_eq!(gossip["members"][0]["httpEndPointIp"], "log.example");
    assert_eq!(gossip["members"][0]["httpEndPointPort"], 2113);
}

#[tokio::test]
async fn probes_and_the_curious_are_answered_over_http() {
    let rig = Rig::new().await;
    assert_eq!(page(&rig, "/health/live").await.0, StatusCode::NO_CONTENT);
    let (status, info) = page(&rig, "/info").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(serde_json::from_slice::<Value>(&info).unwrap()["state"], "leader");
    assert_eq!(page(&rig, "/streams/order-1").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_not_served_is_unimplemented() {
    let rig = Rig::new().await;
    let mut connection = rig.connect().await;
    for path in [
        "/event_store.client.projections.Projections/Create",
        "/event_store.client.streams.Streams/Scavenge",
        "/grpc.health.v1.Health/Check",
        "/",
    ] {
        let request = Request::post(format!("http://{}{path}", rig.endpoint.address()))
            .header(CONTENT_TYPE, "application/grpc")
            .body(Body::empty())
            .unwrap();
        std::future::poll_fn(|cx| connection.poll_ready(cx)).await.unwrap();
        let response = soon(connection.call(request)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let status = Status::from_header_map(response.headers()).unwrap();
        assert_eq!(status.code(), Code::Unimplemented, "{path}");
    }
}
