//! How fast a log is replayed into all read models. The figure of a debug build is printed for comparison from day to day;
//! the one that is claimed comes from `make bench`.

use std::time::Instant;

use event_schemas::saga::SagaStatus;

use super::{
    history::{HAPPY, advanced, id, listed, order, placed, product, received},
    *,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_orders_is_replayed() {
    let log = MemoryLog::new();
    for number in 1..=500 {
        product(&log, listed(number), 1).await;
        received(&log, number, 1_000, 1).await;
    }
    let orders = 2_000;
    for number in 1..=orders {
        order(
            &log,
            placed(number, 7 + number % 100, &[1 + number % 500]),
            number as i64,
        )
        .await;
        advanced(&log, number, SagaStatus::Running, "reserve_stock", number as i64).await;
        for kind in HAPPY {
            super::history::step(&log, number, 1 + number % 500, kind, 1 + 3 * number as i64).await;
        }
        advanced(&log, number, SagaStatus::Completed, "done", number as i64).await;
    }
    let events = log.head().await.unwrap().0;
    let started = Instant::now();
    let shop = Shop::over(log, tempfile::tempdir().unwrap()).await;
    let statuses = shop.settled().await;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{events} events into all read models in {seconds:.2} s: {:.0} events/s",
        events as f64 / seconds
    );
    assert!(statuses.iter().all(|status| status.skipped == 0), "{statuses:?}");
    assert!(shop.read_models.my_page().order(id(orders)).await.unwrap().is_some());
    shop.close().await;
}
