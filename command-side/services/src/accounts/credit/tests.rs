//! What credit does, whichever engine it is in: compiled as `on_sqlite` and `on_postgres`.

use domain::commands::{Directive, ServiceCommand as C};
use event_log::memory::MemoryLog;
use event_schemas::{OrderId, RefundId, ShipmentId, Timestamp, credit::CreditEvent};
use futures_util::future::join_all;
use uuid::Uuid;

use super::*;
use crate::{
    accounts::STEPS,
    outbox::{RelaySettings, faulty::all},
    relational::own::Own,
};

struct Fixture {
    credit: Credit,
    log: Arc<MemoryLog>,
    _own: Own,
}

impl Fixture {
    async fn new() -> Self {
        let (own, log) = (Own::of(module_path!()), MemoryLog::new());
        let database = Arc::new(Database::open(&own.place, STEPS).await.unwrap());
        let outbox = Outbox::start(Arc::clone(&database), log.clone(), RelaySettings::default()).await;
        let credit = Credit::within(database, Arc::new(outbox.unwrap()), log.clone());
        Self { credit, log, _own: own }
    }

    async fn limit(&self, amount: i64) {
        let set = self.credit.set_limit(kim(), Money::krw(amount), &context("")).await;
        set.unwrap();
    }

    async fn ask(&self, command: C) -> Result<(), ServiceError> {
        self.credit.execute(&directive(command)).await
    }

    /// Limit, reserved, owed, available.
    async fn sums(&self) -> [i64; 4] {
        let it = self.credit.of(kim()).await.unwrap().unwrap();
        [it.limit, it.reserved, it.owed, it.available].map(|money| money.amount)
    }

    async fn told(&self) -> Vec<String> {
        if let Keeper::Database(kept) = &self.credit.keeper {
            assert!(kept.outbox.drained(PATIENCE * 10).await);
        }
        let events = all(&*self.log).await;
        events.iter().map(|event| event.event_type.to_string()).collect()
    }
}

fn kim() -> CustomerId {
    CustomerId::from_uuid(Uuid::from_u128(5))
}

fn order(number: u128) -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(number))
}

fn shipment(number: u128) -> ShipmentId {
    ShipmentId::from_uuid(Uuid::from_u128(number))
}

fn context(key: &str) -> CommandContext {
    let id = match key {
        "" => Uuid::now_v7(),
        key => event_schemas::ids::derived_uuid(Uuid::nil(), key),
    };
    CommandContext {
        fingerprint: Some("body".to_owned()),
        ..CommandContext::within("test", id, Timestamp::from_millis(1))
    }
}

fn directive(command: C) -> Directive {
    Directive {
        id: Uuid::now_v7(),
        correlation_id: Uuid::from_u128(7),
        causation_id: Uuid::from_u128(8),
        at: Timestamp::from_millis(5),
        command,
    }
}

fn reserve(number: u128, amount: i64) -> C {
    C::ReserveCredit {
        order_id: order(number),
        customer_id: kim(),
        amount: Money::krw(amount),
    }
}

fn charge(number: u128, parcel: u128, amount: i64) -> C {
    C::ChargeCredit {
        order_id: order(number),
        shipment_id: shipment(parcel),
        amount: Money::krw(amount),
    }
}

fn release(number: u128) -> C {
    C::ReleaseCredit {
        order_id: order(number),
        customer_id: kim(),
    }
}

fn refund(number: u128, refund: u128, amount: i64) -> C {
    C::RefundCredit {
        order_id: order(number),
        refund_id: RefundId::from_uuid(Uuid::from_u128(refund)),
        amount: Money::krw(amount),
    }
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, ServiceError>) -> &'static str {
    match outcome {
        Err(ServiceError::Refused(refusal)) => refusal.code,
        other => panic!("expected a refusal: {other:?}"),
    }
}

