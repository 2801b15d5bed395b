//! The alerts of `infra/prometheus/`: Prometheus takes them, each fires when it should, and what they watch is what the shop
//! measures.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use serde_json::json;

use crate::{
    containers::CANNOT_BE_HAD,
    house_rules::sources,
    shop::{Shop, skipped},
};

/// Published from the first trouble on.
const IN_TROUBLE: [&str; 2] = ["jangteo_circuit_state", "jangteo_saga_dispatch_failures_total"];
/// Published by a shop over NATS.
const OVER_NATS: [&str; 3] = [
    "jangteo_dead_commands_total",
    "jangteo_events_unpublishable_total",
    "jangteo_nats_connected",
];

fn infra(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../infra").join(file)
}

/// How the shop's metrics begin.
const OURS: [&str; 4] = ["jangteo_", "projection_", "event_log_", "http_"];

/// The metrics that the alerts watch; but for `up`, which is Prometheus's own.
fn watched() -> BTreeSet<String> {
    let rules = fs::read_to_string(infra("prometheus/alerts.yml")).unwrap();
    let mut watched = BTreeSet::new();
    for expression in rules.lines().filter_map(|line| line.trim().strip_prefix("expr: ")) {
        let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let ours: Vec<_> = words
            .filter(|word| OURS.iter().any(|begin| word.starts_with(begin)))
            .collect();
        assert!(
            !ours.is_empty() || expression.starts_with("up{"),
            "it watches nothing of ours: {expression}"
        );
        watched.extend(ours.into_iter().map(str::to_owned));
    }
    watched
}

/// The metrics in our code, as Prometheus names them.
fn measured() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, text) in sources(&["rs"]) {
        for kind in ["counter", "gauge", "histogram"] {
            for call in text.split(&format!("metrics::{kind}!(")).skip(1) {
                let Some(name) = call
                    .trim_start()
                    .strip_prefix('"')
                    .and_then(|rest| rest.split('"').next())
                else {
                    continue;
                };
                names.insert(name.to_owned());
                if kind == "histogram" {
                    names.extend(["bucket", "sum", "count"].map(|part| format!("{name}_{part}")));
                }
            }
        }
    }
    names
}

#[test]
fn what_the_alerts_watch_is_measured_somewhere_in_the_code() {
    let (watched, measured) = (watched(), measured());
    assert!(watched.len() >= 20, "the expressions are not understood: {watched:?}");
    let unknown: Vec<_> = watched.difference(&measured).collect();
    assert!(unknown.is_empty(), "no code of ours measures {unknown:?}");
}

#[tokio::test]
async fn what_the_alerts_watch_is_published_by_a_shop_before_anything_goes_wrong() {
    let data = tempfile::tempdir().unwrap();
    let prefix = format!("alerts-{}", uuid::Uuid::now_v7().simple());
    let nats = std::env::var("JANGTEO_TEST_NATS");
    let mut arguments = vec!["--demo", "--reconcile-seconds", "1"];
    match &nats {
        Ok(url) => arguments.extend(["--nats", url, "--nats-prefix", &prefix]),
        Err(_) => skipped("the alerts about NATS", "JANGTEO_TEST_NATS names no NATS server"),
    }
    let shop = Shop::start(data.path(), &arguments).await;
    let customer = shop.sign_in("customer").await;
    let product = customer.find("커피를").await["id"].clone();
    let items = json!([{ "product_id": product, "quantity": 1 }]);
    let order = customer.order(Some(items), "card_approve").await;
    customer.order_reaches(&order, "confirmed").await;

    let mut watched = watched();
    watched.retain(|name| !IN_TROUBLE.contains(&&**name));
    watched.retain(|name| nats.is_ok() || !OVER_NATS.contains(&&**name));
    // One by one, so that a failure names what is missing.
    for name in &watched {
        let published = async || {
            let page = shop.get("/metrics").send().await.unwrap().text().await.unwrap();
            let mut metrics = page.lines().filter_map(|line| line.strip_prefix(&**name));
            metrics.any(|rest| rest.starts_with([' ', '{']))
        };
        shop.eventually(&format!("{name} is published"), published).await;
    }
    shop.stop().await;
}

#[test]
fn prometheus_takes_the_alerts_and_each_fires_when_it_should() {
    let output = Command::new(infra("local/promtool.sh")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(CANNOT_BE_HAD) {
        return skipped("the alerts", said.trim().lines().last().unwrap_or("no reason given"));
    }
    assert!(
        output.status.success(),
        "{}\n{said}",
        String::from_utf8_lossy(&output.stdout)
    );
}
