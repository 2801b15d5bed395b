//! Five processes whose commands go over NATS: the first order, what partners receive of it, and the server away under load.

use std::{cell::Cell, collections::BTreeSet, time::Duration};

use async_nats::jetstream::{self, consumer::pull::OrderedConfig};
use futures_util::{StreamExt as _, future::join_all};
use serde_json::{Value, json};

use super::{all_confirmed, at, each_effect_once, first_order, five::Five, insist, nats_server::NatsServer};
use crate::shop::{DEADLINE, order_body};

const PREFIX: &str = "five";

/// Reads what partners receive, from the beginning, until all of these types were there.
async fn received_until(url: &str, types: &[&str]) -> Vec<Value> {
    let context = jetstream::new(async_nats::connect(url).await.unwrap());
    let stream = context.get_stream("FIVE_EVENTS").await.unwrap();
    let consumer = stream.create_consumer(OrderedConfig::default()).await.unwrap();
    let mut messages = consumer.messages().await.unwrap();
    let mut missing: BTreeSet<&str> = types.iter().copied().collect();
    let mut events = vec![];
    while !missing.is_empty() {
        let next = tokio::time::timeout(DEADLINE, messages.next()).await;
        let message = next
            .unwrap_or_else(|_| panic!("never published: {missing:?}"))
            .unwrap()
            .unwrap();
        let event: Value = serde_json::from_slice(&message.payload).unwrap();
        missing.remove(event["type"].as_str().unwrap());
        events.push(event);
    }
    events
}

#[tokio::test]
async fn the_first_order_goes_over_nats_and_leaves_the_house_as_cloud_events() {
    let Some(mut server) = NatsServer::start("five processes over NATS").await else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let five = Five::start_over_nats(data.path(), &server.url, PREFIX).await;
    first_order(five.commands(), five.queries(), 10).await;
    let types = [
        "shop.jangteo.product.listed.v1",
        "shop.jangteo.order.placed.v1",
        "shop.jangteo.order.confirmed.v1",
        "shop.jangteo.shipment.booked.v1",
    ];
    let events = received_until(&server.url, &types).await;
    let ids: BTreeSet<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), events.len(), "each once");
    let text = serde_json::to_string(&events).unwrap();
    for personal in ["Haneul", "Jong-ro", "010-1234", "card_approve", "haneul@shop.example"] {
        assert!(!text.contains(personal), "{personal} left the house: {text}");
    }
    five.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn with_nats_stopped_and_services_killed_under_load_every_order_is_done_exactly_once() {
    const ORDERS: usize = 60;
    const WRITERS: usize = 4;
    let Some(mut server) = NatsServer::start("NATS stopped under a shop's load").await else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let mut five = Five::start_over_nats(data.path(), &server.url, PREFIX).await;
    let (haneul, product) = first_order(five.commands(), five.queries(), 1_000).await;
    let commands = five.commands().address.clone();
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(15))
        .no_proxy()
        .build()
        .unwrap();
    let body = order_body(Some(json!([{"product_id": product, "quantity": 1}])), "card_approve");
    let acknowledged = Cell::new(0);
    // No more than so many orders are placed before the next fault.
    let allowed = tokio::sync::Semaphore::new(15);
    let writer = async |writer: usize| {
        let mut placed = vec![];
        for number in (writer..ORDERS).step_by(WRITERS) {
            allowed.acquire().await.unwrap().forget();
            placed.push(insist(&client, &commands, &haneul, &format!("order-{number}"), &body).await);
            acknowledged.set(acknowledged.get() + 1);
        }
        placed
    };
    let reached = async |orders: usize| {
        let met = async {
            while acknowledged.get() < orders {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(DEADLINE, met)
            .await
            .expect("the load stands still");
    };
    let faults = async {
        reached(8).await;
        server.stop().await;
        allowed.add_permits(15);
        // Orders are taken without NATS: they wait.
        reached(25).await;
        server.start_again().await;
        allowed.add_permits(15);
        reached(35).await;
        five.kill_and_restart("command").await;
        allowed.add_permits(15);
        reached(50).await;
        five.kill_and_restart("saga").await;
    };
    let (placed, ()) = tokio::join!(join_all((0..WRITERS).map(writer)), faults);
    let placed = placed.concat();
    assert_eq!(placed.len(), ORDERS);
    all_confirmed(&at(five.queries(), &haneul), &product, ORDERS + 1).await;
    let token = std::fs::read_to_string(data.path().join("query/operator-token")).unwrap();
    each_effect_once(&at(five.queries(), token.trim()), &placed).await;
    five.stop().await;
    server.stop().await;
}
