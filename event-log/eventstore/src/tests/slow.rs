//! A subscriber that does not read.

use super::{middleman::Middleman, *};

/// It holds up neither appends nor other subscribers, takes no more than a few megabytes on the way, and misses nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_that_does_not_read_costs_little() {
    const EVENTS: u64 = 1200;
    let memory = memory();
    let endpoint = serve(&memory, 0).await;
    // 48 MB.
    for _ in 0..EVENTS / 40 {
        let events = (0..40).map(|_| event(Uuid::now_v7(), 40_000)).collect();
        append(&*memory, "order-1", ExpectedVersion::Any, events).await.unwrap();
    }
    let middleman = Middleman::before(endpoint.address()).await;
    let log = connect(middleman.address).await;
    let mut idle = follow(&log, Position::START).await;
    let (first, mut at) = within(idle.next(1)).await.unwrap();
    assert_eq!(first.len(), 1);
    // Until the server stops sending, because nobody reads.
    let held = within(async {
        let mut sent = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = middleman.back();
            if now == sent {
                return sent;
            }
            sent = now;
        }
    });
    let held = held.await;
    assert!(
        held < 20_000_000,
        "{held} bytes on the way to a subscriber that does not read"
    );
    let last = add(&*connect(middleman.address).await, "order-2", 1).await;
    assert_eq!(add(&*log, "order-2", 1).await.version, 1);
    let mut other = follow(&log, Position(EVENTS)).await;
    assert_eq!(heard_until(&mut other, last.position).await[0].position, last.position);
    // It reads on.
    let mut seen = positions(&first);
    while seen.len() < EVENTS as usize + 2 {
        let (events, next) = within(idle.next(50)).await.unwrap();
        assert!(next > at);
        at = next;
        seen.extend(positions(&events));
    }
    assert_eq!(seen, (1..=EVENTS + 2).collect::<Vec<_>>());
    endpoint.stop().await;
}
