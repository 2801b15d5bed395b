//! What operators can do: with a running shop and with a stopped one's folder, and the same either way.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::shop::{Shop, Visitor, run, succeeds};

const FAST: &[&str] = &["--demo", "--carrier-speed", "5000000"];

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
        .collect()
}

/// Waits until no read model is behind the log.
async fn every_read_model_is_there(operator: &Visitor<'_>) {
    operator
        .shop
        .eventually("every read model shows the whole log", async || {
            let status = operator.query("ops/projections").await;
            status["projections"]
                .as_array()
                .unwrap()
                .iter()
                .all(|projection| projection["behind"] == 0)
        })
        .await;
}

/// Every read model there is.
const READ_MODELS: [&str; 13] = [
    "catalogue",
    "products",
    "my_page",
    "tracking",
    "seller_orders",
    "carts",
    "sagas",
    "best_sellers",
    "trending",
    "seller_sales",
    "stock_alerts",
    "repair_cases",
    "dead_events",
];

#[tokio::test]
async fn the_log_is_listed_read_and_counted_alike_running_and_stopped() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap().to_owned();
    let shop = Shop::start(data.path(), FAST).await;
    shop.pictured().await;
    let customer = shop.sign_in("customer").await;
    let (_, order) = customer.order_one("coffee").await;
    customer.order_reaches(&order, "delivered").await;
    let stream = format!("order-{order}");

    let ask = async |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--data", &folder, "--json"]);
        lines(&succeeds(&all).await)
    };
    // The saga and the read models come to rest first, so that both looks see the same log.
    let operator = shop.sign_in("operator").await;
    shop.eventually("the saga completed", async || {
        operator.query(&format!("ops/sagas/{order}")).await["status"] == "completed"
    })
    .await;
    every_read_model_is_there(&operator).await;

    let read = ask(&["log", "read", &stream]).await;
    let types: Vec<_> = read.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        types,
        ["OrderPlaced", "OrderConfirmed", "OrderShipped", "OrderDelivered"]
    );
    let list = ask(&["log", "list", "--prefix", "order-"]).await;
    assert_eq!(list.len(), 1, "{list:?}");
    let stats = ask(&["log", "stats"]).await;
    assert!(stats[0]["events"].as_u64().unwrap() > 200, "{stats:?}");
    let tail = ask(&["log", "tail", "--after", "0", "--category", "order", "--no-follow"]).await;
    assert_eq!(tail.len(), 4, "{tail:?}");
    let status = ask(&["projection", "status"]).await;
    for name in READ_MODELS {
        assert!(
            status.iter().any(|projection| projection["name"] == name),
            "{name}: {status:?}"
        );
    }
    shop.stop().await;

    assert_eq!(ask(&["log", "read", &stream]).await, read);
    assert_eq!(ask(&["log", "list", "--prefix", "order-"]).await, list);
    assert_eq!(
        ask(&["log", "tail", "--after", "0", "--category", "order", "--no-follow"]).await,
        tail
    );
    // What a saga knows is written behind its deeds, the last of it while the shop stops.
    let events = ask(&["log", "stats"]).await[0]["events"].as_u64().unwrap();
    assert!(
        events >= stats[0]["events"].as_u64().unwrap(),
        "{events}, and {stats:?}"
    );
    assert_eq!(
        ask(&["log", "tail", "--after", "0", "--no-follow"]).await.len() as u64,
        events
    );

    // For people: the same without --json; and an unknown stream is said to be unknown.
    assert!(
        succeeds(&["log", "read", &stream, "--data", &folder])
            .await
            .contains("OrderDelivered")
    );
    let unknown = run(&["log", "read", "order-unknown", "--data", &folder]).await;
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("order-unknown"));
}

#[tokio::test]
async fn every_read_model_is_rebuilt_running_and_stopped_and_shows_the_same() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap().to_owned();
    let shop = Shop::start(data.path(), FAST).await;
    shop.pictured().await;
    let customer = shop.sign_in("customer").await;
    let (product, order) = customer.order_one("coffee").await;
    customer.order_reaches(&order, "delivered").await;
    let operator = shop.sign_in("operator").await;
    shop.eventually("the saga completed", async || {
        operator.query(&format!("ops/sagas/{order}")).await["status"] == "completed"
    })
    .await;
    every_read_model_is_there(&operator).await;
    let before = (
        customer.query("my-page").await,
        customer.query("search?sort=price_asc").await["hits"].clone(),
        customer.query(&format!("products/{product}")).await,
        customer.query(&format!("orders/{order}/tracking")).await,
    );

    succeeds(&[
        "projection",
        "rebuild",
        "--all",
        "--approve",
        "--data",
        &folder,
        "--json",
    ])
    .await;
    assert_eq!(customer.query("my-page").await, before.0);
    shop.stop().await;
    succeeds(&[
        "projection",
        "rebuild",
        "--all",
        "--approve",
        "--data",
        &folder,
        "--json",
    ])
    .await;

    let shop = Shop::start(data.path(), FAST).await;
    let customer = shop.sign_in("customer").await;
    assert_eq!(customer.query("my-page").await, before.0);
    assert_eq!(customer.query("search?sort=price_asc").await["hits"], before.1);
    assert_eq!(customer.query(&format!("products/{product}")).await, before.2);
    assert_eq!(customer.query(&format!("orders/{order}/tracking")).await, before.3);
    let unknown = run(&["projection", "rebuild", "no_such_model", "--data", &folder]).await;
    assert!(!unknown.status.success());
    shop.stop().await;
}

#[tokio::test]
async fn an_operator_who_looks_at_a_customers_page_is_written_down() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap().to_owned();
    let shop = Shop::start(data.path(), FAST).await;
    let customer = shop.sign_in("customer").await;
    let (_, order) = customer.order_one("coffee").await;
    let own = customer.order_reaches(&order, "delivered").await;
    let id = customer.query("my-page").await["customer"]["id"]
        .as_str()
        .unwrap()
        .to_owned();

    let path = format!("ops/customers/{id}/my-page");
    assert_eq!(
        customer.request(Method::GET, &path).send().await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
    let operator = shop.sign_in("operator").await;
    let seen = operator.query(&path).await;
    assert_eq!(seen["orders"][0]["id"], own["id"]);
    let audit = succeeds(&[
        "log",
        "tail",
        "--after",
        "0",
        "--category",
        "audit",
        "--no-follow",
        "--json",
        "--data",
        &folder,
    ])
    .await;
    let views: Vec<_> = lines(&audit)
        .into_iter()
        .filter(|event| event["type"] == "CustomerPageViewed")
        .collect();
    assert_eq!(views.len(), 1, "{audit}");
    assert!(views[0].to_string().contains(&id));
    shop.stop().await;
}
