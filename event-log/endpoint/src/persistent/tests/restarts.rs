//! The endpoint ends and begins again.

use event_log::Direction;

use super::*;

#[tokio::test]
async fn nothing_unacknowledged_is_lost_by_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    house.append("mail-1", &["0", "1", "2", "3"]).await;
    house.create(Of::Stream("mail-1"), START, settings()).await.unwrap();
    let mut consumer = house.consume("mail-1", 10).await.unwrap();
    let got = consumer.all(4).await;
    consumer.ack(&got[..2]).await;
    consumer.ack(&got[3..]).await;
    house
        .until("mail-1", |info| {
            info.last_checkpointed_event_position == "1" && info.total_items == 3
        })
        .await;
    drop(consumer);
    house.close().await;

    let house = House::open(folder.path()).await;
    house.append("mail-1", &["4"]).await;
    let mut consumer = house.consume("mail-1", 10).await.unwrap();
    // 3 stands behind the checkpoint: it comes again, at least once.
    let got = consumer.all(3).await;
    assert_eq!(data(&got), ["2", "3", "4"]);
    house.close().await;
}

#[tokio::test]
async fn an_orderly_end_writes_down_what_was_handled() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    let seldom = Settings {
        min_checkpoint_count: 100,
        max_checkpoint_count: 1000,
        checkpoint_after: Some(CheckpointAfter::CheckpointAfterMs(60_000)),
        ..settings()
    };
    let everything = FilterOption::NoFilter(Empty {});
    house.append("mail-1", &["0", "1", "2"]).await;
    house.create(Of::All(everything), START, seldom).await.unwrap();
    let mut consumer = house.consume(ALL, 10).await.unwrap();
    let got = consumer.all(3).await;
    consumer.ack(&got[..2]).await;
    // Each ack is heard before what is said after it.
    consumer.nack(&got[2..], read_req::nack::Action::Retry).await;
    assert_eq!(consumer.next().await.unwrap().retries, 1);
    let before = checkpoints(&house).await;
    assert_eq!(before, 0);
    house.close().await;
    let house = House::open(folder.path()).await;
    assert_eq!(checkpoints(&house).await, 1);
    let mut consumer = house.consume(ALL, 10).await.unwrap();
    assert_eq!(consumer.next().await.unwrap().data, "2");
    house.close().await;
}

async fn checkpoints(house: &House) -> usize {
    let stream = name("$persistentsubscription-$all::clerks-checkpoint");
    house
        .log
        .read_stream(&stream, Some(0), Direction::Forwards, 100)
        .await
        .unwrap()
        .len()
}

#[tokio::test]
async fn the_checkpoint_of_another_log_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    house.append("mail-1", &["0", "1"]).await;
    house
        .create(Of::All(FilterOption::NoFilter(Empty {})), START, settings())
        .await
        .unwrap();
    // As a log that was copied from one with other positions would hold it.
    let alien = NewEvent {
        id: Uuid::now_v7(),
        event_type: "$SubscriptionCheckpoint".to_owned(),
        content: ContentType::Json,
        metadata: format!("{{\"event\":\"{}\"}}", Uuid::now_v7()).into(),
        data: "\"C:2/P:2\"".into(),
    };
    house
        .append_events("$persistentsubscription-$all::clerks-checkpoint", vec![alien])
        .await;
    let mut consumer = house.consume(ALL, 10).await.unwrap();
    assert_eq!(consumer.next().await.unwrap().data, "0");
    house.close().await;
}

#[tokio::test]
async fn consumers_hear_that_the_endpoint_stops() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    house.create(Of::Stream("mail-1"), START, settings()).await.unwrap();
    let mut consumer = house.consume("mail-1", 10).await.unwrap();
    house.close().await;
    let stopped = consumer.next().await.unwrap_err();
    assert_eq!(stopped.code(), tonic::Code::Unavailable, "{stopped}");
}
