//! The shop is killed and comes back: nothing acknowledged is lost, nothing happens twice.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::shop::{Shop, order_body, run, statuses};

const FAST: &[&str] = &["--demo", "--carrier-speed", "5000000"];

#[tokio::test]
async fn a_clean_stop_and_a_second_start_go_on_where_it_was() {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), FAST).await;
    assert_eq!(
        std::fs::read_to_string(data.path().join("address")).unwrap().trim(),
        shop.address
    );
    let customer = shop.sign_in("customer").await;
    let (_, order) = customer.order_one("coffee").await;
    let before = customer.order_reaches(&order, "delivered").await;
    shop.eventually("captured", async || {
        customer.query(&format!("orders/{order}")).await["payment"]["status"] == "captured"
    })
    .await;
    let products = customer.query("search").await["total"].clone();
    shop.stop().await;
    assert!(!data.path().join("address").exists(), "nobody answers there any more");

    let shop = Shop::start(data.path(), FAST).await;
    let customer = shop.sign_in("customer").await;
    let after = customer.order_reaches(&order, "delivered").await;
    assert_eq!(after["history"], before["history"]);
    assert_eq!(
        customer.query("search").await["total"],
        products,
        "the demo is not seeded twice"
    );
    shop.stop().await;
}

#[tokio::test]
async fn killed_again_and_again_under_load_every_order_happens_exactly_once() {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), FAST).await;
    let customer = shop.sign_in("customer").await;
    let product = customer.find("coffee").await["id"].as_str().unwrap().to_owned();
    let before = customer.available(&product).await;
    drop(customer);
    let body = order_body(Some(json!([{"product_id": product, "quantity": 1}])), "card_approve");

    let keys: Vec<String> = (0..12).map(|number| format!("crash-order-{number}")).collect();
    let mut acknowledged: Vec<Option<String>> = vec![None; keys.len()];
    let mut shop = Some(shop);
    // Each round: try every order that is not acknowledged yet, and kill the shop while it works on them.
    for round in 0..6u64 {
        let running = match shop.take() {
            Some(running) => running,
            None => Shop::start(data.path(), FAST).await,
        };
        let customer = running.sign_in("customer").await;
        let attempts = keys.iter().zip(&mut acknowledged).map(async |(key, known)| {
            let request = customer
                .request(Method::POST, "orders")
                .header("idempotency-key", key)
                .json(&body);
            // A connection cut by the kill is no answer: the same key is tried again in the next round.
            let Ok(response) = request.send().await else { return };
            assert_eq!(response.status(), StatusCode::ACCEPTED);
            let Ok(placed) = response.json::<serde_json::Value>().await else {
                return;
            };
            let id = placed["id"].as_str().unwrap().to_owned();
            assert_eq!(
                *known.get_or_insert_with(|| id.clone()),
                id,
                "the same key names another order"
            );
        });
        let all = futures_util::future::join_all(attempts);
        tokio::select! {
            _ = all => {}
            () = tokio::time::sleep(Duration::from_millis(5 + round * 11)) => {}
        }
        drop(customer);
        running.kill().await;
    }

    let shop = Shop::start(data.path(), FAST).await;
    let customer = shop.sign_in("customer").await;
    for (key, known) in keys.iter().zip(&mut acknowledged) {
        let request = customer
            .request(Method::POST, "orders")
            .header("idempotency-key", key)
            .json(&body);
        let placed: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
        let id = placed["id"].as_str().unwrap_or_else(|| panic!("{placed}")).to_owned();
        assert_eq!(
            *known.get_or_insert_with(|| id.clone()),
            id,
            "an acknowledged order was lost"
        );
    }
    for order in acknowledged.iter().flatten() {
        let delivered = customer.order_reaches(order, "delivered").await;
        assert_eq!(statuses(&delivered).len(), 6, "{delivered}");
    }
    let orders = customer.query("my-page?size=100").await["orders"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(orders, keys.len(), "an order appeared twice");
    customer.available_becomes(&product, before - keys.len() as u64).await;
    shop.stop().await;
}

#[tokio::test]
async fn a_second_process_on_the_folder_is_told_so() {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), &[]).await;
    let output = run(&["up", "--listen", "127.0.0.1:0", "--data", data.path().to_str().unwrap()]).await;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(
        error.contains(data.path().to_str().unwrap()),
        "the folder is named: {error}"
    );
    assert!(!error.contains("panicked"), "{error}");
    shop.stop().await;
}
