//! Orders from the HTTP command to my page, commands alone, memory.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::try_join_all;
use serde_json::json;

use crate::{
    Effort, Result,
    endings::{CONFIRMED, REJECTED, reached},
    freshness,
    log_marks::Limits,
    machine::resident_mb,
    report::{Mark, Report, latencies, millis, short},
    shop::Shop,
};

pub(crate) const IN_FLIGHT: usize = 64;

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
    ends(&shop, &products, effort, limits, report).await?;
    let (now, highest) = resident_mb(shop.pid);
    report.figure(
        "resident memory, after the load / at its highest",
        &format!("{now} / {highest} MB"),
    );
    shop.stop().await
}

/// Orders until they are confirmed, and until they are rejected with what was set aside given back.
async fn ends(shop: &Shop, products: &[String], effort: Effort, limits: &Limits, report: &mut Report) -> Result<()> {
    let confirmed = reached(&CONFIRMED, shop, products, effort).await?;
    report.figure("orders confirmed, 64 in flight, command to my page", &confirmed.told());
    let of_the_floor = confirmed.rate / limits.order_floor;
    report.mark("orders confirmed, of the floor", of_the_floor, "x", Mark::AtLeast(0.12));
    let rejected = reached(&REJECTED, shop, products, effort).await?;
    report.figure("orders rejected and compensated, 64 in flight", &rejected.told());
    let of_the_happy = rejected.rate / confirmed.rate;
    report.mark("compensating, of the happy path", of_the_happy, "x", Mark::AtLeast(0.8));
    Ok(())
}

/// The body of an order of one piece.
pub(crate) fn order(product: &str, card: &str) -> Bytes {
    let order = json!({
        "items": [{"product_id": product, "quantity": 1}],
        "shipping_address": {"recipient": "Kim Haneul", "phone": "010-1234-5678", "postal_code": "03187",
            "line1": "Jong-ro 1", "city": "Seoul", "country": "KR"},
        "payment": {"method": "card", "token": card}
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

/// The token that makes a query wait until it has seen `position`.
pub(crate) fn consistency(position: u64) -> String {
    edge::ConsistencyToken::at(position).to_string()
}
