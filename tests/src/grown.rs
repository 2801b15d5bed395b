//! The grown shop, whole: `make run-grown` on real servers, and the first order through all of them.

use std::path::PathBuf;

use tokio::process::Command;

use crate::shop::{Shop, binary, skipped};

/// `make test` starts one of each where it can, and says here where.
const SERVERS: [&str; 3] = [
    "JANGTEO_TEST_POSTGRES",
    "JANGTEO_TEST_NATS",
    "JANGTEO_TEST_ELASTICSEARCH",
];

#[tokio::test]
async fn the_first_order_goes_through_all_the_servers() {
    if let Some(server) = SERVERS.into_iter().find(|server| std::env::var_os(server).is_none()) {
        skipped("the grown shop", &format!("no {server}"));
        return;
    }
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../infra/local/grown.sh");
    let mut command = Command::new(script);
    command
        .env("JANGTEO_BINARY", binary())
        .args(["--listen", "127.0.0.1:0", "--carrier-speed", "2000000"]);
    let shop = Shop::by(command).await;
    let customer = shop.sign_in("customer").await;

    let found = customer.find("커피를").await;
    let product = found["id"].as_str().unwrap().to_owned();
    let before = customer.available(&product).await;
    let items = serde_json::json!([{ "product_id": product, "quantity": 2 }]);
    let order = customer.order(Some(items), "card_approve").await;
    let delivered = customer.order_reaches(&order, "delivered").await;
    assert_eq!(delivered["payment"]["status"], "captured", "{delivered:#}");
    customer.available_becomes(&product, before - 2).await;

    let items = serde_json::json!([{ "product_id": product, "quantity": 1 }]);
    let declined = customer.order(Some(items), "card_decline").await;
    customer.order_reaches(&declined, "rejected").await;
    customer.available_becomes(&product, before - 2).await;
    shop.stop().await;
}
