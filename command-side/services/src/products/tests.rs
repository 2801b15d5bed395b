use edge::Principal;
use event_schemas::product::{ProductDelisted, ProductEvent};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Answer, Shop, admin, customer, seller};

fn jar() -> Value {
    json!({
        "title": "Moon jar, 24 cm", "description": "White porcelain.", "brand": "Icheon", "category": "Home/Ceramics",
        "attributes": {"colour": "white", "height_cm": 24.5, "handmade": true},
        "price": {"amount": 129_000, "currency": "KRW"}, "ean": "4006381333931"
    })
}

async fn listed(shop: &Shop, who: &Principal) -> ProductId {
    let answer = shop.ask(who, "POST", "/api/v1/products", &jar()).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    answer.json()["id"].as_str().unwrap().parse().unwrap()
}

async fn events(shop: &Shop, id: ProductId) -> Vec<ProductEvent> {
    shop.events::<Product>(id.uuid())
        .await
        .into_iter()
        .map(|(_, event)| event)
        .collect()
}

fn path(id: ProductId) -> String {
    format!("/api/v1/products/{id}")
}

async fn patch(shop: &Shop, who: &Principal, id: ProductId, body: Value) -> Answer {
    shop.ask(who, "PATCH", &path(id), &body).await
}

#[tokio::test]
async fn a_seller_lists_a_product() {
    let shop = Shop::open().await;
    let seller = seller();
    let answer = shop.ask(&seller, "POST", "/api/v1/products", &jar()).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    let id: ProductId = answer.json()["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(answer.header("location"), path(id));
    assert_eq!(answer.header("etag"), "\"v0\"");
    assert!(!answer.header("consistency-token").is_empty());
    let stored = shop.events::<Product>(id.uuid()).await;
    let [(metadata, ProductEvent::ProductListed(listed))] = &stored[..] else {
        panic!("{stored:?}")
    };
    assert_eq!(
        (listed.seller_id, listed.price),
        (seller.account_id, Money::krw(129_000))
    );
    assert_eq!(serde_json::to_value(&listed.attributes).unwrap(), jar()["attributes"]);
    assert_eq!(metadata.actor, event_schemas::Actor::Account(seller.account_id));
}

#[tokio::test]
async fn the_same_key_is_one_product_also_after_a_restart() {
    let mut shop = Shop::open().await;
    let seller = seller();
    let ask = |shop: &Shop, body: &Value| {
        shop.request(&seller, "POST", "/api/v1/products")
            .header("idempotency-key", "k")
            .json(body)
    };
    let first = shop.answer(ask(&shop, &jar())).await;
    for _ in 0..2 {
        let again = shop.answer(ask(&shop, &jar())).await;
        assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
        assert_eq!(again.header("consistency-token"), first.header("consistency-token"));
        let mut other = jar();
        other["title"] = "Another jar".into();
        shop.answer(ask(&shop, &other))
            .await
            .is_problem(422, "idempotency-key-reused");
        shop = shop.restarted();
    }
    assert_eq!(shop.log.stats().await.unwrap().events, 1);
}

#[tokio::test]
async fn who_may_list() {
    let shop = Shop::open().await;
    shop.ask(&customer(), "POST", "/api/v1/products", &jar())
        .await
        .is_problem(403, "forbidden");
    assert_eq!(
        shop.ask(&admin(), "POST", "/api/v1/products", &jar())
            .await
            .status
            .as_u16(),
        201
    );
    let nobody = warp::test::request()
        .method("POST")
        .path("/api/v1/products")
        .json(&jar());
    shop.answer(nobody).await.is_problem(401, "unauthenticated");
    let forged = warp::test::request()
        .method("POST")
        .path("/api/v1/products")
        .header("authorization", "Bearer x.y.z");
    shop.answer(forged.json(&jar()))
        .await
        .is_problem(401, "token-malformed");
}

#[tokio::test]
async fn a_listing_with_something_wrong_names_the_field() {
    let shop = Shop::open().await;
    let seller = seller();
    let cases = [
        (json!({"title": ""}), "title"),
        (json!({"title": 5}), "title"),
        (json!({"title": "a\u{0}b"}), "title"),
        (json!({"colour": "red"}), "colour"),
        (json!({"price": {"amount": -1, "currency": "KRW"}}), "price.amount"),
        (
            json!({"price": {"amount": 1_000_000_000_001_i64, "currency": "KRW"}}),
            "price.amount",
        ),
        (json!({"price": {"amount": 1, "currency": "krw"}}), "price.currency"),
        (
            json!({"price": {"amount": 1, "currency": "KRW", "vat": 1}}),
            "price.vat",
        ),
        (json!({"price": 129_000}), "price"),
        (json!({"ean": "4006381333930"}), "ean"),
        (json!({"category": "a//b"}), "category"),
        (json!({"attributes": []}), "attributes"),
    ];
    for (wrong, field) in cases {
        let mut body = jar();
        body.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        shop.ask(&seller, "POST", "/api/v1/products", &body)
            .await
            .names_fields(&[field]);
    }
    shop.ask(&seller, "POST", "/api/v1/products", &json!({"title": "x"}))
        .await
        .names_fields(&["price"]);
    assert_eq!(shop.log.stats().await.unwrap().events, 0);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_a_problem() {
    let shop = Shop::open().await;
    let seller = seller();
    let ask = |body: &[u8]| {
        let json = shop
            .request(&seller, "POST", "/api/v1/products")
            .header("content-type", "application/json");
        json.body(body)
    };
    shop.answer(ask(b"")).await.is_problem(400, "malformed-json");
    shop.answer(ask(b"{\"title\":")).await.is_problem(400, "malformed-json");
    shop.answer(ask(b"{\"title\":\"\xff\xfe\"}"))
        .await
        .is_problem(400, "malformed-json");
    shop.answer(ask(&vec![b' '; 600 * 1024]))
        .await
        .is_problem(413, "payload-too-large");
    let form = shop
        .request(&seller, "POST", "/api/v1/products")
        .header("content-type", "text/plain")
        .body("{}");
    shop.answer(form).await.is_problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn its_seller_or_an_admin_changes_a_product() {
    let shop = Shop::open().await;
    let seller = seller();
    let id = listed(&shop, &seller).await;
    let answer = patch(
        &shop,
        &seller,
        id,
        json!({"price": {"amount": 99_000, "currency": "KRW"}}),
    )
    .await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("etag")),
        (200, "\"v1\""),
        "{answer:?}"
    );
    assert_eq!(
        patch(&shop, &admin(), id, json!({"title": "Jar", "brand": ""}))
            .await
            .status
            .as_u16(),
        200
    );
    let stored = events(&shop, id).await;
    assert!(
        matches!(&stored[1..], [ProductEvent::ProductRepriced(price), ProductEvent::ProductRevised(text)]
            if price.was == Money::krw(129_000) && text.title.as_deref() == Some("Jar") && text.category.is_none()),
        "{stored:?}"
    );
    patch(&shop, &self::seller(), id, json!({"title": "Mine now"}))
        .await
        .is_problem(403, "not-your-product");
    patch(&shop, &customer(), id, json!({"title": "Mine now"}))
        .await
        .is_problem(403, "not-your-product");
    patch(&shop, &seller, ProductId::fresh(), json!({}))
        .await
        .is_problem(404, "product-not-found");
    patch(&shop, &seller, id, json!({"price": {"amount": 1, "currency": "USD"}}))
        .await
        .names_fields(&["price.currency"]);
    patch(&shop, &seller, id, json!({"stock": 5}))
        .await
        .names_fields(&["stock"]);
    assert_eq!(events(&shop, id).await.len(), 3);
}

#[tokio::test]
async fn conflicting_edits_are_noticed() {
    let shop = Shop::open().await;
    let seller = seller();
    let id = listed(&shop, &seller).await;
    let edit = |etag: &str, title: &str| {
        shop.request(&seller, "PATCH", &path(id))
            .header("if-match", etag)
            .json(&json!({"title": title}))
    };
    assert_eq!(shop.answer(edit("\"v0\"", "First")).await.status.as_u16(), 200);
    shop.answer(edit("\"v0\"", "Second"))
        .await
        .is_problem(412, "precondition-failed");
    let delete = shop.request(&seller, "DELETE", &path(id)).header("if-match", "\"v0\"");
    shop.answer(delete).await.is_problem(412, "precondition-failed");
    assert_eq!(shop.answer(edit("\"v1\"", "Third")).await.status.as_u16(), 200);
    assert_eq!(events(&shop, id).await.len(), 3);
}

#[tokio::test]
async fn a_repeated_edit_is_answered_though_its_version_is_gone() {
    let shop = Shop::open().await;
    let seller = seller();
    let id = listed(&shop, &seller).await;
    for _ in 0..2 {
        let edit = shop
            .request(&seller, "PATCH", &path(id))
            .header("if-match", "\"v0\"")
            .header("idempotency-key", "k");
        assert_eq!(
            shop.answer(edit.json(&json!({"title": "First"}))).await.status.as_u16(),
            200
        );
    }
    assert_eq!(events(&shop, id).await.len(), 2);
}

#[tokio::test]
async fn a_product_is_withdrawn_once() {
    let shop = Shop::open().await;
    let seller = seller();
    let id = listed(&shop, &seller).await;
    shop.answer(shop.request(&self::seller(), "DELETE", &path(id)))
        .await
        .is_problem(403, "not-your-product");
    for _ in 0..2 {
        assert_eq!(
            shop.answer(shop.request(&seller, "DELETE", &path(id)))
                .await
                .status
                .as_u16(),
            204
        );
    }
    let stored = events(&shop, id).await;
    assert_eq!(
        stored[1..],
        [ProductEvent::ProductDelisted(ProductDelisted { product_id: id })]
    );
    patch(&shop, &seller, id, json!({"title": "Back again"}))
        .await
        .is_problem(409, "product-delisted");
}

#[tokio::test]
async fn a_picture_is_kept_and_then_spoken_of() {
    let shop = Shop::open().await;
    let seller = seller();
    let id = listed(&shop, &seller).await;
    let put = |who: &Principal, bytes: Bytes| {
        shop.request(who, "PUT", &format!("{}/image", path(id)))
            .header("content-type", "image/png")
            .body(bytes)
    };
    let png = crate::images::tests::png(2, 3);
    for _ in 0..2 {
        let answer = shop.answer(put(&seller, png.clone())).await;
        assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
        let picture = answer.json();
        assert_eq!(picture["media_type"], "image/png");
        let served = shop
            .answer(warp::test::request().path(picture["image"].as_str().unwrap()))
            .await;
        assert_eq!((served.status.as_u16(), served.bytes), (200, png.clone()));
    }
    let stored = events(&shop, id).await;
    assert!(matches!(&stored[1..], [ProductEvent::ProductPictured(_)]), "{stored:?}");
    shop.answer(put(&self::seller(), png))
        .await
        .is_problem(403, "not-your-product");
    shop.answer(put(&seller, Bytes::from_static(b"GIF89a")))
        .await
        .is_problem(422, "image-format-unknown");
    let large = Bytes::from(vec![0; 6 * 1024 * 1024]);
    shop.answer(put(&seller, large))
        .await
        .is_problem(413, "payload-too-large");
}

#[tokio::test]
async fn goods_come_in_and_are_counted_once() {
    let shop = Shop::open().await;
    let seller = seller();
    let id = listed(&shop, &seller).await;
    let receipts = format!("{}/stock-receipts", path(id));
    let receive = |quantity: i64| {
        let request = shop.request(&seller, "POST", &receipts).header("idempotency-key", "k");
        request.json(&json!({"quantity": quantity}))
    };
    for _ in 0..2 {
        let answer = shop.answer(receive(40)).await;
        assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
        assert_eq!(
            answer.json(),
            json!({"product_id": id, "quantity": 40, "available": 40})
        );
        assert!(!answer.header("consistency-token").is_empty());
    }
    assert_eq!(shop.inventory.available(id).await.unwrap(), 40);
    shop.answer(receive(41)).await.is_problem(422, "idempotency-key-reused");
    let other = |quantity: Value| {
        shop.request(&seller, "POST", &receipts)
            .json(&json!({"quantity": quantity}))
    };
    shop.answer(other(json!(-1))).await.names_fields(&["quantity"]);
    shop.answer(other(json!(0))).await.names_fields(&["quantity"]);
    shop.answer(other(json!(1.5))).await.names_fields(&["quantity"]);
    shop.answer(other(json!(99_999_999_999_i64)))
        .await
        .names_fields(&["quantity"]);
    let unknown = format!("{}/stock-receipts", path(ProductId::fresh()));
    shop.ask(&seller, "POST", &unknown, &json!({"quantity": 1}))
        .await
        .is_problem(404, "product-not-found");
    shop.ask(&self::seller(), "POST", &receipts, &json!({"quantity": 1}))
        .await
        .is_problem(403, "not-your-product");
}

#[tokio::test]
async fn a_product_is_listed_without_http() {
    let shop = Shop::open().await;
    let images = Images::open(&tempfile::tempdir().unwrap().path().join("blobs")).unwrap();
    let products = Products::new(Arc::clone(&shop.log), images);
    let command_id = uuid::Uuid::now_v7();
    let context = CommandContext::within("demo", command_id, event_schemas::Timestamp::from_millis(7));
    let product = ListProduct {
        seller_id: SellerId::fresh(),
        title: "Moon jar".to_owned(),
        description: String::new(),
        brand: String::new(),
        category: String::new(),
        attributes: Attributes::new(),
        price: Money::krw(1),
        ean: None,
    };
    let (id, stored) = products.list_product(&context, product.clone()).await.unwrap();
    assert_eq!(products.list_product(&context, product).await.unwrap(), (id, stored));
    let events = shop.events::<Product>(id.uuid()).await;
    assert_eq!((events.len(), events[0].0.occurred_at.as_millis()), (1, 7));
}
