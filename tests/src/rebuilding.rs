//! Read models rebuilt by an operator: compared, approved, gone back from; with a running shop and on a folder.

use std::path::Path;

use serde_json::{Value, json};

use crate::shop::{Shop, run, succeeds};

const FAST: &[&str] = &["--demo", "--carrier-speed", "5000000"];

/// Where a read model of that shop stands.
async fn status(data: &Path, name: &str) -> Value {
    let folder = data.to_str().unwrap();
    let said = succeeds(&["projection", "status", "--json", "--data", folder]).await;
    let mut lines = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.find(|line| line["name"] == name).unwrap()
}

#[tokio::test]
async fn a_rebuilt_read_model_is_compared_approved_and_gone_back_from() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap().to_owned();
    let shop = Shop::start(data.path(), FAST).await;
    shop.pictured().await;
    let customer = shop.sign_in("customer").await;
    let (_, order) = customer.order_one("coffee").await;
    customer.order_reaches(&order, "delivered").await;
    let shown = customer.query("my-page").await;

    // Nobody to ask: it waits, and the exit code says so.
    let waits = run(&["projection", "rebuild", "my_page", "--data", &folder]).await;
    let (said, erred) = (
        String::from_utf8_lossy(&waits.stdout).into_owned(),
        String::from_utf8_lossy(&waits.stderr).into_owned(),
    );
    assert_eq!(waits.status.code(), Some(3), "{said}{erred}");
    assert!(
        said.contains("documents compared") && said.contains("0 differ"),
        "{said}"
    );
    assert!(erred.contains("jangteo projection approve my_page"), "{erred}");
    assert_eq!(status(data.path(), "my_page").await["state"], "awaiting_approval");
    let diff = succeeds(&["projection", "diff", "my_page", "--json", "--data", &folder]).await;
    let diff: Value = serde_json::from_str(&diff).unwrap();
    assert_eq!((&diff["identical"], &diff["live"]), (&json!(true), &json!(1)), "{diff}");

    succeeds(&["projection", "approve", "my_page", "--data", &folder]).await;
    assert_eq!(status(data.path(), "my_page").await["generation"], 2);
    assert_eq!(customer.query("my-page").await, shown);
    succeeds(&["projection", "rollback", "my_page", "--data", &folder]).await;
    assert_eq!(status(data.path(), "my_page").await["generation"], 1);
    assert_eq!(customer.query("my-page").await, shown);
    let nothing = run(&["projection", "reject", "my_page", "--data", &folder]).await;
    assert_eq!(nothing.status.code(), Some(1), "{nothing:?}");

    // Products that were searched for are searched for on both.
    let rebuilt = [
        "projection",
        "rebuild",
        "catalogue",
        "--approve",
        "--json",
        "--data",
        &folder,
    ];
    let said: Value = serde_json::from_str(&succeeds(&rebuilt).await).unwrap();
    let comparison = &said["comparison"];
    assert_eq!(
        (&said["generation"], &comparison["differing"]),
        (&json!(2), &json!(0)),
        "{said}"
    );
    assert!(said["comparison"]["searches"].as_u64().unwrap() >= 1, "{said}");
    let audited = [
        "log",
        "tail",
        "--after",
        "0",
        "--no-follow",
        "--type",
        "RebuildDecided",
        "--json",
        "--data",
        &folder,
    ];
    assert_eq!(
        succeeds(&audited).await.lines().count(),
        3,
        "each decision is written down"
    );
    shop.stop().await;
    on_a_folder(data.path()).await;
}

/// The same with nothing running.
async fn on_a_folder(data: &Path) {
    let folder = data.to_str().unwrap().to_owned();
    let waits = run(&["projection", "rebuild", "carts", "--data", &folder]).await;
    assert_eq!(waits.status.code(), Some(3), "{waits:?}");
    succeeds(&["projection", "approve", "carts", "--data", &folder]).await;
    assert_eq!(status(data, "carts").await["generation"], 2);
    succeeds(&["projection", "rollback", "carts", "--data", &folder]).await;
    assert_eq!(status(data, "carts").await["generation"], 1);
}
