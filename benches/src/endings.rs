//! Orders from the HTTP command to how they end, as my page shows it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::future::try_join_all;
use hdrhistogram::Histogram;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::{
    Effort, Result,
    orders::{IN_FLIGHT, consistency, order},
    report::{latencies, millis, short},
    shop::Shop,
};

/// How an order ends, as far as it is waited for.
pub(crate) struct Ending {
    card: &'static str,
    event_type: &'static str,
    status: &'static str,
}

/// The shop will deliver.
pub(crate) const CONFIRMED: Ending = Ending {
    card: "card_approve",
    event_type: "OrderConfirmed",
    status: "confirmed",
};
/// The card is declined: what was set aside is given back.
pub(crate) const REJECTED: Ending = Ending {
    card: "card_decline",
    event_type: "OrderRejected",
    status: "rejected",
};

/// Orders that came to their end, with 64 in flight.
pub(crate) struct Pace {
    /// Orders a second.
    pub(crate) rate: f64,
    taken: Histogram<u64>,
}

impl Pace {
    pub(crate) fn told(&self) -> String {
        let (p50, p99) = (millis(&self.taken, 0.5), millis(&self.taken, 0.99));
        format!("{} /s, p50 {} ms, p99 {} ms", short(self.rate), short(p50), short(p99))
    }
}

#[derive(Deserialize)]
struct Placed {
    id: String,
}

/// Who waits for which order's end.
type Waiting = Mutex<HashMap<String, oneshot::Sender<u64>>>;

/// Command, saga, services, and seen by the query side.
pub(crate) async fn reached(ending: &'static Ending, shop: &Shop, products: &[String], effort: Effort) -> Result<Pace> {
    let token = shop.sign_in("customer").await?;
    let operator = shop.sign_in("operator").await?;
    let waiting: Arc<Waiting> = Arc::default();
    let early: Arc<Mutex<HashMap<String, u64>>> = Arc::default();
    let watcher = tokio::spawn(watch(
        shop.connect().await?,
        operator,
        ending.event_type,
        Arc::clone(&waiting),
        Arc::clone(&early),
    ));
    let began = Instant::now();
    let workers = (0..IN_FLIGHT).map(async |worker| {
        let mut connection = shop.connect().await?;
        let mut taken = latencies()?;
        let mut round = worker;
        while began.elapsed() < effort.each {
            let sent = Instant::now();
            let body = order(&products[round % products.len()], ending.card);
            round += 7;
            let answer = connection
                .send("POST", "/api/v1/orders", Some(&token), None, Some(body))
                .await?;
            if answer.status != 202 {
                let said = String::from_utf8_lossy(&answer.body);
                return Err(format!("POST orders: {} {said}", answer.status).into());
            }
            let placed: Placed = serde_json::from_slice(&answer.body)?;
            let position = wait_for(&waiting, &early, &placed.id).await?;
            let path = format!("/api/v1/orders/{}", placed.id);
            let seen = connection
                .send("GET", &path, Some(&token), Some(&consistency(position)), None)
                .await?;
            let shown: Value = serde_json::from_slice(&seen.body)?;
            if shown["status"] != ending.status {
                return Err(format!("not {} on the query side: {} {shown}", ending.status, seen.status).into());
            }
            taken.record(sent.elapsed().as_micros() as u64)?;
        }
        crate::Result::Ok(taken)
    });
    let mut taken = latencies()?;
    for one in try_join_all(workers).await? {
        taken.add(one)?;
    }
    watcher.abort();
    let rate = taken.len() as f64 / began.elapsed().as_secs_f64();
    Ok(Pace { rate, taken })
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
        .map_err(|_| format!("{order} never came to its end"))??)
}

#[derive(Deserialize)]
struct Ends {
    events: Vec<End>,
    position: u64,
}

#[derive(Deserialize)]
struct End {
    position: u64,
    stream: String,
}

/// Follows the log's events of that type by long polling, and tells those who wait.
async fn watch(
    mut connection: crate::client::Connection,
    operator: String,
    event_type: &'static str,
    waiting: Arc<Waiting>,
    early: Arc<Mutex<HashMap<String, u64>>>,
) -> Result<()> {
    let stats = connection
        .json("GET", "/api/v1/ops/stats", Some(&operator), &Value::Null)
        .await?;
    let mut after = stats["head"].as_u64().unwrap_or(0);
    loop {
        let path = format!("/api/v1/ops/events?after={after}&category=order&type={event_type}&size=500&wait=5");
        let answer = connection.send("GET", &path, Some(&operator), None, None).await?;
        let page: Ends = serde_json::from_slice(&answer.body)?;
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
