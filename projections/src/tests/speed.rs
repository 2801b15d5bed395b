//! How fast a log is replayed into all read models. The figure of a debug build is printed for comparison from day to day;
//! the one that is claimed comes from `make bench`.

use std::time::{Duration, Instant};

use event_log::embedded::EmbeddedLog;
use event_schemas::saga::SagaStatus;
use read_models::my_page::MyPageProjection;

use super::{
    history::{DEADLINE, HAPPY, advanced, id, listed, order, placed, product, received, step},
    *,
};
use crate::running::{generation::Building, pages::Pages};

const PRODUCTS: u128 = 500;
const ORDERS: u128 = 2_048;
/// Orders under way at the same time; two events of one order stand at least so far apart.
const WINDOW: usize = 64;

/// Fifteen events an order, interleaved as they are in a busy shop.
async fn busy_shop() -> Arc<MemoryLog> {
    let log = MemoryLog::new();
    for number in 1..=PRODUCTS {
        product(&log, listed(number), 1).await;
    }
    for number in 1..=PRODUCTS {
        received(&log, number, 1_000, 1).await;
    }
    for first in (1..=ORDERS).step_by(WINDOW) {
        let window = first..(first + WINDOW as u128).min(ORDERS + 1);
        for number in window.clone() {
            order(
                &log,
                placed(number, 7 + number % 100, &[1 + number % PRODUCTS]),
                number as i64,
            )
            .await;
            advanced(&log, number, SagaStatus::Running, "reserve_stock", number as i64).await;
        }
        for kind in HAPPY {
            for number in window.clone() {
                // A time after which some stock is left.
                step(&log, number, 1 + number % PRODUCTS, kind, 1 + 3 * number as i64).await;
            }
        }
        for number in window {
            advanced(&log, number, SagaStatus::Completed, "done", number as i64).await;
        }
    }
    log
}

/// The same events in the durable log, a window at a time so that they share its fsyncs. Within a window their order may change.
pub(super) async fn durable(from: &MemoryLog, folder: &std::path::Path) -> Arc<EmbeddedLog> {
    let log = EmbeddedLog::open(folder).unwrap();
    for window in events(from).await.chunks(WINDOW) {
        // Together: one task for each stream, as two appends to one stream must stay in order.
        let mut streams: BTreeMap<StreamName, Vec<NewEvent>> = BTreeMap::new();
        for event in window {
            streams.entry(event.stream.clone()).or_default().push(NewEvent {
                id: event.id,
                event_type: event.event_type.to_string(),
                content: event.content,
                metadata: event.metadata.clone(),
                data: event.data.clone(),
            });
        }
        let append = |(stream, events)| {
            let (log, expected) = (Arc::clone(&log), ExpectedVersion::Any);
            tokio::spawn(async move {
                log.append(Append {
                    stream,
                    expected,
                    events,
                })
                .await
                .unwrap()
            })
        };
        for appended in streams.into_iter().map(append).collect::<Vec<_>>() {
            appended.await.unwrap();
        }
    }
    log
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_orders_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let log = durable(&*busy_shop().await, &folder.path().join("log")).await;
    let events = log.stats().await.unwrap().events;
    let read_models = Arc::new(ReadModels::open(folder.path()).await.unwrap());
    let started = Instant::now();
    let projections = Projections::start(log, Arc::clone(&read_models), Config::default())
        .await
        .unwrap();
    let statuses = projections.settled(|_| {}).await.unwrap();
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{events} events into all read models in {seconds:.2} s: {:.0}/s",
        events as f64 / seconds
    );
    assert!(statuses.iter().all(|status| status.skipped == 0), "{statuses:?}");
    assert!(read_models.my_page().order(id(ORDERS)).await.unwrap().is_some());
    projections.shutdown().await;
    for threads in [1, 2] {
        let seconds = on_threads(&read_models, &folder.path().join("log"), threads).await;
        let rate = events as f64 / seconds;
        println!("the log into my page on {threads} threads in {seconds:.2} s: {rate:.0}/s");
    }
}

/// How long one read model takes when its documents are shared out to so many threads.
async fn on_threads(read_models: &ReadModels, log: &std::path::Path, threads: u64) -> f64 {
    let pages = Pages::of(EmbeddedLog::open(log).unwrap());
    let workspace = read_models.my_page().build(false).await.unwrap();
    let mut building = Building::<MyPageProjection>::on_threads(workspace, threads);
    let started = Instant::now();
    while let Some(page) = pages.read(building.position()).await.unwrap() {
        building.take_in(&page).await.unwrap();
    }
    building.commit().await.unwrap();
    assert_eq!(building.checkpoint().documents, ORDERS as u64);
    started.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_on_my_page_at_once() {
    let shop = Shop::open().await;
    let mut times = vec![];
    for number in 1..=200 {
        let started = Instant::now();
        order(&shop.log, placed(number, 7, &[10]), number as i64).await;
        let position = shop.log.head().await.unwrap().0;
        shop.read_models
            .progress()
            .wait_for("my_page", position, started + DEADLINE)
            .await
            .unwrap();
        times.push(started.elapsed());
    }
    times.sort_unstable();
    println!("from the log to my page: p50 {:?}, p99 {:?}", times[100], times[198]);
    assert!(
        times[100] < Duration::from_millis(500),
        "{:?}, far from 20 ms even on a busy machine",
        times[100]
    );
    shop.close().await;
}
