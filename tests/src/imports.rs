//! Real data comes in, once, however often it is tried.

use std::{fs, io::Write, path::Path, process::Stdio, time::Duration};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use tokio::process::Command;

use crate::shop::{Shop, binary, real_data, run, skipped, succeeds};

/// Three products of our own, and a line that is none.
const PRODUCTS: &str = r#"{"id":"1","name":"MJ-24","title":"Moon jar white 24 cm","short_description":"Porcelain","supplier":"Dalhang","price":12900,"date_released":"2010-01-02T00:00:00Z","ean":["4006381333931"],"attrs":{"attr_t_product_type":"Vase","attr_n_height":24.0,"attr_b_handmade":true}}
{"id":"2","name":"MJ-30","title":"Moon jar celadon 30 cm","short_description":"Celadon","supplier":"Dalhang","price":19900,"date_released":"2011-01-02T00:00:00Z","ean":[],"attrs":{}}
{"id":"3","name":"broken"
{"id":"4","name":"TB-1","title":"Teabowl","short_description":"Stoneware","supplier":"Onggi","price":4900,"date_released":"2012-01-02T00:00:00Z","ean":[],"attrs":{}}
"#;

fn gzip(path: &Path, text: &str) {
    let mut file = GzEncoder::new(fs::File::create(path).unwrap(), Compression::fast());
    file.write_all(text.as_bytes()).unwrap();
    file.finish().unwrap();
}

async fn events(folder: &str) -> u64 {
    let stats = succeeds(&["log", "stats", "--json", "--data", folder]).await;
    serde_json::from_str::<Value>(stats.trim()).unwrap()["events"]
        .as_u64()
        .unwrap()
}

#[tokio::test]
async fn products_come_in_once_running_or_stopped_and_a_broken_line_is_named() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let files = tempfile::tempdir().unwrap();
    let (plain, packed) = (files.path().join("p.jsonl"), files.path().join("p.jsonl.gz"));
    fs::write(&plain, PRODUCTS).unwrap();
    gzip(&packed, PRODUCTS);

    let first = run(&["import", "icecat", packed.to_str().unwrap(), "--data", folder]).await;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&first.stdout),
        String::from_utf8_lossy(&first.stderr)
    );
    assert!(said.contains(":3"), "the broken line is named: {said}");
    let once = events(folder).await;
    run(&["import", "icecat", plain.to_str().unwrap(), "--data", folder]).await;
    assert_eq!(events(folder).await, once, "a second import doubles nothing");

    let shop = Shop::start(data.path(), &["--demo", "--carrier-speed", "1"]).await;
    let customer = shop.sign_in("customer").await;
    shop.eventually("search finds the import", async || {
        customer.query("search?q=celadon%20moon%20jar").await["hits"][0]["title"] == "Moon jar celadon 30 cm"
    })
    .await;
    shop.pictured().await;
    let before = events(folder).await;
    run(&["import", "icecat", plain.to_str().unwrap(), "--data", folder]).await;
    assert_eq!(events(folder).await, before, "nor into a running shop");
    shop.stop().await;

    let missing = run(&["import", "icecat", "/no/such/file", "--data", folder]).await;
    assert!(!missing.status.success());
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/no/such/file"));
}

#[tokio::test]
async fn the_real_data_comes_in_also_when_it_is_interrupted() {
    let Some(sets) = real_data() else {
        skipped(
            "imports of the real data sets",
            "no ../shared/data and no JANGTEO_DATA_SETS",
        );
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let icecat = sets.join("icecat/products.jsonl.gz");
    let olist = sets.join("olist");
    let arguments = ["import", "olist", olist.to_str().unwrap(), "--data", folder];

    // Interrupted in the middle, as by a power cut, and begun again.
    let mut child = Command::new(binary())
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let _ = child.kill().await;
    succeeds(&arguments).await;
    let once = events(folder).await;
    let summary = succeeds(&["import", "olist", olist.to_str().unwrap(), "--data", folder, "--json"]).await;
    assert_eq!(events(folder).await, once, "{summary}");
    let list = succeeds(&["log", "stats", "--json", "--data", folder]).await;
    let stats: Value = serde_json::from_str(list.trim()).unwrap();
    assert!(stats["events"].as_u64().unwrap() > 35_627 * 3, "{stats}");

    succeeds(&["import", "icecat", icecat.to_str().unwrap(), "--data", folder]).await;
    let shop = Shop::start(data.path(), &["--demo", "--carrier-speed", "1"]).await;
    let operator = shop.sign_in("operator").await;
    shop.eventually("search finds Icecat products", async || {
        operator.query("search?q=notebook&size=1").await["total"]
            .as_u64()
            .unwrap()
            > 100
    })
    .await;
    let summary: Value = serde_json::from_str(summary.trim().lines().last().unwrap()).unwrap();
    let customer = summary["example_customer"]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{summary}"));
    shop.eventually("an Olist customer's page shows the orders", async || {
        let page = operator.query(&format!("ops/customers/{customer}/my-page")).await;
        page["orders"]
            .as_array()
            .is_some_and(|orders| orders.iter().any(|order| order["status"] == "delivered"))
    })
    .await;
    let sagas = operator.query("ops/sagas?state=running").await;
    assert!(
        !sagas.to_string().contains("\"step\""),
        "no saga acts on history: {sagas}"
    );
    shop.stop().await;
}
