//! Bad input: each gets a clear problem+json, and loses nothing.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::shop::{Shop, Visitor, order_body};

/// Sends, and expects a refusal in RFC 9457's form that says more than a number.
async fn refused(what: &str, request: RequestBuilder, expected: &[u16]) -> Value {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    assert!(
        expected.contains(&status.as_u16()),
        "{what}: {status}, expected {expected:?}: {text}"
    );
    assert_eq!(headers["content-type"], "application/problem+json", "{what}: {text}");
    let problem: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(problem["status"], status.as_u16(), "{what}: {problem}");
    assert!(
        problem["type"].as_str().is_some_and(|kind| kind.contains("/problems/")),
        "{what}: {problem}"
    );
    assert!(
        problem["title"].as_str().is_some_and(|title| !title.is_empty()),
        "{what}: {problem}"
    );
    assert!(headers.contains_key("x-request-id"), "{what}");
    problem
}

fn post(visitor: &Visitor<'_>, path: &str, body: &Value) -> RequestBuilder {
    visitor.request(Method::POST, path).json(body)
}

#[tokio::test]
async fn every_boundary_says_what_is_wrong() {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), &["--demo", "--carrier-speed", "1"]).await;
    let customer = shop.sign_in("customer").await;
    let seller = shop.sign_in("seller").await;
    let product = customer.find("coffee").await["id"].as_str().unwrap().to_owned();

    orders(&customer, &product).await;
    bytes(&customer).await;
    other_peoples_things(&customer, &seller, &product).await;
    who_are_you(&shop, &customer).await;
    products(&seller, &product).await;
    searches(&customer).await;

    // Nothing was lost on the way: the one good order is there, once.
    let page = customer.query("my-page").await;
    assert_eq!(page["orders"].as_array().unwrap().len(), 1, "{page}");
    shop.stop().await;
}

fn item(product: &str, quantity: &Value) -> Value {
    json!([{"product_id": product, "quantity": quantity}])
}

fn order(items: Value) -> Value {
    order_body(Some(items), "card_approve")
}

async fn orders(customer: &Visitor<'_>, product: &str) {
    for quantity in [
        json!(0),
        json!(-1),
        json!(1_000_000),
        json!(1.5),
        json!("2"),
        Value::Null,
    ] {
        let request = post(customer, "orders", &order(item(product, &quantity)));
        refused(&format!("quantity {quantity}"), request, &[400, 422]).await;
    }
    let mut unknown = order(item(product, &json!(1)));
    unknown["gift_wrap"] = json!(true);
    let problem = refused("unknown field", post(customer, "orders", &unknown), &[400, 422]).await;
    assert!(
        problem.to_string().contains("gift_wrap"),
        "the field is named: {problem}"
    );
    let nowhere = item("018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f", &json!(1));
    refused(
        "unknown product",
        post(customer, "orders", &order(nowhere)),
        &[404, 409, 422],
    )
    .await;
    refused(
        "no items, empty cart",
        post(customer, "orders", &order_body(None, "card_approve")),
        &[409, 422],
    )
    .await;
    refused("empty items", post(customer, "orders", &order(json!([]))), &[400, 422]).await;
    let mut homeless = order(item(product, &json!(1)));
    homeless["shipping_address"]["city"] = json!("");
    refused("empty city", post(customer, "orders", &homeless), &[400, 422]).await;
    let mut barter = order(item(product, &json!(1)));
    barter["payment"]["method"] = json!("barter");
    refused("unknown payment method", post(customer, "orders", &barter), &[400, 422]).await;
}

/// Bytes that are no JSON, no UTF-8, too many.
async fn bytes(customer: &Visitor<'_>) {
    let raw = |body: Vec<u8>| {
        customer
            .request(Method::POST, "orders")
            .header("content-type", "application/json")
            .body(body)
    };
    refused("half a document", raw(b"{\"items\":".to_vec()), &[400]).await;
    refused("broken UTF-8", raw(b"{\"items\":\"\xff\xfe\"}".to_vec()), &[400]).await;
    refused("a body over the limit", raw(vec![b' '; 3 << 20]), &[413]).await;
    refused("an empty body", raw(vec![]), &[400]).await;
    let form = customer
        .request(Method::POST, "orders")
        .header("content-type", "text/plain")
        .body("items=1");
    refused("another media type", form, &[400, 415]).await;
}

