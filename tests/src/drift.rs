//! The read models are held against the log, by the shop itself and by operators.

use reqwest::StatusCode;
use serde_json::Value;

use crate::shop::{Shop, run, succeeds};

#[tokio::test]
async fn the_sentinel_looks_at_every_read_model_and_operators_see_what_it_found() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap().to_owned();
    let shop = Shop::start(data.path(), &["--demo"]).await;
    shop.pictured().await;
    let operator = shop.sign_in("operator").await;
    shop.eventually("the sentinel has looked at every read model", async || {
        let status = operator.query("ops/projections").await;
        let projections = status["projections"].as_array().unwrap();
        projections.iter().all(|one| one["drift"]["right_ppm"] == 1_000_000)
    })
    .await;
    let metrics = shop.get("/metrics").send().await.unwrap().text().await.unwrap();
    for name in [
        r#"projection_correctness{projection="catalogue"} 1"#,
        r#"projection_drift_found_total{projection="my_page"} 0"#,
        r#"projection_drift_repaired_total{projection="my_page"} 0"#,
        r#"projection_freshness_seconds_bucket{projection="products""#,
    ] {
        assert!(metrics.contains(name), "no {name} in {metrics}");
    }
    let status = succeeds(&["projection", "status", "--data", &folder]).await;
    assert!(status.contains("CORRECT") && status.contains("100.00 %"), "{status}");

    let audit = succeeds(&["projection", "audit", "catalogue", "--all", "--data", &folder, "--json"]).await;
    let audit: Value = serde_json::from_str(&audit).unwrap();
    assert_eq!(
        (&audit["checked"], &audit["found"], &audit["state"]),
        (&200.into(), &0.into(), &"done".into()),
        "{audit}"
    );
    let unknown = run(&["projection", "audit", "no_such_model", "--data", &folder]).await;
    assert!(!unknown.status.success());
    let customer = shop.sign_in("customer").await;
    let refused = customer.request(reqwest::Method::POST, "ops/projections/catalogue/audits");
    assert_eq!(refused.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    shop.stop().await;

    let stopped = succeeds(&["projection", "audit", "my_page", "--repair", "--data", &folder]).await;
    assert!(stopped.contains(" 0 wrong, 0 put right"), "{stopped}");
}
