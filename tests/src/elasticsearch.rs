//! A shop whose documents and search are on Elasticsearch: as on its own folder, and while the node is away.

use std::{path::Path, process::Stdio, time::Instant};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::shop::{DEADLINE, Shop, answer, order_body, run, skipped, succeeds};

const FAST: [&str; 3] = ["--demo", "--carrier-speed", "2000000"];

/// Index names of this test's own on the node that `make test` started, gone with it.
struct Indices {
    node: String,
    prefix: String,
}

impl Indices {
    fn new(test: &str) -> Option<Self> {
        let Ok(node) = std::env::var("JANGTEO_TEST_ELASTICSEARCH") else {
            skipped(test, "JANGTEO_TEST_ELASTICSEARCH names no Elasticsearch node");
            return None;
        };
        let prefix = format!("test-{}", uuid::Uuid::now_v7().simple());
        Some(Self { node, prefix })
    }

    fn arguments(&self) -> Vec<&str> {
        let mut arguments = FAST.to_vec();
        arguments.extend(["--elasticsearch", &self.node, "--elasticsearch-prefix", &self.prefix]);
        arguments
    }

    async fn names(&self) -> Vec<String> {
        let client = Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/_cat/indices/{}-*?h=index&format=json", self.node, self.prefix);
        let listed: Value = client.get(url).send().await.unwrap().json().await.unwrap();
        let listed = listed.as_array().unwrap().iter();
        listed
            .map(|index| index["index"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn clear(self) {
        let client = Client::builder().no_proxy().build().unwrap();
        for name in self.names().await {
            client.delete(format!("{}/{name}", self.node)).send().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_shop_on_elasticsearch_serves_orders_and_search_also_after_a_kill() {
    let Some(indices) = Indices::new("a shop on Elasticsearch") else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), &indices.arguments()).await;
    let customer = shop.sign_in("customer").await;
    assert_eq!(customer.find("커피를").await["price"]["currency"], "KRW");
    let product = customer.find("coffee").await["id"].as_str().unwrap().to_owned();
    let items = json!([{ "product_id": product, "quantity": 1 }]);
    let (status, placed, token) = customer
        .send(Method::POST, "orders", &order_body(Some(items), "card_approve"))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{placed}");
    let order = placed["id"].as_str().unwrap().to_owned();
    let path = format!("orders/{order}");
    let shown = customer.request(Method::GET, &path).header("consistency-token", &token);
    assert_eq!(answer(shown).await.0, StatusCode::OK, "read your own writes");
    customer.order_reaches(&order, "delivered").await;
    shop.kill().await;

    let shop = Shop::start(data.path(), &indices.arguments()).await;
    let customer = shop.sign_in("customer").await;
    let shown = customer.request(Method::GET, &path).header("consistency-token", &token);
    let (status, shown, _) = answer(shown).await;
    assert_eq!((status, &shown["status"]), (StatusCode::OK, &json!("delivered")));
    customer.find("coffee").await;
    shop.stop().await;

    // Nothing of it is in the folder, and a command on the stopped shop that is not told where it is says so.
    assert!(!data.path().join("read-models").exists() && !data.path().join("search").exists());
    let folder = data.path().to_str().unwrap();
    let refused = run(&["projection", "status", "--data", folder]).await;
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(error.contains("JANGTEO_ELASTICSEARCH"), "{error}");
    std::fs::write(
        data.path().join("jangteo.toml"),
        format!(
            "[elasticsearch]\nurl = {:?}\nprefix = {:?}\n",
            indices.node, indices.prefix
        ),
    )
    .unwrap();
    let status = succeeds(&["projection", "status", "--data", folder]).await;
    assert!(status.contains("my_page"), "{status}");
    indices.clear().await;
}

#[tokio::test]
async fn a_shop_on_a_log_that_is_not_the_indices_own_builds_them_anew() {
    let Some(indices) = Indices::new("indices of another log") else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    Shop::start(data.path(), &indices.arguments()).await.stop().await;
    // The folder as it was before the shop's first start, but for its keys: a backup of an empty shop.
    for part in ["log", "sagas", "accounts", "inventory", "log-witness"] {
        let place = data.path().join(part);
        let _ = std::fs::remove_dir_all(&place).or_else(|_| std::fs::remove_file(&place));
    }
    let shop = Shop::start(data.path(), &indices.arguments()[1..]).await;
    let found: Value = shop.get("search?q=coffee").send().await.unwrap().json().await.unwrap();
    assert_eq!(found["total"], 0, "what the log does not hold is not shown: {found}");
    shop.stop().await;
    // Another shop may not have them.
    let other = tempfile::tempdir().unwrap();
    let mut arguments = vec![
        "up",
        "--listen",
        "127.0.0.1:0",
        "--data",
        other.path().to_str().unwrap(),
    ];
    arguments.extend(indices.arguments());
    let refused = run(&arguments).await;
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(error.contains("--elasticsearch-prefix"), "{error}");
    indices.clear().await;
}

/// A node of this test's own, to be killed.
struct OwnNode {
    child: Child,
    url: String,
}

impl OwnNode {
    /// Starts it on a port (0: any); none where it cannot be had.
    async fn start(data: &Path, port: &str) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/local/elasticsearch/node.sh");
        let written = data.join("http.port");
        let _ = std::fs::remove_file(&written);
        let mut child = Command::new(script)
            .arg(port)
            .arg(data)
            .env("ESNODE_HEAP", "256m")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let began = Instant::now();
        loop {
            if let Some(port) = std::fs::read_to_string(&written)
                .ok()
                .filter(|port| port.ends_with('\n'))
            {
                let url = format!("http://127.0.0.1:{}", port.trim());
                return Some(Self { child, url });
            }
            if child.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(began.elapsed() < DEADLINE * 2, "the node never answered");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// SIGKILL, as a power cut would.
    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

#[tokio::test]
async fn nothing_is_lost_while_the_node_is_killed_and_started_again() {
    let test = "a shop whose Elasticsearch node is killed";
    if std::env::var_os("JANGTEO_TEST_ELASTICSEARCH").is_none() {
        return skipped(test, "JANGTEO_TEST_ELASTICSEARCH names no Elasticsearch node");
    }
    let (data, disk) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let Some(node) = OwnNode::start(disk.path(), "0").await else {
        return skipped(test, "no second Elasticsearch node can be started");
    };
    let url = node.url.clone();
    let mut arguments = FAST.to_vec();
    arguments.extend(["--elasticsearch", &url]);
    let shop = Shop::start(data.path(), &arguments).await;
    let customer = shop.sign_in("customer").await;
    let product = customer.find("coffee").await["id"].as_str().unwrap().to_owned();
    let items = || Some(json!([{ "product_id": product, "quantity": 1 }]));
    let before = customer.order(items(), "card_approve").await;
    customer.order_reaches(&before, "delivered").await;
    let page = format!("products/{product}");
    customer.query(&page).await;

    node.kill().await;
    // Customers go on buying; what they would look at says honestly that it is away.
    let (status, placed, token) = customer
        .send(Method::POST, "orders", &order_body(items(), "card_approve"))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{placed}");
    let order = placed["id"].as_str().unwrap();
    let (status, problem, _) = answer(customer.request(Method::GET, "my-page")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    let (status, problem, _) = answer(shop.get("search?q=coffee")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    // Who prefers an old answer gets one where somebody asked the same before.
    for (path, part) in [("search?q=coffee", "hits"), (&page, "title")] {
        let old = shop.get(path).header("prefer", "return=stale").send().await.unwrap();
        assert_eq!(old.status(), StatusCode::OK, "{path}");
        assert_eq!(old.headers()["stale"], "true", "{path}");
        let shown: Value = old.json().await.unwrap();
        assert!(!shown[part].is_null(), "{shown}");
    }
    let never_asked = shop.get("search?q=teapot").header("prefer", "return=stale");
    assert_eq!(answer(never_asked).await.0, StatusCode::SERVICE_UNAVAILABLE);

    let port = url.rsplit(':').next().unwrap();
    let node = OwnNode::start(disk.path(), port).await.expect("the node starts again");
    // At first its shards are still being read.
    shop.eventually("the order is shown", async || {
        let shown = customer.request(Method::GET, &format!("orders/{order}"));
        answer(shown.header("consistency-token", &token)).await.0 == StatusCode::OK
    })
    .await;
    shop.eventually("it is delivered, and the one from before is still there", async || {
        let (status, page, _) = answer(customer.request(Method::GET, "my-page")).await;
        let delivered = |id: &str| {
            let orders = page["orders"].as_array().map(Vec::as_slice).unwrap_or_default();
            orders
                .iter()
                .any(|shown| shown["id"] == id && shown["status"] == "delivered")
        };
        status == StatusCode::OK && delivered(&before) && delivered(order)
    })
    .await;
    shop.stop().await;
    node.kill().await;
}
