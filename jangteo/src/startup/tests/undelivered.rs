//! Dead letters and circuits, as operators see them: on a running shop and on its folder.

use event_log::{Append, EventLog, ExpectedVersion};
use event_schemas::{
    Actor, Category, CustomerId, DeadLetterId, DomainEvent, Metadata, Money, NewEvent, OrderId, Timestamp,
    order::{OrderEvent, OrderPlaced, PaymentMethod},
    subscription::{DeadLetterEvent, DeadLettered},
};
use serde_json::Value;
use uuid::Uuid;

use super::{config, shop};
use crate::{
    cli::said,
    operations::{LocalOperations, Operations, RemoteOperations, RemoteShop},
};

/// History from elsewhere, so that no saga acts on it.
async fn append(log: &dyn EventLog, id: Uuid, event: impl DomainEvent) -> (Uuid, u64) {
    fn named<E: DomainEvent>(_: &E) -> Category {
        E::CATEGORY
    }
    let metadata = Metadata {
        imported: true,
        ..Metadata::new(Timestamp::now(), id, Actor::system("test"))
    };
    let event_id = Uuid::now_v7();
    let append = Append {
        stream: named(&event).stream(id),
        expected: ExpectedVersion::None,
        events: vec![NewEvent::new(event_id, &event, &metadata)],
    };
    (event_id, log.append(append).await.unwrap().position.0)
}

/// An order of a customer without an address, and a letter that says that no mail about it could be sent.
async fn dead_letter(log: &dyn EventLog) -> DeadLetterId {
    let order_id = OrderId::fresh();
    let address = serde_json::from_value(
        serde_json::json!({"recipient": "Hana", "phone": "010", "postal_code": "04524",
        "line1": "1", "city": "Seoul", "country": "KR"}),
    );
    let placed = OrderEvent::OrderPlaced(OrderPlaced {
        order_id,
        customer_id: CustomerId::fresh(),
        items: vec![],
        total: Money::krw(0),
        shipping_address: address.unwrap(),
        payment: PaymentMethod {
            method: "card".to_owned(),
            token: String::new(),
        },
        from_cart: false,
        promised_by: None,
    });
    let (event_id, position) = append(log, order_id.uuid(), placed).await;
    let dead_letter_id = DeadLetterId::derived(event_id, "mails");
    let letter = DeadLetterEvent::DeadLettered(DeadLettered {
        dead_letter_id,
        subscriber: "mails".to_owned(),
        event_id,
        event_type: "OrderPlaced".to_owned(),
        position,
        attempts: 5,
        error: "550 no such\nmailbox".to_owned(),
    });
    append(log, dead_letter_id.uuid(), letter).await;
    dead_letter_id
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_retried_and_discarded_on_a_running_shop_and_on_its_folder() {
    let temp = tempfile::tempdir().unwrap();
    let running = shop(temp.path(), false).await;
    let token = running.process.folder().operator_token().unwrap();
    let remote = RemoteOperations::new(RemoteShop::new(&running.url(), &token));
    assert!(
        said("jangteo dead-letters list", &remote)
            .await
            .unwrap()
            .contains("no dead letters")
    );
    let log = running.process.log();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(dead_letter(log.as_ref()).await);
    }
    let listed = said("jangteo dead-letters list", &remote).await.unwrap();
    assert!(ids.iter().all(|id| listed.contains(&id.to_string())), "{listed}");
    assert!(
        listed.contains("550 no such mailbox") && listed.contains("points"),
        "{listed}"
    );

    let retried = said(&format!("jangteo dead-letters retry {}", ids[0]), &remote)
        .await
        .unwrap();
    assert_eq!(retried, format!("{} is taken in\n", ids[0]));
    let again = said(&format!("jangteo dead-letters retry {}", ids[0]), &remote)
        .await
        .unwrap_err();
    assert_eq!(again.to_string(), "1 of 1 were not taken in");
    let circuits = said("jangteo circuits", &remote).await.unwrap();
    assert!(!circuits.is_empty());
    running.stop().await;

    let local = LocalOperations::open(&config(temp.path(), false)).await.unwrap();
    let discard = format!("jangteo dead-letters discard {} --reason told", ids[1]);
    assert!(said(&discard, &local).await.unwrap().contains("is discarded"));
    said("jangteo dead-letters retry --all", &local).await.unwrap();
    let all = said("jangteo dead-letters list --all --json", &local).await.unwrap();
    let all: Value = serde_json::from_str(&all).unwrap();
    let states: Vec<_> = all["dead_letters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|letter| &letter["state"])
        .collect();
    assert_eq!(states, ["taken_in", "discarded", "taken_in"]);
    let unknown = said(
        &format!("jangteo dead-letters discard {} --reason x", DeadLetterId::fresh()),
        &local,
    )
    .await;
    assert!(unknown.unwrap_err().to_string().contains("there is no dead letter"));
    said("jangteo circuits", &local).await.unwrap_err();
    local.close().await;
}
