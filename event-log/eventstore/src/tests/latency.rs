//! The 40 ms that each call costs without the relay, and does not with it.

use std::time::Instant;

use eventstore::{AppendToStreamOptions, Client, ClientSettings, EventData};

use super::{middleman::Middleman, *};

const APPENDS: usize = 60;

/// One after the other, to a server that sets no socket option: half of them are faster than this.
async fn half_of<Done: Future<Output = ()>>(append: impl Fn() -> Done) -> Duration {
    append().await;
    let mut times = vec![];
    for _ in 0..APPENDS {
        let begun = Instant::now();
        within(append()).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    times[APPENDS / 2]
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sequential_appends_do_not_wait_for_acknowledgements() {
    let endpoint = serve(&memory(), 0).await;
    let middleman = Middleman::before(endpoint.address()).await;

    // The client by itself: one piece of a call waits until the one before is acknowledged, 40 ms later.
    let settings: ClientSettings = url(middleman.address).parse().unwrap();
    let client = Client::new(settings).unwrap();
    let alone = half_of(|| async {
        let event = EventData::binary("Tested", Bytes::from_static(b"x"));
        client
            .append_to_stream("order-1", &AppendToStreamOptions::default(), event)
            .await
            .unwrap();
    });
    let alone = alone.await;
    assert!(
        alone > Duration::from_millis(20),
        "no stall without the relay ({alone:?}): is it needed any more?"
    );

    let log = connect(middleman.address).await;
    let relayed = half_of(|| async {
        add(&*log, "order-2", 1).await;
    });
    let relayed = relayed.await;
    assert!(
        relayed < Duration::from_millis(12),
        "{relayed:?} an append; the client alone takes {alone:?}"
    );
    endpoint.stop().await;
}
