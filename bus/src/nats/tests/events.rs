//! CloudEvents from the log, as a partner receives them.

use std::{collections::BTreeMap, sync::Arc};

use async_nats::{HeaderMap, jetstream::consumer::pull::OrderedConfig};
use event_log::{Append, EventLog, ExpectedVersion, memory::MemoryLog};
use event_schemas::{
    AccountId, Actor, Category, DomainEvent, Metadata, NewEvent, OrderId, Timestamp,
    cart::CartCheckedOut,
    order::{OrderConfirmed, OrderEvent},
};
use futures_util::StreamExt as _;
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

use super::server::{Server, eventually};
use crate::{EventPublisher, Nats};

async fn append<E: DomainEvent>(log: &Arc<MemoryLog>, category: Category, event: &E) -> Uuid {
    let id = Uuid::now_v7();
    let metadata = Metadata::new(Timestamp::now(), Uuid::now_v7(), Actor::system("test"));
    let append = Append {
        stream: category.stream(Uuid::now_v7()),
        expected: ExpectedVersion::None,
        events: vec![NewEvent::new(id, event, &metadata)],
    };
    log.append(append).await.unwrap();
    id
}

/// A confirmed order, and something that is nobody's business. Returns the id of what is published.
async fn happens(log: &Arc<MemoryLog>) -> String {
    let order_id = OrderId::fresh();
    let customer_id = AccountId::fresh();
    append(
        log,
        Category::Cart,
        &event_schemas::cart::CartEvent::from(CartCheckedOut { customer_id, order_id }),
    )
    .await;
    let confirmed = OrderEvent::from(OrderConfirmed { order_id });
    append(log, Category::Order, &confirmed).await.to_string()
}

async fn published_all(publisher: &EventPublisher, log: &Arc<MemoryLog>) {
    let head = log.head().await.unwrap();
    let mut position = publisher.position();
    let all = position.wait_for(|position| *position >= head);
    tokio::time::timeout(super::server::DEADLINE, all)
        .await
        .expect("never published")
        .unwrap();
}

/// Everything on the stream, oldest first.
async fn received(nats: &Nats) -> Vec<(String, HeaderMap, Value)> {
    let mut stream = nats.events().await.unwrap();
    let count = stream.info().await.unwrap().state.messages;
    let consumer = stream.create_consumer(OrderedConfig::default()).await.unwrap();
    let messages = consumer.messages().await.unwrap().take(usize::try_from(count).unwrap());
    messages
        .map(|message| {
            let message = message.unwrap();
            let event = serde_json::from_slice(&message.payload).unwrap();
            (message.subject.to_string(), message.headers.clone().unwrap(), event)
        })
        .collect()
        .await
}

fn ids(received: &[(String, HeaderMap, Value)]) -> Vec<&str> {
    received
        .iter()
        .map(|(_, _, event)| event["id"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_partners_may_see_is_on_the_stream_in_order_once_also_when_it_is_published_again() {
    let Some(server) = Server::any("CloudEvents over NATS").await else {
        return;
    };
    let (nats, log, folder) = (server.connect().await, MemoryLog::new(), TempDir::new().unwrap());
    let mut expected = vec![];
    for _ in 0..600 {
        expected.push(happens(&log).await);
    }
    let publisher = EventPublisher::start(&nats, Arc::clone(&log) as _, folder.path())
        .await
        .unwrap();
    published_all(&publisher, &log).await;
    let there = received(&nats).await;
    assert_eq!(ids(&there), expected);
    let (subject, headers, event) = &there[0];
    assert!(subject.ends_with(".events.order.confirmed.v1"), "{subject}");
    assert_eq!(
        headers.get("Content-Type").unwrap().as_str(),
        "application/cloudevents+json"
    );
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "shop.jangteo.order.confirmed.v1");
    drop(publisher);

    // Stopped and started: it goes on where it was.
    expected.push(happens(&log).await);
    let publisher = EventPublisher::start(&nats, Arc::clone(&log) as _, folder.path())
        .await
        .unwrap();
    published_all(&publisher, &log).await;
    assert_eq!(ids(&received(&nats).await), expected);
    drop(publisher);

    // Killed before its checkpoint was kept: it publishes again what the server knows.
    let forgetful = TempDir::new().unwrap();
    let publisher = EventPublisher::start(&nats, Arc::clone(&log) as _, forgetful.path())
        .await
        .unwrap();
    published_all(&publisher, &log).await;
    assert_eq!(ids(&received(&nats).await), expected);
    drop(publisher);
    server.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_wait_for_a_server_that_is_away_and_all_arrive() {
    let Some(mut server) = Server::own("CloudEvents while NATS is away").await else {
        return;
    };
    let (nats, log, folder) = (server.connect().await, MemoryLog::new(), TempDir::new().unwrap());
    let publisher = EventPublisher::start(&nats, Arc::clone(&log) as _, folder.path())
        .await
        .unwrap();
    let mut expected = BTreeMap::new();
    for round in 0..2 {
        for _ in 0..100 {
            expected.insert(happens(&log).await, round);
        }
        server.stop().await;
        eventually("it is noticed", async || !nats.is_connected()).await;
        for _ in 0..100 {
            expected.insert(happens(&log).await, round);
        }
        server.start().await;
        published_all(&publisher, &log).await;
    }
    let there = received(&nats).await;
    let there: Vec<&str> = ids(&there);
    assert!(expected.keys().all(|id| there.contains(&&**id)), "some are missing");
    assert_eq!(
        there.len(),
        expected.len(),
        "each once: the server remembers its ids over a restart"
    );
    drop(publisher);
    server.clear().await;
}
