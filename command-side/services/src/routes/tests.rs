use std::collections::BTreeSet;

use super::*;
use crate::testing::Shop;

/// Every operation of the description, such as `POST /api/v1/orders`.
fn operations() -> BTreeSet<String> {
    let description = serde_json::to_value(openapi()).unwrap();
    let paths = description["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &serde_json::Value)| -> Vec<String> {
        item.as_object()
            .unwrap()
            .keys()
            .map(|method| format!("{} {path}", method.to_uppercase()))
            .collect()
    };
    paths.iter().flat_map(of).collect()
}

#[test]
fn the_description_has_every_command() {
    let expected = [
        "POST /api/v1/products",
        "PATCH /api/v1/products/{id}",
        "DELETE /api/v1/products/{id}",
        "PUT /api/v1/products/{id}/image",
        "POST /api/v1/products/{id}/stock-receipts",
        "PUT /api/v1/cart/items/{product}",
        "DELETE /api/v1/cart/items/{product}",
        "POST /api/v1/orders",
        "POST /api/v1/orders/{id}/cancellation",
        "POST /api/v1/orders/{id}/returns",
        "POST /api/v1/orders/{id}/returns/{return}/receipt",
        "POST /api/v1/orders/{id}/returns/{return}/inspection",
        "POST /api/v1/seller/orders/{order}/parcels/{parcel}/cancellation",
        "GET /images/{key}",
    ];
    assert_eq!(operations(), expected.map(str::to_owned).into());
}

#[test]
fn every_schema_that_is_spoken_of_is_there() {
    let text = serde_json::to_string(&openapi()).unwrap();
    let description = serde_json::to_value(openapi()).unwrap();
    let schemas = description["components"]["schemas"].as_object().unwrap();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is spoken of but not described");
    }
}

#[tokio::test]
async fn every_described_command_is_routed_and_asks_who_is_there() {
    let shop = Shop::open().await;
    for operation in operations() {
        let (method, path) = operation.split_once(' ').unwrap();
        let some = "018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f";
        let ids = ["{id}", "{product}", "{return}", "{order}", "{parcel}"];
        let path = ids
            .iter()
            .fold(path.replace("{key}", "x.png"), |path, id| path.replace(id, some));
        let answer = shop.answer(warp::test::request().method(method).path(&path)).await;
        let expected = if method == "GET" { 404 } else { 401 };
        assert_eq!(answer.status.as_u16(), expected, "{operation}: {answer:?}");
        assert_ne!(
            answer.json()["type"],
            "https://jangteo.shop/problems/no-such-path",
            "{operation}"
        );
    }
}
