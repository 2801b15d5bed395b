mod faults;
mod flash_sale;
mod parcels;
mod properties;

use std::sync::Arc;

use domain::commands::Line;
use event_log::{EventLog, memory::MemoryLog};
use event_schemas::{
    OrderId, ProductId, Timestamp,
    stock::{ReservationEvent, StockEvent},
};
use uuid::Uuid;

use super::*;
use crate::{outbox::faulty::all, relational::own::Own};

pub(super) const PATIENT: Duration = Duration::from_secs(20);

/// An inventory over a log in memory, in a database of its own.
pub(super) struct Fixture {
    pub(super) inventory: Arc<Inventory>,
    pub(super) log: Arc<MemoryLog>,
    pub(super) own: Own,
}

impl Fixture {
    pub(super) async fn new() -> Self {
        Self::over(own(), MemoryLog::new()).await
    }

    /// An inventory where one was before.
    pub(super) async fn over(own: Own, log: Arc<MemoryLog>) -> Self {
        let inventory = Arc::new(Inventory::open(&own.place, log.clone()).await.unwrap());
        Self { inventory, log, own }
    }

    pub(super) fn database(&self) -> &Database {
        match &self.inventory.keeper {
            Keeper::Database(kept) => &kept.database,
            Keeper::Memory(_) => panic!("no database"),
        }
    }

    pub(super) async fn ask(&self, command: ServiceCommand) -> Result<(), ServiceError> {
        self.inventory.execute(&directive(command)).await
    }

    pub(super) async fn receive(&self, product_id: ProductId, quantity: u32) {
        self.inventory
            .receive(product_id, quantity, &context(""))
            .await
            .unwrap();
    }

    /// What the log was told, in a few words each.
    pub(super) async fn told(&self) -> Vec<String> {
        assert!(self.inventory.drained(PATIENT).await);
        all(&*self.log).await.iter().map(|event| told(event)).collect()
    }
}

pub(super) fn own() -> Own {
    Own::of(module_path!())
}

fn told(event: &event_log::RecordedEvent) -> String {
    let lines = |lines: &[event_schemas::stock::StockLine]| {
        let line = |line: &event_schemas::stock::StockLine| {
            format!("{}x{}→{}", number(line.product_id), line.quantity, line.available)
        };
        lines.iter().map(line).collect::<Vec<_>>().join(" ")
    };
    if event.stream.category() == "stock" {
        let StockEvent::StockReceived(received) = event.decode::<StockEvent>().unwrap();
        return format!(
            "received {}x{}→{}",
            number(received.product_id),
            received.quantity,
            received.available
        );
    }
    match event.decode::<ReservationEvent>().unwrap() {
        ReservationEvent::StockReserved(it) => format!("reserved {}", lines(&it.lines)),
        ReservationEvent::StockReservationRefused(it) => format!("refused {}", lines(&it.shortages)),
        ReservationEvent::StockReleased(it) => format!("released {}", lines(&it.lines)).trim_end().to_owned(),
        ReservationEvent::StockIssued(it) => format!("issued {}", lines(&it.lines)),
        ReservationEvent::StockReturned(it) => format!("returned {}", lines(&it.lines)),
    }
}

fn number(product_id: ProductId) -> u128 {
    product_id.uuid().as_u128()
}

pub(super) fn product(number: u128) -> ProductId {
    ProductId::from_uuid(Uuid::from_u128(number))
}

pub(super) fn order(number: u128) -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(number))
}

pub(super) fn context(key: &str) -> CommandContext {
    let id = if key.is_empty() {
        Uuid::now_v7()
    } else {
        event_schemas::ids::derived_uuid(Uuid::nil(), key)
    };
    CommandContext {
        fingerprint: Some("body".to_owned()),
        ..CommandContext::within("test", id, Timestamp::from_millis(1))
    }
}

pub(super) fn directive(command: ServiceCommand) -> Directive {
    Directive {
        id: Uuid::now_v7(),
        correlation_id: Uuid::from_u128(7),
        causation_id: Uuid::from_u128(8),
        at: Timestamp::from_millis(5),
        command,
    }
}

pub(super) fn reserve(order_id: OrderId, lines: &[(u128, u32)]) -> ServiceCommand {
    let line = |&(number, quantity): &(u128, u32)| Line {
        product_id: product(number),
        quantity,
    };
    ServiceCommand::ReserveStock {
        order_id,
        lines: lines.iter().map(line).collect(),
    }
}

pub(super) const fn release(order_id: OrderId) -> ServiceCommand {
    ServiceCommand::ReleaseStock {
        lines: vec![],
        shipment_id: None,
        order_id,
    }
}

pub(super) const fn issue(order_id: OrderId) -> ServiceCommand {
    ServiceCommand::IssueStock {
        lines: vec![],
        shipment_id: None,
        order_id,
    }
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, ServiceError>) -> &'static str {
    match outcome {
        Err(ServiceError::Refused(refusal)) => refusal.code,
        other => panic!("expected a refusal: {other:?}"),
    }
}

#[tokio::test]
async fn an_order_is_set_aside_and_leaves_the_house() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 10).await;
    shop.receive(product(2), 5).await;
    shop.ask(reserve(order(1), &[(2, 1), (1, 3)])).await.unwrap();
    shop.ask(issue(order(1))).await.unwrap();
    let told = shop.told().await;
    assert_eq!(
        told,
        [
            "received 1x10→10",
            "received 2x5→5",
            "reserved 1x3→7 2x1→4",
            "issued 1x3→7 2x1→4"
        ]
    );
    assert_eq!(shop.inventory.available(product(1)).await.unwrap(), 7);
    assert_eq!(shop.inventory.available(product(9)).await.unwrap(), 0);
}

