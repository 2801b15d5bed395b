mod cancelling;

use domain::Cart;
use edge::Principal;
use event_schemas::{
    Money,
    cart::CartCheckedOut,
    order::{OrderConfirmed, OrderEvent},
    product::{ProductDelisted, ProductRepriced},
};
use serde_json::{Value, json};

use super::*;
use crate::{
    carts::tests::{given_product, put},
    testing::{Answer, Shop, customer, seller},
};

const ORDERS: &str = "/api/v1/orders";

fn order(items: &[(ProductId, Value)]) -> Value {
    let items: Vec<_> = items
        .iter()
        .map(|(id, quantity)| json!({"product_id": id, "quantity": quantity}))
        .collect();
    let mut order = cart_order();
    order["items"] = items.into();
    order
}
fn cart_order() -> Value {
    json!({
        "shipping_address": {
            "recipient": "김하나", "phone": "+82 10 1234 5678", "postal_code": "04524", "line1": "세종대로 110",
            "city": "서울", "country": "KR"
        },
        "payment": {"method": "card", "token": "card_approve"}
    })
}

fn id_of(answer: &Answer) -> OrderId {
    assert_eq!(answer.status.as_u16(), 202, "{answer:?}");
    answer.json()["id"].as_str().unwrap().parse().unwrap()
}

async fn keyed(shop: &Shop, who: &Principal, path: &str, body: &Value) -> Answer {
    shop.answer(
        shop.request(who, "POST", path)
            .header("idempotency-key", "k")
            .json(body),
    )
    .await
}

async fn events(shop: &Shop, id: OrderId) -> Vec<OrderEvent> {
    shop.events::<Order>(id.uuid())
        .await
        .into_iter()
        .map(|(_, event)| event)
        .collect()
}

#[tokio::test]
async fn an_order_is_placed_at_the_prices_of_now() {
    let shop = Shop::open().await;
    let (customer, jar, cup) = (
        customer(),
        given_product(&shop, 129_000).await,
        given_product(&shop, 5_000).await,
    );
    let answer = shop
        .ask(&customer, "POST", ORDERS, &order(&[(jar, 2.into()), (cup, 1.into())]))
        .await;
    let id = id_of(&answer);
    assert_eq!(answer.json(), json!({"id": id, "status": "placed"}));
    assert_eq!(answer.header("location"), format!("/api/v1/orders/{id}"));
    assert!(!answer.header("consistency-token").is_empty());
    let stored = shop.events::<Order>(id.uuid()).await;
    let [(metadata, OrderEvent::OrderPlaced(placed))] = &stored[..] else {
        panic!("{stored:?}")
    };
    assert_eq!(
        (placed.total, placed.items.len(), placed.from_cart),
        (Money::krw(263_000), 2, false)
    );
    assert_eq!(placed.customer_id, customer.account_id);
    assert_eq!(
        placed.promised_by,
        Some(metadata.occurred_at.plus_millis(PROMISE_MILLIS))
    );
}

#[tokio::test]
async fn the_cart_becomes_an_order() {
    let shop = Shop::open().await;
    let (customer, jar) = (customer(), given_product(&shop, 129_000).await);
    put(&shop, &customer, jar, 3).await;
    let id = id_of(&shop.ask(&customer, "POST", ORDERS, &cart_order()).await);
    let stored = events(&shop, id).await;
    assert!(
        matches!(&stored[..], [OrderEvent::OrderPlaced(placed)] if placed.from_cart && placed.total == Money::krw(387_000)),
        "{stored:?}"
    );
}

#[tokio::test]
async fn a_cart_that_changed_is_shown_before_it_is_paid() {
    let shop = Shop::open().await;
    let (customer, jar, cup) = (
        customer(),
        given_product(&shop, 129_000).await,
        given_product(&shop, 5_000).await,
    );
    shop.ask(&customer, "POST", ORDERS, &cart_order())
        .await
        .is_problem(422, "cart-empty");
    put(&shop, &customer, jar, 1).await;
    put(&shop, &customer, cup, 1).await;
    let repriced = ProductRepriced {
        product_id: jar,
        price: Money::krw(130_000),
        was: Money::krw(129_000),
    };
    shop.given::<Product>(jar.uuid(), [repriced.into()]).await;
    let refused = shop.ask(&customer, "POST", ORDERS, &cart_order()).await;
    refused.is_problem(409, "cart-price-changed");
    let line = json!([{
        "product_id": jar, "title": "Moon jar", "old_price": {"amount": 129_000, "currency": "KRW"},
        "new_price": {"amount": 130_000, "currency": "KRW"}
    }]);
    assert_eq!(refused.json()["lines"], line);

    shop.given::<Product>(cup.uuid(), [ProductDelisted { product_id: cup }.into()])
        .await;
    let refused = shop.ask(&customer, "POST", ORDERS, &cart_order()).await;
    refused.is_problem(409, "cart-changed");
    assert_eq!(refused.json()["lines"].as_array().unwrap().len(), 2);

    put(&shop, &customer, jar, 1).await;
    shop.answer(shop.request(&customer, "DELETE", &format!("/api/v1/cart/items/{cup}")))
        .await;
    id_of(&shop.ask(&customer, "POST", ORDERS, &cart_order()).await);
}

