//! The API describes itself completely.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::shop::Shop;

/// An id of nothing.
const NOBODY: &str = "018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f";

/// Every path the first order promises, by method.
const PROMISED: &[(&str, &str)] = &[
    ("post", "/api/v1/accounts"),
    ("put", "/api/v1/accounts/{id}/roles"),
    ("post", "/api/v1/setup"),
    ("post", "/api/v1/sessions"),
    ("post", "/api/v1/sessions/refresh"),
    ("delete", "/api/v1/sessions"),
    ("post", "/api/v1/products"),
    ("patch", "/api/v1/products/{id}"),
    ("delete", "/api/v1/products/{id}"),
    ("put", "/api/v1/products/{id}/image"),
    ("post", "/api/v1/products/{id}/stock-receipts"),
    ("get", "/api/v1/products/{id}"),
    ("get", "/api/v1/search"),
    ("get", "/api/v1/suggest"),
    ("get", "/api/v1/cart"),
    ("put", "/api/v1/cart/items/{product}"),
    ("delete", "/api/v1/cart/items/{product}"),
    ("post", "/api/v1/orders"),
    ("post", "/api/v1/orders/{id}/cancellation"),
    ("get", "/api/v1/orders/{id}"),
    ("get", "/api/v1/orders/{id}/tracking"),
    ("post", "/api/v1/orders/{id}/returns"),
    ("post", "/api/v1/orders/{id}/returns/{return}/receipt"),
    ("post", "/api/v1/orders/{id}/returns/{return}/inspection"),
    ("post", "/api/v1/seller/orders/{order}/parcels/{parcel}/cancellation"),
    ("get", "/api/v1/my-page"),
    ("get", "/api/v1/seller/orders"),
    ("post", "/api/v1/carriers/{name}/events"),
    ("get", "/api/v1/ops/streams"),
    ("get", "/api/v1/ops/streams/{name}"),
    ("get", "/api/v1/ops/events"),
    ("get", "/api/v1/ops/projections"),
    ("get", "/api/v1/ops/sagas"),
    ("get", "/api/v1/ops/sagas/{id}"),
    ("get", "/api/v1/ops/repair-cases"),
    ("get", "/api/v1/ops/repair-cases/{id}"),
    ("get", "/api/v1/ops/dead-letters"),
    ("get", "/api/v1/ops/dead-letters/{id}"),
    ("post", "/api/v1/ops/projections/{name}/rebuilds"),
    ("get", "/api/v1/ops/projections/{name}/comparison"),
    ("get", "/api/v1/ops/projections/{name}/dead-letters"),
    ("post", "/api/v1/ops/projections/{name}/approvals"),
    ("post", "/api/v1/ops/projections/{name}/rejections"),
    ("post", "/api/v1/ops/projections/{name}/rollbacks"),
    ("get", "/api/v1/ops/customers/{id}/my-page"),
];

#[tokio::test]
async fn the_openapi_document_describes_every_path_and_every_described_path_answers() {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), &["--demo", "--carrier-speed", "1"]).await;
    let document: Value = shop.get("/openapi.json").send().await.unwrap().json().await.unwrap();
    assert!(
        document["openapi"].as_str().unwrap().starts_with("3.1"),
        "{}",
        document["openapi"]
    );
    let paths = document["paths"].as_object().unwrap();
    for (method, path) in PROMISED {
        // A parameter may be called otherwise; its place counts.
        let shape = |path: &str| {
            path.split('/')
                .map(|part| if part.starts_with('{') { "{}" } else { part }.to_owned())
                .collect::<Vec<_>>()
        };
        let described = paths
            .iter()
            .any(|(known, operations)| shape(known) == shape(path) && operations.get(method).is_some());
        assert!(described, "{method} {path} is not described");
    }

    let unresolved: Vec<_> = references(&document)
        .filter(|name| document.pointer(name).is_none())
        .collect();
    assert!(unresolved.is_empty(), "{unresolved:?}");

    let operator = shop.sign_in("operator").await;
    for (path, operations) in paths {
        let concrete = path
            .split('/')
            .map(|part| if part.starts_with('{') { NOBODY } else { part })
            .collect::<Vec<_>>()
            .join("/");
        for (method, operation) in operations.as_object().unwrap() {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else {
                continue;
            };
            let described = operation["responses"].as_object().map_or(0, serde_json::Map::len);
            assert!(described > 0, "{method} {path} describes no response");
            // Nothing is changed: the ids are none, and the bodies are empty.
            let response = operator.request(method.clone(), &concrete).send().await.unwrap();
            let (status, text) = (response.status(), response.text().await.unwrap());
            assert_ne!(
                status,
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path} is described but not offered"
            );
            assert!(
                !status.is_server_error() || status == StatusCode::SERVICE_UNAVAILABLE,
                "{method} {path}: {status} {text}"
            );
            assert!(
                !text.contains("/problems/no-such-path"),
                "{method} {path} is described but not there"
            );
        }
    }
    shop.stop().await;
}

/// Where every `$ref` of the document points.
fn references(value: &Value) -> Box<dyn Iterator<Item = String> + '_> {
    match value {
        Value::Object(fields) => Box::new(fields.iter().flat_map(|(name, value)| {
            let here = value
                .as_str()
                .filter(|_| name == "$ref")
                .and_then(|pointer| pointer.strip_prefix('#'));
            here.map(str::to_owned).into_iter().chain(references(value))
        })),
        Value::Array(values) => Box::new(values.iter().flat_map(references)),
        _ => Box::new(std::iter::empty()),
    }
}

#[tokio::test]
async fn health_readiness_and_metrics_are_there() {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), &[]).await;
    assert_eq!(shop.get("/healthz").send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(shop.get("/readyz").send().await.unwrap().status(), StatusCode::OK);
    let metrics = shop.get("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("# TYPE"), "{metrics}");
    shop.stop().await;
}
