//! How soon queries see what a command did: the next request shows the command's token and waits for it.

use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Effort, Result,
    orders::order,
    report::{Mark, Report, latencies, millis, short},
    shop::Shop,
};

/// The most samples of each.
const SAMPLES: usize = 500;

#[derive(Deserialize)]
struct Made {
    id: String,
}

/// From an order command to my page, one order at a time.
pub(crate) async fn my_page(shop: &Shop, products: &[String], effort: Effort, report: &mut Report) -> Result<()> {
    let token = shop.sign_in("customer").await?;
    let mut connection = shop.connect().await?;
    let (mut commanded, mut shown) = (latencies()?, latencies()?);
    for number in 0..effort.samples.min(SAMPLES) {
        let body = order(&products[number % products.len()], "card_approve");
        let sent = Instant::now();
        let answer = connection
            .send("POST", "/api/v1/orders", Some(&token), None, Some(body))
            .await?;
        commanded.record(sent.elapsed().as_micros() as u64)?;
        let placed: Made = serde_json::from_slice(&answer.body)?;
        let path = format!("/api/v1/orders/{}", placed.id);
        let seen = connection
            .send("GET", &path, Some(&token), answer.consistency.as_deref(), None)
            .await?;
        if seen.status != 200 {
            return Err(format!("the order is not on my page: {}", seen.status).into());
        }
        shown.record(sent.elapsed().as_micros() as u64)?;
    }
    let p50 = |histogram| format!("p50 {} ms", short(millis(histogram, 0.5)));
    report.figure("an order command, alone", &p50(&commanded));
    report.figure("from an order command to my page, alone", &p50(&shown));
    report.mark(
        "from an order command to my page, p99",
        millis(&shown, 0.99),
        "ms",
        Mark::AtMost(20.0),
    );
    Ok(())
}

/// From listing a product to finding it, one product at a time, on a shop that searches with that engine.
pub(crate) async fn searchable(
    shop: &Shop,
    engine: &str,
    at_most: f64,
    effort: Effort,
    report: &mut Report,
) -> Result<()> {
    let token = shop.sign_in("seller").await?;
    let mut connection = shop.connect().await?;
    let mut shown = latencies()?;
    for number in 0..effort.samples.min(SAMPLES) / 4 {
        let word = word(number);
        let product = json!({"title": format!("Bench {word}"), "brand": "Bench", "category": "Bench",
            "price": {"amount": 1_000, "currency": "KRW"}});
        let sent = Instant::now();
        let answer = connection
            .send(
                "POST",
                "/api/v1/products",
                Some(&token),
                None,
                Some(product.to_string().into()),
            )
            .await?;
        let listed: Made = serde_json::from_slice(&answer.body)?;
        let path = format!("/api/v1/search?q={word}&size=5");
        let found = connection
            .send("GET", &path, None, answer.consistency.as_deref(), None)
            .await?;
        let found: Value = serde_json::from_slice(&found.body)?;
        let hits = found["hits"].as_array().ok_or_else(|| format!("no search: {found}"))?;
        if !hits.iter().any(|hit| hit["id"] == *listed.id) {
            return Err(format!("{word} is not found: {found}").into());
        }
        shown.record(sent.elapsed().as_micros() as u64)?;
    }
    let what = format!("from listing a product to finding it, {engine}");
    report.figure(&what, &format!("p50 {} ms", short(millis(&shown, 0.5))));
    report.mark(
        &format!("{what}, p99"),
        millis(&shown, 0.99),
        "ms",
        Mark::AtMost(at_most),
    );
    Ok(())
}

/// A word that no other product has.
fn word(number: usize) -> String {
    let letter = |step: usize| char::from(b'a' + (number / step % 26) as u8);
    format!("qx{}{}{}vj{number}", letter(1), letter(26), letter(676))
}
