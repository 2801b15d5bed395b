use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use event_log::{EventFilter, Position};
use serde_json::json;

use super::*;
use crate::config::Config;

async fn shop(folder: &Path, demo: bool) -> Shop {
    let config = Config {
        demo,
        ..Config::for_folder(folder).unwrap()
    };
    Shop::start(config).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn pictured(shop: &Shop) -> &DemoSummary {
    let demo = shop.demo().unwrap();
    assert!(
        demo.pictured(Duration::from_secs(60)).await,
        "the pictures are not there"
    );
    demo
}

/// Events in the log by type.
async fn counts(shop: &Shop) -> BTreeMap<String, usize> {
    let (events, _) = shop
        .log()
        .read_all(Position::START, &EventFilter::default(), 100_000)
        .await
        .unwrap();
    let mut counts = BTreeMap::new();
    for event in events {
        *counts.entry(event.event_type.to_string()).or_default() += 1;
    }
    counts
}

fn expected() -> BTreeMap<String, usize> {
    let in_stock = catalogue::products()
        .unwrap()
        .iter()
        .filter(|product| product.stock > 0)
        .count();
    let counts = [
        ("CustomerRegistered", 1),
        ("SellerRegistered", 1),
        ("ProductListed", 200),
        ("ProductPictured", 200),
        ("StockReceived", in_stock),
    ];
    counts
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_is_complete_and_a_second_start_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let first = shop(folder.path(), true).await;
    let demo = pictured(&first).await;
    assert!(
        demo.to_string().contains("200 products") && demo.to_string().contains("operator@demo.example"),
        "{demo}"
    );
    assert_eq!(counts(&first).await, expected());
    let product = first
        .services()
        .products
        .load(product_id("moon-jar-vase"))
        .await
        .unwrap();
    let image = product.state.listing().unwrap().image.clone().unwrap();
    assert!(first.services().products.images().get(&image).await.unwrap().is_some());
    assert!(folder.path().join("synonyms.txt").exists(), "words that mean the same");
    first.stop().await;
    // Also when it does not remember how far it came.
    fs::write(folder.path().join("demo"), "begun\n").unwrap();
    let second = shop(folder.path(), true).await;
    pictured(&second).await;
    assert_eq!(counts(&second).await, expected());
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_was_cut_off_is_completed() {
    let folder = tempfile::tempdir().unwrap();
    let cut_off = shop(folder.path(), false).await;
    Progress::of(cut_off.folder()).begin().unwrap();
    let seller = Box::pin(accounts(&cut_off)).await.unwrap();
    let products = catalogue::products().unwrap();
    stock(
        &cut_off.services().products,
        &cut_off.services().inventory,
        seller,
        &products[..70],
    )
    .await
    .unwrap();
    cut_off.stop().await;
    let completed = shop(folder.path(), true).await;
    pictured(&completed).await;
    assert_eq!(counts(&completed).await, expected());
    completed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_is_no_demo_gets_no_account_with_a_known_password() {
    let folder = tempfile::tempdir().unwrap();
    let real = shop(folder.path(), false).await;
    let token = real.setup_token().unwrap();
    let admin = json!({"token": token, "email": "boss@shop.example", "password": "not-the-demo's", "name": "Boss"});
    let set_up = reqwest::Client::new()
        .post(format!("{}/api/v1/setup", real.url()))
        .json(&admin);
    assert_eq!(set_up.send().await.unwrap().status(), 201);
    let before = counts(&real).await;
    real.stop().await;
    let asked = shop(folder.path(), true).await;
    assert!(asked.demo().unwrap().to_string().contains("no demo"));
    assert_eq!(counts(&asked).await, before);
    asked.stop().await;
}
