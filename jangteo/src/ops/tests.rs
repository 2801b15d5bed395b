use std::{sync::Arc, time::Duration};

use edge::{Limits, RouteTable, Tokens, rejection::recovered};
use event_log::{Append, EventLog, ExpectedVersion, memory::MemoryLog};
use event_schemas::{
    AccountId, Actor, Category, CustomerId, Metadata, NewEvent, Timestamp,
    audit::{AuditEvent, CustomerPageViewed},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};
use uuid::Uuid;

use super::routes::{LogRoutes, log_routes};
use crate::sink::ImportedStream;

const OPERATOR: &str = "the operator's token";

struct Ops {
    log: Arc<dyn EventLog>,
    address: String,
    client: reqwest::Client,
    customer: String,
    stop: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

async fn ops() -> Ops {
    let folder = tempfile::tempdir().unwrap();
    let tokens = Tokens::open(&folder.path().join("key"))
        .unwrap()
        .with_operator_token(OPERATOR);
    let customer = edge::Principal::new(AccountId::fresh(), vec![edge::Role::Customer]);
    let customer = tokens.issue(&customer, Uuid::now_v7(), Timestamp::now(), Duration::from_secs(60));
    let log: Arc<dyn EventLog> = MemoryLog::new();
    let (stop, stopping) = watch::channel(false);
    let routes = log_routes(&LogRoutes {
        log: Arc::clone(&log),
        tokens: Arc::new(tokens),
        stopping,
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let table = Arc::new(RouteTable::default());
    tokio::spawn(edge::serve(
        listener,
        recovered(routes),
        table,
        Limits::default(),
        std::future::pending(),
    ));
    Ops {
        log,
        address,
        client: reqwest::Client::new(),
        customer,
        stop,
        _folder: folder,
    }
}

fn viewed(imported: bool) -> NewEvent {
    let event = AuditEvent::from(CustomerPageViewed {
        viewer_id: AccountId::fresh(),
        customer_id: CustomerId::fresh(),
    });
    let metadata = Metadata {
        imported,
        ..Metadata::new(Timestamp::now(), Uuid::now_v7(), Actor::system("test"))
    };
    NewEvent::new(Uuid::now_v7(), &event, &metadata)
}

/// A stream of imported history.
pub(crate) fn imported_stream() -> ImportedStream {
    ImportedStream {
        stream: Category::Audit.stream(Uuid::now_v7()),
        events: vec![viewed(true)],
    }
}

impl Ops {
    async fn append(&self, id: Uuid, count: usize) {
        for _ in 0..count {
            let append = Append {
                stream: Category::Audit.stream(id),
                expected: ExpectedVersion::Any,
                events: vec![viewed(false)],
            };
            self.log.append(append).await.unwrap();
        }
    }

    async fn asked(&self, method: &str, path: &str, token: &str, body: String) -> (u16, Value) {
        let request = self
            .client
            .request(method.parse().unwrap(), format!("{}/api/v1/ops/{path}", self.address))
            .bearer_auth(token)
            .body(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.asked("GET", path, OPERATOR, String::new()).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn refused(&self, path: &str) -> (u16, String) {
        let (status, body) = self.asked("GET", path, OPERATOR, String::new()).await;
        (status, body["detail"].to_string())
    }
}

#[tokio::test]
async fn streams_are_paged_in_the_order_of_their_names() {
    let ops = ops().await;
    let mut ids: Vec<Uuid> = (0..5).map(|_| Uuid::now_v7()).collect();
    ids.sort();
    for id in &ids {
        ops.append(*id, 2).await;
    }
    let first = ops.get("streams?prefix=audit-&size=3").await;
    assert_eq!(first["streams"].as_array().unwrap().len(), 3);
    assert_eq!(
        first["streams"][0],
        json!({"stream": format!("audit-{}", ids[0]), "events": 2, "position": 2})
    );
    let next = first["next"].as_str().unwrap();
    let second = ops.get(&format!("streams?prefix=audit-&size=3&after={next}")).await;
    assert_eq!(second["streams"].as_array().unwrap().len(), 2);
    assert!(second.get("next").is_none(), "{second}");
    assert_eq!(ops.get("streams?prefix=order-").await["streams"], json!([]));
}

#[tokio::test]
async fn a_stream_is_read_both_ways_in_pages() {
    let ops = ops().await;
    let id = Uuid::now_v7();
    ops.append(id, 5).await;
    let versions = |page: &Value| -> Vec<u64> {
        let events = page["events"].as_array().unwrap();
        events.iter().map(|event| event["version"].as_u64().unwrap()).collect()
    };
    let page = ops.get(&format!("streams/audit-{id}?size=3")).await;
    assert_eq!((versions(&page), &page["next"]), (vec![0, 1, 2], &json!(3)));
    assert_eq!(page["events"][0]["type"], "CustomerPageViewed");
    assert_eq!(page["events"][0]["metadata"]["actor"], "system:test");
    let page = ops.get(&format!("streams/audit-{id}?from=3")).await;
    assert_eq!((versions(&page), page.get("next")), (vec![3, 4], None));
    let page = ops.get(&format!("streams/audit-{id}?direction=backwards&size=2")).await;
    assert_eq!((versions(&page), &page["next"]), (vec![4, 3], &json!(2)));
}

#[tokio::test]
async fn the_whole_log_is_paged_filtered_and_waited_for() {
    let ops = ops().await;
    ops.append(Uuid::now_v7(), 3).await;
    let page = ops.get("events?size=2").await;
    assert_eq!((&page["position"], &page["head"]), (&json!(2), &json!(3)));
    let rest = ops
        .get("events?after=2&category=audit,order&type=CustomerPageViewed")
        .await;
    assert_eq!(rest["events"].as_array().unwrap().len(), 1);
    let none = ops.get("events?category=order").await;
    assert_eq!((&none["events"], &none["position"]), (&json!([]), &json!(3)));

    let (waited, ()) = tokio::join!(ops.get("events?after=3&wait=30"), ops.append(Uuid::now_v7(), 1));
    assert_eq!(waited["events"][0]["position"], 4);
}

#[tokio::test]
async fn whoever_waits_for_news_is_let_go_when_the_shop_stops() {
    let ops = ops().await;
    let begun = std::time::Instant::now();
    let (waited, _) = tokio::join!(ops.get("events?wait=30"), async { ops.stop.send(true) });
    assert_eq!(waited["events"], json!([]));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn counts_are_by_category() {
    let ops = ops().await;
    ops.append(Uuid::now_v7(), 3).await;
    let stats = ops.get("stats").await;
    assert_eq!(
        (&stats["events"], &stats["streams"], &stats["head"]),
        (&json!(3), &json!(1), &json!(3))
    );
    assert_eq!(stats["categories"], json!([{"category": "audit", "events": 3}]));
}

#[tokio::test]
async fn only_operators_look_and_only_admins_import() {
    let ops = ops().await;
    for (method, path) in [
        ("GET", "streams"),
        ("GET", "streams/order-1"),
        ("GET", "events"),
        ("GET", "stats"),
        ("POST", "imports"),
    ] {
        assert_eq!(
            ops.asked(method, path, &ops.customer, String::new()).await.0,
            403,
            "{path}"
        );
        assert_eq!(ops.asked(method, path, "forged", String::new()).await.0, 401, "{path}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_name() {
    let ops = ops().await;
    for (path, status, said) in [
        ("streams?size=many", 400, "size"),
        ("streams?prefx=order-", 400, "prefx"),
        ("streams/audit-unknown", 404, "audit-unknown"),
        ("streams/unnamed", 404, "unnamed"),
        ("streams/audit-1?direction=up", 400, "forwards or backwards"),
        ("events?after=-1", 400, "after"),
        ("events?wait=long", 400, "wait"),
        ("stats?verbose=1", 400, "verbose"),
    ] {
        let (found, detail) = ops.refused(path).await;
        assert!(found == status && detail.contains(said), "{path}: {found} {detail}");
    }
}

fn line(stream: &str, event: &NewEvent) -> String {
    let raw = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    let (metadata, data) = (raw(&event.metadata), raw(&event.data));
    let event = json!({"id": event.id, "type": event.event_type, "metadata": metadata, "data": data});
    json!({"stream": stream, "events": [event]}).to_string()
}

#[tokio::test]
async fn an_import_takes_what_is_sound_once_and_names_the_rest() {
    let ops = ops().await;
    let stream = format!("audit-{}", Uuid::now_v7());
    let (first, second) = (viewed(true), viewed(true));
    let not_history = viewed(false);
    let foreign = format!("order-{}", Uuid::now_v7());
    let body = [
        line(&stream, &first),
        line(&stream, &second),
        "{\"stream\":".to_owned(),
        line(&stream, &not_history),
        line("nonsense", &first),
        line(&foreign, &viewed(true)),
        json!({"stream": stream, "events": []}).to_string(),
    ]
    .join("\n");
    let (status, answer) = ops.asked("POST", "imports", OPERATOR, body.clone()).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!((&answer["appended"], &answer["duplicates"]), (&json!(2), &json!(0)));
    let refused: Vec<_> = answer["refused"].as_array().unwrap().iter().collect();
    let lines: Vec<_> = refused
        .iter()
        .map(|refused| refused["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [3, 4, 5, 6, 7], "{answer}");
    assert!(refused[1]["reason"].as_str().unwrap().contains("imported"), "{answer}");
    assert!(
        refused[3]["reason"].as_str().unwrap().contains("not an event of order"),
        "{answer}"
    );

    let (_, again) = ops.asked("POST", "imports", OPERATOR, body).await;
    assert_eq!((&again["appended"], &again["duplicates"]), (&json!(0), &json!(2)));
    let page = ops.get(&format!("streams/{stream}")).await;
    let ids: Vec<_> = page["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["id"].clone())
        .collect();
    assert_eq!(ids, [json!(first.id), json!(second.id)], "in their order, once");
}
