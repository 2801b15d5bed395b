//! A shop whose inventory and accounts are on PostgreSQL: as on its own files, and while the server is away or slow.

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::{
    flash_sale::{counted, product},
    postgres::{OwnServer, Schemas, SlowWay},
    shop::{DEADLINE, Shop, Visitor, answer, order_body, refused_for_now, run, skipped, succeeds},
};

const FAST: [&str; 3] = ["--demo", "--carrier-speed", "2000000"];

const INVENTORY: &str = "postgres-inventory";
const ACCOUNTS: &str = "postgres-accounts";

fn one(product: &str) -> Value {
    order_body(Some(json!([{ "product_id": product, "quantity": 1 }])), "card_approve")
}

/// Orders, as often as the shop says "not now", under one key: as a client should.
async fn insists(customer: &Visitor<'_>, product: &str, key: &str) -> String {
    let began = Instant::now();
    loop {
        let request = customer.request(Method::POST, "orders").header("idempotency-key", key);
        let (status, placed, _) = answer(request.json(&one(product))).await;
        if status == StatusCode::ACCEPTED {
            return placed["id"].as_str().unwrap().to_owned();
        }
        assert_eq!(
            status,
            StatusCode::SERVICE_UNAVAILABLE,
            "refused clearly, not otherwise: {placed}"
        );
        assert!(began.elapsed() < DEADLINE, "never taken: {placed}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Every order ended well, each piece left the house once, and as many are left as there should be.
async fn all_ended_well(operator: &Visitor<'_>, product: &str, orders: usize, left: u64) {
    operator
        .shop
        .eventually("every order is delivered", async || {
            counted(operator, "order").await.get("OrderDelivered").copied() == Some(orders)
        })
        .await;
    // The carrier is faster than an inventory that was away: its goods are issued when it is back.
    let issued = async || counted(operator, "reservation").await.get("StockIssued").copied() == Some(orders);
    operator.shop.eventually("every order's goods are issued", issued).await;
    let moved = counted(operator, "reservation").await;
    let expected = [("StockIssued", orders), ("StockReserved", orders)];
    let expected = expected.map(|(kind, count)| (kind.to_owned(), count));
    assert_eq!(moved, expected.into(), "nothing lost, nothing twice");
    operator.available_becomes(product, left).await;
}

#[tokio::test]
async fn a_shop_on_postgresql_sells_and_finds_everything_again_after_a_kill() {
    let Some(schemas) = Schemas::new("a shop on PostgreSQL") else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let mut arguments = FAST.to_vec();
    arguments.extend(schemas.arguments());
    let shop = Shop::start(data.path(), &arguments).await;
    assert!(!data.path().join("inventory.db").exists() && !data.path().join("accounts.db").exists());
    let lamp = product(&shop.sign_in("seller").await, "Lamp", 10).await;
    let order = insists(&shop.sign_in("customer").await, &lamp, "a").await;
    shop.sign_in("customer").await.order_reaches(&order, "delivered").await;
    shop.kill().await;
    let shop = Shop::start(data.path(), &arguments).await;
    assert_eq!(insists(&shop.sign_in("customer").await, &lamp, "a").await, order);
    insists(&shop.sign_in("customer").await, &lamp, "b").await;
    all_ended_well(&shop.sign_in("operator").await, &lamp, 2, 8).await;
    shop.stop().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_at_the_start() {
    let data = tempfile::tempdir().unwrap();
    let url = "postgres://shop:s3cret@127.0.0.1:1/shop";
    let folder = data.path().to_str().unwrap();
    let refused = run(&["up", "--listen", "127.0.0.1:0", "--data", folder, "--database", url]).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("127.0.0.1:1"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
}

fn signs_in(shop: &Shop) -> RequestBuilder {
    let credentials = json!({"email": "customer@demo.example", "password": "jangteo-demo"});
    shop.request(Method::POST, "sessions").json(&credentials)
}

/// Two databases on one server, two circuits: those who ask in vain open them, and those who follow do not wait.
async fn the_circuits_open(operator: &Visitor<'_>, folder: &str) {
    let shop = operator.shop;
    let open = async || {
        refused_for_now(signs_in(shop)).await;
        operator.circuit(INVENTORY).await != "closed" && operator.circuit(ACCOUNTS).await != "closed"
    };
    shop.eventually("the circuits open", open).await;
    let not_asked = r#"jangteo_calls_total{outlet="postgres-accounts",outcome="open"}"#;
    let at_once = async || {
        refused_for_now(signs_in(shop)).await;
        let metrics = shop.get("/metrics").send().await.unwrap().text().await;
        metrics.unwrap().contains(not_asked)
    };
    let what = "who signs in is refused without asking the server";
    shop.eventually(what, at_once).await;
    let shown = succeeds(&["circuits", "--data", folder]).await;
    assert!(shown.contains(INVENTORY) && shown.contains("open"), "{shown}");
    let ready = shop.get("/readyz").send().await.unwrap().status();
    assert_eq!(ready, StatusCode::OK, "it takes orders");
}

async fn the_circuits_close(operator: &Visitor<'_>) {
    let closed = async || {
        let status = answer(signs_in(operator.shop)).await.0;
        status == StatusCode::CREATED && operator.circuit(INVENTORY).await == "closed"
    };
    operator.shop.eventually("the circuits close", closed).await;
    assert_eq!(operator.circuit(ACCOUNTS).await, "closed");
}

#[tokio::test]
async fn while_the_server_crashes_starts_again_and_is_slow_orders_wait_and_none_is_lost_or_doubled() {
    let Some(server) = OwnServer::start().await else {
        return skipped("a shop whose PostgreSQL crashes", "PostgreSQL cannot be started here");
    };
    let way = SlowWay::to(server.port).await;
    let data = tempfile::tempdir().unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", way.port);
    let mut arguments = FAST.to_vec();
    arguments.extend(["--database", &url]);
    let shop = Shop::start(data.path(), &arguments).await;
    let lamp = product(&shop.sign_in("seller").await, "Lamp", 100).await;
    let (customer, operator) = (shop.sign_in("customer").await, shop.sign_in("operator").await);
    let mut keys = 0..;
    let mut orders = async |count: usize| {
        for key in keys.by_ref().take(count) {
            insists(&customer, &lamp, &format!("order {key}")).await;
        }
    };
    orders(5).await;

    // Orders are taken while inventory is away: they wait. Who signs in is told that it cannot be done now.
    server.crash().await;
    orders(10).await;
    the_circuits_open(&operator, data.path().to_str().unwrap()).await;
    server.restart().await;
    the_circuits_close(&operator).await;
    orders(5).await;
    shop.eventually("the waiting orders are delivered", async || {
        counted(&operator, "order").await.get("OrderDelivered").copied() == Some(20)
    })
    .await;

    // Every word takes a fifth of a second each way; then it crashes in the middle of it.
    way.takes(Duration::from_millis(100));
    orders(5).await;
    server.crash().await;
    orders(5).await;
    way.takes(Duration::ZERO);
    server.restart().await;
    orders(5).await;
    all_ended_well(&operator, &lamp, 35, 65).await;
    shop.stop().await;
    server.end().await;
}
