//! Read your own writes: whoever shows the token of what they did sees at least that, whatever happens to the read models
//! meanwhile.

mod client;

use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use self::client::{Client, DEADLINE, Step, Way};
use super::{Shop, config};
use crate::{
    cli::said,
    config::Config,
    operations::{RemoteOperations, RemoteShop},
};

const CLIENTS: usize = 3;

/// What happens to the read models while the clients are at it.
#[derive(Debug, Clone, Copy)]
enum Upheaval {
    Nothing,
    /// These commands, one after the other.
    Commands(&'static [&'static str]),
}

const UPHEAVALS: &[Upheaval] = &[
    Upheaval::Nothing,
    Upheaval::Commands(&["projection rebuild --all --approve --json"]),
    Upheaval::Commands(&[
        "projection rebuild my_page catalogue --approve --json",
        "projection rollback catalogue --json",
        "projection rollback my_page --json",
    ]),
    Upheaval::Commands(&[
        "projection audit catalogue --all --repair --json",
        "projection rebuild products carts --approve --json",
        "projection rollback carts --json",
    ]),
];

/// What all clients do at the same time; the shop is started anew after each.
#[derive(Debug, Clone)]
struct Round {
    steps: Vec<Vec<Step>>,
    upheaval: Upheaval,
}

impl Upheaval {
    async fn come(self, shop: &Shop) {
        let token = shop.folder().operator_token().unwrap();
        let remote = RemoteOperations::new(RemoteShop::new(&shop.url(), &token));
        if let Self::Commands(commands) = self {
            for command in commands {
                said(&format!("jangteo {command}"), &remote)
                    .await
                    .unwrap_or_else(|error| panic!("{command}: {error}"));
            }
        }
    }
}

/// The embedded stores, or those of an Elasticsearch node under names of this test's own.
fn placed(folder: &Path, node: Option<&Node>) -> Config {
    let mut config = config(folder, true);
    if let Some(node) = node {
        config.elasticsearch.url = Some(node.url.parse().unwrap());
        config.elasticsearch.prefix.clone_from(&node.prefix);
    }
    config
}

async fn started(config: Config) -> Shop {
    Shop::start(config).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn never_less_than_written(rounds: Vec<Round>, node: Option<&Node>) {
    let temp = tempfile::tempdir().unwrap();
    let mut shop = started(placed(temp.path(), node)).await;
    shop.settled(DEADLINE).await.unwrap();
    let way = Way::to(&shop);
    let mut clients = vec![];
    for number in 0..CLIENTS {
        clients.push(Client::new(&way, number).await);
    }
    for round in rounds {
        let way = Way::to(&shop);
        let at_it = clients
            .iter_mut()
            .zip(&round.steps)
            .map(|(client, steps)| client.play(&way, steps));
        tokio::join!(futures_util::future::join_all(at_it), round.upheaval.come(&shop));
        shop.stop().await;
        shop = started(placed(temp.path(), node)).await;
    }
    let way = Way::to(&shop);
    for client in &clients {
        client.sees_it_all(&way).await;
    }
    shop.stop().await;
}

/// A real Elasticsearch node, and what the names of this test's indices there start with.
struct Node {
    url: String,
    prefix: String,
}

impl Node {
    /// The one that `make test` started.
    fn there() -> Option<Self> {
        Some(Self {
            url: std::env::var("JANGTEO_TEST_ELASTICSEARCH").ok()?,
            prefix: format!("test-{}", uuid::Uuid::now_v7().simple()),
        })
    }

    async fn clear(self) {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let listed = format!("{}/_cat/indices/{}-*?h=index&format=json", self.url, self.prefix);
        let listed: Value = http.get(listed).send().await.unwrap().json().await.unwrap();
        for index in listed.as_array().unwrap() {
            let name = index["index"].as_str().unwrap();
            http.delete(format!("{}/{name}", self.url)).send().await.unwrap();
        }
    }
}

fn run(shop: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(shop);
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::List),
        2 => (0usize..8).prop_map(Step::Reprice),
        2 => (0usize..8).prop_map(Step::Receive),
        1 => (0usize..8).prop_map(Step::Delist),
        2 => (1u32..9).prop_map(Step::PutInCart),
        2 => Just(Step::Order),
    ]
}

fn round() -> impl Strategy<Value = Round> {
    let steps = proptest::collection::vec(proptest::collection::vec(step(), 0..7), CLIENTS);
    (steps, proptest::sample::select(UPHEAVALS)).prop_map(|(steps, upheaval)| Round { steps, upheaval })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, max_shrink_iters: 8, ..ProptestConfig::default() })]
    #[test]
    fn nobody_is_shown_less_than_they_wrote(rounds in proptest::collection::vec(round(), 1..3)) {
        run(never_less_than_written(rounds, None));
    }

    #[test]
    fn nobody_is_shown_less_than_they_wrote_on_elasticsearch(rounds in proptest::collection::vec(round(), 1..3)) {
        run(async {
            if let Some(node) = Node::there() {
                never_less_than_written(rounds, Some(&node)).await;
                node.clear().await;
            }
        });
    }
}
