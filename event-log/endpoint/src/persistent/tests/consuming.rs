//! Getting events and acknowledging them.

use tonic::Code;

use super::*;
use crate::wire::client::{
    FilterOptions,
    filter_options::{Expression, Filter},
};

use read_req::nack::Action;

#[tokio::test]
async fn what_there_is_and_then_what_comes() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    house.append("mail-1", &["0", "1", "2"]).await;
    house
        .create(Of::Stream("mail-1"), RevisionOption::Revision(1), settings())
        .await
        .unwrap();
    let mut consumer = house.consume("mail-1", 2).await.unwrap();
    let got = consumer.all(2).await;
    assert_eq!(data(&got), ["1", "2"]);
    assert!(got.iter().all(|got| got.retries == 0 && !got.linked));
    house.append("mail-2", &["x"]).await;
    house.append("mail-1", &["3"]).await;
    consumer.ack(&got).await;
    assert_eq!(consumer.next().await.unwrap().data, "3");
    let told = house
        .until("mail-1", |info| info.last_checkpointed_event_position == "2")
        .await;
    assert_eq!(
        (told.status.as_str(), told.last_known_event_position.as_str()),
        ("Live", "3")
    );
    assert_eq!((told.total_items, told.total_in_flight_messages), (2, 1));
    assert_eq!((told.connections.len(), told.connections[0].available_slots), (1, 1));
    assert!(told.connections[0].from.starts_with("127.0.0.1:"));
    house.close().await;
}

#[tokio::test]
async fn from_the_end_of_a_stream_that_is_not_there_yet() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    house.create(Of::Stream("mail-1"), END, settings()).await.unwrap();
    house.append("mail-1", &["0", "1"]).await;
    let mut consumer = house.consume("mail-1", 10).await.unwrap();
    assert_eq!(data(&consumer.all(2).await), ["0", "1"]);
    house.close().await;
}

#[tokio::test]
async fn refused_events_come_again_or_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    house.append("mail-1", &["0", "1"]).await;
    house.create(Of::Stream("mail-1"), START, settings()).await.unwrap();
    let mut consumer = house.consume("mail-1", 10).await.unwrap();
    let got = consumer.all(2).await;
    consumer.nack(&got[..1], Action::Retry).await;
    let again = consumer.next().await.unwrap();
    assert_eq!((again.data.as_str(), again.retries), ("0", 1));
    consumer.nack(&got[1..], Action::Skip).await;
    consumer.ack(&[again]).await;
    house
        .until("mail-1", |info| info.last_checkpointed_event_position == "1")
        .await;
    house.append("mail-1", &["2"]).await;
    let got = consumer.all(1).await;
    consumer.nack(&got, Action::Stop).await;
    assert_eq!(
        exception(&consumer.next().await.unwrap_err()),
        "persistent-subscription-dropped"
    );
    let mut other = house.consume("mail-1", 10).await.unwrap();
    assert_eq!(other.next().await.unwrap().data, "2");
    house.close().await;
}

#[tokio::test]
async fn what_is_not_acknowledged_in_time_or_at_all_goes_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    house.append("mail-1", &["0"]).await;
    let quick = Settings {
        message_timeout: Some(MessageTimeout::MessageTimeoutMs(50)),
        ..settings()
    };
    house.create(Of::Stream("mail-1"), START, quick).await.unwrap();
    let mut slow = house.consume("mail-1", 1).await.unwrap();
    assert_eq!(slow.next().await.unwrap().data, "0");
    let mut second = house.consume("mail-1", 1).await.unwrap();
    let again = second.next().await.unwrap();
    assert!(again.retries >= 1, "{again:?}");
    second.ack(&[again]).await;
    house
        .until("mail-1", |info| info.last_checkpointed_event_position == "0")
        .await;

    house.update("mail-1", START, settings()).await.unwrap();
    house.append("mail-1", &["1"]).await;
    let mut first = house.consume("mail-1", 1).await.unwrap();
    assert_eq!(first.next().await.unwrap().data, "1");
    drop(first);
    let mut second = house.consume("mail-1", 1).await.unwrap();
    assert_eq!(second.next().await.unwrap().data, "1");
    house.close().await;
}

