mod own_writes;
mod sagas;
mod undelivered;

use std::{fs, path::Path, time::Duration};

use serde_json::{Value, json};

use super::{Shop, StartError};
use crate::{
    cli::said,
    config::Config,
    folder::FolderError,
    operations::{LocalOperations, Operations, RemoteOperations, RemoteShop},
    sink::{ImportSink, ImportedStream, RemoteSink},
};

fn config(folder: &Path, demo: bool) -> Config {
    Config {
        demo,
        carrier_speed: Some(5_000_000.0),
        ..Config::for_folder(folder).unwrap()
    }
}

async fn shop(folder: &Path, demo: bool) -> Shop {
    Shop::start(config(folder, demo))
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

async fn status(shop: &Shop, path: &str) -> u16 {
    let answer = reqwest::get(format!("{}{path}", shop.url())).await.unwrap();
    answer.status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_starts_stops_and_starts_again_where_it_was() {
    let temp = tempfile::tempdir().unwrap();
    let first = shop(temp.path(), false).await;
    let token = first
        .setup_token()
        .expect("an empty shop has a set-up token")
        .to_owned();
    assert_eq!(
        fs::read_to_string(temp.path().join("address")).unwrap().trim(),
        first.url()
    );
    assert_eq!(status(&first, "/healthz").await, 200);
    let admin = json!({"token": token, "email": "boss@shop.example", "password": "jangteo-demo", "name": "Boss"});
    let client = reqwest::Client::new();
    let made = client
        .post(format!("{}/api/v1/setup", first.url()))
        .json(&admin)
        .send()
        .await
        .unwrap();
    assert_eq!(made.status().as_u16(), 201);
    let url = first.url();
    first.stop().await;
    assert!(!temp.path().join("address").exists());
    assert!(
        reqwest::get(format!("{url}/healthz")).await.is_err(),
        "it still answers"
    );

    let second = shop(temp.path(), false).await;
    assert_eq!(second.setup_token(), None, "there is an admin now");
    let session = json!({"email": "boss@shop.example", "password": "jangteo-demo"});
    let signed_in = client
        .post(format!("{}/api/v1/sessions", second.url()))
        .json(&session)
        .send()
        .await
        .unwrap();
    assert_eq!(signed_in.status().as_u16(), 201);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_shop_on_the_folder_is_told_so() {
    let temp = tempfile::tempdir().unwrap();
    let first = shop(temp.path(), false).await;
    let error = Shop::start(config(temp.path(), false)).await.err().expect("it started");
    assert!(matches!(error, StartError::InUse(_)), "{error}");
    assert!(error.to_string().contains(temp.path().to_str().unwrap()), "{error}");
    first.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_is_named() {
    let temp = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let config = Config {
        listen: address,
        ..config(temp.path(), false)
    };
    let error = Shop::start(config).await.err().expect("it started");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    assert!(error.to_string().contains("--listen"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_a_newer_version_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("format"), "99\n").unwrap();
    let error = Shop::start(config(temp.path(), false)).await.err().expect("it started");
    assert!(
        matches!(error, StartError::Folder(FolderError::Newer { found: 99, .. })),
        "{error}"
    );
}

/// Without what a process measures of itself: how fresh its read models are, and how many documents it has looked at.
fn without_measures(said: &str) -> String {
    let measured = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(mut object)) => {
            object.remove("freshness");
            object.remove("drift");
            Value::Object(object).to_string()
        }
        _ if said.starts_with("PROJECTION") => line.chars().take(66).collect(),
        _ => line.to_owned(),
    };
    said.lines().map(measured).collect::<Vec<_>>().join("\n")
}

/// What each of these commands says, for programs and for people.
async fn all_said(shop: &dyn Operations, stream: &str) -> Vec<String> {
    let mut all = Vec::new();
    for json in ["", " --json"] {
        for line in [
            "log list --prefix product- --limit 7",
            "log list --limit 3000",
            &format!("log read {stream}"),
            &format!("log read {stream} --backwards --limit 1"),
            "log tail --after 0 --no-follow --limit 50",
            "log tail --after 0 --no-follow --category customer --type CustomerRegistered",
            "log tail --no-follow",
            "projection status",
        ] {
            let said = said(&format!("jangteo {line}{json}"), shop).await;
            let said = said.unwrap_or_else(|error| panic!("{line}: {error}"));
            all.push(format!("{line}{json}\n{}", without_measures(&said)));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_shop_and_a_stopped_ones_folder_give_the_same_answers() {
    let temp = tempfile::tempdir().unwrap();
    let running = shop(temp.path(), true).await;
    // The pictures are drawn while the shop is up: the last of them comes first, so that both looks see the same log.
    assert!(running.demo().unwrap().pictured(Duration::from_secs(120)).await);
    let token = running.folder().operator_token().unwrap();
    let remote = RemoteOperations::new(RemoteShop::new(&running.url(), &token));
    let page = remote.streams("product-", None, 1).await.unwrap();
    let stream = page.streams[0].stream.to_string();
    running.settled(Duration::from_secs(30)).await.unwrap();
    let live = all_said(&remote, &stream).await;
    let unknown = said("jangteo log read order-unknown", &remote)
        .await
        .unwrap_err()
        .to_string();
    running.stop().await;

    let local = LocalOperations::open(&config(temp.path(), true)).await.unwrap();
    let stopped = all_said(&local, &stream).await;
    for (live, stopped) in live.iter().zip(&stopped) {
        assert_eq!(live, stopped);
    }
    assert_eq!(
        said("jangteo log read order-unknown", &local)
            .await
            .unwrap_err()
            .to_string(),
        unknown
    );
    assert!(
        unknown.contains("order-unknown") && unknown.contains("jangteo log list"),
        "{unknown}"
    );
    local.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_are_rebuilt_on_a_running_shop_and_on_a_folder() {
    let temp = tempfile::tempdir().unwrap();
    let running = shop(temp.path(), true).await;
    assert!(running.demo().unwrap().pictured(Duration::from_secs(120)).await);
    running.settled(Duration::from_secs(30)).await.unwrap();
    let found = async |shop: &Shop| -> Value {
        let answer = reqwest::get(format!("{}/api/v1/search?q=&size=5&sort=price_asc", shop.url()))
            .await
            .unwrap();
        let mut found: Value = answer.json().await.unwrap();
        // It names the view of the index that the walk began with.
        found.as_object_mut().unwrap().remove("next_cursor");
        found
    };
    let before = found(&running).await;
    assert!(before["total"].as_u64().unwrap() > 100, "{before}");
    let token = running.folder().operator_token().unwrap();
    let remote = RemoteOperations::new(RemoteShop::new(&running.url(), &token));
    let rebuilt = said("jangteo projection rebuild --all --json --approve", &remote)
        .await
        .unwrap();
    assert!(rebuilt.lines().count() >= 7, "{rebuilt}");
    assert_eq!(found(&running).await, before);
    let error = said("jangteo projection rebuild nonsense", &remote)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("nonsense") && error.contains("my_page"), "{error}");
    let audited = said(
        "jangteo log tail --after 0 --no-follow --type RebuildRequested --json",
        &remote,
    )
    .await
    .unwrap();
    assert!(audited.lines().count() >= 7, "each rebuild is written down: {audited}");
    let audit = said("jangteo projection audit catalogue --all", &remote).await.unwrap();
    assert!(
        audit.starts_with("catalogue: 2") && audit.contains(" 0 wrong"),
        "{audit}"
    );
    let unknown = said("jangteo projection audit nonsense", &remote).await.unwrap_err();
    assert!(unknown.to_string().contains("my_page"), "{unknown}");
    running.stop().await;

    let local = LocalOperations::open(&config(temp.path(), true)).await.unwrap();
    let audit = said("jangteo projection audit products --json", &local).await.unwrap();
    assert!(audit.contains(r#""found":0"#), "{audit}");
    let none = said("jangteo projection dead-letters products", &local).await.unwrap();
    assert!(none.starts_with("products: none"), "{none}");
    said("jangteo projection rebuild catalogue products --approve", &local)
        .await
        .unwrap();
    local.close().await;
    let again = shop(temp.path(), true).await;
    again.settled(Duration::from_secs(30)).await.unwrap();
    assert_eq!(found(&again).await, before);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_goes_into_a_running_shop_over_http_once() {
    let temp = tempfile::tempdir().unwrap();
    let running = shop(temp.path(), false).await;
    let token = running.folder().operator_token().unwrap();
    let mut sink = RemoteSink::new(RemoteShop::new(&running.url(), &token));
    let batch: Vec<ImportedStream> = (0..300).map(|_| crate::ops::tests::imported_stream()).collect();
    let written = sink.write(batch.clone()).await.unwrap();
    assert_eq!((written.appended, written.duplicates), (300, 0), "{written:?}");
    let again = sink.write(batch).await.unwrap();
    assert_eq!((again.appended, again.duplicates), (0, 300), "{again:?}");
    let mut stranger = RemoteSink::new(RemoteShop::new(&running.url(), "not the token"));
    let refused = stranger
        .write(vec![crate::ops::tests::imported_stream()])
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("--token"), "{refused}");
    running.stop().await;
}
