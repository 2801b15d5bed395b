//! A node that answers what a test has written down, and what the client makes of it.

use std::{collections::VecDeque, sync::Arc};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::{Mutex, mpsc},
};

use crate::elastic::{Credentials, ElasticError, ElasticSettings, Item, Node, Outcome};

/// Gives its answers one after the other, and tells what it was sent.
struct Scripted {
    url: String,
    asked: mpsc::UnboundedReceiver<String>,
}

impl Scripted {
    async fn new(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers: VecDeque<_> = answers.into_iter().collect();
        let answers = Arc::new(Mutex::new(answers));
        let (tell, asked) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, Arc::clone(&answers), tell.clone()));
            }
        });
        Self { url, asked }
    }

    async fn node(&self) -> Result<Node, ElasticError> {
        Node::connect(&ElasticSettings {
            patience: std::time::Duration::ZERO,
            ..ElasticSettings::new(&self.url, "shop")
        })
        .await
    }

    /// The bodies it was sent since.
    fn asked(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.asked.try_recv().ok()).collect()
    }
}

async fn serve(
    connection: TcpStream,
    answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
    tell: mpsc::UnboundedSender<String>,
) -> Option<()> {
    let mut connection = BufReader::new(connection);
    loop {
        let (mut length, mut line) = (0, String::new());
        while line != "\r\n" {
            line.clear();
            if connection.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body).await.ok()?;
        let _ = tell.send(String::from_utf8(body).ok()?);
        let (status, answer) = answers.lock().await.pop_front()?;
        let answer = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        connection.write_all(format!("{head}{answer}").as_bytes()).await.ok()?;
    }
}

fn greeting(number: &str) -> (u16, Value) {
    (200, json!({ "version": { "number": number } }))
}

fn item(id: &str) -> Item {
    Item {
        id: id.to_owned(),
        version: 7,
        source: Some(b"{}".to_vec()),
    }
}

#[tokio::test]
async fn only_what_was_refused_for_now_is_written_again() {
    let full = json!({ "type": "es_rejected_execution_exception", "reason": "queue full" });
    let wrong = json!({ "type": "mapper_parsing_exception", "reason": "no date", "caused_by": { "reason": "soon" } });
    let mut scripted = Scripted::new([
        greeting("8.19.0"),
        (
            429,
            json!({ "error": { "type": "circuit_breaking_exception", "reason": "too much" } }),
        ),
        (
            200,
            json!({ "errors": true, "items": [
                { "index": { "status": 201 } },
                { "index": { "status": 429, "error": full } },
                { "index": { "status": 400, "error": wrong } },
                { "index": { "status": 409, "error": { "type": "version_conflict_engine_exception" } } },
                { "delete": { "status": 404 } },
            ] }),
        ),
        (
            200,
            json!({ "errors": false, "items": [{ "index": { "status": 200 } }] }),
        ),
    ])
    .await;
    let node = scripted.node().await.unwrap();
    let gone = Item {
        source: None,
        ..item("e")
    };
    let items = [item("a"), item("b"), item("c"), item("d"), gone];
    let outcomes = node.bulk("shop-notes-1-open", &items).await.unwrap();
    let refused = Outcome::Refused("no date: soon".to_owned());
    assert_eq!(
        outcomes,
        [Outcome::Done, Outcome::Done, refused, Outcome::Overtaken, Outcome::Done]
    );
    let asked = scripted.asked();
    assert_eq!(asked[1], asked[2], "the whole request was refused for now");
    assert!(
        asked[3].contains(r#""_id":"b""#) && asked[3].lines().count() == 2,
        "{}",
        asked[3]
    );
}

#[tokio::test]
async fn what_was_dropped_is_not_made_again_by_a_late_write() {
    let missing = json!({ "type": "index_not_found_exception", "reason": "no such index" });
    let scripted = Scripted::new([
        greeting("9.1.0"),
        (
            200,
            json!({ "errors": true, "items": [{ "index": { "status": 404, "error": missing } }] }),
        ),
    ])
    .await;
    let node = scripted.node().await.unwrap();
    let error = node.bulk("shop-notes-1-open", &[item("a")]).await.unwrap_err();
    assert!(error.is_missing(), "{error}");
}

#[tokio::test]
async fn a_start_on_what_is_no_node_of_ours_says_what_to_do() {
    let opensearch = json!({ "version": { "number": "2.11.0", "distribution": "opensearch" } });
    let stranger = json!({ "error": { "type": "security_exception", "reason": "missing credentials" } });
    for (answer, expected) in [
        (greeting("6.8.23"), "7.17 is the oldest"),
        ((200, opensearch), "is opensearch"),
        ((200, json!({ "hello": "world" })), "is not Elasticsearch"),
        ((401, stranger), "--elasticsearch-user"),
        ((503, json!({ "error": { "reason": "starting" } })), "does not answer"),
    ] {
        let scripted = Scripted::new([answer]).await;
        let error = scripted.node().await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let nobody = ElasticSettings {
        patience: std::time::Duration::ZERO,
        ..ElasticSettings::new("http://127.0.0.1:1", "shop")
    };
    let error = Node::connect(&nobody).await.unwrap_err().to_string();
    assert!(
        error.contains("does not answer") && error.contains("start it"),
        "{error}"
    );
    for (url, prefix) in [("127.0.0.1:9200", "shop"), ("http://127.0.0.1:9200", "Shop*")] {
        let error = Node::connect(&ElasticSettings::new(url, prefix)).await.unwrap_err();
        assert!(matches!(error, ElasticError::Unusable(_)), "{error}");
    }
}

#[tokio::test]
async fn secrets_in_the_address_are_used_and_never_shown() {
    let scripted = Scripted::new([greeting("8.19.0")]).await;
    let url = scripted.url.replace("http://", "http://shop:s3cret@");
    let settings = ElasticSettings {
        credentials: Credentials::None,
        ..ElasticSettings::new(url, "shop")
    };
    let node = Node::connect(&settings).await.unwrap();
    assert_eq!(node.address(), scripted.url);
    let shown = format!("{node:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
}
