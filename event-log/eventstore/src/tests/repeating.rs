//! The same ids again, long after the server forgot them.

use super::*;

/// An id that does not say when it was made, as those derived from a command.
fn derived(number: u128) -> NewEvent {
    event(Uuid::from_u128(0x8000_0000_0000_8000_8000_0000_0000_0000 | number), 10)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_are_found_whatever_is_expected() {
    let memory = memory();
    let endpoint = serve(&memory, 0).await;
    let log = connect(endpoint.address()).await;
    let first: Vec<_> = (0..3).map(derived).collect();
    let one = append(&*log, "order-1", ExpectedVersion::None, first.clone())
        .await
        .unwrap();
    let many: Vec<_> = (10..90).map(derived).collect();
    append(&*log, "order-1", ExpectedVersion::Exact(2), many).await.unwrap();
    // This process knows the stream; another does not, or knows its beginning only.
    let (fresh, partly) = (connect(endpoint.address()).await, connect(endpoint.address()).await);
    partly
        .read_stream(&stream("order-1"), None, event_log::Direction::Forwards, 5)
        .await
        .unwrap();
    for log in [&log, &fresh, &partly] {
        for expected in [
            ExpectedVersion::Exact(82),
            ExpectedVersion::Any,
            ExpectedVersion::Exists,
            ExpectedVersion::None,
        ] {
            let again = append(&**log, "order-1", expected, first.clone()).await.unwrap();
            assert!(
                again.duplicate && again.version == 2 && again.position == one.position,
                "{expected:?}: {again:?}"
            );
        }
        let torn = append(
            &**log,
            "order-1",
            ExpectedVersion::Exact(82),
            vec![derived(2), derived(3)],
        )
        .await;
        assert!(matches!(torn, Err(AppendError::Refused(_))), "{torn:?}");
    }
    assert_eq!(all_of(&*memory).await.len(), 83);
    endpoint.stop().await;
}

/// Writers in two processes: what one knows of a stream is no hindrance when the other wrote.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_of_a_stream_may_be_old() {
    let endpoint = serve(&memory(), 0).await;
    let (one, other) = (connect(endpoint.address()).await, connect(endpoint.address()).await);
    for round in 0..20_u64 {
        let log = if round % 3 == 0 { &one } else { &other };
        let expected = round
            .checked_sub(1)
            .map_or(ExpectedVersion::None, ExpectedVersion::Exact);
        let done = append(&**log, "order-1", expected, vec![derived(u128::from(round))])
            .await
            .unwrap();
        assert_eq!((done.version, done.duplicate), (round, false));
        let late = append(&*one, "order-1", ExpectedVersion::Exact(77), vec![derived(1000)]).await;
        assert!(
            matches!(late, Err(AppendError::Conflict { actual: Some(actual), .. }) if actual == round),
            "{late:?}"
        );
        let again = append(&*one, "order-1", ExpectedVersion::Any, vec![derived(u128::from(round))])
            .await
            .unwrap();
        assert!(again.duplicate);
    }
    endpoint.stop().await;
}
