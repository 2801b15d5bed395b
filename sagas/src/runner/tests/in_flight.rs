//! Orders that were begun under definition 1 of `place_order` end under the definition of today. The fixtures are whole logs
//! that the runner and saga of definition 1 wrote; each is cut after each of its events, and every cut is an order in flight.

use std::{path::Path, sync::Arc};

use event_log::{Append, EventLog, ExpectedVersion};
use event_schemas::{
    ContentType, NewEvent, OrderId,
    saga::{SagaAdvanced, SagaStatus},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    folder,
    mortal::{Killer, runner},
    shop::Shop,
    stories::{Story, stories},
};
use crate::world::{Script, World};

/// One line of a fixture.
#[derive(Deserialize)]
struct Stored {
    stream: String,
    #[serde(rename = "type")]
    event_type: String,
    id: Uuid,
    metadata: Box<RawValue>,
    data: Box<RawValue>,
}

fn history(name: &str) -> Vec<Stored> {
    let file = format!("fixtures/place_order_1/{}.jsonl", name.replace(' ', "_"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A shop in which so much has happened.
async fn shop_after(past: &[Stored], order_id: OrderId, script: Script) -> Arc<Shop> {
    let shop = Shop::new(1);
    let mut world = World::new(order_id, script);
    for stored in past {
        let event = NewEvent {
            id: stored.id,
            event_type: stored.event_type.clone(),
            content: ContentType::Json,
            metadata: stored.metadata.get().to_owned().into(),
            data: stored.data.get().to_owned().into(),
        };
        let append = Append {
            stream: stored.stream.parse().unwrap(),
            expected: ExpectedVersion::Any,
            events: vec![event],
        };
        shop.log.append(append).await.unwrap();
    }
    let (events, _) = shop
        .log
        .read_all(event_log::Position::START, &event_log::EventFilter::default(), 1_000)
        .await
        .unwrap();
    for event in &events {
        world.remember(&event.shop_event().unwrap().1);
    }
    if past.iter().any(|stored| stored.event_type == "SagaAdvanced") {
        world.begun_under_definition_1();
    }
    shop.worlds.lock().unwrap().insert(order_id, world);
    shop
}

/// Lets the order end under the definition of today.
async fn ends(past: &[Stored], name: &str, (script, cancel_after): Story) -> SagaAdvanced {
    let order_id = OrderId::derived(Uuid::nil(), name);
    let (shop, folder) = (shop_after(past, order_id, script).await, folder());
    let mut outside = JoinSet::new();
    outside.spawn(Arc::clone(&shop).outside(cancel_after));
    let runner = runner(&shop, &Killer::never(), folder.path()).await;
    let at_rest = |saga: &SagaAdvanced| {
        use SagaStatus::{Compensated, Completed, Stuck};
        matches!(saga.status, Completed | Compensated | Stuck)
    };
    let end = shop.advanced(order_id, at_rest).await;
    runner.shutdown().await;
    shop.with(order_id, |world| world.assert_clean());
    shop.assert_told_once(order_id).await;
    end
}

#[tokio::test]
async fn every_order_in_flight_ends_and_nothing_is_done_twice() {
    let mut orders = JoinSet::new();
    for (name, story) in stories() {
        let told = history(name).len();
        assert!(told >= 6, "{name} tells too little");
        for so_far in 1..=told {
            orders.spawn(async move {
                let end = ends(&history(name)[..so_far], name, story).await;
                assert_ne!(end.status, SagaStatus::Stuck, "{name} after {so_far}: {:?}", end.reason);
                assert!(end.definition == 2 || so_far == told, "{name} after {so_far}");
            });
        }
    }
    orders.join_all().await;
}

#[tokio::test]
async fn an_order_that_was_stuck_is_still_stuck_with_its_reason() {
    let name = "picked up after the cancel";
    let told = history(name);
    for so_far in 1..=told.len() {
        let end = ends(&told[..so_far], name, (Script::default(), None)).await;
        let cancelled = told[..so_far]
            .iter()
            .any(|stored| stored.event_type == "OrderCancelled");
        assert_eq!(end.status == SagaStatus::Stuck, cancelled, "after {so_far}: {end:?}");
        if cancelled {
            assert!(end.reason.unwrap().contains("sent back"));
        }
    }
}
