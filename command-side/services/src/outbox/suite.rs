//! What an outbox does, whichever engine it is in: compiled as `on_sqlite` and `on_postgres`.

use std::sync::atomic::Ordering;

use event_log::{embedded::EmbeddedLog, memory::MemoryLog};
use event_schemas::{
    Actor, ProductId, Timestamp,
    stock::{StockEvent, StockReceived},
};

use super::{
    faulty::{FaultyLog, all},
    *,
};
use crate::relational::{Step, own::Own};

const STEPS: &[Step] = &[
    Step {
        number: 1,
        name: "stock",
        sql: Sql::each(
            include_str!("../../migrations/inventory/sqlite/0001_stock.sql"),
            include_str!("../../migrations/inventory/postgres/0001_stock.sql"),
        ),
    },
    Step {
        number: 2,
        name: "outbox_end",
        sql: Sql::each(
            include_str!("../../migrations/inventory/sqlite/0003_outbox_end.sql"),
            include_str!("../../migrations/inventory/postgres/0003_outbox_end.sql"),
        ),
    },
];
const PATIENT: Duration = Duration::from_secs(20);

fn own() -> Own {
    Own::of(module_path!())
}

async fn open(own: &Own) -> Arc<Database> {
    Arc::new(Database::open(&own.place, STEPS).await.unwrap())
}

fn quick() -> RelaySettings {
    RelaySettings {
        first_pause: Duration::from_millis(1),
        sweep_after: Duration::from_millis(1),
        ..RelaySettings::default()
    }
}

/// Sweeps so late that no test sees it.
fn unswept() -> RelaySettings {
    RelaySettings {
        sweep_after: Duration::from_secs(3600),
        ..quick()
    }
}

fn event(number: u32) -> Outgoing {
    let product_id = ProductId::from_uuid(Uuid::from_u128(u128::from(number % 7)));
    let received = StockReceived {
        product_id,
        quantity: number,
        available: u64::from(number),
    };
    let metadata = Metadata::new(Timestamp::from_millis(0), Uuid::nil(), Actor::system("test"));
    let id = Uuid::from_u128(1_000_000 + u128::from(number));
    Outgoing::new(product_id.uuid(), id, &StockEvent::from(received), &metadata)
}

async fn commit(database: &Database, outbox: &Outbox, numbers: impl IntoIterator<Item = u32>) -> Option<Seq> {
    let events: Vec<_> = numbers.into_iter().map(event).collect();
    let mut transaction = database.begin().await.unwrap();
    let seq = outbox.write(&mut transaction, &events).await.unwrap();
    transaction.commit().await.unwrap();
    outbox.committed(seq);
    seq
}

async fn numbers(log: &dyn EventLog) -> Vec<u32> {
    let number = |event: &Arc<event_log::RecordedEvent>| match event.decode::<StockEvent>().unwrap() {
        StockEvent::StockReceived(received) => received.quantity,
    };
    all(log).await.iter().map(number).collect()
}

async fn rows(database: &Database) -> i64 {
    let mut reader = database.reader().await.unwrap();
    let counted: Option<(i64,)> = reader.first("SELECT count(*) FROM outbox", []).await.unwrap();
    counted.unwrap().0
}

