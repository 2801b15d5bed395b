use super::*;

#[test]
fn every_query_is_described_with_its_answers_and_refers_to_what_is_there() {
    let whole = edge::openapi::merge(vec![edge::openapi::of_edge(), openapi()]);
    assert_eq!(edge::openapi::unresolved_references(&whole), Vec::<String>::new());
    let document = serde_json::to_value(&whole).unwrap();
    for path in [
        "/api/v1/search",
        "/api/v1/suggest",
        "/api/v1/products/{id}",
        "/api/v1/cart",
        "/api/v1/orders/{id}",
        "/api/v1/orders/{id}/tracking",
        "/api/v1/my-page",
        "/api/v1/seller/orders",
        "/api/v1/best-sellers",
        "/api/v1/trending",
        "/api/v1/seller/sales",
        "/api/v1/seller/stock-alerts",
        "/api/v1/ops/customers/{id}/my-page",
        "/api/v1/ops/sagas",
        "/api/v1/ops/sagas/{id}",
        "/api/v1/ops/repair-cases",
        "/api/v1/ops/repair-cases/{id}",
        "/api/v1/ops/dead-letters",
        "/api/v1/ops/dead-letters/{id}",
    ] {
        let operation = &document["paths"][path]["get"];
        assert!(
            operation["responses"]["200"]["content"]["application/json"]["schema"].is_object(),
            "{path}"
        );
        assert!(
            operation["responses"]["503"]["content"]["application/problem+json"].is_object(),
            "{path}"
        );
        let parameters = operation["parameters"].as_array().unwrap();
        assert!(
            parameters
                .iter()
                .any(|parameter| parameter["name"] == "Consistency-Token"),
            "{path}"
        );
        let public = ["search", "suggest", "products", "best-sellers", "trending"]
            .iter()
            .any(|public| path.contains(public));
        assert_eq!(operation["security"].is_array(), !public, "{path}");
    }
}
