//! The payment provider in a process of its own.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::shop::{DEADLINE, Shop, binary};

const KEY: &str = "sk_test_money";
/// What signs the messages to the shop.
pub(super) const WEBHOOK_SECRET: &str = "whsec_test_money";

/// `jangteo simulate provider`. Dropping it kills it.
pub(super) struct Provider {
    child: Child,
    folder: PathBuf,
    pub(super) url: String,
    client: Client,
}

impl Provider {
    pub(super) async fn start(folder: &Path) -> Self {
        std::fs::write(folder.join("key"), format!("{KEY}\n")).unwrap();
        std::fs::write(folder.join("webhook-secret"), WEBHOOK_SECRET).unwrap();
        let (child, url) = launch(folder, "127.0.0.1:0", &[]).await;
        Self {
            child,
            folder: folder.to_owned(),
            url,
            client: Client::builder().no_proxy().timeout(DEADLINE).build().unwrap(),
        }
    }

    /// Starts it again, at the same address: from now on it tells a shop what it does.
    pub(super) async fn tell(&mut self, shop: &Shop) {
        self.child.kill().await.unwrap();
        let secret = file(&self.folder, "webhook-secret");
        let telling = ["--webhooks-to", &*shop.address, "--webhook-secret-file", &*secret];
        let address = self.url.trim_start_matches("http://").to_owned();
        let (child, url) = launch(&self.folder, &address, &telling).await;
        assert_eq!(url, self.url);
        self.child = child;
    }

    /// A shop that pays there.
    pub(super) async fn shop(&self, data: &Path, adapter: &str) -> Shop {
        self.shop_within(data, adapter, "700").await
    }

    /// A shop that waits so many milliseconds for each of its answers.
    pub(super) async fn shop_within(&self, data: &Path, adapter: &str, timeout: &str) -> Shop {
        let (key, secret) = (file(&self.folder, "key"), file(&self.folder, "webhook-secret"));
        let arguments = [
            "--demo",
            "--carrier-speed",
            "200000",
            "--payment-provider",
            adapter,
            "--payment-url",
            &self.url,
            "--payment-key-file",
            &key,
            "--payment-webhook-secret-file",
            &secret,
            "--payment-timeout-ms",
            timeout,
            "--reconcile-seconds",
            "1",
            "--reconcile-age-seconds",
            "3",
        ];
        Shop::start(data, &arguments).await
    }

    pub(super) async fn suffer(&self, faults: Value) {
        let body = json!({ "seed": 6, "faults": faults });
        let answer = self
            .client
            .put(format!("{}/faults", self.url))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success());
    }

    /// How many faults are still to come, and how many came.
    pub(super) async fn faults(&self) -> (u64, u64) {
        let shown = self.client.get(format!("{}/faults", self.url)).send().await.unwrap();
        let shown: Value = shown.json().await.unwrap();
        let left = shown["faults"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule["times"].as_u64().unwrap());
        (left.sum(), shown["drawn"].as_u64().unwrap())
    }

    /// How many faults are still to come for one kind of call.
    pub(super) async fn faults_left(&self, call: &str) -> u64 {
        let shown = self.client.get(format!("{}/faults", self.url)).send().await.unwrap();
        let shown: Value = shown.json().await.unwrap();
        let rules = shown["faults"].as_array().unwrap().iter();
        let of_call = rules.filter(|rule| rule["call"] == call);
        of_call.map(|rule| rule["times"].as_u64().unwrap()).sum()
    }

    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(KEY);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        request.send().await.unwrap().json().await.unwrap()
    }

    /// What the provider did, by key and operation. Each key once.
    pub(super) async fn ledger(&self) -> BTreeMap<String, (String, i64)> {
        let page = self.ask(Method::GET, "/v1/ledger", None).await;
        let mut done = BTreeMap::new();
        for entry in page["entries"].as_array().unwrap() {
            let (operation, amount) = (
                entry["operation"].as_str().unwrap(),
                entry["amount"]["amount"].as_i64().unwrap(),
            );
            let before = done.insert(
                entry["key"].as_str().unwrap().to_owned(),
                (operation.to_owned(), amount),
            );
            assert_eq!(before, None, "done twice: {entry}");
        }
        done
    }
}

async fn launch(folder: &Path, address: &str, further: &[&str]) -> (Child, String) {
    let (ledger, key) = (file(folder, "ledger"), file(folder, "key"));
    let mut child = Command::new(binary())
        .args(["simulate", "provider", "--listen", address])
        .args(["--ledger", &ledger, "--key-file", &key])
        .args(further)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(DEADLINE, lines.next_line())
        .await
        .expect("the provider never listened");
    let line = line.unwrap().expect("the provider ended");
    (child, line.split_once("listening on ").unwrap().1.to_owned())
}

fn file(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}
