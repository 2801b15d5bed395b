//! A flash sale: many buyers at once for a hundred pieces, over HTTP. How many attempts a second the shop answers, from the
//! first order placed to the last buyer who knows, and how long a buyer who gets nothing waits for that.

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};

use futures_util::future::try_join_all;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Result,
    report::{Mark, Report, latencies, millis, short},
    shop::Shop,
};

const BUYERS: usize = 1_000;
const PIECES: u64 = 100;
const CONNECTIONS: usize = 64;

pub(crate) async fn measure(data: &Path, report: &mut Report) -> Result<()> {
    let shop = Shop::start(data).await?;
    report.line(&format!(
        "flash sale: {BUYERS} buyers, {PIECES} pieces, {CONNECTIONS} connections"
    ));
    let one = shop.limited_products(1, PIECES).await?;
    sale("one product", &shop, &one, report).await?;
    let three = shop.limited_products(3, PIECES).await?;
    sale("a basket of three", &shop, &three, report).await?;
    shop.stop().await
}

async fn sale(what: &str, shop: &Shop, basket: &[String], report: &mut Report) -> Result<()> {
    let (customer, operator) = (shop.sign_in("customer").await?, shop.sign_in("operator").await?);
    let items: Vec<Value> = basket
        .iter()
        .map(|id| json!({"product_id": id, "quantity": 1}))
        .collect();
    let body = json!({
        "items": items,
        "shipping_address": {"recipient": "Kim Haneul", "phone": "010-1234-5678", "postal_code": "03187",
            "line1": "Jong-ro 1", "city": "Seoul", "country": "KR"},
        "payment": {"method": "card", "token": "card_approve"}
    });
    let mut watching = shop.connect().await?;
    let stats = watching
        .json("GET", "/api/v1/ops/stats", Some(&operator), &Value::Null)
        .await?;
    let after = stats["head"].as_u64().unwrap_or(0);
    let began = Instant::now();
    let watcher = tokio::spawn(watch(watching, operator, after));
    let workers = (0..CONNECTIONS).map(async |worker| {
        let mut connection = shop.connect().await?;
        let mut placed = vec![];
        for _ in (worker..BUYERS).step_by(CONNECTIONS) {
            let sent = Instant::now();
            let answer = connection
                .json("POST", "/api/v1/orders", Some(&customer), &body)
                .await?;
            let id = answer["id"].as_str().ok_or_else(|| format!("not placed: {answer}"))?;
            placed.push((id.to_owned(), sent));
        }
        crate::Result::Ok(placed)
    });
    let placed: Vec<(String, Instant)> = try_join_all(workers).await?.into_iter().flatten().collect();
    let ends = watcher.await??;
    let last = ends.values().map(|(_, at)| *at).max().unwrap_or(began);
    let rate = BUYERS as f64 / (last - began).as_secs_f64();
    let sold = ends.values().filter(|(sold, _)| *sold).count();
    let mut refused = latencies()?;
    for (order, sent) in &placed {
        if let Some((false, at)) = ends.get(order) {
            refused.record(at.saturating_duration_since(*sent).as_micros() as u64)?;
        }
    }
    if sold as u64 != PIECES {
        return Err(format!("{sold} were sold, there were {PIECES}").into());
    }
    report.mark(
        &format!("{what}: attempts answered"),
        rate,
        "/s",
        Mark::AtLeast(1_000.0),
    );
    report.mark(
        &format!("{what}: refused within, p99"),
        millis(&refused, 0.99),
        "ms",
        Mark::AtMost(1_000.0),
    );
    report.figure(
        &format!("{what}: sold of {PIECES}; refused, p50"),
        &format!("{sold}; {} ms", short(millis(&refused, 0.5))),
    );
    Ok(())
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Ended>,
    position: u64,
}

#[derive(Deserialize)]
struct Ended {
    stream: String,
    #[serde(rename = "type")]
    kind: String,
}

/// Follows the log by long polling until everybody knows: whether each order was confirmed, and when that was seen.
async fn watch(
    mut connection: crate::client::Connection,
    operator: String,
    mut after: u64,
) -> Result<HashMap<String, (bool, Instant)>> {
    let mut ends = HashMap::new();
    let began = Instant::now();
    while ends.len() < BUYERS {
        if began.elapsed() > Duration::from_secs(60) {
            return Err(format!("only {} of {BUYERS} orders were answered", ends.len()).into());
        }
        let path = format!("/api/v1/ops/events?after={after}&category=order&size=500&wait=5");
        let answer = connection.send("GET", &path, Some(&operator), None, None).await?;
        let page: Page = serde_json::from_slice(&answer.body)?;
        after = page.position;
        let now = Instant::now();
        for event in page.events {
            if ["OrderConfirmed", "OrderRejected"].contains(&&*event.kind) {
                let order = event.stream.trim_start_matches("order-").to_owned();
                ends.insert(order, (event.kind == "OrderConfirmed", now));
            }
        }
    }
    Ok(ends)
}
