//! Five processes whose commands go over NATS: the first order, what partners receive of it, and the server away, slow and cut off
//! under load.

use std::{cell::Cell, collections::BTreeSet, path::Path, time::Duration};

use async_nats::jetstream::{self, consumer::pull::OrderedConfig};
use futures_util::{StreamExt as _, future::join_all};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{all_confirmed, at, each_effect_once, first_order, five::Five, insist, nats_server::NatsServer};
use crate::{
    postgres::SlowWay,
    shop::{DEADLINE, order_body},
};

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

/// Orders that four customers' hands place, no more than are allowed before the next fault.
struct Load {
    allowed: Semaphore,
    acknowledged: Cell<usize>,
    commands: String,
    customer: String,
    product: String,
}

const WRITERS: usize = 4;

impl Load {
    /// On a shop that had its first order; fifteen orders are allowed.
    async fn on(five: &Five<'_>) -> Self {
        let (customer, product) = first_order(five.commands(), five.queries(), 1_000).await;
        Self {
            allowed: Semaphore::new(15),
            acknowledged: Cell::new(0),
            commands: five.commands().address.clone(),
            customer,
            product,
        }
    }

    /// Places so many. Returns their ids.
    async fn place(&self, orders: usize) -> Vec<String> {
        let patience = Duration::from_secs(15);
        let client = reqwest::Client::builder().timeout(patience).no_proxy().build().unwrap();
        let items = json!([{"product_id": self.product, "quantity": 1}]);
        let body = order_body(Some(items), "card_approve");
        let writer = async |writer: usize| {
            let mut placed = vec![];
            for number in (writer..orders).step_by(WRITERS) {
                self.allowed.acquire().await.unwrap().forget();
                let key = format!("order-{number}");
                placed.push(insist(&client, &self.commands, &self.customer, &key, &body).await);
                self.acknowledged.set(self.acknowledged.get() + 1);
            }
            placed
        };
        join_all((0..WRITERS).map(writer)).await.concat()
    }

    /// Waits until so many are acknowledged.
    async fn reached(&self, orders: usize) {
        let met = async {
            while self.acknowledged.get() < orders {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(DEADLINE, met)
            .await
            .expect("the load stands still");
    }

    /// Everything placed is confirmed, and each step of it stands in the log once.
    async fn done_once(&self, five: &Five<'_>, data: &Path, placed: &[String]) {
        let looking = at(five.queries(), &self.customer);
        all_confirmed(&looking, &self.product, placed.len() + 1).await;
        let token = std::fs::read_to_string(data.join("query/operator-token")).unwrap();
        each_effect_once(&at(five.queries(), token.trim()), placed).await;
    }
}

#[tokio::test]
async fn with_nats_stopped_and_services_killed_under_load_every_order_is_done_exactly_once() {
    const ORDERS: usize = 60;
    let Some(mut server) = NatsServer::start("NATS stopped under a shop's load").await else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let mut five = Five::start_over_nats(data.path(), &server.url, PREFIX).await;
    let load = Load::on(&five).await;
    let faults = async {
        load.reached(8).await;
        server.stop().await;
        load.allowed.add_permits(15);
        // Orders are taken without NATS: they wait.
        load.reached(25).await;
        server.start_again().await;
        load.allowed.add_permits(15);
        load.reached(35).await;
        five.kill_and_restart("command").await;
        load.allowed.add_permits(15);
        load.reached(50).await;
        five.kill_and_restart("saga").await;
    };
    let (placed, ()) = tokio::join!(load.place(ORDERS), faults);
    assert_eq!(placed.len(), ORDERS);
    load.done_once(&five, data.path(), &placed).await;
    five.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn with_a_way_to_nats_that_is_slow_and_cut_under_load_every_order_is_done_exactly_once() {
    const ORDERS: usize = 60;
    let Some(mut server) = NatsServer::start("a slow way to NATS, cut under a shop's load").await else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let way = SlowWay::to(server.port()).await;
    let url = format!("nats://127.0.0.1:{}", way.port);
    let five = Five::start_over_nats(data.path(), &url, PREFIX).await;
    let load = Load::on(&five).await;
    let faults = async {
        // Every piece of what is said takes a tenth of a second, and then it is cut off in the middle, again and again.
        load.reached(8).await;
        way.takes(Duration::from_millis(100));
        load.allowed.add_permits(15);
        for orders in [15, 20, 25] {
            load.reached(orders).await;
            way.cut();
        }
        // Slower than a request's deadline: orders are taken, and wait.
        way.takes(Duration::from_secs(7));
        load.allowed.add_permits(15);
        load.reached(40).await;
        way.takes(Duration::ZERO);
        way.cut();
        load.allowed.add_permits(15);
    };
    let (placed, ()) = tokio::join!(load.place(ORDERS), faults);
    assert_eq!(placed.len(), ORDERS);
    load.done_once(&five, data.path(), &placed).await;
    five.stop().await;
    server.stop().await;
}
