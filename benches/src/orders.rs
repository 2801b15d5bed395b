//! Orders from the HTTP command to my page, commands alone, memory.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::try_join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::{
    Effort, Result, freshness,
    log_marks::Limits,
    machine::resident_mb,
    report::{Mark, Report, latencies, millis, short},
    shop::Shop,
};

const IN_FLIGHT: usize = 64;

pub(crate) async fn measure(data: &Path, effort: Effort, limits: &Limits, report: &mut Report) -> Result<()> {
    let shop = Shop::start(data).await?;
    report.line("the shop");
    report.mark(
        "from the process's start to listening, demo seeded",
        shop.ready_in.as_secs_f64(),
        "s",
        Mark::AtMost(3.0),
    );
    // What the start itself took is given back before memory is called idle.
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.mark(
        "resident memory, idle",
        resident_mb(shop.pid).0 as f64,
        "MB",
        Mark::AtMost(200.0),
    );

    let products = shop.stocked_products(50).await?;
    commands(&shop, &products, effort, report).await?;
    freshness::my_page(&shop, &products, effort, report).await?;
    freshness::searchable(&shop, "embedded", 100.0, effort, report).await?;
    confirmed(&shop, &products, effort, limits, report).await?;
    let (now, highest) = resident_mb(shop.pid);
    report.figure(
        "resident memory, after the load / at its highest",
        &format!("{now} / {highest} MB"),
    );
    shop.stop().await
}

/// The body of an order of one piece.
pub(crate) fn order(product: &str) -> Bytes {
    let order = json!({
        "items": [{"product_id": product, "quantity": 1}],
        "shipping_address": {"recipient": "Kim Haneul", "phone": "010-1234-5678", "postal_code": "03187",
            "line1": "Jong-ro 1", "city": "Seoul", "country": "KR"},
        "payment": {"method": "card", "token": "card_approve"}
    });
    order.to_string().into()
}

/// A command of one append, at 64 connections.
async fn commands(shop: &Shop, products: &[String], effort: Effort, report: &mut Report) -> Result<()> {
    let token = shop.sign_in("customer").await?;
    let began = Instant::now();
    let workers = (0..IN_FLIGHT).map(async |worker| {
        let mut connection = shop.connect().await?;
        let mut taken = latencies()?;
        let path = format!("/api/v1/cart/items/{}", products[worker % products.len()]);
        for round in 0.. {
            let body = Bytes::from(json!({"quantity": 1 + round % 9}).to_string());
            let sent = Instant::now();
            if sent - began > effort.each {
                break;
            }
            let answer = connection.send("PUT", &path, Some(&token), None, Some(body)).await?;
            if answer.status >= 300 {
                return Err(format!("PUT {path}: {}", answer.status).into());
            }
            taken.record(sent.elapsed().as_micros() as u64)?;
        }
        crate::Result::Ok(taken)
    });
    let mut all = latencies()?;
    for taken in try_join_all(workers).await? {
        all.add(taken)?;
    }
    let rate = all.len() as f64 / began.elapsed().as_secs_f64();
    report.figure(
        "one customer's cart commands, 64 connections (one stream)",
        &format!("{} /s", short(rate)),
    );
    for product in products {
        let path = format!("/api/v1/cart/items/{product}");
        shop.connect()
            .await?
            .send("DELETE", &path, Some(&token), None, None)
            .await?;
    }
    product_commands(shop, products, effort, report).await
}

/// Commands to fifty streams.
async fn product_commands(shop: &Shop, products: &[String], effort: Effort, report: &mut Report) -> Result<()> {
    let token = shop.sign_in("seller").await?;
    let began = Instant::now();
    let workers = (0..IN_FLIGHT).map(async |worker| {
        let mut connection = shop.connect().await?;
        let mut taken = latencies()?;
        let path = format!("/api/v1/products/{}", products[worker % products.len()]);
        for round in 0.. {
            let body = Bytes::from(json!({"description": format!("{worker} {round}")}).to_string());
            let sent = Instant::now();
            if sent - began > effort.each {
                break;
            }
            let answer = connection.send("PATCH", &path, Some(&token), None, Some(body)).await?;
            if answer.status >= 300 {
                return Err(format!(
                    "PATCH {path}: {} {}",
                    answer.status,
                    String::from_utf8_lossy(&answer.body)
                )
                .into());
            }
            taken.record(sent.elapsed().as_micros() as u64)?;
        }
        crate::Result::Ok(taken)
    });
    let mut all = latencies()?;
    for taken in try_join_all(workers).await? {
        all.add(taken)?;
    }
    let rate = all.len() as f64 / began.elapsed().as_secs_f64();
    report.figure(
        "product commands, 64 connections",
        &format!("{} /s, p50 {} ms", short(rate), short(millis(&all, 0.5))),
    );
    report.mark(
        "product command p99, 64 connections",
        millis(&all, 0.99),
        "ms",
        Mark::AtMost(20.0),
    );
    Ok(())
}

