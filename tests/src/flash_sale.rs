//! A thousand buyers for a hundred pieces, over HTTP, on either engine: exactly a hundred are sold.

use std::{collections::BTreeMap, time::Instant};

use futures_util::{StreamExt, stream};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    postgres::Schemas,
    shop::{DEADLINE, Shop, Visitor, answer},
};

const BUYERS: usize = 1000;
const AT_ONCE: usize = 64;

/// A product with so many pieces. Returns its id.
pub(crate) async fn product(seller: &Visitor<'_>, title: &str, pieces: u64) -> String {
    let body = json!({"title": title, "description": "", "brand": "Jangteo", "category": "Home",
        "attributes": {}, "price": {"amount": 129_000, "currency": "KRW"}});
    let (status, listed, _) = seller.send(Method::POST, "products", &body).await;
    assert_eq!(status, StatusCode::CREATED, "{listed}");
    let id = listed["id"].as_str().unwrap().to_owned();
    let receipts = format!("products/{id}/stock-receipts");
    let (status, said, _) = seller
        .send(Method::POST, &receipts, &json!({ "quantity": pieces }))
        .await;
    assert!(status.is_success(), "{status} {said}");
    id
}

/// What happened to orders, by kind, in everything the log holds.
pub(crate) async fn counted(operator: &Visitor<'_>, category: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = operator
            .query(&format!("ops/events?after={after}&category={category}&size=500"))
            .await;
        let events = page["events"].as_array().unwrap();
        for event in events {
            *counts.entry(event["type"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        match page["position"].as_u64().unwrap() {
            next if events.is_empty() || next == after => return counts,
            next => after = next,
        }
    }
}

/// Everybody at once, each for one piece of every product; waits until all know what became of their order.
async fn sale(buyers: &[Visitor<'_>], operator: &Visitor<'_>, basket: &[String]) -> BTreeMap<String, usize> {
    let before = counted(operator, "order").await;
    let items: Value = basket
        .iter()
        .map(|id| json!({"product_id": id, "quantity": 1}))
        .collect();
    let began = Instant::now();
    stream::iter(0..BUYERS)
        .map(|number| {
            let (buyer, items) = (&buyers[number % buyers.len()], items.clone());
            async move { buyer.order(Some(items), "card_approve").await }
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    loop {
        let mut counts = counted(operator, "order").await;
        for (kind, count) in &before {
            *counts.entry(kind.clone()).or_default() -= count;
        }
        let of = |kind: &str| counts.get(kind).copied().unwrap_or(0);
        if of("OrderConfirmed") + of("OrderRejected") == BUYERS {
            println!("{BUYERS} orders placed and answered in {:?}", began.elapsed());
            return counts;
        }
        assert!(began.elapsed() < DEADLINE * 2, "not all are answered: {counts:?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

async fn a_flash_sale(arguments: &[&str]) {
    let data = tempfile::tempdir().unwrap();
    let mut all = vec!["--demo", "--carrier-speed", "1"];
    all.extend(arguments);
    let shop = Shop::start(data.path(), &all).await;
    let seller = shop.sign_in("seller").await;
    let operator = shop.sign_in("operator").await;
    let mut buyers = vec![shop.sign_in("customer").await];
    for number in 0..4 {
        let email = format!("buyer{number}@shop.example");
        let body = json!({"email": email, "password": "jangteo-demo", "name": "Buyer"});
        let (status, made, _) = answer(shop.request(Method::POST, "accounts").json(&body)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        buyers.push(shop.sign_in(&email).await);
    }
    let one = product(&seller, "The only lamp", 100).await;
    let counts = sale(&buyers, &operator, std::slice::from_ref(&one)).await;
    assert_eq!(
        (counts["OrderConfirmed"], counts["OrderRejected"]),
        (100, 900),
        "{counts:?}"
    );
    buyers[0].available_becomes(&one, 0).await;

    let mut basket = vec![];
    for (title, pieces) in [("Cup", 150), ("Saucer", 100), ("Spoon", 400)] {
        basket.push(product(&seller, title, pieces).await);
    }
    let counts = sale(&buyers, &operator, &basket).await;
    assert_eq!(
        (counts["OrderConfirmed"], counts["OrderRejected"]),
        (100, 900),
        "{counts:?}"
    );
    for (id, left) in basket.iter().zip([50, 0, 300]) {
        buyers[0].available_becomes(id, left).await;
    }
    shop.stop().await;
}

#[tokio::test]
async fn a_thousand_buyers_for_a_hundred_pieces_on_sqlite() {
    a_flash_sale(&[]).await;
}

#[tokio::test]
async fn a_thousand_buyers_for_a_hundred_pieces_on_postgresql() {
    let Some(schemas) = Schemas::new("a flash sale on PostgreSQL") else {
        return;
    };
    a_flash_sale(&schemas.arguments()).await;
}

#[tokio::test]
async fn a_piece_that_is_not_paid_in_time_comes_back_and_another_buyer_gets_it() {
    let data = tempfile::tempdir().unwrap();
    let arguments = ["--demo", "--carrier-speed", "1", "--reservation-seconds", "1"];
    let shop = Shop::start(data.path(), &arguments).await;
    let last = product(&shop.sign_in("seller").await, "The last lamp", 1).await;
    let customer = shop.sign_in("customer").await;
    let items = || Some(json!([{ "product_id": last, "quantity": 1 }]));
    // Its payment takes longer than the piece is kept.
    let slow = customer.order(items(), "card_slow").await;
    customer.available_becomes(&last, 0).await;
    let too_early = customer.order(items(), "card_approve").await;
    let refused = customer.order_reaches(&too_early, "rejected").await;
    assert_eq!(refused["reason"]["code"], "out_of_stock", "{refused}");
    let expired = customer.order_reaches(&slow, "rejected").await;
    assert_eq!(expired["reason"]["code"], "reservation_expired", "{expired}");
    customer.available_becomes(&last, 1).await;
    let bought = customer.order(items(), "card_approve").await;
    customer.order_reaches(&bought, "confirmed").await;
    shop.stop().await;
}
