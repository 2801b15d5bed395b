//! What the provider tells by itself: an outcome that nobody knew is learnt from it, and from nobody else's word.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    log_of,
    provider::{Provider, WEBHOOK_SECRET},
};
use crate::{
    flash_sale::product,
    shop::{Shop, Visitor},
};

/// What the log says of payments, in its order.
async fn told(operator: &Visitor<'_>, types: &str) -> Vec<Value> {
    let page = operator
        .query(&format!("ops/events?after=0&category=payment&type={types}&size=1000"))
        .await;
    page["events"].as_array().unwrap().clone()
}

async fn learnt_from_webhook(adapter: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = Provider::start(folder.path()).await;
    let shop = provider.shop_within(&folder.path().join("shop"), adapter, "1000").await;
    provider.tell(&shop).await;
    let (customer, operator) = (shop.sign_in("customer").await, shop.sign_in("operator").await);
    let lamp = product(&shop.sign_in("seller").await, "Lamp", 10).await;
    // Both attempts of both orders: the money is set aside, the answer never comes. What is told meanwhile waits until the call
    // under way has ended as unknown, and is then the first to ask.
    let silence = json!([{ "call": "authorise", "fault": "act_then_timeout", "times": 4 }]);
    provider.suffer(silence).await;
    let items = json!([{ "product_id": lamp, "quantity": 1 }]);
    let order = || customer.order(Some(items.clone()), "card_approve");
    for order in <[String; 2]>::from(tokio::join!(order(), order())) {
        customer.order_reaches(&order, "delivered").await;
    }
    assert!(!told(&operator, "PaymentOutcomeUnknown").await.is_empty());
    let authorised = told(&operator, "PaymentAuthorised").await;
    let by = format!("system:provider {adapter}");
    let learnt = authorised.iter().filter(|event| event["metadata"]["actor"] == *by);
    assert!(learnt.count() > 0, "nothing was learnt from {by}: {authorised:#?}");
    // It told twice of each, and again of each capture: no key twice in either book.
    let (log, ledger) = (log_of(&operator).await, provider.ledger().await);
    assert!(
        log.keys()
            .filter(|key| key.ends_with("/authorise"))
            .all(|key| ledger.contains_key(key))
    );
    assert_eq!(authorised.len(), 2);
    shop.stop().await;
}

#[tokio::test]
async fn an_unknown_outcome_is_learnt_from_the_providers_webhook() {
    learnt_from_webhook("http").await;
}

#[tokio::test]
async fn an_unknown_outcome_is_learnt_from_stripes_webhook() {
    learnt_from_webhook("stripe").await;
}

#[tokio::test]
async fn an_unknown_outcome_is_learnt_from_toss_s_webhook() {
    learnt_from_webhook("toss").await;
}

/// A message to the shop as the provider signs it, or as somebody who has another secret does.
async fn tell(shop: &Shop, body: &str, secret: &str) -> StatusCode {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = shop
        .request(Method::POST, "payments/webhooks/http")
        .header("content-type", "application/json")
        .header("provider-signature", format!("t={seconds},v1={hex}"))
        .body(body.to_owned());
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn a_forged_message_is_refused_and_one_that_comes_twice_does_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::start(folder.path()).await;
    let shop = provider.shop(&folder.path().join("shop"), "http").await;
    let (customer, operator) = (shop.sign_in("customer").await, shop.sign_in("operator").await);
    let lamp = product(&shop.sign_in("seller").await, "Lamp", 10).await;
    // Done, and not said; asked about it, the provider is busy with it for ever.
    let faults = json!([
        { "call": "authorise", "fault": "act_then_timeout", "times": 2 },
        { "call": "look_up", "fault": "conflict409" },
    ]);
    provider.suffer(faults).await;
    let items = json!([{ "product_id": lamp, "quantity": 1 }]);
    let order = customer.order(Some(items), "card_approve").await;
    let unknown = async || !told(&operator, "PaymentOutcomeUnknown").await.is_empty();
    shop.eventually("the outcome is unknown", unknown).await;
    let payment = &told(&operator, "PaymentAuthorisationRequested").await[0]["data"]["payment_id"];
    let body = json!({ "key": format!("{}/authorise", payment.as_str().unwrap()) }).to_string();

    assert_eq!(tell(&shop, &body, "another").await, StatusCode::UNAUTHORIZED);
    assert_eq!(tell(&shop, &body, WEBHOOK_SECRET).await, StatusCode::NO_CONTENT);
    let known = told(&operator, "PaymentAuthorised").await;
    assert!(known.is_empty(), "the provider has not said so: {known:?}");

    provider.suffer(json!([])).await;
    let again = || tell(&shop, &body, WEBHOOK_SECRET);
    let answers = tokio::join!(again(), again());
    assert_eq!(answers, (StatusCode::NO_CONTENT, StatusCode::NO_CONTENT));
    assert_eq!(told(&operator, "PaymentAuthorised").await.len(), 1);
    customer.order_reaches(&order, "delivered").await;
    let authorised = log_of(&operator)
        .await
        .into_keys()
        .filter(|key| key.ends_with("/authorise"));
    assert_eq!(authorised.count(), 1);
    shop.stop().await;
}