/// Other people's things, and no one's.
async fn other_peoples_things(customer: &Visitor<'_>, seller: &Visitor<'_>, product: &str) {
    let id = customer.order(Some(item(product, &json!(1))), "card_approve").await;
    customer.order_reaches(&id, "confirmed").await;
    let path = format!("orders/{id}");
    refused("another's order", seller.request(Method::GET, &path), &[403, 404]).await;
    refused(
        "another's tracking",
        seller.request(Method::GET, &format!("{path}/tracking")),
        &[403, 404],
    )
    .await;
    refused(
        "another's cancel",
        post(seller, &format!("{path}/cancellation"), &json!({})),
        &[403, 404],
    )
    .await;
    let nothing = customer.request(Method::GET, "orders/018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f");
    refused("no such order", nothing, &[404]).await;
    refused("not an id", customer.request(Method::GET, "orders/one"), &[400, 404]).await;
    refused("no such path", customer.request(Method::GET, "nothing/here"), &[404]).await;
    refused(
        "a method nobody offers",
        customer.request(Method::PUT, "orders"),
        &[404, 405],
    )
    .await;
}

async fn who_are_you(shop: &Shop, customer: &Visitor<'_>) {
    refused("nobody", shop.get("my-page"), &[401]).await;
    refused(
        "a forged token",
        shop.get("my-page").bearer_auth("eyJhbGciOiJub25lIn0.e30."),
        &[401],
    )
    .await;
    let mut forged = customer.token.clone();
    forged.replace_range(forged.len() - 6.., "AAAAAA");
    refused("a broken signature", shop.get("my-page").bearer_auth(forged), &[401]).await;
    refused(
        "a customer among operators",
        customer.request(Method::GET, "ops/streams"),
        &[403],
    )
    .await;
    let listing = product_with("title", json!("Cup"));
    refused(
        "a customer lists products",
        post(customer, "products", &listing),
        &[403],
    )
    .await;
    let wrong = json!({"email": "customer@demo.example", "password": "not-the-password"});
    refused(
        "a wrong password",
        shop.request(Method::POST, "sessions").json(&wrong),
        &[401],
    )
    .await;
}

fn product_with(field: &str, value: Value) -> Value {
    let mut body = json!({"title": "Cup", "description": "", "brand": "", "category": "Kitchen", "attributes": {},
        "price": {"amount": 1000, "currency": "KRW"}});
    body[field] = value;
    body
}

async fn products(seller: &Visitor<'_>, product: &str) {
    for (field, value) in [
        ("price", json!({"amount": -1, "currency": "KRW"})),
        ("price", json!({"amount": i64::MAX, "currency": "KRW"})),
        ("price", json!({"amount": 1, "currency": "won"})),
        ("price", json!(1000)),
        ("title", json!("")),
        ("title", json!("x".repeat(5_000))),
        ("ean", json!("123")),
        ("colour", json!("red")),
    ] {
        let what = format!("{field} {}", value.to_string().chars().take(40).collect::<String>());
        refused(
            &what,
            post(seller, "products", &product_with(field, value)),
            &[400, 422],
        )
        .await;
    }
    let picture = seller
        .request(Method::PUT, &format!("products/{product}/image"))
        .header("content-type", "image/png");
    refused("a picture that is none", picture.body("hello"), &[400, 415, 422]).await;
}

async fn searches(customer: &Visitor<'_>) {
    let wrong = [
        "size=0",
        "size=100000",
        "min_price=9&max_price=1",
        "sort=nicest",
        "cursor=%00",
        "colour=red",
        "min_price=x",
    ];
    for query in wrong {
        refused(
            query,
            customer.request(Method::GET, &format!("search?{query}")),
            &[400, 422],
        )
        .await;
    }
    let wild = "\"+-&&||!(){}[]^~*?:\\/ AND OR NOT \u{0}\u{7f} title:*".repeat(20);
    let found = customer
        .request(Method::GET, "search")
        .query(&[("q", &wild)])
        .send()
        .await
        .unwrap();
    assert!(!found.status().is_server_error(), "a wild query: {}", found.status());
}

