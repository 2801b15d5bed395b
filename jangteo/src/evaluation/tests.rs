//! Files that are good, bad, and large.

use std::{fs, path::Path};

use event_schemas::product::AttributeValue;

use super::*;

fn evaluation(folder: &Path, products: &str, judgments: &str) -> Evaluation {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    Evaluation {
        products: write("products.jsonl", products),
        judgments: write("judgments.tsv", judgments),
        engine: Engine::Embedded,
    }
}

const PRODUCTS: &str = r#"{"id": "1", "title": "Red kettle", "description": null, "brand": null, "price": null}
{"id": 2, "title": "Kettle lid", "attributes": {"colour": ["red", "blue"], "litres": 1.5, "new": true, "none": null}}

{"id": "3", "title": "Teapot", "category": ["Kitchen", "Tea > Pots"], "attributes": ["glass", 2], "price": 12.5}
"#;

#[tokio::test]
async fn judged_queries_are_measured() {
    let folder = tempfile::tempdir().unwrap();
    let judgments =
        "rating\tnote\tquery\tproduct_id\n2.5\t\tred kettle\t1\n0\t\tred kettle\t3\n1\tx\tteapot\t3\n0\t\tlid\t2\n";
    let report = evaluate(&evaluation(folder.path(), PRODUCTS, judgments)).await.unwrap();
    assert!((report.ndcg_at_10 - 1.0).abs() < 1e-9, "{report:?}");
    assert_eq!(
        (report.queries, report.queries_without_positive, report.products),
        (2, 1, 3)
    );
    let json = serde_json::to_value(&report).unwrap();
    for key in ["ndcg_at_10", "recall_at_100", "mrr", "zero_result_share"] {
        assert!(json[key].is_number(), "{key} in {json}");
    }
    assert!(json["latency_ms"]["p50"].is_number() && json["latency_ms"]["p99"].is_number());
}

#[tokio::test]
async fn a_line_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let good = "query\tproduct_id\trating\nkettle\t1\t1\n";
    let cases = [
        (
            "{\"id\": 1, \"title\": \"a\"}\n{\"id\": 1",
            good,
            "products.jsonl, line 2",
        ),
        (
            "{\"id\": 1, \"title\": null}",
            good,
            "products.jsonl, line 1: it has no title",
        ),
        ("{\"title\": \"a\"}", good, "products.jsonl, line 1: missing field `id`"),
        (
            PRODUCTS,
            "query\trating\n",
            "judgments.tsv, line 1: the header has no column \"product_id\"",
        ),
        (
            PRODUCTS,
            "query\tproduct_id\trating\nkettle\t1\tgood\n",
            "judgments.tsv, line 2: the rating \"good\"",
        ),
        (
            PRODUCTS,
            "query\tproduct_id\trating\nkettle\t1\n",
            "judgments.tsv, line 2: there is no rating",
        ),
        (
            PRODUCTS,
            "query\tproduct_id\trating\nkettle\t1\t0\n",
            "holds no query with a rating above 0",
        ),
        ("", good, "holds no product"),
    ];
    for (products, judgments, expected) in cases {
        let error = evaluate(&evaluation(folder.path(), products, judgments))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn fields_may_be_of_any_type() {
    let entries: Vec<_> = PRODUCTS
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| products::entry(line).unwrap())
        .collect();
    assert_eq!(entries[0].description, "");
    assert_eq!(
        entries[1].attributes["colour"],
        AttributeValue::Text("red, blue".to_owned())
    );
    assert_eq!(entries[1].attributes["new"], AttributeValue::Flag(true));
    assert!(!entries[1].attributes.contains_key("none"));
    assert_eq!(entries[2].category, "Kitchen/Tea/Pots");
    assert_eq!(
        entries[2].attributes["attributes"],
        AttributeValue::Text("glass, 2".to_owned())
    );
}
