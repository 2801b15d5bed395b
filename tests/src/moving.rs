//! Moving house: a shop with orders under way goes from its folder onto a server and back, and nobody loses anything.

use std::{path::Path, process::Stdio};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
};

use crate::shop::{DEADLINE, Shop, Visitor, binary, order_body, run, statuses, succeeds};

/// Parcels rest: what is confirmed waits to be shipped.
const SLOW: &[&str] = &["--demo", "--carrier-speed", "1"];
const FAST: &[&str] = &["--demo", "--carrier-speed", "5000000"];
const OFFERED: &[&str] = &["--log-listen", "127.0.0.1:0", "--log-insecure"];

/// `jangteo serve --role log`: a log in a process of its own.
pub(crate) struct LogServer {
    child: Child,
    pub(crate) url: String,
}

impl LogServer {
    pub(crate) async fn start(data: &Path) -> Self {
        let mut child = Command::new(binary())
            .args(["serve", "--role", "log", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(OFFERED)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while !next(&mut lines)
            .await
            .expect("the log never listened")
            .contains("listening on ")
        {}
        let url = std::fs::read_to_string(data.join("log-address")).unwrap();
        Self {
            child,
            url: url.trim().to_owned(),
        }
    }

    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

pub(crate) async fn next<R: tokio::io::AsyncBufRead + Unpin>(lines: &mut Lines<R>) -> Option<String> {
    let line = tokio::time::timeout(DEADLINE, lines.next_line()).await;
    line.expect("nothing more was said").unwrap()
}

/// `jangteo log copy --follow`, until it is told or its shop stops.
struct Copying {
    child: Child,
    said: Lines<BufReader<ChildStderr>>,
}

impl Copying {
    fn start(from: &str, to: &str) -> Self {
        let mut child = Command::new(binary())
            .args(["log", "copy", "--follow", "--json", "--from", from, "--to", to])
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, said }
    }

    async fn says(&mut self, words: &str) {
        let mut all = vec![];
        while let Some(line) = next(&mut self.said).await {
            if line.contains(words) {
                return;
            }
            all.push(line);
        }
        panic!("never said {words:?}: {all:?}");
    }

    /// What it says at the end, which must be a good one.
    async fn ends(self) -> Value {
        let output = tokio::time::timeout(DEADLINE, self.child.wait_with_output());
        let output = output.await.expect("the copy never ended").unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

async fn place(customer: &Visitor<'_>, product: &str, key: usize) -> (String, String) {
    let body = order_body(Some(json!([{"product_id": product, "quantity": 1}])), "card_approve");
    let request = customer
        .request(Method::POST, "orders")
        .header("idempotency-key", format!("moving-{key}"))
        .json(&body);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let token = response.headers()["consistency-token"].to_str().unwrap().to_owned();
    let placed: Value = response.json().await.unwrap();
    (placed["id"].as_str().unwrap().to_owned(), token)
}

/// Each order is delivered, once, and so many pieces are gone.
async fn all_delivered(shop: &Shop, orders: &[(String, String)], product: &str, pieces: u64) {
    let customer = shop.sign_in("customer").await;
    for (order, _) in orders {
        let delivered = customer.order_reaches(order, "delivered").await;
        assert_eq!(statuses(&delivered).len(), 6, "{delivered}");
    }
    let shown = customer.query("my-page?size=100").await["orders"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(shown, orders.len(), "an order appeared twice, or not at all");
    customer.available_becomes(product, pieces).await;
    for (order, _) in orders {
        shop.eventually("the money is taken once", async || {
            customer.query(&format!("orders/{order}")).await["payment"]["status"] == "captured"
        })
        .await;
    }
}

#[tokio::test]
async fn a_shop_with_orders_under_way_moves_onto_a_server_and_back() {
    let (data, server) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = data.path().to_str().unwrap().to_owned();
    let log = LogServer::start(server.path()).await;
    let shop = Shop::start(data.path(), &[SLOW, OFFERED].concat()).await;
    shop.pictured().await;
    let customer = shop.sign_in("customer").await;
    let product = customer.find("coffee").await["id"].as_str().unwrap().to_owned();
    let before = customer.available(&product).await;
    let mut orders = vec![];
    for key in 0..4 {
        orders.push(place(&customer, &product, key).await);
    }
    customer.order_reaches(&orders[0].0, "confirmed").await;

    // Catches up while the shop sells on; what is ordered in the last moment is with the rest.
    let mut copying = Copying::start(&folder, &log.url);
    copying.says("caught up").await;
    for key in 4..12 {
        orders.push(place(&customer, &product, key).await);
    }
    drop(customer);
    shop.stop().await;
    let summary = copying.ends().await;
    assert!(summary["events"].as_u64().unwrap() > 200, "{summary}");
    let said = succeeds(&["log", "verify", "--from", &folder, "--to", &log.url]).await;
    assert!(
        said.contains(&format!("{} events are the same", summary["events"])),
        "{said}"
    );

    // The shop goes on there. A token from before still shows what it was given for.
    let on_server = ["--log", log.url.as_str()];
    let shop = Shop::start(data.path(), &[FAST, &on_server].concat()).await;
    let customer = shop.sign_in("customer").await;
    let (last, token) = orders.last().unwrap();
    shop.eventually("the page shows what the old token stands for", async || {
        let page = customer.request(Method::GET, &format!("orders/{last}"));
        let status = page.header("consistency-token", token).send().await.unwrap().status();
        assert!(
            status == StatusCode::OK || status == StatusCode::SERVICE_UNAVAILABLE,
            "an old token is held against positions that are not its own: {status}"
        );
        status == StatusCode::OK
    })
    .await;
    // The same key names the same order, in the new house too.
    assert_eq!(place(&customer, &product, 11).await.0, *last);
    orders.push(place(&customer, &product, 12).await);
    drop(customer);
    all_delivered(&shop, &orders, &product, before - orders.len() as u64).await;
    shop.stop().await;

    // What is left in the folder is older than the shop's books: it is not gone on with.
    let stale = run(&["up", "--listen", "127.0.0.1:0", "--log", "embedded", "--data", &folder]).await;
    let error = String::from_utf8_lossy(&stale.stderr).into_owned();
    assert!(
        !stale.status.success() && error.contains("older than the shop's other books"),
        "{error}"
    );

    // Brought up to date, it is.
    succeeds(&["log", "copy", "--from", &log.url, "--to", &folder]).await;
    log.kill().await;
    let shop = Shop::start(data.path(), FAST).await;
    all_delivered(&shop, &orders, &product, before - orders.len() as u64).await;
    let customer = shop.sign_in("customer").await;
    orders.push(place(&customer, &product, 13).await);
    drop(customer);
    all_delivered(&shop, &orders, &product, before - orders.len() as u64).await;
    shop.stop().await;
}

#[tokio::test]
async fn a_copy_that_is_killed_goes_on_and_a_foreign_target_is_refused() {
    let (data, server) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = data.path().to_str().unwrap().to_owned();
    let shop = Shop::start(data.path(), &["--demo"]).await;
    shop.pictured().await;
    shop.stop().await;
    let log = LogServer::start(server.path()).await;

    // Killed in the midst of it, twice.
    for _ in 0..2 {
        let mut copying = Command::new(binary())
            .args(["log", "copy", "--from", &folder, "--to", &log.url])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        copying.kill().await.unwrap();
    }
    let lacking = run(&["log", "verify", "--from", &folder, "--to", &log.url]).await;
    let said = succeeds(&["log", "copy", "--from", &folder, "--to", &log.url, "--json"]).await;
    let summary: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        lacking.status.success(),
        summary["appended"] == 0,
        "what lacked was appended: {summary}"
    );
    succeeds(&["log", "verify", "--from", &folder, "--to", &log.url]).await;

    // Another shop's log is no target.
    let other = tempfile::tempdir().unwrap();
    let shop = Shop::start(other.path(), &["--demo"]).await;
    shop.stop().await;
    let refused = run(&["log", "copy", "--from", &folder, "--to", other.path().to_str().unwrap()]).await;
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && error.contains("is no copy of the source"),
        "{error}"
    );

    // A folder with nothing but a log is a good backup.
    let backup = other.path().join("backup");
    let backup = backup.to_str().unwrap();
    succeeds(&["log", "copy", "--from", &log.url, "--to", backup]).await;
    let said = succeeds(&["log", "verify", "--from", &folder, "--to", backup]).await;
    assert!(said.contains("events are the same"), "{said}");
    log.kill().await;
}
