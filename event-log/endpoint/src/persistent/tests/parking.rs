//! Parking and replaying.

use event_log::Direction;
use read_req::nack::Action;

use super::*;

async fn parked_links(house: &House) -> Vec<String> {
    let stream = name("$persistentsubscription-mail-1::clerks-parked");
    let links = house
        .log
        .read_stream(&stream, Some(0), Direction::Forwards, 100)
        .await
        .unwrap();
    links
        .iter()
        .map(|link| format!("{} {}", link.event_type, String::from_utf8_lossy(&link.data)))
        .collect()
}

/// Three events, all parked.
async fn house_with_parked(folder: &Path) -> (House, Consumer) {
    let mut house = House::open(folder).await;
    house.append("mail-1", &["0", "1", "2"]).await;
    house.create(Of::Stream("mail-1"), START, settings()).await.unwrap();
    let mut consumer = house.consume("mail-1", 10).await.unwrap();
    let got = consumer.all(3).await;
    consumer.nack(&got, Action::Park).await;
    house.until("mail-1", |info| info.parked_message_count == 3).await;
    house
        .until("mail-1", |info| info.last_checkpointed_event_position == "2")
        .await;
    (house, consumer)
}

#[tokio::test]
async fn what_is_parked_stands_in_the_log_and_can_be_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut house, mut consumer) = house_with_parked(folder.path()).await;
    assert_eq!(
        parked_links(&house).await,
        ["$> 0@mail-1", "$> 1@mail-1", "$> 2@mail-1"]
    );
    house.replay("mail-1", Some(2)).await;
    let got = consumer.all(2).await;
    assert_eq!(data(&got), ["0", "1"]);
    assert!(got.iter().all(|got| got.linked && got.retries == 0));
    house.until("mail-1", |info| info.parked_message_count == 1).await;
    consumer.nack(&got[..1], Action::Park).await;
    consumer.ack(&got[1..]).await;
    house
        .until("mail-1", |info| {
            info.parked_message_count == 2 && info.outstanding_messages_count == 0
        })
        .await;
    house.replay("mail-1", None).await;
    let got = consumer.all(2).await;
    assert_eq!(data(&got), ["2", "0"]);
    consumer.ack(&got).await;
    let told = house.until("mail-1", |info| info.outstanding_messages_count == 0).await;
    assert_eq!((told.parked_message_count, told.status.as_str()), (0, "Live"));
    house.close().await;
}

#[tokio::test]
async fn what_fails_too_often_is_parked() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    house.append("mail-1", &["0"]).await;
    house
        .create(
            Of::Stream("mail-1"),
            START,
            Settings {
                max_retry_count: 1,
                ..settings()
            },
        )
        .await
        .unwrap();
    let mut consumer = house.consume("mail-1", 10).await.unwrap();
    for retries in 0..2 {
        let got = consumer.all(1).await;
        assert_eq!(got[0].retries, retries);
        consumer.nack(&got, Action::Retry).await;
    }
    house.until("mail-1", |info| info.parked_message_count == 1).await;
    house.close().await;
}

#[tokio::test]
async fn a_replay_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (mut house, mut consumer) = house_with_parked(folder.path()).await;
    house.replay("mail-1", None).await;
    let got = consumer.all(3).await;
    consumer.ack(&got[..1]).await;
    house.until("mail-1", |info| info.outstanding_messages_count == 2).await;
    drop(consumer);
    house.close().await;
    let mut house = House::open(folder.path()).await;
    let mut consumer = house.consume("mail-1", 10).await.unwrap();
    let mut got = consumer.all(2).await;
    if got[0].data == "0" {
        // The mark was not written in time: at least once.
        consumer.ack(&got[..1]).await;
        got.remove(0);
        got.extend(consumer.all(1).await);
    }
    assert_eq!(data(&got), ["1", "2"]);
    consumer.ack(&got).await;
    house
        .until("mail-1", |info| {
            info.outstanding_messages_count == 0 && info.parked_message_count == 0
        })
        .await;
    house.close().await;
}

#[tokio::test]
async fn a_group_that_is_made_anew_has_nothing_of_its_namesake() {
    let folder = tempfile::tempdir().unwrap();
    let (mut house, _consumer) = house_with_parked(folder.path()).await;
    house.delete("mail-1").await.unwrap();
    house.create(Of::Stream("mail-1"), START, settings()).await.unwrap();
    let told = house.info("mail-1").await.unwrap();
    assert_eq!(
        (
            told.parked_message_count,
            told.last_checkpointed_event_position.as_str()
        ),
        (0, "")
    );
    let mut consumer = house.consume("mail-1", 10).await.unwrap();
    let got = consumer.all(3).await;
    assert_eq!(data(&got), ["0", "1", "2"]);
    consumer.nack(&got[1..2], Action::Park).await;
    house.until("mail-1", |info| info.parked_message_count == 1).await;
    house.replay("mail-1", None).await;
    assert_eq!(consumer.next().await.unwrap().data, "1");
    house.close().await;
}