#[derive(Deserialize)]
struct Placed {
    id: String,
}

/// The token that makes a query wait until it has seen `position`.
pub(crate) fn consistency(position: u64) -> String {
    edge::ConsistencyToken::at(position).to_string()
}

/// Who waits for which order to be confirmed.
type Waiting = Mutex<HashMap<String, oneshot::Sender<u64>>>;

/// Orders confirmed per second, 64 in flight: command, saga, services, and seen as confirmed by the query side.
async fn confirmed(
    shop: &Shop,
    products: &[String],
    effort: Effort,
    limits: &Limits,
    report: &mut Report,
) -> Result<()> {
    let token = shop.sign_in("customer").await?;
    let operator = shop.sign_in("operator").await?;
    let waiting: Arc<Waiting> = Arc::default();
    let early: Arc<Mutex<HashMap<String, u64>>> = Arc::default();
    let watcher = tokio::spawn(watch(
        shop.connect().await?,
        operator,
        Arc::clone(&waiting),
        Arc::clone(&early),
    ));
    let count = AtomicU64::new(0);
    let began = Instant::now();
    let workers = (0..IN_FLIGHT).map(async |worker| {
        let mut connection = shop.connect().await?;
        let mut taken = latencies()?;
        let mut round = worker;
        while began.elapsed() < effort.each {
            let sent = Instant::now();
            let body = order(&products[round % products.len()]);
            round += 7;
            let answer = connection
                .send("POST", "/api/v1/orders", Some(&token), None, Some(body))
                .await?;
            if answer.status != 202 {
                return Err(format!(
                    "POST orders: {} {}",
                    answer.status,
                    String::from_utf8_lossy(&answer.body)
                )
                .into());
            }
            let placed: Placed = serde_json::from_slice(&answer.body)?;
            let position = wait_for(&waiting, &early, &placed.id).await?;
            let path = format!("/api/v1/orders/{}", placed.id);
            let seen = connection
                .send("GET", &path, Some(&token), Some(&consistency(position)), None)
                .await?;
            let shown: Value = serde_json::from_slice(&seen.body)?;
            if shown["status"] != "confirmed" {
                return Err(format!("not confirmed on the query side: {} {shown}", seen.status).into());
            }
            taken.record(sent.elapsed().as_micros() as u64)?;
            count.fetch_add(1, Ordering::Relaxed);
        }
        crate::Result::Ok(taken)
    });
    let mut all = latencies()?;
    for taken in try_join_all(workers).await? {
        all.add(taken)?;
    }
    let rate = count.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    watcher.abort();
    report.figure(
        "orders confirmed, 64 in flight, command to my page",
        &format!(
            "{} /s, p50 {} ms, p99 {} ms",
            short(rate),
            short(millis(&all, 0.5)),
            short(millis(&all, 0.99))
        ),
    );
    report.mark(
        "orders confirmed, of the floor",
        rate / limits.order_floor,
        "x",
        Mark::AtLeast(0.06),
    );
    Ok(())
}

async fn wait_for(waiting: &Waiting, early: &Mutex<HashMap<String, u64>>, order: &str) -> Result<u64> {
    let receiver = {
        let mut early = early.lock().map_err(|_| "poisoned")?;
        if let Some(position) = early.remove(order) {
            return Ok(position);
        }
        let (sender, receiver) = oneshot::channel();
        waiting.lock().map_err(|_| "poisoned")?.insert(order.to_owned(), sender);
        receiver
    };
    Ok(tokio::time::timeout(Duration::from_secs(30), receiver)
        .await
        .map_err(|_| format!("{order} was never confirmed"))??)
}

#[derive(Deserialize)]
struct Confirmations {
    events: Vec<Confirmation>,
    position: u64,
}

#[derive(Deserialize)]
struct Confirmation {
    position: u64,
    stream: String,
}

/// Follows the log's confirmations by long polling, and tells those who wait.
async fn watch(
    mut connection: crate::client::Connection,
    operator: String,
    waiting: Arc<Waiting>,
    early: Arc<Mutex<HashMap<String, u64>>>,
) -> Result<()> {
    let stats = connection
        .json("GET", "/api/v1/ops/stats", Some(&operator), &Value::Null)
        .await?;
    let mut after = stats["head"].as_u64().unwrap_or(0);
    loop {
        let path = format!("/api/v1/ops/events?after={after}&category=order&type=OrderConfirmed&size=500&wait=5");
        let answer = connection.send("GET", &path, Some(&operator), None, None).await?;
        let page: Confirmations = serde_json::from_slice(&answer.body)?;
        after = page.position;
        for event in page.events {
            let order = event.stream.trim_start_matches("order-").to_owned();
            let mut early = early.lock().map_err(|_| "poisoned")?;
            match waiting.lock().map_err(|_| "poisoned")?.remove(&order) {
                Some(sender) => drop(sender.send(event.position)),
                None => drop(early.insert(order, event.position)),
            }
        }
    }
}
