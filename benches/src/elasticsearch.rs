//! Elasticsearch beside the shop: the same products, the same questions over HTTP, with two facets.

use std::{
    fmt::Write,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    Effort, Result,
    bare_search::Product,
    client::Connection,
    report::{Mark, Report, latencies, millis, short},
    served::Server,
};

const INDEX: &str = "/jangteo-bench";
/// Products sent at once.
const BATCH: usize = 500;

/// `shop` is how many searches a second the shop answered at 8 connections.
pub(crate) async fn measure(
    folder: &Path,
    products: &[Product],
    words: &[&str],
    shop: f64,
    effort: Effort,
    report: &mut Report,
) -> Result<()> {
    report
        .line("Elasticsearch, a node with nori on this machine: the same products and questions over HTTP, two facets");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/local/elasticsearch.sh");
    let mut command = Command::new(script);
    command.arg(folder.join("elasticsearch"));
    let node = match Server::that_prints(command, "http://").await {
        Ok(node) => node,
        Err(error) => {
            report.line(&format!("  skipped: infra/local/elasticsearch.sh: {error}"));
            return Ok(());
        }
    };
    let compared = compare(&node.address, products, words, shop, effort, report).await;
    // Whatever became of it: the node is a process of its own.
    node.stop().await?;
    compared
}

async fn compare(
    address: &str,
    products: &[Product],
    words: &[&str],
    shop: f64,
    effort: Effort,
    report: &mut Report,
) -> Result<()> {
    fill(address, products).await?;
    let mut rate = 0.0;
    for connections in [1, 8] {
        let began = Instant::now();
        let workers = (0..connections).map(|worker| ask(address, words, worker, began, effort.each / 2));
        let mut all = latencies()?;
        for taken in try_join_all(workers).await? {
            all.add(taken)?;
        }
        rate = all.len() as f64 / began.elapsed().as_secs_f64();
        let (p50, p99) = (short(millis(&all, 0.5)), short(millis(&all, 0.99)));
        report.figure(
            &format!("search, {connections} connections"),
            &format!("{} /s, p50 {p50} ms, p99 {p99} ms", short(rate)),
        );
    }
    report.mark(
        "the shop's searches for one of Elasticsearch's, 8 connections",
        shop / rate,
        "times",
        Mark::AtLeast(8.0),
    );
    Ok(())
}

async fn fill(address: &str, products: &[Product]) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    let english = || json!({"type": "text", "analyzer": "english"});
    let named = || json!({"type": "text", "analyzer": "english", "fields": {"name": {"type": "keyword"}}});
    let mapping = json!({
        "settings": {"number_of_shards": 1, "number_of_replicas": 0},
        "mappings": {"properties": {"title": english(), "description": english(), "brand": named(), "category": named()}}
    });
    connection.json("PUT", INDEX, None, &mapping).await?;
    for batch in products.chunks(BATCH) {
        let mut lines = String::new();
        for Product { entry, .. } in batch {
            writeln!(lines, "{}", json!({"index": {"_id": entry.id}}))?;
            writeln!(lines, "{}", serde_json::to_string(entry)?)?;
        }
        let path = format!("{INDEX}/_bulk");
        let answer = connection
            .send("POST", &path, None, None, Some(Bytes::from(lines)))
            .await?;
        if answer.status != 200 {
            return Err(format!("_bulk: {}", answer.status).into());
        }
    }
    // One segment: what a catalogue at rest comes to.
    let path = format!("{INDEX}/_forcemerge?max_num_segments=1");
    connection.json("POST", &path, None, &Value::Null).await?;
    Ok(())
}

async fn ask(
    address: &str,
    words: &[&str],
    worker: usize,
    began: Instant,
    each: Duration,
) -> Result<hdrhistogram::Histogram<u64>> {
    let mut connection = Connection::open(address).await?;
    let mut taken = latencies()?;
    let path = format!("{INDEX}/_search");
    for word in words.iter().cycle().skip(worker) {
        if began.elapsed() >= each {
            break;
        }
        let most = |field: &str| json!({"terms": {"field": field, "size": 20}});
        let question = json!({
            "size": 20,
            "query": {"combined_fields": {
                "query": word, "fields": ["title^5", "brand", "category", "description"], "operator": "and"
            }},
            "aggs": {"brand": most("brand.name"), "category": most("category.name")},
            "highlight": {"fields": {"title": {}}}
        });
        let sent = Instant::now();
        let body = Some(Bytes::from(question.to_string()));
        let answer = connection.send("POST", &path, None, None, body).await?;
        if answer.status != 200 {
            return Err(format!("{word}: {} {}", answer.status, String::from_utf8_lossy(&answer.body)).into());
        }
        taken.record(sent.elapsed().as_micros() as u64)?;
    }
    Ok(taken)
}