#[tokio::test]
async fn all_is_set_aside_or_nothing() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 10).await;
    shop.receive(product(2), 1).await;
    shop.ask(reserve(order(1), &[(1, 3), (2, 2), (3, 1)])).await.unwrap();
    let told = shop.told().await;
    assert_eq!(
        told.last().unwrap(),
        "refused 2x2→1 3x1→0",
        "what is short, with what there is"
    );
    assert_eq!(shop.inventory.available(product(1)).await.unwrap(), 10);
}

#[tokio::test]
async fn one_product_on_two_lines_is_counted_together() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 3).await;
    shop.ask(reserve(order(1), &[(1, 2), (1, 2)])).await.unwrap();
    assert_eq!(shop.told().await.last().unwrap(), "refused 1x4→3");
}

#[tokio::test]
async fn each_step_repeated_does_nothing_again() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 10).await;
    for _ in 0..3 {
        shop.ask(reserve(order(1), &[(1, 3)])).await.unwrap();
    }
    for _ in 0..3 {
        shop.ask(issue(order(1))).await.unwrap();
    }
    shop.ask(reserve(order(2), &[(1, 2)])).await.unwrap();
    for _ in 0..3 {
        shop.ask(release(order(2))).await.unwrap();
    }
    let told = shop.told().await;
    assert_eq!(
        told,
        [
            "received 1x10→10",
            "reserved 1x3→7",
            "issued 1x3→7",
            "reserved 1x2→5",
            "released 1x2→7"
        ]
    );
}

#[tokio::test]
async fn a_release_that_overtakes_its_reservation_wins() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 10).await;
    shop.ask(release(order(1))).await.unwrap();
    shop.ask(reserve(order(1), &[(1, 3)])).await.unwrap();
    shop.ask(release(order(1))).await.unwrap();
    assert_eq!(shop.told().await, ["received 1x10→10", "released"]);
    assert_eq!(shop.inventory.available(product(1)).await.unwrap(), 10);
    assert_eq!(refused(shop.ask(issue(order(1))).await), "nothing-reserved");
}

#[tokio::test]
async fn a_refused_reservation_can_be_released() {
    let shop = Fixture::new().await;
    shop.ask(reserve(order(1), &[(1, 3)])).await.unwrap();
    shop.ask(release(order(1))).await.unwrap();
    shop.receive(product(1), 5).await;
    shop.ask(reserve(order(1), &[(1, 3)])).await.unwrap();
    assert_eq!(
        shop.told().await,
        ["refused 1x3→0", "released", "received 1x5→5"],
        "the first answer stands"
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 10).await;
    assert_eq!(refused(shop.ask(issue(order(1))).await), "nothing-reserved");
    assert_eq!(refused(shop.ask(reserve(order(1), &[])).await), "nothing-to-reserve");
    assert_eq!(
        refused(shop.ask(reserve(order(1), &[(1, 0)])).await),
        "nothing-to-reserve"
    );
    shop.ask(reserve(order(2), &[(1, 3)])).await.unwrap();
    shop.ask(issue(order(2))).await.unwrap();
    assert_eq!(refused(shop.ask(release(order(2))).await), "stock-issued");
    let elsewhere = ServiceCommand::ConfirmOrder { order_id: order(1) };
    assert!(matches!(shop.ask(elsewhere).await, Err(ServiceError::Fault(_))));
}

#[tokio::test]
async fn a_receipt_is_taken_in_once_and_answers_alike() {
    let shop = Fixture::new().await;
    let first = shop.inventory.receive(product(1), 10, &context("key")).await.unwrap();
    assert_eq!(first.event.available, 10);
    assert_eq!(first.position, Some(shop.log.head().await.unwrap()));
    shop.receive(product(1), 1).await;
    let again = shop.inventory.receive(product(1), 10, &context("key")).await.unwrap();
    assert_eq!(again.event, first.event);
    assert!(again.position >= first.position, "somewhere the effect is seen");
    let other = CommandContext {
        fingerprint: Some("another body".to_owned()),
        ..context("key")
    };
    assert_eq!(
        refused(shop.inventory.receive(product(1), 10, &other).await),
        "idempotency-key-reused"
    );
    assert_eq!(shop.told().await, ["received 1x10→10", "received 1x1→11"]);
}

#[tokio::test]
async fn quantities_have_bounds() {
    let shop = Fixture::new().await;
    for quantity in [0, MAX_RECEIPT + 1, u32::MAX] {
        let outcome = shop.inventory.receive(product(1), quantity, &context("")).await;
        let Err(ServiceError::Refused(refusal)) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(refusal.fields[0].field, "quantity");
    }
    let full = i64::try_from(MAX_ON_HAND).unwrap();
    let mut transaction = shop.database().begin().await.unwrap();
    transaction
        .run(
            "INSERT INTO stock VALUES ($1, $2, 0)",
            [product(2).to_string().into(), full.into()],
        )
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(
        refused(shop.inventory.receive(product(2), 1, &context("")).await),
        "validation"
    );
    assert_eq!(shop.told().await, [""; 0]);
}

#[tokio::test]
async fn events_say_who_asked_and_why() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 10).await;
    let asked = directive(reserve(order(1), &[(1, 3)]));
    shop.inventory.execute(&asked).await.unwrap();
    shop.told().await;
    let event = all(&*shop.log).await.pop().unwrap();
    let metadata = event.metadata().unwrap();
    assert_eq!(event.stream.as_str(), format!("reservation-{}", order(1)));
    assert_eq!(metadata.causation_id, Some(asked.causation_id));
    assert_eq!(
        (metadata.correlation_id, metadata.command_id),
        (asked.correlation_id, Some(asked.id))
    );
    assert_eq!(
        (metadata.occurred_at, metadata.actor.to_string()),
        (asked.at, "system:inventory".to_owned())
    );
}
