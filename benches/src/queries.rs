//! Search over HTTP at 20,000 products.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use futures_util::future::try_join_all;
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::{
    Effort, Result, bare_search, elasticsearch,
    report::{Mark, Report, latencies, millis, short},
    shop::{self, Shop},
};

/// What people look for; the same words the made-up products are made of.
const WORDS: &[&str] = &[
    "laptop",
    "toner",
    "cable",
    "monitor",
    "printer",
    "keyboard",
    "mouse",
    "notebook silver",
    "black cartridge",
    "usb adapter",
    "hard drive",
    "memory 4gb",
    "camera",
    "headphones",
    "projector lamp",
    "wireless router",
    "battery",
    "docking station",
    "server rack",
    "graphics card",
    "커피",
    "찻잔을",
    "도자기",
];

pub(crate) async fn measure(data: &Path, sets: Option<&Path>, effort: Effort, report: &mut Report) -> Result<()> {
    let folder = data.to_str().ok_or("the folder's name is not UTF-8")?;
    let real = sets
        .map_or_else(|| PathBuf::from("../shared/data"), Path::to_path_buf)
        .join("icecat/products.jsonl.gz");
    let (file, source) = if real.exists() {
        (real, "Icecat")
    } else {
        (made_up(data)?, "made-up products")
    };
    let began = Instant::now();
    shop::command(&[
        "import",
        "icecat",
        file.to_str().ok_or("not UTF-8")?,
        "--json",
        "--data",
        folder,
    ])
    .await?;
    report.line(&format!("search over HTTP, {source} and the demo, with facets"));
    report.figure("importing them", &format!("{} s", short(began.elapsed().as_secs_f64())));

    let shop = Shop::start(data).await?;
    let total = caught_up(&shop).await?;
    report.figure("products to search", &total.to_string());
    let mut rate = 0.0;
    for connections in [1, 8] {
        let path = |round: usize| format!("/api/v1/search?q={}&size=20", encoded(WORDS[round % WORDS.len()]));
        let (per_second, taken) = asked(&shop, connections, effort.each / 2, path).await?;
        rate = per_second;
        told(&format!("search, {connections} connections"), rate, &taken, 5.0, report);
    }
    let (per_second, taken) = asked(&shop, 1, effort.each / 2, typing).await?;
    told(
        "suggestions as one types, 1 connection",
        per_second,
        &taken,
        10.0,
        report,
    );
    shop.stop().await?;

    let products = bare_search::products(data).await?;
    bare_search::measure(data, &products, WORDS, effort, report).await?;
    elasticsearch::measure(data, &products, WORDS, rate, effort, report).await
}

/// What a shopper asks for who has typed part of a word.
fn typing(round: usize) -> String {
    let word = WORDS[round % WORDS.len()];
    let typed: String = word
        .chars()
        .take(1 + round / WORDS.len() % word.chars().count())
        .collect();
    format!("/api/v1/suggest?q={}", encoded(&typed))
}

/// Asks for as long as `each` over so many connections: answers a second, and how long they took.
async fn asked(
    shop: &Shop,
    connections: usize,
    each: Duration,
    path: impl Fn(usize) -> String,
) -> Result<(f64, Histogram<u64>)> {
    let began = Instant::now();
    let workers = (0..connections).map(async |worker| {
        let mut connection = shop.connect().await?;
        let mut taken = latencies()?;
        for path in (worker..).map(&path) {
            if began.elapsed() >= each {
                break;
            }
            let sent = Instant::now();
            let answer = connection.send("GET", &path, None, None, None).await?;
            if answer.status != 200 {
                return Err(format!("GET {path}: {}", answer.status).into());
            }
            taken.record(sent.elapsed().as_micros() as u64)?;
        }
        crate::Result::Ok(taken)
    });
    let mut all = latencies()?;
    for taken in try_join_all(workers).await? {
        all.add(taken)?;
    }
    Ok((all.len() as f64 / began.elapsed().as_secs_f64(), all))
}

fn told(what: &str, per_second: f64, taken: &Histogram<u64>, mark: f64, report: &mut Report) {
    let p50 = short(millis(taken, 0.5));
    report.figure(what, &format!("{} /s, p50 {p50} ms", short(per_second)));
    report.mark(&format!("{what}, p99"), millis(taken, 0.99), "ms", Mark::AtMost(mark));
}

/// Waits until the catalogue has read the whole log; returns how many products there are.
async fn caught_up(shop: &Shop) -> Result<u64> {
    let mut connection = shop.connect().await?;
    let operator = shop.sign_in("operator").await?;
    let began = Instant::now();
    let head = connection
        .json("GET", "/api/v1/ops/stats", Some(&operator), &Value::Null)
        .await?["head"]
        .clone();
    loop {
        let answer = connection
            .send(
                "GET",
                "/api/v1/search?size=1",
                None,
                head.as_u64().map(crate::orders::consistency).as_deref(),
                None,
            )
            .await?;
        if answer.status == 200 {
            let found: Value = serde_json::from_slice(&answer.body)?;
            return found["total"]
                .as_u64()
                .ok_or_else(|| format!("no total: {found}").into());
        }
        if began.elapsed() > Duration::from_secs(120) {
            return Err("the catalogue never caught up".into());
        }
    }
}

fn encoded(words: &str) -> String {
    words
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// 20,000 products of our own, for machines without the real set.
fn made_up(folder: &Path) -> Result<PathBuf> {
    let path = folder.with_extension("jsonl");
    let mut file = std::io::BufWriter::new(fs::File::create(&path)?);
    for number in 0..20_000usize {
        let word = |step: usize| WORDS[(number / step + step) % WORDS.len()];
        let product = json!({
            "id": number.to_string(), "name": format!("P-{number}"),
            "title": format!("{} {} {} {number}", word(1), word(7), word(31)),
            "short_description": format!("{} for {} and {}", word(3), word(11), word(5)),
            "supplier": format!("Maker {}", number % 97), "price": 1_000 + number % 5_000,
            "date_released": "2012-01-02T00:00:00Z", "ean": [], "attrs": {"attr_t_product_type": word(13)}
        });
        writeln!(file, "{product}")?;
    }
    file.flush()?;
    Ok(path)
}
