//! The server is away, goes away, comes back.

use resilience::Circuit;

use super::{middleman::Middleman, *};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_waited_for() {
    let port = free_port().await;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    // Nobody comes: a clear fault, in time, and the log is of use afterwards.
    let log = EventStoreLog::connect(&url(address), settings(400, 200)).await.unwrap();
    let error = append(&*log, "order-1", ExpectedVersion::Any, new_events(1))
        .await
        .unwrap_err();
    let text = unavailable(&error);
    assert!(
        text.contains(&address.to_string()) && text.contains("refused"),
        "{text}"
    );

    let patient = connect(address).await;
    let waiting = tokio::spawn(async move { add(&*patient, "order-1", 1).await });
    let mut subscription = follow(&connect(address).await, Position::START).await;
    let following = tokio::spawn(async move { within(subscription.next(10)).await.unwrap() });
    let memory = memory();
    let endpoint = serve(&memory, port).await;
    let appended = within(waiting).await.unwrap();
    assert_eq!(within(following).await.unwrap().1, appended.position);
    let again = add(&*log, "order-1", 1).await;
    assert_eq!(again.version, 1);
    endpoint.stop().await;
}

/// Who comes while the server is known to be away hears so at once; one at a time tries, and finds it when it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_server_stays_away_calls_are_refused_at_once_until_it_is_back() {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port().await));
    let log = EventStoreLog::connect(&url(address), settings(400, 200)).await.unwrap();
    let circuit = || log.board.outlet.condition().circuit;
    let fails = async || {
        append(&*log, "order-1", ExpectedVersion::Any, new_events(1))
            .await
            .unwrap_err()
    };
    while circuit() != Circuit::Open {
        fails().await;
    }
    let error = fails().await;
    let text = unavailable(&error);
    // Either it was not asked, or the rest was over and this was the call that tried.
    assert!(
        text.contains(&address.to_string()) && text.contains("refused"),
        "{text}"
    );
    let asked = log.board.outlet.condition();
    within(async { while !unavailable(&fails().await).contains("not asked") {} }).await;
    assert!(log.board.outlet.condition().failed_calls > asked.failed_calls);

    let endpoint = serve(&memory(), address.port()).await;
    within(async {
        while append(&*log, "order-1", ExpectedVersion::Any, new_events(1))
            .await
            .is_err()
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(circuit(), Circuit::Closed);
    assert_eq!(add(&*log, "order-1", 1).await.version, 1);
    endpoint.stop().await;
}

/// Many who wait for a server that is away do not each make clients for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_is_cheap() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port().await));
    let middleman = Middleman::before(nobody).await;
    let log = EventStoreLog::connect(&url(middleman.address), settings(1_500, 500))
        .await
        .unwrap();
    let callers: Vec<_> = (0..64)
        .map(|caller| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let name = format!("order-{caller}");
                append(&*log, &name, ExpectedVersion::Any, new_events(1))
                    .await
                    .unwrap_err()
            })
        })
        .collect();
    for caller in callers {
        unavailable(&within(caller).await.unwrap());
    }
    assert!(middleman.connections() < 40, "{} connections", middleman.connections());
}

/// Stopped and started in the middle of appends and subscriptions: every append is there once, every subscriber saw everything once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarts_loses_nobody_anything() {
    let memory = memory();
    let mut endpoint = serve(&memory, 0).await;
    let address = endpoint.address();
    let log = EventStoreLog::connect(&url(address), settings(30_000, 2_000))
        .await
        .unwrap();
    let mut followers = vec![follow(&log, Position::START).await, follow(&log, Position::START).await];
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                for round in 0..40 {
                    let expected = if writer % 2 == 0 {
                        ExpectedVersion::Any
                    } else {
                        exact_behind(round * 2)
                    };
                    let done = append(&*log, &format!("order-{writer}"), expected, new_events(2)).await;
                    assert_eq!(done.unwrap().version, round * 2 + 1);
                }
            })
        })
        .collect();
    for _ in 0..3 {
        let events = all_of(&*memory).await.len();
        within(async {
            // In the middle: some more was appended since it is back, and more is to come.
            while all_of(&*memory).await.len() < (events + 40).min(300) {
                tokio::task::yield_now().await;
            }
        })
        .await;
        endpoint.stop().await;
        endpoint = serve(&memory, address.port()).await;
    }
    for writer in writers {
        within(writer).await.unwrap();
    }
    let all = all_of(&*memory).await;
    assert_eq!(all.len(), 4 * 40 * 2);
    for follower in &mut followers {
        assert_eq!(
            positions(&heard_until(follower, all[319].position).await),
            positions(&all)
        );
    }
    endpoint.stop().await;
}

fn exact_behind(count: u64) -> ExpectedVersion {
    count
        .checked_sub(1)
        .map_or(ExpectedVersion::None, ExpectedVersion::Exact)
}

/// Connections over which nothing goes any more, and nobody says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_connections_are_left() {
    let memory = memory();
    let endpoint = serve(&memory, 0).await;
    let middleman = Middleman::before(endpoint.address()).await;
    let log = EventStoreLog::connect(&url(middleman.address), settings(20_000, 300))
        .await
        .unwrap();
    let mut subscription = follow(&log, Position::START).await;
    let first = add(&*log, "order-1", 1).await;
    assert_eq!(heard_until(&mut subscription, first.position).await.len(), 1);
    for round in 1..=3 {
        middleman.freeze();
        let appended = add(&*log, "order-1", 1).await;
        assert_eq!((appended.version, appended.duplicate), (round, false));
        let heard = heard_until(&mut subscription, appended.position).await;
        assert_eq!(positions(&heard), [appended.position.0]);
        assert_eq!(log.head().await.unwrap(), appended.position);
    }
    assert_eq!(all_of(&*memory).await.len(), 4);
    endpoint.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_log_says_so() {
    let endpoint = serve(&memory(), 0).await;
    let log = connect(endpoint.address()).await;
    let mut subscription = follow(&log, Position::START).await;
    add(&*log, "order-1", 1).await;
    within(subscription.next(1)).await.unwrap();
    let waiting = tokio::spawn(async move { subscription.next(1).await });
    log.close();
    let error = within(waiting).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("closed"), "{error}");
    let error = append(&*log, "order-1", ExpectedVersion::Any, new_events(1))
        .await
        .unwrap_err();
    assert!(unavailable(&error).contains("closed"), "{error}");
    endpoint.stop().await;
}
