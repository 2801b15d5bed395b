//! The signed reports of carriers, as a carrier sends them.

use std::collections::HashMap;

use serde_json::{Value, json};
use warp::filters::BoxedFilter;

use super::*;
use crate::{secret::Secret, shipping::webhook::signature};

struct Sender {
    shop: Fixture,
    routes: BoxedFilter<(edge::Response,)>,
    secret: Secret,
}

impl Sender {
    async fn new() -> Self {
        let shop = Fixture::new(SLOW);
        shop.ask(book(1)).await.unwrap();
        let secret = Secret::new(b"shared with the carrier");
        let secrets = HashMap::from([
            (simulator::NAME.to_owned(), secret.clone()),
            ("another".to_owned(), Secret::new(b"another carrier's")),
        ]);
        let routes = edge::recovered(routes(Arc::clone(&shop.shipping), secrets));
        Self { shop, routes, secret }
    }

    async fn send_signed(&self, carrier: &str, body: &str, signature: Option<&str>) -> (u16, Value) {
        let path = format!("/api/v1/carriers/{carrier}/events");
        let mut request = warp::test::request().method("POST").path(&path).body(body);
        if let Some(signature) = signature {
            request = request.header("Carrier-Signature", signature);
        }
        let response = request.reply(&self.routes).await;
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        (response.status().as_u16(), body)
    }

    async fn send(&self, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let signature = signature(&self.secret, body.as_bytes());
        self.send_signed(simulator::NAME, &body, Some(&signature)).await
    }
}

fn picked_up() -> Value {
    json!({"shipment_id": parcel(1), "status": "picked_up", "location": "집하 센터", "event_id": "e-1"})
}

#[tokio::test]
async fn a_signed_report_is_taken_in_and_its_repeat_is_harmless() {
    let sender = Sender::new().await;
    for _ in 0..2 {
        let (status, taken) = sender.send(&picked_up()).await;
        assert_eq!((status, &taken["status"]), (200, &json!("picked_up")), "{taken}");
    }
    assert_eq!(
        sender.shop.events(parcel(1)).await,
        ["ShipmentBooked", "ParcelPickedUp"]
    );
}

#[tokio::test]
async fn a_parcel_is_found_by_its_tracking_number_and_the_time_is_the_carriers() {
    let sender = Sender::new().await;
    let number = format!("SIM{:X}", parcel(1).uuid().simple());
    let report = json!({"tracking_number": number, "status": "delivered", "event_id": "e",
        "occurred_at": "2018-01-18T14:48:30Z"});
    let (status, taken) = sender.send(&report).await;
    assert_eq!((status, &taken["shipment_id"]), (200, &json!(parcel(1))), "{taken}");
    let stream = Category::Shipment.stream(parcel(1).uuid());
    let last = sender
        .shop
        .log
        .read_stream(&stream, None, Direction::Backwards, 1)
        .await
        .unwrap();
    let metadata = last[0].metadata().unwrap();
    assert_eq!(metadata.occurred_at.to_string(), "2018-01-18T14:48:30.000Z");
    assert_eq!(metadata.actor.to_string(), "system:carrier simulator");
}

#[tokio::test]
async fn what_is_not_signed_by_that_carrier_is_refused_before_it_is_read() {
    let sender = Sender::new().await;
    let body = picked_up().to_string();
    let good = signature(&sender.secret, body.as_bytes());
    let foreign = signature(&Secret::new(b"another carrier's"), body.as_bytes());
    let other_body = signature(&sender.secret, b"{}");
    let bare = good.trim_start_matches("sha256=").to_owned();
    let forged = [
        None,
        Some(""),
        Some("sha256="),
        Some("sha256=zz"),
        Some(&*foreign),
        Some(&*other_body),
        Some(&*bare),
    ];
    for signature in forged {
        let (status, problem) = sender.send_signed(simulator::NAME, &body, signature).await;
        assert_eq!(status, 401, "{signature:?}: {problem}");
        assert_eq!(
            problem["type"],
            "https://jangteo.shop/problems/carrier-signature-refused"
        );
    }
    assert_eq!(sender.send_signed("nobody", &body, Some(&good)).await.0, 401);
    assert_eq!(sender.send_signed(simulator::NAME, "not even JSON", None).await.0, 401);
    assert_eq!(sender.shop.events(parcel(1)).await, ["ShipmentBooked"]);
}

#[tokio::test]
async fn a_parcel_of_nobody_or_of_another_carrier_is_not_found() {
    let sender = Sender::new().await;
    for id in [json!(parcel(2)), json!(Uuid::nil())] {
        let mut report = picked_up();
        report["shipment_id"] = id;
        assert_eq!(sender.send(&report).await.0, 404);
    }
    let unknown = json!({"tracking_number": "SIM123", "status": "picked_up", "event_id": "e"});
    assert_eq!(sender.send(&unknown).await.0, 404);
    let number = format!("SIM{:X}", parcel(2).uuid().simple());
    let contradiction =
        json!({"shipment_id": parcel(1), "tracking_number": number, "status": "picked_up", "event_id": "e"});
    assert_eq!(sender.send(&contradiction).await.0, 404);
    let body = picked_up().to_string();
    let signed = signature(&Secret::new(b"another carrier's"), body.as_bytes());
    assert_eq!(sender.send_signed("another", &body, Some(&signed)).await.0, 404);
}

#[tokio::test]
async fn bad_input_is_told_by_field() {
    let sender = Sender::new().await;
    let good = picked_up();
    for (field, value) in [
        ("status", json!("lost")),
        ("event_id", json!("")),
        ("event_id", json!("x".repeat(101))),
        ("event_id", Value::Null),
        ("occurred_at", json!("yesterday")),
        ("occurred_at", json!("2999-01-01T00:00:00Z")),
        ("shipment_id", Value::Null),
        ("shipment_id", json!("not-an-id")),
        ("location", json!("x".repeat(300))),
        ("location", json!("two\nlines")),
        ("colour", json!("red")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let (status, problem) = sender.send(&body).await;
        assert_eq!(
            (status, &problem["errors"][0]["field"]),
            (422, &json!(field)),
            "{body}: {problem}"
        );
    }
    let broken = "{";
    let signed = signature(&sender.secret, broken.as_bytes());
    assert_eq!(sender.send_signed(simulator::NAME, broken, Some(&signed)).await.0, 400);
    assert_eq!(sender.shop.events(parcel(1)).await, ["ShipmentBooked"]);
}

#[tokio::test]
async fn a_parcel_that_was_called_off_is_a_conflict() {
    let sender = Sender::new().await;
    sender.shop.ask(cancel(1)).await.unwrap();
    let (status, problem) = sender.send(&picked_up()).await;
    assert_eq!(status, 409, "{problem}");
}

#[test]
fn the_path_is_described() {
    let description = serde_json::to_value(openapi()).unwrap();
    assert!(description["paths"]["/api/v1/carriers/{name}/events"]["post"].is_object());
}