async fn eventually(mut condition: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENT;
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "it never came true");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_the_log_is_the_order_of_the_commits_across_streams() {
    let own = own();
    let database = open(&own).await;
    let log = EmbeddedLog::open(&own.folder().join("log")).unwrap();
    let outbox = Outbox::start(Arc::clone(&database), log.clone(), quick())
        .await
        .unwrap();
    let mut last = None;
    for first in (0..1500).step_by(30) {
        last = commit(&database, &outbox, first..first + 30).await;
    }
    let position = outbox.sent(last.unwrap(), PATIENT).await.unwrap();
    assert_eq!(position, log.head().await.unwrap());
    assert_eq!(numbers(&*log).await, (0..1500).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_sent_is_swept_and_what_is_rolled_back_is_never_sent() {
    let own = own();
    let (database, log) = (open(&own).await, MemoryLog::new());
    let outbox = Outbox::start(Arc::clone(&database), log.clone(), quick())
        .await
        .unwrap();
    commit(&database, &outbox, [1]).await;
    {
        let mut transaction = database.begin().await.unwrap();
        outbox.write(&mut transaction, &[event(2)]).await.unwrap();
    }
    commit(&database, &outbox, [3]).await;
    assert!(outbox.drained(PATIENT).await);
    assert_eq!(numbers(&*log).await, [1, 3]);
    eventually(async || rows(&database).await == 0).await;
}

#[tokio::test]
async fn while_the_log_is_away_events_wait_and_then_come_once_in_order() {
    let own = own();
    let (database, inner) = (open(&own).await, MemoryLog::new());
    let log = Arc::new(FaultyLog::over(inner.clone()));
    log.set_down(true);
    let outbox = Outbox::start(Arc::clone(&database), log.clone(), quick())
        .await
        .unwrap();
    let seq = commit(&database, &outbox, 0..100).await.unwrap();
    eventually(async || log.asked_in_vain.load(Ordering::SeqCst) > 3).await;
    assert_eq!(
        outbox.sent(seq, Duration::from_millis(1)).await,
        None,
        "the caller is told that it follows later"
    );
    assert!(!outbox.drained(Duration::from_millis(1)).await);
    log.lose_next_answer();
    log.set_down(false);
    assert!(outbox.sent(seq, PATIENT).await.is_some());
    assert_eq!(numbers(&*inner).await, (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn after_a_crash_between_commit_and_append_nothing_is_lost() {
    let own = own();
    let log = MemoryLog::new();
    {
        let database = open(&own).await;
        let away = Arc::new(FaultyLog::over(log.clone()));
        away.set_down(true);
        let outbox = Outbox::start(Arc::clone(&database), away, quick()).await.unwrap();
        commit(&database, &outbox, 0..10).await;
    }
    let database = open(&own).await;
    let outbox = Outbox::start(Arc::clone(&database), log.clone(), quick())
        .await
        .unwrap();
    assert!(outbox.drained(PATIENT).await);
    commit(&database, &outbox, 10..20).await;
    assert!(outbox.drained(PATIENT).await);
    assert_eq!(numbers(&*log).await, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn after_a_crash_between_append_and_sweep_nothing_comes_twice() {
    let own = own();
    let log = MemoryLog::new();
    {
        let database = open(&own).await;
        let outbox = Outbox::start(Arc::clone(&database), log.clone(), unswept())
            .await
            .unwrap();
        commit(&database, &outbox, 0..10).await;
        assert!(outbox.drained(PATIENT).await);
        assert_eq!(rows(&database).await, 10, "sent and not swept");
    }
    let database = open(&own).await;
    let outbox = Outbox::start(Arc::clone(&database), log.clone(), quick())
        .await
        .unwrap();
    assert!(outbox.drained(PATIENT).await);
    assert_eq!(numbers(&*log).await, (0..10).collect::<Vec<_>>());
    eventually(async || rows(&database).await == 0).await;
}

#[tokio::test]
async fn an_event_that_the_log_will_never_have_is_set_apart_and_holds_up_nobody() {
    let own = own();
    let (database, inner) = (open(&own).await, MemoryLog::new());
    let log = Arc::new(FaultyLog::over(inner.clone()).refusing("Nonsense"));
    let outbox = Outbox::start(Arc::clone(&database), log, quick()).await.unwrap();
    let mut nonsense = event(2);
    nonsense.event.event_type = "Nonsense".to_owned();
    let mut transaction = database.begin().await.unwrap();
    let seq = outbox
        .write(&mut transaction, &[event(1), nonsense, event(3)])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    outbox.committed(seq);
    assert!(outbox.drained(PATIENT).await);
    assert_eq!(numbers(&*inner).await, [1, 3]);
    eventually(async || rows(&database).await == 1).await;
    let mut reader = database.reader().await.unwrap();
    let why: Option<(String,)> = reader.first("SELECT refused FROM outbox", []).await.unwrap();
    drop(reader);
    let (why,) = why.unwrap();
    assert!(why.contains("refuses this type"), "{why}");
    outbox.stop();
    let again = Outbox::start(Arc::clone(&database), inner.clone(), quick())
        .await
        .unwrap();
    assert!(
        again.drained(PATIENT).await,
        "a row set apart is not waited for after a restart"
    );
}

#[tokio::test]
async fn text_of_every_kind_survives_the_way_through_the_database() {
    let own = own();
    let (database, log) = (open(&own).await, MemoryLog::new());
    let outbox = Outbox::start(Arc::clone(&database), log.clone(), quick())
        .await
        .unwrap();
    let mut odd = event(1);
    let text = "장터 \"quoted\" \\ back \u{1f3fa} \u{0} \n tab\t 18446744073709551615";
    odd.event.data = serde_json::to_vec(&serde_json::json!({ "text": text })).unwrap().into();
    let mut transaction = database.begin().await.unwrap();
    let seq = outbox
        .write(&mut transaction, std::slice::from_ref(&odd))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    outbox.committed(seq);
    assert!(outbox.drained(PATIENT).await);
    let stored = all(&*log).await;
    assert_eq!(
        (&stored[0].data, &stored[0].metadata),
        (&odd.event.data, &odd.event.metadata)
    );
    assert_eq!(stored[0].id, odd.event.id);
}