#[tokio::test]
async fn an_order_is_reserved_owed_parcel_by_parcel_refunded_and_paid_each_once() {
    let shop = Fixture::new().await;
    shop.limit(100).await;
    for _ in 0..2 {
        shop.ask(reserve(1, 60)).await.unwrap();
        shop.ask(charge(1, 1, 25)).await.unwrap();
    }
    assert_eq!(shop.sums().await, [100, 35, 25, 40]);
    for _ in 0..2 {
        shop.ask(charge(1, 2, 20)).await.unwrap();
        shop.ask(release(1)).await.unwrap();
        shop.ask(refund(1, 1, 10)).await.unwrap();
        shop.credit.pay(kim(), Money::krw(30), &context("key")).await.unwrap();
    }
    assert_eq!(shop.sums().await, [100, 0, 5, 95]);
    let told = shop.told().await;
    let expected = [
        "CreditLimitSet",
        "CreditReserved",
        "CreditCharged",
        "CreditCharged",
        "CreditReleased",
        "CreditRefunded",
        "InvoicesPaid",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn beyond_the_limit_nothing_is_reserved() {
    let shop = Fixture::new().await;
    shop.ask(reserve(1, 1)).await.unwrap();
    shop.limit(100).await;
    shop.ask(reserve(2, 101)).await.unwrap();
    shop.ask(reserve(3, 100)).await.unwrap();
    shop.ask(release(2)).await.unwrap();
    assert_eq!(shop.sums().await, [100, 100, 0, 0]);
    assert_eq!(refused(shop.ask(charge(2, 1, 1)).await), "no-credit-held");
    let told = shop.told().await;
    let expected = [
        "CreditLimitExceeded",
        "CreditLimitSet",
        "CreditLimitExceeded",
        "CreditReserved",
        "CreditReleased",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn many_orders_at_once_never_go_above_the_limit() {
    let shop = Fixture::new().await;
    shop.limit(1000).await;
    let orders = (1..=30).map(async |number| shop.ask(reserve(number, 100)).await.unwrap());
    join_all(orders).await;
    assert_eq!(shop.sums().await, [1000, 1000, 0, 0]);
    shop.told().await;
    let mut reserved = 0;
    for event in all(&*shop.log).await.iter().skip(1) {
        if let CreditEvent::CreditReserved(it) = event.decode::<CreditEvent>().unwrap() {
            reserved += 1;
            assert_eq!(
                it.available.amount,
                1000 - 100 * reserved,
                "told in the order in which it was true"
            );
        }
    }
    assert_eq!(reserved, 10);
}

#[tokio::test]
async fn a_release_that_overtakes_its_reservation_wins() {
    let shop = Fixture::new().await;
    shop.limit(100).await;
    shop.ask(release(1)).await.unwrap();
    shop.ask(reserve(1, 50)).await.unwrap();
    assert_eq!(shop.sums().await, [100, 0, 0, 100]);
    assert_eq!(shop.told().await, ["CreditLimitSet", "CreditReleased"]);
}

#[tokio::test]
async fn no_more_is_charged_than_reserved_refunded_than_charged_paid_than_owed() {
    let shop = Fixture::new().await;
    shop.limit(100).await;
    shop.ask(reserve(1, 50)).await.unwrap();
    assert_eq!(refused(shop.ask(charge(1, 1, 51)).await), "more-than-reserved");
    shop.ask(charge(1, 1, 20)).await.unwrap();
    assert_eq!(refused(shop.ask(refund(1, 1, 21)).await), "more-than-charged");
    let paid = shop.credit.pay(kim(), Money::krw(21), &context("")).await;
    assert_eq!(refused(paid), "validation");
    shop.credit.pay(kim(), Money::krw(20), &context("key")).await.unwrap();
    let other = CommandContext {
        fingerprint: Some("another body".to_owned()),
        ..context("key")
    };
    let again = shop.credit.pay(kim(), Money::krw(1), &other).await;
    assert_eq!(refused(again), "idempotency-key-reused");
    // What was paid and came back is to the customer's good.
    shop.ask(refund(1, 1, 20)).await.unwrap();
    assert_eq!(shop.sums().await, [100, 30, -20, 90]);
    let dollars = Money::new(5, "USD".parse().unwrap());
    let changed = shop.credit.set_limit(kim(), dollars, &context("")).await;
    assert_eq!(refused(changed), "credit-in-use");
}

#[tokio::test]
async fn books_in_memory_decide_alike() {
    let (log, real) = (MemoryLog::new(), Fixture::new().await);
    let credit = Credit::in_memory(log.clone());
    credit.set_limit(kim(), Money::krw(100), &context("")).await.unwrap();
    real.limit(100).await;
    for command in [
        reserve(1, 60),
        reserve(2, 60),
        charge(1, 1, 25),
        release(1),
        refund(1, 1, 5),
    ] {
        credit.execute(&directive(command.clone())).await.unwrap();
        real.ask(command).await.unwrap();
    }
    assert_eq!(credit.of(kim()).await.unwrap(), real.credit.of(kim()).await.unwrap());
    let told: Vec<_> = all(&*log)
        .await
        .iter()
        .map(|event| event.event_type.to_string())
        .collect();
    assert_eq!(told, real.told().await);
}
