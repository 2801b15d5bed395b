use edge::Principal;
use event_schemas::{
    Money,
    cart::CartEvent,
    product::{Attributes, ProductDelisted, ProductListed},
};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Answer, Shop, customer, seller};

/// Given that a product is listed.
pub(crate) async fn given_product(shop: &Shop, price: i64) -> ProductId {
    let product_id = ProductId::fresh();
    let listed = ProductListed {
        product_id,
        seller_id: event_schemas::SellerId::fresh(),
        title: "Moon jar".to_owned(),
        description: String::new(),
        brand: String::new(),
        category: String::new(),
        attributes: Attributes::new(),
        price: Money::krw(price),
        ean: None,
    };
    shop.given::<Product>(product_id.uuid(), [listed.into()]).await;
    product_id
}

/// When the customer puts so many of it in the cart.
pub(crate) async fn put(shop: &Shop, who: &Principal, product: ProductId, quantity: impl Into<Value>) -> Answer {
    let body = json!({"quantity": quantity.into()});
    shop.ask(who, "PUT", &format!("/api/v1/cart/items/{product}"), &body)
        .await
}

async fn remove(shop: &Shop, who: &Principal, product: ProductId) -> Answer {
    shop.answer(shop.request(who, "DELETE", &format!("/api/v1/cart/items/{product}")))
        .await
}

#[tokio::test]
async fn a_product_is_put_in_the_cart_at_its_price_of_now() {
    let shop = Shop::open().await;
    let (customer, jar) = (customer(), given_product(&shop, 129_000).await);
    let answer = put(&shop, &customer, jar, 2).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    let expected = json!({
        "product_id": jar, "title": "Moon jar", "quantity": 2,
        "unit_price": {"amount": 129_000, "currency": "KRW"}, "line_total": {"amount": 258_000, "currency": "KRW"},
    });
    assert_eq!(answer.json(), expected);
    assert!(!answer.header("consistency-token").is_empty());
    let stored = shop.events::<Cart>(customer.account_id.uuid()).await;
    assert!(
        matches!(&stored[..], [(_, CartEvent::CartItemSet(set))] if set.product_id == jar && set.quantity == 2),
        "{stored:?}"
    );
}

#[tokio::test]
async fn putting_the_same_in_again_changes_nothing() {
    let shop = Shop::open().await;
    let (customer, jar) = (customer(), given_product(&shop, 129_000).await);
    let first = put(&shop, &customer, jar, 2).await;
    let again = put(&shop, &customer, jar, 2).await;
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
    assert_eq!(shop.events::<Cart>(customer.account_id.uuid()).await.len(), 1);
}

#[tokio::test]
async fn a_product_is_taken_out() {
    let shop = Shop::open().await;
    let (customer, jar) = (customer(), given_product(&shop, 129_000).await);
    put(&shop, &customer, jar, 2).await;
    for _ in 0..2 {
        assert_eq!(remove(&shop, &customer, jar).await.status.as_u16(), 204);
    }
    let stored = shop.events::<Cart>(customer.account_id.uuid()).await;
    assert!(
        matches!(&stored[1..], [(_, CartEvent::CartItemRemoved(_))]),
        "{stored:?}"
    );
}

#[tokio::test]
async fn nonsense_is_refused_by_name() {
    let shop = Shop::open().await;
    let (customer, jar) = (customer(), given_product(&shop, 129_000).await);
    for quantity in [
        json!(0),
        json!(1000),
        json!(-1),
        json!("2"),
        json!(4_294_967_297_i64),
        json!(1.5),
        Value::Null,
    ] {
        put(&shop, &customer, jar, quantity).await.names_fields(&["quantity"]);
    }
    let path = format!("/api/v1/cart/items/{jar}");
    shop.ask(&customer, "PUT", &path, &json!({"quantity": 1, "price": 1}))
        .await
        .names_fields(&["price"]);
    shop.ask(&customer, "PUT", &path, &json!({}))
        .await
        .names_fields(&["quantity"]);
    put(&shop, &customer, ProductId::fresh(), 1)
        .await
        .is_problem(404, "product-not-found");
    shop.ask(&customer, "PUT", "/api/v1/cart/items/moon-jar", &json!({"quantity": 1}))
        .await
        .is_problem(404, "no-such-path");
    put(&shop, &seller(), jar, 1).await.is_problem(403, "forbidden");
    assert!(shop.events::<Cart>(customer.account_id.uuid()).await.is_empty());
}

#[tokio::test]
async fn what_is_no_longer_sold_does_not_go_in() {
    let shop = Shop::open().await;
    let jar = given_product(&shop, 129_000).await;
    shop.given::<Product>(jar.uuid(), [ProductDelisted { product_id: jar }.into()])
        .await;
    put(&shop, &customer(), jar, 1)
        .await
        .is_problem(409, "product-delisted");
}

#[tokio::test]
async fn a_cart_is_full_at_fifty_products() {
    let shop = Shop::open().await;
    let customer = customer();
    for _ in 0..50 {
        let product = given_product(&shop, 1).await;
        assert_eq!(put(&shop, &customer, product, 1).await.status.as_u16(), 200);
    }
    put(&shop, &customer, given_product(&shop, 1).await, 1)
        .await
        .is_problem(409, "cart-full");
}
