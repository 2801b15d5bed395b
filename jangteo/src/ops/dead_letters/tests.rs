use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use edge::{Limits, Principal, Role, RouteTable, Tokens, rejection::recovered};
use event_log::{EventLog, memory::MemoryLog};
use event_schemas::{AccountId, Timestamp};
use projections::{Config, Projections};
use read_models::{
    ReadModels,
    catalogue::SearchIndex,
    documents::{
        Checkpoint, DocumentStore, Documents, Generation, Generations, Part, Rejected, Scan, StoreError, Write,
    },
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::{
    audit::Audit,
    cli::said,
    operations::{OperationError, Operations, RemoteOperations, RemoteShop},
    ops::projections::{ProjectionRoutes, projection_routes},
};

const OPERATOR: &str = "the operator's token";

/// A store that has dead letters in one read model.
struct Refusing(Documents);

#[async_trait]
impl DocumentStore for Refusing {
    async fn generations(&self, model: &'static str) -> Result<Generations, StoreError> {
        self.0.generations(model).await
    }
    async fn begin(&self, model: &'static str) -> Result<Generation, StoreError> {
        self.0.begin(model).await
    }
    async fn promote(&self, generation: Generation) -> Result<(), StoreError> {
        self.0.promote(generation).await
    }
    async fn discard(&self, generation: Generation) -> Result<(), StoreError> {
        self.0.discard(generation).await
    }
    async fn checkpoint(&self, generation: Generation) -> Result<Checkpoint, StoreError> {
        self.0.checkpoint(generation).await
    }
    async fn get(&self, of: Generation, part: Part, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.0.get(of, part, key).await
    }
    async fn scan(&self, of: Generation, part: Part, scan: Scan<'_>) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        self.0.scan(of, part, scan).await
    }
    async fn commit(&self, of: Generation, writes: Vec<Write>, checkpoint: Checkpoint) -> Result<(), StoreError> {
        self.0.commit(of, writes, checkpoint).await
    }
    async fn rejected(&self, generation: Generation, limit: usize) -> Result<Vec<Rejected>, StoreError> {
        if generation.model != "my_page" || generation.number != 1 {
            return Ok(vec![]);
        }
        let letter = |byte: u8| Rejected {
            key: vec![byte, 0xff],
            position: u64::from(byte) + 40,
            reason: "no such\nfield".to_owned(),
        };
        Ok((0..3).map(letter).take(limit).collect())
    }
}

struct Ops {
    url: String,
    shop: RemoteOperations,
    customer: String,
    _folder: tempfile::TempDir,
}

async fn ops() -> Ops {
    let folder = tempfile::tempdir().unwrap();
    let tokens = Tokens::open(&folder.path().join("key"))
        .unwrap()
        .with_operator_token(OPERATOR);
    let customer = Principal::new(AccountId::fresh(), vec![Role::Customer]);
    let customer = tokens.issue(&customer, Uuid::now_v7(), Timestamp::now(), Duration::from_secs(60));
    let log: Arc<dyn EventLog> = MemoryLog::new();
    let documents = Refusing(Documents::open(&folder.path().join("read-models")).unwrap());
    let search = SearchIndex::open(&folder.path().join("search")).unwrap();
    let models = ReadModels::within(Arc::new(documents), Arc::new(search)).await.unwrap();
    let unwatched = Config::default().with_sentinel(None);
    let projections = Projections::start(Arc::clone(&log), Arc::new(models), unwatched).await;
    let routes = projection_routes(&ProjectionRoutes {
        projections: Arc::new(projections.unwrap()),
        audit: Audit::new(Arc::clone(&log)),
        log,
        tokens: Arc::new(tokens),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let table = Arc::new(RouteTable::default());
    tokio::spawn(edge::serve(
        listener,
        recovered(routes),
        table,
        Limits::default(),
        std::future::pending(),
    ));
    Ops {
        shop: RemoteOperations::new(RemoteShop::new(&url, OPERATOR)),
        url,
        customer,
        _folder: folder,
    }
}

impl Ops {
    async fn asked(&self, path: &str, token: &str) -> (u16, Value) {
        let url = format!("{}/api/v1/ops/projections/{path}", self.url);
        let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_and_nobody_else_see_what_the_store_could_not_take() {
    let ops = ops().await;
    let (status, found) = ops.asked("my_page/dead-letters?size=2", OPERATOR).await;
    let letter = |key: &str, position: u64| json!({"key": key, "position": position, "reason": "no such\nfield"});
    let two = [letter("00ff", 40), letter("01ff", 41)];
    let expected = json!({"projection": "my_page", "dead_letters": two, "more": true});
    assert_eq!((status, found), (200, expected));
    let (_, all) = ops.asked("my_page/dead-letters?size=3", OPERATOR).await;
    assert_eq!(all["more"], false, "{all}");
    let (status, none) = ops.asked("catalogue/dead-letters", OPERATOR).await;
    assert_eq!((status, &none["dead_letters"]), (200, &json!([])), "{none}");

    let (status, unknown) = ops.asked("nonsense/dead-letters", OPERATOR).await;
    let said = unknown["detail"].to_string();
    assert!(
        status == 404 && said.contains("nonsense") && said.contains("my_page"),
        "{unknown}"
    );
    let (status, misspelt) = ops.asked("my_page/dead-letters?limit=2", OPERATOR).await;
    assert!(status == 400 && misspelt.to_string().contains("size"), "{misspelt}");
    assert_eq!(ops.asked("my_page/dead-letters", &ops.customer).await.0, 403);
    assert_eq!(ops.asked("my_page/dead-letters", "forged").await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_them_or_says_that_there_are_none() {
    let ops = ops().await;
    let command = |rest: &str| format!("jangteo projection dead-letters {rest}");
    let table = said(&command("my_page --limit 2"), &ops.shop).await.unwrap();
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(
        lines[1].contains("40") && lines[1].contains("00ff") && lines[1].ends_with("no such field"),
        "{table}"
    );
    assert!(lines[3].contains("more"), "{table}");
    let program = said(&command("my_page --json"), &ops.shop).await.unwrap();
    let program: Value = serde_json::from_str(&program).unwrap();
    assert_eq!(program["dead_letters"].as_array().unwrap().len(), 3, "{program}");
    let none = said(&command("catalogue"), &ops.shop).await.unwrap();
    assert!(none.starts_with("catalogue: none"), "{none}");

    let unknown = said(&command("nonsense"), &ops.shop).await.unwrap_err().to_string();
    assert!(unknown.contains("nonsense") && unknown.contains("my_page"), "{unknown}");
    let unknown = ops.shop.dead_letters("nonsense", 1).await.unwrap_err();
    assert!(
        matches!(&unknown, OperationError::NotFound(said) if said.contains("my_page")),
        "{unknown}"
    );
}
