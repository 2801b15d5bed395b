//! Goods come back, whole orders and parts of them, while the provider does wrong what it can: each refund is made once, and for
//! what was accepted.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{every_fault, log_of, provider::Provider};
use crate::{
    flash_sale::product,
    shop::{Shop, Visitor, answer},
};

/// More than there are faults, so that each befalls a refund.
const ORDERS: u64 = 10;
const PRICE: i64 = 129_000;

/// Two pieces arrive; so many of them go back, are received and accepted. Returns when the seller has had their say.
async fn comes_back(customer: &Visitor<'_>, seller: &Visitor<'_>, order: &str, lamp: &str, pieces: u64) {
    let items = json!([{ "product_id": lamp, "quantity": pieces }]);
    let returns = format!("orders/{order}/returns");
    let (status, requested, _) = customer.send(Method::POST, &returns, &json!({ "items": items })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{requested}");
    let one = format!("{returns}/{}", requested["id"].as_str().unwrap());
    let finding = json!({ "accepted": items, "resellable": items });
    for (step, said) in [("receipt", json!({})), ("inspection", finding)] {
        let (status, answer, _) = seller.send(Method::POST, &format!("{one}/{step}"), &said).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
}

/// What was given back, by key.
fn refunds(done: BTreeMap<String, (String, i64)>) -> BTreeMap<String, i64> {
    let refund = |(key, (operation, amount))| (operation == "refund").then_some((key, amount));
    done.into_iter().filter_map(refund).collect()
}

/// Orders two pieces each, and waits until all are delivered and paid.
async fn bought(shop: &Shop, customer: &Visitor<'_>, lamp: &str) -> Vec<String> {
    let items = json!([{ "product_id": lamp, "quantity": 2 }]);
    let orders = join_all((0..ORDERS).map(|_| customer.order(Some(items.clone()), "card_approve"))).await;
    shop.eventually("every order is delivered and paid", async || {
        let shown = shown(customer, &orders).await;
        let captured = |order: &&Value| order["payment"]["captured"]["amount"] == 2 * PRICE;
        shown.iter().filter(captured).count() == orders.len()
    })
    .await;
    for order in &orders {
        customer.order_reaches(order, "delivered").await;
    }
    orders
}

/// As their customer sees them; a problem until the read model knows one.
async fn shown(customer: &Visitor<'_>, orders: &[String]) -> Vec<Value> {
    let one = async |order: &String| {
        answer(customer.request(Method::GET, &format!("orders/{order}")))
            .await
            .1
    };
    join_all(orders.iter().map(one)).await
}

async fn under_every_fault(adapter: &str) {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::start(folder.path()).await;
    let shop = provider.shop(&folder.path().join("shop"), adapter).await;
    let (customer, seller) = (shop.sign_in("customer").await, shop.sign_in("seller").await);
    let operator = shop.sign_in("operator").await;
    let lamp = product(&seller, "Lamp", 2 * ORDERS).await;
    let orders = bought(&shop, &customer, &lamp).await;

    provider.suffer(every_fault(&["refund", "look_up"], 100)).await;
    // Every other order whole, the others half.
    let pieces = |number: usize| 1 + number as u64 % 2;
    let returning = orders.iter().enumerate();
    join_all(returning.map(|(number, order)| comes_back(&customer, &seller, order, &lamp, pieces(number)))).await;
    shop.eventually("every return is completed", async || {
        let shown = shown(&customer, &orders).await;
        shown.iter().all(|order| order["returns"][0]["stage"] == "completed")
    })
    .await;
    assert_eq!(provider.faults_left("refund").await, 0, "each fault befell a refund");
    provider.suffer(json!([])).await;

    for (number, order) in shown(&customer, &orders).await.iter().enumerate() {
        let back = pieces(number) as i64 * PRICE;
        assert_eq!(order["payment"]["refunded"]["amount"], back, "{order:#}");
    }
    let log = refunds(log_of(&operator).await);
    assert_eq!(log.len(), orders.len(), "one refund for each return");
    assert_eq!(log, refunds(provider.ledger().await));
    let back = (0..orders.len()).map(pieces).sum();
    customer.available_becomes(&lamp, back).await;
    shop.eventually("no repair case is open", async || {
        operator.query("ops/repair-cases?state=open").await["repair_cases"] == json!([])
    })
    .await;
    shop.stop().await;
}

#[tokio::test]
async fn over_http_every_refund_is_made_once_whatever_goes_wrong() {
    under_every_fault("http").await;
}

#[tokio::test]
async fn over_stripes_shapes_every_refund_is_made_once_whatever_goes_wrong() {
    under_every_fault("stripe").await;
}

#[tokio::test]
async fn over_toss_shapes_every_refund_is_made_once_whatever_goes_wrong() {
    under_every_fault("toss").await;
}
