//! What a saga took in is written a moment later, and nobody notices but the log.

use std::{sync::Arc, time::Duration};

use event_log::{Direction, EventLog};
use event_schemas::{Category, saga::PlaceOrderEvent};

use super::{
    folder,
    shop::{DEADLINE, Shop},
};
use crate::{Limits, PlaceOrder, RunnerConfig, SagaRunner, SystemClock, place_order::Carriage, world::Script};

#[tokio::test]
async fn what_comes_shortly_after_one_another_is_written_once() {
    let (shop, folder) = (Shop::new(1), folder());
    let config = RunnerConfig {
        log: Arc::clone(&shop.log) as _,
        dispatcher: Arc::clone(&shop) as _,
        folder: folder.path().to_owned(),
        clock: Arc::new(SystemClock),
        limits: Limits {
            // Longer than any test: nothing is written but at the end.
            write_behind: Duration::from_secs(3_600),
            ..Limits::default()
        },
    };
    let runner = SagaRunner::start(PlaceOrder::default(), config).await.unwrap();
    let before = *runner.position().borrow();
    let order_id = shop.place("an order", Script::default()).await;
    let booked = async {
        while !shop.with(order_id, |world| world.parcels[0].carriage == Carriage::Booked) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, booked).await.unwrap();
    assert_eq!(
        *runner.position().borrow(),
        before,
        "what is not written counts as not taken in"
    );
    runner.shutdown().await;

    let stream = Category::PlaceOrder.stream(order_id.uuid());
    let written = shop
        .log
        .read_stream(&stream, None, Direction::Forwards, 100)
        .await
        .unwrap();
    let [event] = &written[..] else {
        panic!("{} events", written.len());
    };
    let PlaceOrderEvent::SagaAdvanced(advanced) = event.decode().unwrap();
    assert_ne!(
        advanced.fact_type, "OrderPlaced",
        "it tells of all that was taken in: {advanced:?}"
    );
}
