//! One order by hand, as the README tells it, and its two unhappy endings.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::shop::{Shop, Visitor, order_body, statuses};

const FAST: &[&str] = &["--demo", "--carrier-speed", "2000000"];
/// A day takes a day: nothing is shipped while the test runs.
const SLOW: &[&str] = &["--demo", "--carrier-speed", "1"];

#[tokio::test]
async fn an_order_goes_from_the_cart_to_a_delivered_parcel() {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), FAST).await;
    let customer = shop.sign_in("customer").await;

    let korean = customer.find("커피를").await;
    let english = customer.find("coffee").await;
    assert_eq!(
        [&korean["price"]["currency"], &english["price"]["currency"]],
        ["KRW", "KRW"]
    );
    let product = korean["id"].as_str().unwrap();
    let before = customer.available(product).await;

    let cart = two_in_the_cart(&customer, product).await;
    let response = customer
        .request(Method::POST, "orders")
        .json(&order_body(None, "card_approve"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let token = response.headers()["consistency-token"].to_str().unwrap().to_owned();
    let placed: serde_json::Value = response.json().await.unwrap();
    let order = placed["id"].as_str().unwrap();
    assert!(location.ends_with(order), "{location}");

    let shown = customer // Read your own writes: the token makes the order visible at once.
        .request(Method::GET, &location)
        .header("consistency-token", token)
        .send()
        .await
        .unwrap();
    assert_eq!(shown.status(), StatusCode::OK);

    let delivered = customer.order_reaches(order, "delivered").await;
    assert_eq!(
        statuses(&delivered),
        [
            "placed",
            "stock_reserved",
            "payment_authorised",
            "confirmed",
            "shipped",
            "delivered"
        ]
    );
    assert_eq!(delivered["total"], cart["total"]);
    shop.eventually("the payment is captured", async || {
        customer.query(&format!("orders/{order}")).await["payment"]["status"] == "captured"
    })
    .await;
    let tracking_path = format!("orders/{order}/tracking");
    shop.eventually("the parcel is delivered", async || {
        customer.query(&tracking_path).await["shipments"][0]["status"] == "delivered"
    })
    .await;
    let tracking = customer.query(&tracking_path).await;
    assert!(
        tracking["shipments"][0]["events"].as_array().unwrap().len() >= 3,
        "{tracking}"
    );
    customer.available_becomes(product, before - 2).await;
    shop.eventually("the cart is empty", async || {
        customer.query("cart").await["items"] == json!([])
    })
    .await;

    let sold = shop.sign_in("seller").await.query("seller/orders").await;
    assert!(sold.to_string().contains(order), "{sold}");
    shop.stop().await;
}

/// Puts two pieces in the cart, and returns it as the customer sees it.
async fn two_in_the_cart(customer: &Visitor<'_>, product: &str) -> serde_json::Value {
    let (status, _, token) = customer
        .send(Method::PUT, &format!("cart/items/{product}"), &json!({"quantity": 2}))
        .await;
    assert!(status.is_success(), "{status}");
    let cart = customer
        .request(Method::GET, "cart")
        .header("consistency-token", token)
        .send()
        .await
        .unwrap();
    let cart: serde_json::Value = cart.json().await.unwrap();
    assert_eq!(cart["items"][0]["quantity"], 2);
    assert_eq!(
        cart["total"]["amount"].as_i64().unwrap(),
        2 * cart["items"][0]["unit_price"]["amount"].as_i64().unwrap()
    );
    cart
}

#[tokio::test]
async fn a_declined_card_gives_the_stock_back_and_says_why() {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), FAST).await;
    let customer = shop.sign_in("customer").await;
    let product = customer.find("coffee").await["id"].as_str().unwrap().to_owned();
    let before = customer.available(&product).await;
    for (card, code) in [
        ("card_decline", "card_declined"),
        ("card_insufficient_funds", "insufficient_funds"),
    ] {
        let order = customer
            .order(Some(json!([{"product_id": product, "quantity": 1}])), card)
            .await;
        let rejected = customer.order_reaches(&order, "rejected").await;
        assert!(
            rejected["reason"]["code"].as_str().unwrap().contains(code),
            "{rejected}"
        );
        assert_eq!(statuses(&rejected), ["placed", "stock_reserved", "rejected"]);
        customer.available_becomes(&product, before).await;
    }
    shop.stop().await;
}

#[tokio::test]
async fn a_lost_answer_and_a_slow_one_end_in_one_authorisation() {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), FAST).await;
    let customer = shop.sign_in("customer").await;
    let product = customer.find("coffee").await["id"].as_str().unwrap().to_owned();
    for card in ["card_answer_lost", "card_slow"] {
        let order = customer
            .order(Some(json!([{"product_id": product, "quantity": 1}])), card)
            .await;
        let delivered = customer.order_reaches(&order, "delivered").await;
        assert_eq!(
            statuses(&delivered)
                .iter()
                .filter(|status| **status == "payment_authorised")
                .count(),
            1
        );
    }
    shop.stop().await;
}

#[tokio::test]
async fn a_cancel_before_shipping_voids_the_payment_and_releases_the_stock() {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), SLOW).await;
    let customer = shop.sign_in("customer").await;
    let product = customer.find("coffee").await["id"].as_str().unwrap().to_owned();
    let before = customer.available(&product).await;
    let order = customer
        .order(Some(json!([{"product_id": product, "quantity": 1}])), "card_approve")
        .await;
    customer.order_reaches(&order, "confirmed").await;
    customer.available_becomes(&product, before - 1).await;

    let (status, _, _) = customer
        .send(Method::POST, &format!("orders/{order}/cancellation"), &json!({}))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED);
    customer.order_reaches(&order, "cancelled").await;
    shop.eventually("the payment is voided", async || {
        customer.query(&format!("orders/{order}")).await["payment"]["status"] == "voided"
    })
    .await;
    customer.available_becomes(&product, before).await;
    shop.stop().await;
}

#[tokio::test]
async fn more_than_there_is_cannot_be_sold() {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), FAST).await;
    let customer = shop.sign_in("customer").await;
    let product = customer.find("coffee").await["id"].as_str().unwrap().to_owned();
    let before = customer.available(&product).await;
    assert!(before < 999, "the test wants a product that can run out");
    let order = customer
        .order(
            Some(json!([{"product_id": product, "quantity": before + 1}])),
            "card_approve",
        )
        .await;
    let rejected = customer.order_reaches(&order, "rejected").await;
    assert_eq!(rejected["reason"]["code"], "out_of_stock", "{rejected}");
    customer.available_becomes(&product, before).await;
    shop.stop().await;
}
