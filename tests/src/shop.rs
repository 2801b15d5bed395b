//! A shop in a process of its own, and what a client says to it.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// How long anything that must happen may take on a slow, busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The binary under test, built beside this test by `make test`.
pub(crate) fn binary() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    let binary = path.join("jangteo");
    assert!(
        binary.exists(),
        "{} is missing: cargo build --workspace --bins, or make test",
        binary.display()
    );
    binary
}

/// Says at the end of `make test` what could not be tested here.
pub(crate) fn skipped(what: &str, why: &str) {
    let line = format!("{what}: {why}\n");
    print!("SKIPPED {line}");
    if let Some(file) = std::env::var_os("JANGTEO_SKIPPED") {
        use std::io::Write;
        let file = std::fs::OpenOptions::new().append(true).create(true).open(file);
        file.unwrap().write_all(line.as_bytes()).unwrap();
    }
}

/// The real data sets, where this machine has them.
pub(crate) fn real_data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    std::env::var_os("JANGTEO_DATA_SETS")
        .map(PathBuf::from)
        .or(Some(beside))
        .filter(|folder| folder.is_dir())
}

/// Runs the command line to its end.
pub(crate) async fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.args(arguments).env_remove("RUST_LOG").kill_on_drop(true);
    tokio::time::timeout(DEADLINE * 4, command.output())
        .await
        .expect("the command never ended")
        .unwrap()
}

/// The standard output of a command that must succeed.
pub(crate) async fn succeeds(arguments: &[&str]) -> String {
    let output = run(arguments).await;
    let (out, error) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "jangteo {arguments:?} failed\n{out}\n{error}");
    out
}

/// A running shop. Dropping it kills it.
pub(crate) struct Shop {
    child: Child,
    /// What it printed until it listened.
    pub(crate) greeting: String,
    /// `http://127.0.0.1:<port>`
    pub(crate) address: String,
    client: Client,
}

impl Shop {
    /// Starts `jangteo up` on a folder, with further arguments, and waits until it listens.
    pub(crate) async fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut all = vec!["up", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
        all.extend(arguments);
        Self::launch(&all).await
    }

    /// Starts a process of a shop, and waits until it listens and is ready.
    pub(crate) async fn launch(arguments: &[&str]) -> Self {
        let mut command = Command::new(binary());
        command.args(arguments);
        Self::by(command).await
    }

    /// A shop that this command starts.
    pub(crate) async fn by(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        let address = loop {
            let line = tokio::time::timeout(DEADLINE * 2, lines.next_line())
                .await
                .expect("the shop never listened")
                .unwrap();
            let line = line.unwrap_or_else(|| panic!("the shop ended before it listened:\n{greeting}"));
            greeting.push_str(&line);
            greeting.push('\n');
            if let Some((_, address)) = line.split_once("listening on ") {
                break address.trim().to_owned();
            }
        };
        // The pipe stays read, so that the shop never blocks on it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let client = Client::builder().timeout(DEADLINE).no_proxy().build().unwrap();
        let shop = Self {
            child,
            greeting,
            address,
            client,
        };
        shop.eventually("ready", async || {
            shop.get("/readyz").send().await.unwrap().status() == StatusCode::OK
        })
        .await;
        shop
    }

