//! A shop on a log that is a server's, and stays away for longer than a call waits.

use std::path::Path;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    flash_sale::{counted, product},
    shop::{Shop, answer, order_body, refused_for_now, succeeds},
};

const CIRCUIT: &str = "event-log";

/// The log in a process of its own.
async fn log(folder: &Path, offered_at: &str) -> Shop {
    let folder = folder.to_str().unwrap();
    let mut arguments = vec!["serve", "--role", "log", "--data", folder, "--listen", "127.0.0.1:0"];
    arguments.extend(["--log-listen", offered_at, "--log-insecure"]);
    Shop::launch(&arguments).await
}

#[tokio::test]
async fn while_the_log_stays_away_orders_are_refused_at_once_and_all_finish_when_it_is_back() {
    let data = tempfile::tempdir().unwrap();
    let (kept, folder) = (data.path().join("kept"), data.path().join("shop"));
    let server = log(&kept, "127.0.0.1:0").await;
    let url = std::fs::read_to_string(kept.join("log-address")).unwrap();
    let url = url.trim();
    let shop = Shop::start(&folder, &["--demo", "--carrier-speed", "2000000", "--log", url]).await;
    let (customer, operator) = (shop.sign_in("customer").await, shop.sign_in("operator").await);
    let lamp = product(&shop.sign_in("seller").await, "Lamp", 20).await;
    let items = || Some(json!([{ "product_id": lamp, "quantity": 1 }]));
    let orders = |key: &str| {
        let request = customer.request(Method::POST, "orders").header("idempotency-key", key);
        request.json(&order_body(items(), "card_approve"))
    };
    assert_eq!(operator.circuit(CIRCUIT).await, "closed");
    // Under way when the log goes.
    for key in ["a", "b", "c"] {
        assert_eq!(answer(orders(key)).await.0, StatusCode::ACCEPTED);
    }
    server.kill().await;

    // The first wait for it, as long as a call may; they open the circuit.
    let open = async || {
        join_all(["d", "e", "f", "g"].map(|key| refused_for_now(orders(key)))).await;
        operator.circuit(CIRCUIT).await != "closed"
    };
    shop.eventually("the circuit opens", open).await;
    // Those who follow wait for nothing.
    let not_asked = r#"jangteo_calls_total{outlet="event-log",outcome="open"}"#;
    let metrics = async || shop.get("/metrics").send().await.unwrap().text().await.unwrap();
    let at_once = async || {
        join_all(["d", "e"].map(|key| refused_for_now(orders(key)))).await;
        metrics().await.contains(not_asked)
    };
    shop.eventually("orders are refused without asking the log", at_once)
        .await;
    assert!(
        !metrics()
            .await
            .contains(r#"jangteo_circuit_state{outlet="event-log"} 0"#)
    );
    let shown = succeeds(&["circuits", "--data", folder.to_str().unwrap()]).await;
    let shown = shown.lines().find(|line| line.starts_with(CIRCUIT)).unwrap();
    assert!(shown.contains("open"), "{shown}");
    let (status, report, _) = answer(shop.get("/readyz")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{report}");
    assert!(report["detail"].as_str().unwrap().contains(CIRCUIT), "{report}");

    let address = url.strip_prefix("esdb://").unwrap().split('?').next().unwrap();
    let server = log(&kept, address).await;
    for key in ["d", "e", "f", "g"] {
        shop.eventually("an order is taken", async || {
            answer(orders(key)).await.0 == StatusCode::ACCEPTED
        })
        .await;
    }
    assert_eq!(operator.circuit(CIRCUIT).await, "closed");
    shop.eventually("the shop is ready", async || {
        answer(shop.get("/readyz")).await.0 == StatusCode::OK
    })
    .await;
    let delivered = async || counted(&operator, "order").await.get("OrderDelivered").copied() == Some(7);
    shop.eventually("every order is delivered", delivered).await;
    let placed = counted(&operator, "order").await;
    assert_eq!(placed["OrderPlaced"], 7, "each key is one order: {placed:?}");
    customer.available_becomes(&lamp, 13).await;
    shop.stop().await;
    server.stop().await;
}