#[tokio::test]
async fn a_key_used_twice_answers_twice_and_acts_once_also_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), &["--demo", "--carrier-speed", "1"]).await;
    let customer = shop.sign_in("customer").await;
    let product = customer.find("coffee").await["id"].as_str().unwrap().to_owned();
    let items = |quantity: u32| {
        order_body(
            Some(json!([{"product_id": product, "quantity": quantity}])),
            "card_approve",
        )
    };
    let send = async |visitor: &Visitor<'_>, body: &Value| {
        visitor
            .request(Method::POST, "orders")
            .header("idempotency-key", "double-submit-1")
            .json(body)
            .send()
            .await
            .unwrap()
    };

    let body = items(1);
    let (one, two) = futures_util::future::join(send(&customer, &body), send(&customer, &body)).await;
    assert_eq!(
        (one.status(), two.status()),
        (StatusCode::ACCEPTED, StatusCode::ACCEPTED)
    );
    let (one, two): (Value, Value) = (one.json().await.unwrap(), two.json().await.unwrap());
    assert_eq!(one, two);
    let other = send(&customer, &items(2)).await;
    assert_eq!(other.status(), StatusCode::UNPROCESSABLE_ENTITY, "same key, other body");

    drop(customer);
    shop.kill().await;
    let shop = Shop::start(data.path(), &["--demo", "--carrier-speed", "1"]).await;
    let customer = shop.sign_in("customer").await;
    let again: Value = send(&customer, &body).await.json().await.unwrap();
    assert_eq!(again, one, "the same answer, also after a restart");
    customer.order_reaches(one["id"].as_str().unwrap(), "confirmed").await;
    assert_eq!(customer.query("my-page").await["orders"].as_array().unwrap().len(), 1);
    shop.stop().await;
}

#[tokio::test]
async fn conflicting_edits_and_a_cart_whose_price_moved_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), &["--demo", "--carrier-speed", "1"]).await;
    shop.pictured().await;
    let (customer, seller) = (shop.sign_in("customer").await, shop.sign_in("seller").await);
    let product = customer.find("coffee").await["id"].as_str().unwrap().to_owned();
    let path = format!("products/{product}");
    let seen = seller.request(Method::GET, &path).send().await.unwrap();
    let etag = seen.headers()["etag"].to_str().unwrap().to_owned();
    let price = seen.json::<Value>().await.unwrap()["price"]["amount"].as_i64().unwrap();

    let (status, _, _) = customer
        .send(Method::PUT, &format!("cart/items/{product}"), &json!({"quantity": 1}))
        .await;
    assert!(status.is_success());
    let reprice = |amount: i64| {
        let body = json!({"price": {"amount": amount, "currency": "KRW"}});
        seller
            .request(Method::PATCH, &path)
            .header("if-match", etag.clone())
            .json(&body)
    };
    assert!(reprice(price + 500).send().await.unwrap().status().is_success());
    refused("an edit of what someone else edited", reprice(price + 900), &[412]).await;

    let problem = refused(
        "a price that moved",
        post(&customer, "orders", &order_body(None, "card_approve")),
        &[409],
    )
    .await;
    assert!(
        problem.to_string().contains(&(price + 500).to_string()),
        "the new price is shown: {problem}"
    );
    // Having seen it, the customer puts it in again and orders.
    let (status, _, _) = customer
        .send(Method::PUT, &format!("cart/items/{product}"), &json!({"quantity": 1}))
        .await;
    assert!(status.is_success());
    let order = customer.order(None, "card_approve").await;
    let confirmed = customer.order_reaches(&order, "confirmed").await;
    assert_eq!(confirmed["total"]["amount"], price + 500);

    let (status, _, _) = customer
        .send(Method::PUT, &format!("cart/items/{product}"), &json!({"quantity": 1}))
        .await;
    assert!(status.is_success());
    assert!(
        seller
            .request(Method::DELETE, &path)
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
    refused(
        "a product that is gone",
        post(&customer, "orders", &order_body(None, "card_approve")),
        &[409],
    )
    .await;
    shop.stop().await;
}
