//! Money, with the provider in a process of its own that misbehaves: whatever goes wrong, its ledger and the payments in the
//! log come to the same, nothing is taken twice, and what differs is found.

mod provider;
mod refunds;
mod webhooks;

use std::collections::BTreeMap;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use self::provider::Provider;
use crate::shop::{Shop, Visitor, succeeds};

/// What the log says was done with money, by key and operation.
async fn log_of(operator: &Visitor<'_>) -> BTreeMap<String, (String, i64)> {
    let types = "PaymentAuthorised,PaymentCaptured,PaymentVoided,PaymentRefunded";
    let page = operator
        .query(&format!("ops/events?after=0&category=payment&type={types}&size=1000"))
        .await;
    let mut done = BTreeMap::new();
    for event in page["events"].as_array().unwrap() {
        let data = &event["data"];
        let (word, part) = match event["type"].as_str().unwrap() {
            "PaymentAuthorised" => ("authorise", None),
            "PaymentCaptured" => ("capture", data["shipment_id"].as_str()),
            "PaymentVoided" => ("void", None),
            _ => ("refund", data["refund_id"].as_str()),
        };
        let part = part.map(|part| format!("/{part}")).unwrap_or_default();
        let key = format!("{}/{word}{part}", data["payment_id"].as_str().unwrap());
        let before = done.insert(key, (word.to_owned(), data["amount"]["amount"].as_i64().unwrap()));
        assert_eq!(before, None, "recorded twice: {event}");
    }
    done
}

/// Every fault at each of these calls, once, for so many of a hundred calls.
fn every_fault(calls: &[&str], percent: u8) -> Value {
    let faults = [
        "timeout",
        "drop",
        "act_then_drop",
        "act_then_timeout",
        "error500",
        "act_then_error500",
        "conflict409",
        "slow",
    ];
    let rule = |call, fault| json!({ "call": call, "fault": fault, "times": 1, "slow_ms": 1500, "percent": percent });
    let all = faults
        .iter()
        .flat_map(|fault| calls.iter().map(move |call| rule(*call, *fault)));
    all.collect()
}

/// Orders under every fault: some delivered, some declined.
async fn trade(shop: &Shop, provider: &Provider) {
    let customer = shop.sign_in("customer").await;
    let product = customer.find("커피를").await["id"].clone();
    let (seller, received) = (shop.sign_in("seller").await, json!({ "quantity": 50 }));
    let receipts = format!("products/{}/stock-receipts", product.as_str().unwrap());
    let (status, said, _) = seller.send(Method::POST, &receipts, &received).await;
    assert!(status.is_success(), "{said}");
    let calls = ["authorise", "capture", "void", "look_up"];
    provider.suffer(every_fault(&calls, 60)).await;
    let good = async || {
        let items = json!([{ "product_id": product, "quantity": 1 }]);
        let order = customer.order(Some(items), "card_approve").await;
        customer.order_reaches(&order, "delivered").await;
    };
    join_all((0..12).map(|_| good())).await;
    let items = json!([{ "product_id": product, "quantity": 1 }]);
    let declined = customer.order(Some(items), "card_decline").await;
    customer.order_reaches(&declined, "rejected").await;
    let (left, drawn) = provider.faults().await;
    assert!(drawn >= 12, "hardly a fault was met: {drawn}, {left} left");
    provider.suffer(json!([])).await;
}

async fn under_every_fault(adapter: &str) {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::start(folder.path()).await;
    let shop = provider.shop(&folder.path().join("shop"), adapter).await;
    trade(&shop, &provider).await;
    let operator = shop.sign_in("operator").await;
    // Toss moves the money at once: it tells of confirmations, which are the log's authorisations.
    let moves = |(key, (operation, amount)): (String, (String, i64))| {
        let counts = if adapter == "toss" { "authorise" } else { "capture" };
        (operation == counts).then_some((key, amount))
    };
    let captured = async || {
        let log: BTreeMap<_, _> = log_of(&operator).await.into_iter().filter_map(moves).collect();
        let ledger: BTreeMap<_, _> = provider.ledger().await.into_iter().filter_map(moves).collect();
        (log, ledger)
    };
    shop.eventually("the log has what the provider did", async || {
        let (log, ledger) = captured().await;
        log.len() == 12 && log == ledger
    })
    .await;
    // The reconciliation comes to the same: nothing is left that differs.
    shop.eventually("no repair case is open", async || {
        operator.query("ops/repair-cases?state=open").await["repair_cases"] == json!([])
    })
    .await;
    shop.stop().await;
}

#[tokio::test]
async fn over_http_every_fault_ends_in_books_that_agree() {
    under_every_fault("http").await;
}

#[tokio::test]
async fn over_stripes_shapes_every_fault_ends_in_books_that_agree() {
    under_every_fault("stripe").await;
}

#[tokio::test]
async fn over_toss_shapes_every_fault_ends_in_books_that_agree() {
    under_every_fault("toss").await;
}

#[tokio::test]
async fn what_the_provider_did_behind_our_back_becomes_a_repair_case_that_an_operator_closes() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::start(folder.path()).await;
    let data = folder.path().join("shop");
    let shop = provider.shop(&data, "http").await;
    let stray = json!({ "key": "at the desk", "operation": "authorise", "amount": { "amount": 7_000, "currency": "KRW" },
        "token": "card_approve" });
    let done = provider.ask(Method::POST, "/v1/operations", Some(stray)).await;
    assert_eq!(done["outcome"], "happened");
    let operator = shop.sign_in("operator").await;
    let open = async || operator.query("ops/repair-cases?state=open").await["repair_cases"].clone();
    shop.eventually("the difference is a case", async || {
        open().await.as_array().unwrap().len() == 1
    })
    .await;
    let case = open().await[0].clone();
    let found = [&case["discrepancy"], &case["key"], &case["theirs"]["amount"]];
    assert_eq!(found, [&json!("unknown_to_us"), &json!("at the desk"), &json!(7_000)]);

    let place = ["--data", data.to_str().unwrap()];
    let id = case["id"].as_str().unwrap();
    let listed = succeeds(&["repair", "list", place[0], place[1]]).await;
    assert!(listed.contains(id) && listed.contains("unknown_to_us"), "{listed}");
    let shown = succeeds(&["repair", "show", id, place[0], place[1]]).await;
    assert!(shown.contains("asked for no such thing"), "{shown}");
    succeeds(&[
        "repair",
        "resolve",
        id,
        "--note",
        "Given back at the desk.",
        place[0],
        place[1],
    ])
    .await;
    shop.eventually("the case is closed", async || open().await == json!([]))
        .await;
    let listed = succeeds(&["repair", "list", "--all", place[0], place[1]]).await;
    assert!(listed.contains("(resolved)"), "{listed}");
    shop.stop().await;
}