    /// SIGKILL, as a power cut would.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM; the exit must be clean.
    pub(crate) async fn stop(mut self) {
        let pid = self.child.id().unwrap().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
        let status = tokio::time::timeout(DEADLINE, self.child.wait())
            .await
            .expect("the shop never stopped")
            .unwrap();
        assert!(status.success(), "a stop on request is no failure: {status}");
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/api/v1/{path}")
        };
        self.client.request(method, format!("{}{path}", self.address))
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// Signs in one of the demo accounts, or any other by its whole e-mail.
    pub(crate) async fn sign_in(&self, who: &str) -> Visitor<'_> {
        let email = if who.contains('@') {
            who.to_owned()
        } else {
            format!("{who}@demo.example")
        };
        let body = json!({ "email": email, "password": "jangteo-demo" });
        let response = self.request(Method::POST, "sessions").json(&body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED, "{email} cannot sign in");
        let session: Value = response.json().await.unwrap();
        Visitor {
            shop: self,
            token: session["access_token"].as_str().unwrap().to_owned(),
        }
    }

    /// Waits until the demo's pictures, painted after the start, are all in the log: then it rests.
    pub(crate) async fn pictured(&self) {
        let operator = self.sign_in("operator").await;
        self.eventually("the demo's pictures are painted", async || {
            let pictured = operator
                .query("ops/events?after=0&category=product&type=ProductPictured&size=500")
                .await;
            pictured["events"].as_array().unwrap().len() == 200
        })
        .await;
    }

    /// Waits until the condition holds.
    pub(crate) async fn eventually(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let began = Instant::now();
        while !condition().await {
            assert!(began.elapsed() < DEADLINE, "never happened: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Someone signed in.
pub(crate) struct Visitor<'a> {
    pub(crate) shop: &'a Shop,
    pub(crate) token: String,
}

impl Visitor<'_> {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.shop.request(method, path).bearer_auth(&self.token)
    }

    /// Sends JSON and returns the status, the answer and the consistency token.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value, String) {
        answer(self.request(method, path).json(body)).await
    }

    /// A query that must succeed.
    pub(crate) async fn query(&self, path: &str) -> Value {
        let (status, body, _) = answer(self.request(Method::GET, path)).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {body}");
        body
    }

    /// The state of a circuit of this process: `closed`, `half_open`, `open`.
    pub(crate) async fn circuit(&self, outlet: &str) -> String {
        let shown = self.query("ops/circuits").await;
        let mut circuits = shown["circuits"].as_array().unwrap().iter();
        let circuit = circuits.find(|circuit| circuit["outlet"] == outlet);
        let circuit = circuit.unwrap_or_else(|| panic!("no circuit {outlet}: {shown}"));
        circuit["state"].as_str().unwrap().to_owned()
    }

    /// The first product a search finds that is in stock: a shop that has just started may still be catching up.
    pub(crate) async fn find(&self, words: &str) -> Value {
        let began = Instant::now();
        loop {
            let search = self.request(Method::GET, "search").query(&[("q", words)]);
            let (status, found, _) = answer(search).await;
            assert_eq!(status, StatusCode::OK, "{found}");
            let mut hits = found["hits"].as_array().unwrap().iter();
            if let Some(hit) = hits.find(|hit| hit["in_stock"] == true) {
                return hit.clone();
            }
            assert!(began.elapsed() < DEADLINE, "nothing for {words}: {found}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// How many pieces of a product can be sold.
    pub(crate) async fn available(&self, product: &str) -> u64 {
        self.query(&format!("products/{product}")).await["stock"]["available"]
            .as_u64()
            .unwrap()
    }

    /// Waits until so many pieces can be sold: each read model follows the log at its own pace.
    pub(crate) async fn available_becomes(&self, product: &str, pieces: u64) {
        let what = format!("{pieces} of {product} can be sold");
        self.shop
            .eventually(&what, async || self.available(product).await == pieces)
            .await;
    }

    /// Orders with a card and waits for nothing. Returns the order's id.
    pub(crate) async fn order(&self, items: Option<Value>, card: &str) -> String {
        let (status, placed, _) = self.send(Method::POST, "orders", &order_body(items, card)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{placed}");
        placed["id"].as_str().unwrap().to_owned()
    }

    /// Orders one piece of what is found by these words. Returns the product's id and the order's.
    pub(crate) async fn order_one(&self, words: &str) -> (String, String) {
        let product = self.find(words).await["id"].as_str().unwrap().to_owned();
        let items = json!([{"product_id": product, "quantity": 1}]);
        let order = self.order(Some(items), "card_approve").await;
        (product, order)
    }

    /// Waits until an order has reached a status, and returns it as my page shows it.
    pub(crate) async fn order_reaches(&self, order: &str, status: &str) -> Value {
        let began = Instant::now();
        loop {
            let page = self.query("my-page").await;
            let orders = page["orders"].as_array().unwrap();
            let shown = orders.iter().find(|shown| shown["id"] == order).cloned();
            if let Some(shown) = shown.filter(|shown| shown["status"] == status) {
                return shown;
            }
            assert!(began.elapsed() < DEADLINE, "{order} never became {status}: {page:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The request is refused for now, and says when to come back.
pub(crate) async fn refused_for_now(request: RequestBuilder) {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let said = response.text().await.unwrap();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{said}");
    assert!(headers.contains_key("retry-after"), "{said}");
    assert_eq!(headers["content-type"], "application/problem+json", "{said}");
}

pub(crate) async fn answer(request: RequestBuilder) -> (StatusCode, Value, String) {
    let response = request.send().await.unwrap();
    let token = response
        .headers()
        .get("consistency-token")
        .map(|token| token.to_str().unwrap().to_owned());
    let status = response.status();
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or_else(|_| if text.is_empty() { Value::Null } else { json!(text) });
    (status, body, token.unwrap_or_default())
}

pub(crate) fn order_body(items: Option<Value>, card: &str) -> Value {
    let mut body = json!({
        "shipping_address": {
            "recipient": "Kim Haneul", "phone": "010-1234-5678", "postal_code": "03187",
            "line1": "Jong-ro 1", "city": "Seoul", "country": "KR"
        },
        "payment": { "method": "card", "token": card }
    });
    if let Some(items) = items {
        body["items"] = items;
    }
    body
}

/// The statuses an order went through, oldest first.
pub(crate) fn statuses(order: &Value) -> Vec<&str> {
    order["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["status"].as_str().unwrap())
        .collect()
}
