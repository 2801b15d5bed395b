//! The store over real HTTP: the contract, and what late commits must not do.

use std::{sync::Arc, time::Duration};

use edge::{Limits, RouteTable, Tokens};
use read_models::{
    ReadModels,
    documents::{Checkpoint, DocumentStore, Documents, Generation, Part, Write, contract},
    filling::Filling,
};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{
    endpoint::{LIMIT, Shelves, route},
    leases::Leases,
    remote::RemoteDocuments,
    shown,
};

const TOKEN: &str = "the roles' own";

/// A query role's endpoint. Dropped, it is gone.
struct Served {
    url: String,
    server: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Served {
    async fn over(shelves: Shelves) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::open(&folder.path().join("key"))
            .unwrap()
            .with_operator_token(TOKEN);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = edge::recovered(route(shelves, &Arc::new(tokens)));
        let limits = Limits {
            body_bytes: LIMIT,
            ..Limits::default()
        };
        let table = Arc::new(RouteTable::default());
        let server = tokio::spawn(edge::serve(listener, routes, table, limits, std::future::pending()));
        Self { url, server }
    }

    async fn of(store: Arc<dyn DocumentStore>, models: &'static [&'static str]) -> Self {
        Self::over(Shelves {
            store,
            filling: None,
            models,
            leases: Leases::default(),
        })
        .await
    }

    async fn filling(models: &Arc<ReadModels>) -> Self {
        let filling = Filling::of(Arc::clone(models)).await.unwrap();
        Self::over(Shelves {
            store: Arc::new(filling.clone()),
            filling: Some(filling),
            models: &ReadModels::NAMES,
            leases: Leases::default(),
        })
        .await
    }

    fn client(&self) -> RemoteDocuments {
        RemoteDocuments::new(&self.url, TOKEN).unwrap()
    }
}

fn at(position: u64) -> Checkpoint {
    Checkpoint {
        position,
        ..Checkpoint::default()
    }
}

fn write(value: &str) -> Vec<Write> {
    vec![Write {
        part: Part::Documents,
        key: b"key".to_vec(),
        value: Some(value.as_bytes().to_vec()),
    }]
}

async fn value(store: &dyn DocumentStore, generation: Generation) -> Option<String> {
    let bytes = store.get(generation, Part::Documents, b"key").await.unwrap();
    bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_over_http_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::of(Arc::new(Documents::open(folder.path()).unwrap()), &contract::MODELS).await;
    contract::all(Arc::new(served.client())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_know_the_token_or_asks_for_another_model_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::of(Arc::new(Documents::open(folder.path()).unwrap()), &contract::MODELS).await;
    let stranger = RemoteDocuments::new(&served.url, "guessed").unwrap();
    let error = stranger.generations("together").await.unwrap_err().to_string();
    assert!(error.contains("401"), "{error}");
    let error = served.client().generations("sessions").await.unwrap_err().to_string();
    assert!(error.contains("no read model"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_from_before_the_checkpoint_was_read_again_is_void() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Documents::open(folder.path()).unwrap());
    let served = Served::of(store, &contract::MODELS).await;
    let (killed, new) = (served.client(), served.client());
    let live = killed.generations("together").await.unwrap().live;
    killed.checkpoint(live).await.unwrap();
    killed.commit(live, write("first"), at(1)).await.unwrap();
    assert_eq!(new.checkpoint(live).await.unwrap(), at(1));
    new.commit(live, write("second"), at(2)).await.unwrap();
    // What the old process had sent arrives late.
    let error = killed.commit(live, write("late"), at(1)).await.unwrap_err().to_string();
    assert!(error.contains("go on from there"), "{error}");
    assert_eq!(value(&new, live).await.as_deref(), Some("second"));
    assert_eq!(new.checkpoint(live).await.unwrap(), at(2));
    // It goes on only from a checkpoint it has read.
    killed.commit(live, write("late"), at(1)).await.unwrap_err();
    assert_eq!(killed.checkpoint(live).await.unwrap(), at(2));
    killed.commit(live, write("third"), at(3)).await.unwrap();
    new.commit(live, write("late"), at(3)).await.unwrap_err();
    assert_eq!(value(&new, live).await.as_deref(), Some("third"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_query_role_is_gone_on_with_from_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn DocumentStore> = Arc::new(Documents::open(folder.path()).unwrap());
    let served = Served::of(Arc::clone(&store), &contract::MODELS).await;
    let client = served.client();
    let live = client.generations("together").await.unwrap().live;
    client.commit(live, write("first"), at(1)).await.unwrap();
    let again = Served::of(store, &contract::MODELS).await;
    let client = again.client();
    assert_eq!(client.checkpoint(live).await.unwrap(), at(1));
    client.commit(live, write("second"), at(2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_and_what_changes_nothing_move_what_queries_see() {
    let folder = tempfile::tempdir().unwrap();
    let models = Arc::new(ReadModels::open(folder.path()).await.unwrap());
    let served = Served::filling(&models).await;
    let client = Arc::new(served.client());
    let elsewhere = ReadModels::elsewhere(Arc::clone(&client) as _).await.unwrap();
    let _tellers = shown::tell(&client, &elsewhere);
    let deadline = || std::time::Instant::now() + Duration::from_secs(20);

    let live = client.generations("carts").await.unwrap().live;
    client.checkpoint(live).await.unwrap();
    client.commit(live, write("{}"), at(5)).await.unwrap();
    models.progress().wait_for("carts", 5, deadline()).await.unwrap();
    elsewhere.progress().reached("carts", 9);
    models.progress().wait_for("carts", 9, deadline()).await.unwrap();

    // A generation that is built beside moves nothing, until it is live.
    let new = client.begin("carts").await.unwrap();
    client.checkpoint(new).await.unwrap();
    client.commit(new, write("{}"), at(12)).await.unwrap();
    assert_eq!(models.progress().position("carts"), 9);
    client.promote(new).await.unwrap();
    models.progress().wait_for("carts", 12, deadline()).await.unwrap();
    elsewhere.progress().reached("carts", 20);
    models.progress().wait_for("carts", 20, deadline()).await.unwrap();

    // The index is a store like the others.
    let live = client.generations("catalogue").await.unwrap().live;
    client.checkpoint(live).await.unwrap();
    client.commit(live, vec![], at(7)).await.unwrap();
    models.progress().wait_for("catalogue", 7, deadline()).await.unwrap();

    // A query role that comes back knows what it holds, and is told the rest.
    drop(served);
    drop((models, elsewhere));
    let reopened = Arc::new(ReadModels::open(folder.path()).await.unwrap());
    let _again = Served::filling(&reopened).await;
    assert_eq!(reopened.progress().position("carts"), 12);
    assert_eq!(reopened.progress().position("catalogue"), 7);
}
