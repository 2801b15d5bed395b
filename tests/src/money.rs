//! Money, with the provider in a process of its own that misbehaves: whatever goes wrong, its ledger and the payments in the
//! log come to the same, nothing is taken twice, and what differs is found.

use std::{collections::BTreeMap, path::Path, process::Stdio};

use futures_util::future::join_all;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::shop::{DEADLINE, Shop, Visitor, binary, succeeds};

/// `jangteo simulate provider`. Dropping it kills it.
struct Provider {
    _child: Child,
    url: String,
    key_file: String,
    client: Client,
}

impl Provider {
    async fn start(folder: &Path) -> Self {
        let (ledger, key_file) = (folder.join("ledger"), folder.join("key"));
        std::fs::write(&key_file, "sk_test_money\n").unwrap();
        let key_file = key_file.to_str().unwrap().to_owned();
        let arguments = [
            "simulate",
            "provider",
            "--ledger",
            ledger.to_str().unwrap(),
            "--key-file",
            &key_file,
        ];
        let mut child = Command::new(binary())
            .args(arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(DEADLINE, lines.next_line())
            .await
            .expect("the provider never listened");
        let line = line.unwrap().expect("the provider ended");
        Self {
            _child: child,
            url: line.split_once("listening on ").unwrap().1.to_owned(),
            key_file,
            client: Client::builder().no_proxy().timeout(DEADLINE).build().unwrap(),
        }
    }

    /// A shop that pays there.
    async fn shop(&self, data: &Path, adapter: &str) -> Shop {
        let arguments = [
            "--demo",
            "--carrier-speed",
            "200000",
            "--payment-provider",
            adapter,
            "--payment-url",
            &self.url,
            "--payment-key-file",
            &self.key_file,
            "--payment-timeout-ms",
            "700",
            "--reconcile-seconds",
            "1",
            "--reconcile-age-seconds",
            "3",
        ];
        Shop::start(data, &arguments).await
    }

    async fn suffer(&self, faults: Value) {
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
    async fn faults(&self) -> (u64, u64) {
        let shown = self.client.get(format!("{}/faults", self.url)).send().await.unwrap();
        let shown: Value = shown.json().await.unwrap();
        let left = shown["faults"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule["times"].as_u64().unwrap());
        (left.sum(), shown["drawn"].as_u64().unwrap())
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth("sk_test_money");
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        request.send().await.unwrap().json().await.unwrap()
    }

    /// What the provider did, by key and operation. Each key once.
    async fn ledger(&self) -> BTreeMap<String, (String, i64)> {
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

/// What the log says was done with money, by key and operation.
async fn log_of(operator: &Visitor<'_>) -> BTreeMap<String, (String, i64)> {
    let types = "PaymentAuthorised,PaymentCaptured,PaymentVoided,PaymentRefunded";
    let page = operator
        .query(&format!("ops/events?after=0&category=payment&type={types}&size=1000"))
        .await;
    let mut done = BTreeMap::new();
    for event in page["events"].as_array().unwrap() {
        let data = &event["data"];
        let (word, part) = match event["type"].as_str().unwrap() {
            "PaymentAuthorised" => ("authorise", None),
            "PaymentCaptured" => ("capture", data["shipment_id"].as_str()),
            "PaymentVoided" => ("void", None),
            _ => ("refund", data["refund_id"].as_str()),
        };
        let part = part.map(|part| format!("/{part}")).unwrap_or_default();
        let key = format!("{}/{word}{part}", data["payment_id"].as_str().unwrap());
        let before = done.insert(key, (word.to_owned(), data["amount"]["amount"].as_i64().unwrap()));
        assert_eq!(before, None, "recorded twice: {event}");
    }
    done
}

/// Every fault at every call, the same number of times each.
fn every_fault() -> Value {
    let faults = [
        "timeout",
        "drop",
        "act_then_drop",
        "act_then_timeout",
        "error500",
        "act_then_error500",
        "conflict409",
        "slow",
    ];
    let calls = ["authorise", "capture", "void", "look_up"];
    let rule = |(call, fault)| json!({ "call": call, "fault": fault, "times": 1, "slow_ms": 1500, "percent": 60 });
    let all = faults.iter().flat_map(|fault| calls.map(|call| rule((call, *fault))));
    Value::Array(all.collect())
}

/// Orders under every fault: some delivered, some declined.
async fn trade(shop: &Shop, provider: &Provider) {
    let customer = shop.sign_in("customer").await;
    let product = customer.find("커피를").await["id"].clone();
    let (seller, received) = (shop.sign_in("seller").await, json!({ "quantity": 50 }));
    let receipts = format!("products/{}/stock-receipts", product.as_str().unwrap());
    let (status, said, _) = seller.send(Method::POST, &receipts, &received).await;
    assert!(status.is_success(), "{said}");
    provider.suffer(every_fault()).await;
    let good = async || {
        let items = json!([{ "product_id": product, "quantity": 1 }]);
        let order = customer.order(Some(items), "card_approve").await;
        customer.order_reaches(&order, "delivered").await;
    };
    join_all((0..12).map(|_| good())).await;
    let items = json!([{ "product_id": product, "quantity": 1 }]);
    let declined = customer.order(Some(items), "card_decline").await;
    customer.order_reaches(&declined, "rejected").await;
    let (left, drawn) = provider.faults().await;
    assert!(drawn >= 12, "hardly a fault was met: {drawn}, {left} left");
    provider.suffer(json!([])).await;
}

async fn under_every_fault(adapter: &str) {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::start(folder.path()).await;
    let shop = provider.shop(&folder.path().join("shop"), adapter).await;
    trade(&shop, &provider).await;
    let operator = shop.sign_in("operator").await;
    // Toss moves the money at once: it tells of confirmations, which are the log's authorisations.
    let moves = |(key, (operation, amount)): (String, (String, i64))| {
        let counts = if adapter == "toss" { "authorise" } else { "capture" };
        (operation == counts).then_some((key, amount))
    };
    let captured = async || {
        let log: BTreeMap<_, _> = log_of(&operator).await.into_iter().filter_map(moves).collect();
        let ledger: BTreeMap<_, _> = provider.ledger().await.into_iter().filter_map(moves).collect();
        (log, ledger)
    };
    shop.eventually("the log has what the provider did", async || {
        let (log, ledger) = captured().await;
        log.len() == 12 && log == ledger
    })
    .await;
    // The reconciliation comes to the same: nothing is left that differs.
    shop.eventually("no repair case is open", async || {
        operator.query("ops/repair-cases?state=open").await["repair_cases"] == json!([])
    })
    .await;
    shop.stop().await;
}

#[tokio::test]
async fn over_http_every_fault_ends_in_books_that_agree() {
    under_every_fault("http").await;
}

#[tokio::test]
async fn over_stripes_shapes_every_fault_ends_in_books_that_agree() {
    under_every_fault("stripe").await;
}

#[tokio::test]
async fn over_toss_shapes_every_fault_ends_in_books_that_agree() {
    under_every_fault("toss").await;
}

#[tokio::test]
async fn what_the_provider_did_behind_our_back_becomes_a_repair_case_that_an_operator_closes() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::start(folder.path()).await;
    let data = folder.path().join("shop");
    let shop = provider.shop(&data, "http").await;
    let stray = json!({ "key": "at the desk", "operation": "authorise", "amount": { "amount": 7_000, "currency": "KRW" },
        "token": "card_approve" });
    let done = provider.ask(Method::POST, "/v1/operations", Some(stray)).await;
    assert_eq!(done["outcome"], "happened");
    let operator = shop.sign_in("operator").await;
    let open = async || operator.query("ops/repair-cases?state=open").await["repair_cases"].clone();
    shop.eventually("the difference is a case", async || {
        open().await.as_array().unwrap().len() == 1
    })
    .await;
    let case = open().await[0].clone();
    let found = [&case["discrepancy"], &case["key"], &case["theirs"]["amount"]];
    assert_eq!(found, [&json!("unknown_to_us"), &json!("at the desk"), &json!(7_000)]);

    let place = ["--data", data.to_str().unwrap()];
    let id = case["id"].as_str().unwrap();
    let listed = succeeds(&["repair", "list", place[0], place[1]]).await;
    assert!(listed.contains(id) && listed.contains("unknown_to_us"), "{listed}");
    let shown = succeeds(&["repair", "show", id, place[0], place[1]]).await;
    assert!(shown.contains("asked for no such thing"), "{shown}");
    succeeds(&[
        "repair",
        "resolve",
        id,
        "--note",
        "Given back at the desk.",
        place[0],
        place[1],
    ])
    .await;
    shop.eventually("the case is closed", async || open().await == json!([]))
        .await;
    let listed = succeeds(&["repair", "list", "--all", place[0], place[1]]).await;
    assert!(listed.contains("(resolved)"), "{listed}");
    shop.stop().await;
}