#[tokio::test]
async fn the_same_key_is_one_order_also_after_a_restart() {
    let mut shop = Shop::open().await;
    let (customer, jar) = (customer(), given_product(&shop, 129_000).await);
    let body = order(&[(jar, 1.into())]);
    let first = keyed(&shop, &customer, ORDERS, &body).await;
    let id = id_of(&first);
    shop.given::<Order>(id.uuid(), [OrderConfirmed { order_id: id }.into()])
        .await;
    for _ in 0..2 {
        let again = keyed(&shop, &customer, ORDERS, &body).await;
        assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
        assert_eq!(again.header("location"), first.header("location"));
        let other = keyed(&shop, &customer, ORDERS, &order(&[(jar, 2.into())])).await;
        other.is_problem(422, "idempotency-key-reused");
        shop = shop.restarted();
    }
    assert_eq!(events(&shop, id).await.len(), 2);
    // Another customer's key is another key.
    assert_ne!(id_of(&keyed(&shop, &self::customer(), ORDERS, &body).await), id);
}

#[tokio::test]
async fn a_repeated_order_of_the_cart_is_answered_though_the_cart_is_empty() {
    let shop = Shop::open().await;
    let (customer, jar) = (customer(), given_product(&shop, 129_000).await);
    put(&shop, &customer, jar, 1).await;
    let first = keyed(&shop, &customer, ORDERS, &cart_order()).await;
    let checked_out = CartCheckedOut {
        customer_id: customer.account_id,
        order_id: id_of(&first),
    };
    shop.given::<Cart>(customer.account_id.uuid(), [checked_out.into()])
        .await;
    assert_eq!(keyed(&shop, &customer, ORDERS, &cart_order()).await.bytes, first.bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_many_times_at_once_is_one_order() {
    let shop = Arc::new(Shop::open().await);
    let (customer, jar) = (customer(), given_product(&shop, 129_000).await);
    put(&shop, &customer, jar, 1).await;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (shop, customer) = (Arc::clone(&shop), customer.clone());
            tokio::spawn(async move { keyed(&shop, &customer, ORDERS, &cart_order()).await })
        })
        .collect();
    let mut ids = vec![];
    for task in tasks {
        ids.push(id_of(&task.await.unwrap()));
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(events(&shop, ids[0]).await.len(), 1);
}

#[tokio::test]
async fn an_order_with_something_wrong_names_the_field() {
    let shop = Shop::open().await;
    let (customer, jar) = (customer(), given_product(&shop, 129_000).await);
    let gone = given_product(&shop, 1).await;
    shop.given::<Product>(gone.uuid(), [ProductDelisted { product_id: gone }.into()])
        .await;
    let one = |quantity: Value| order(&[(jar, quantity)]);
    let with = |pointer: &str, value: Value| {
        let mut order = one(1.into());
        *order.pointer_mut(pointer).unwrap() = value;
        order
    };
    let cases = [
        (one(0.into()), "items[0].quantity"),
        (one(1_000.into()), "items[0].quantity"),
        (one((-3).into()), "items[0].quantity"),
        (one(json!(1e30)), "items[0].quantity"),
        (one(json!("two")), "items[0].quantity"),
        (order(&[]), "items"),
        (order(&vec![(jar, 1.into()); 51]), "items"),
        (order(&[(jar, 1.into()), (jar, 1.into())]), "items[1].product_id"),
        (
            order(&[(jar, 1.into()), (ProductId::fresh(), 1.into())]),
            "items[1].product_id",
        ),
        (order(&[(gone, 1.into())]), "items[0].product_id"),
        (with("/items/0/product_id", json!("moon-jar")), "items[0].product_id"),
        (
            with("/shipping_address/country", json!("Korea")),
            "shipping_address.country",
        ),
        (
            with("/shipping_address/recipient", json!("")),
            "shipping_address.recipient",
        ),
        (with("/shipping_address/city", Value::Null), "shipping_address.city"),
        (with("/payment/method", json!("cash")), "payment.method"),
        (with("/payment/token", json!("a\nb")), "payment.token"),
        (
            with("/payment", json!({"method": "card", "token": "t", "cvc": "123"})),
            "payment.cvc",
        ),
        (with("/payment", json!({"method": "card"})), "payment.token"),
    ];
    for (body, field) in cases {
        shop.ask(&customer, "POST", ORDERS, &body).await.names_fields(&[field]);
    }
    let mut unknown = one(1.into());
    unknown["coupon"] = "FREE".into();
    shop.ask(&customer, "POST", ORDERS, &unknown)
        .await
        .names_fields(&["coupon"]);
    let broken = shop
        .request(&customer, "POST", ORDERS)
        .header("content-type", "application/json")
        .body(b"{\"\xc3\x28");
    shop.answer(broken).await.is_problem(400, "malformed-json");
    shop.answer(shop.request(&customer, "POST", ORDERS).body(vec![b' '; 70_000]))
        .await
        .is_problem(413, "payload-too-large");
    shop.ask(&seller(), "POST", ORDERS, &one(1.into()))
        .await
        .is_problem(403, "forbidden");
    let empty_key = shop
        .request(&customer, "POST", ORDERS)
        .header("idempotency-key", "")
        .json(&one(1.into()));
    shop.answer(empty_key).await.is_problem(400, "invalid-parameter");
    assert_eq!(shop.log.stats().await.unwrap().events, 3);
}

#[tokio::test]
async fn an_order_by_invoice_needs_no_card() {
    let shop = Shop::open().await;
    let (customer, jar) = (customer(), given_product(&shop, 129_000).await);
    let mut body = order(&[(jar, 1.into())]);
    body["payment"] = json!({"method": "invoice"});
    let stored = events(&shop, id_of(&shop.ask(&customer, "POST", ORDERS, &body).await)).await;
    assert!(
        matches!(&stored[..], [OrderEvent::OrderPlaced(placed)] if placed.payment.method == "invoice"),
        "{stored:?}"
    );
    body["payment"] = json!({"method": "invoice", "token": "card_approve"});
    shop.ask(&customer, "POST", ORDERS, &body)
        .await
        .names_fields(&["payment.token"]);
}