#[tokio::test]
async fn a_group_has_no_more_consumers_than_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    house
        .create(
            Of::Stream("mail-1"),
            START,
            Settings {
                max_subscriber_count: 1,
                ..settings()
            },
        )
        .await
        .unwrap();
    let first = house.consume("mail-1", 1).await.unwrap();
    let full = house.consume("mail-1", 1).await.err().unwrap();
    assert_eq!(
        (full.code(), exception(&full)),
        (Code::FailedPrecondition, "maximum-subscribers-reached")
    );
    assert!(full.message().starts_with("Maximum subscriptions reached"), "{full}");
    drop(first);
    house.until("mail-1", |info| info.connections.is_empty()).await;
    house.consume("mail-1", 1).await.unwrap();
    house.close().await;
}

#[tokio::test]
async fn a_consumer_that_does_not_read_holds_nobody_up_and_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    let large = format!("\"{}\"", "x".repeat(200_000));
    for _ in 0..150 {
        house.append("mail-1", &[&large]).await;
    }
    house.create(Of::Stream("mail-1"), START, settings()).await.unwrap();
    let _idle = house.consume("mail-1", 10).await.unwrap();
    let told = house.until("mail-1", |info| info.total_in_flight_messages == 10).await;
    let most = 16 * 1024 * 1024 / 200_000 + 20;
    assert!(told.outstanding_messages_count <= most, "{told:?}");
    let mut reading = house.consume("mail-1", 10).await.unwrap();
    for _ in 0..140 {
        let got = reading.all(1).await;
        reading.ack(&got).await;
    }
    let told = house.until("mail-1", |info| info.total_items == 140).await;
    assert_eq!(told.total_in_flight_messages, 10);
    house.close().await;
}

#[tokio::test]
async fn the_whole_log_by_a_filter_and_without_the_groups_own_events() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    let expression = Expression {
        prefix: vec!["mail-".to_owned()],
        ..Default::default()
    };
    let filter = FilterOptions {
        filter: Some(Filter::StreamIdentifier(expression)),
        ..Default::default()
    };
    house.append("mail-1", &["0"]).await;
    house
        .create(Of::All(FilterOption::Filter(filter)), START, settings())
        .await
        .unwrap();
    let mut consumer = house.consume(ALL, 10).await.unwrap();
    let got = consumer.all(1).await;
    consumer.ack(&got).await;
    house.append("post-1", &["1"]).await;
    house.append("mail-2", &["2"]).await;
    let got = consumer.all(1).await;
    assert_eq!(data(&got), ["2"]);
    let recorded = got[0].event.event.as_ref().unwrap();
    assert!(recorded.commit_position > 0 && recorded.stream_revision == 0);
    house.close().await;
}

#[tokio::test]
async fn links_are_resolved_and_acknowledged_by_the_link() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    house.append("mail-1", &["0", "1"]).await;
    let link = |data: &str| NewEvent {
        id: Uuid::now_v7(),
        event_type: "$>".to_owned(),
        content: ContentType::Binary,
        metadata: "".into(),
        data: data.to_owned().into(),
    };
    house
        .append_events("$urgent", vec![link("9@mail-1"), link("1@mail-1")])
        .await;
    let resolving = Settings {
        resolve_links: true,
        ..settings()
    };
    house.create(Of::Stream("$urgent"), START, resolving).await.unwrap();
    let mut consumer = house.consume("$urgent", 10).await.unwrap();
    let got = consumer.all(1).await;
    assert_eq!((data(&got), got[0].linked), (vec!["1"], true));
    consumer.ack(&got).await;
    house
        .until("$urgent", |info| info.last_checkpointed_event_position == "1")
        .await;
    house.close().await;
}
