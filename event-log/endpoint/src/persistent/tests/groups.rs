//! Making groups, changing them, looking at them.

use tonic::Code;

use super::*;
use crate::wire::persistent_subscriptions::{ListReq, list_req};

#[tokio::test]
async fn a_group_is_made_once_changed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    let missing = house.update("/mail/box", START, settings()).await.unwrap_err();
    assert_eq!(
        (missing.code(), exception(&missing)),
        (Code::NotFound, "persistent-subscription-does-not-exist")
    );
    house.create(Of::Stream("/mail/box"), END, settings()).await.unwrap();
    let again = house
        .create(Of::Stream("/mail/box"), START, settings())
        .await
        .unwrap_err();
    assert_eq!(
        (again.code(), exception(&again)),
        (Code::AlreadyExists, "persistent-subscription-exists")
    );
    assert_eq!(again.metadata().get("stream-name").unwrap(), "/mail/box");
    assert_eq!(again.metadata().get("group-name").unwrap(), GROUP);

    let told = house.info("/mail/box").await.unwrap();
    assert_eq!(
        (told.event_source.as_str(), told.group_name.as_str()),
        ("/mail/box", GROUP)
    );
    assert_eq!((told.start_from.as_str(), told.max_retry_count), ("-1", 10));
    assert_eq!(told.named_consumer_strategy, "RoundRobin");
    house
        .update(
            "/mail/box",
            START,
            Settings {
                max_retry_count: 3,
                ..settings()
            },
        )
        .await
        .unwrap();
    let told = house.info("/mail/box").await.unwrap();
    assert_eq!((told.start_from.as_str(), told.max_retry_count), ("0", 3));

    house.delete("/mail/box").await.unwrap();
    let gone = house.delete("/mail/box").await.unwrap_err();
    assert_eq!(exception(&gone), "persistent-subscription-does-not-exist");
    let gone = house.consume("/mail/box", 1).await.err().unwrap();
    assert_eq!(exception(&gone), "persistent-subscription-does-not-exist");
    house.close().await;
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    let wrong = [
        Settings {
            max_retry_count: -1,
            ..settings()
        },
        Settings {
            min_checkpoint_count: 5,
            max_checkpoint_count: 4,
            ..settings()
        },
        Settings {
            consumer_strategy: "Loudest".to_owned(),
            ..settings()
        },
        Settings {
            message_timeout: Some(MessageTimeout::MessageTimeoutMs(-5)),
            ..settings()
        },
    ];
    for settings in wrong {
        let refused = house
            .create(Of::Stream("mail-1"), END, settings.clone())
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{settings:?}");
    }
    let long = "x".repeat(230);
    let refused = house.create(Of::Stream(&long), END, settings()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    house.close().await;
}

#[tokio::test]
async fn groups_are_listed_all_or_by_what_they_follow() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    for stream in ["mail-1", "mail-2"] {
        house.create(Of::Stream(stream), END, settings()).await.unwrap();
    }
    house
        .create(Of::All(FilterOption::NoFilter(Empty {})), START, settings())
        .await
        .unwrap();
    let list = async |house: &mut House, option| {
        let options = Some(list_req::Options {
            list_option: Some(option),
        });
        let listed = soon(house.groups.list(ListReq { options }))
            .await?
            .into_inner()
            .subscriptions;
        Ok::<_, Status>(
            listed
                .into_iter()
                .map(|info| (info.event_source, info.start_from))
                .collect::<Vec<_>>(),
        )
    };
    let of = |option| {
        let stream_option = Some(option);
        list_req::options::ListOption::ListForStream(list_req::StreamOption { stream_option })
    };
    let named = |stream| {
        of(list_req::stream_option::StreamOption::Stream(
            identifier(stream).unwrap(),
        ))
    };
    let pair = |stream: &str, start: &str| (stream.to_owned(), start.to_owned());
    let all = list(
        &mut house,
        list_req::options::ListOption::ListAllSubscriptions(Empty {}),
    )
    .await
    .unwrap();
    assert_eq!(all, [pair("mail-1", "-1"), pair("mail-2", "-1"), pair(ALL, "C:0/P:0")]);
    assert_eq!(list(&mut house, named("mail-2")).await.unwrap(), [pair("mail-2", "-1")]);
    let to_all = of(list_req::stream_option::StreamOption::All(Empty {}));
    assert_eq!(list(&mut house, to_all).await.unwrap(), [pair(ALL, "C:0/P:0")]);
    let none = list(&mut house, named("mail-3")).await.unwrap_err();
    assert_eq!(exception(&none), "persistent-subscription-does-not-exist");
    house.close().await;
}

#[tokio::test]
async fn the_consumers_of_a_group_that_is_changed_or_deleted_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    house.create(Of::Stream("mail-1"), START, settings()).await.unwrap();
    let mut consumer = house.consume("mail-1", 10).await.unwrap();
    house.update("mail-1", START, settings()).await.unwrap();
    let dropped = consumer.next().await.unwrap_err();
    assert_eq!(
        (dropped.code(), exception(&dropped)),
        (Code::Cancelled, "persistent-subscription-dropped")
    );
    let mut consumer = house.consume("mail-1", 10).await.unwrap();
    house.delete("mail-1").await.unwrap();
    assert_eq!(
        exception(&consumer.next().await.unwrap_err()),
        "persistent-subscription-dropped"
    );
    house.close().await;
}

#[tokio::test]
async fn the_subsystem_starts_again_with_what_stands_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path()).await;
    house.create(Of::Stream("mail-1"), START, settings()).await.unwrap();
    house.append("mail-1", &["1", "2"]).await;
    let mut consumer = house.consume("mail-1", 10).await.unwrap();
    let got = consumer.all(2).await;
    consumer.ack(&got[..1]).await;
    house.until("mail-1", |info| info.total_items == 1).await;
    soon(house.groups.restart_subsystem(Empty {})).await.unwrap();
    assert_eq!(
        exception(&consumer.next().await.unwrap_err()),
        "persistent-subscription-dropped"
    );
    let mut consumer = house.consume("mail-1", 10).await.unwrap();
    assert_eq!(consumer.next().await.unwrap().data, "2");
    house.close().await;
}
