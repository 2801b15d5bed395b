mod cannot_send;
mod outlet;
mod webhook;

use event_log::{Append, Direction, ExpectedVersion, memory::MemoryLog};
use event_schemas::{
    Actor, Category, DomainEvent, Metadata, NewEvent, OrderId, ProductId,
    shipment::{ParcelItem, ParcelScanned, ShipmentBooked, ShipmentEvent},
};
use uuid::Uuid;

use super::*;
use crate::{outbox::faulty::FaultyLog, testing::address};

/// A carrier so slow that nothing moves while a test runs, and one so fast that a parcel takes a blink.
const SLOW: f64 = 1.0;
const FAST: f64 = 1_000_000.0;

struct Fixture {
    shipping: Arc<Shipping>,
    carrier: Arc<CarrierSimulator>,
    log: Arc<MemoryLog>,
}

impl Fixture {
    fn new(speed: f64) -> Self {
        Self::over(MemoryLog::new(), speed)
    }

    fn over(log: Arc<MemoryLog>, speed: f64) -> Self {
        let carrier = CarrierSimulator::new(speed);
        let shipping = Arc::new(Shipping::new(log.clone(), carrier.clone(), CALL_TIMEOUT));
        Self { shipping, carrier, log }
    }

    fn run(&self) -> tokio::task::JoinHandle<()> {
        tokio::spawn(Arc::clone(&self.carrier).run(self.log.clone(), Arc::clone(&self.shipping)))
    }

    async fn ask(&self, command: ServiceCommand) -> Result<(), ServiceError> {
        self.shipping.execute(&directive(command)).await
    }

    async fn report(&self, status: ParcelStatus, event_id: &str) -> Result<Reported, ServiceError> {
        let report = Report {
            shipment_id: parcel(1),
            status,
            location: "옥천 HUB".to_owned(),
            occurred_at: Timestamp::from_millis(9),
            event_id: event_id.to_owned(),
        };
        self.shipping.report(simulator::NAME, &report).await
    }

    async fn events(&self, shipment_id: ShipmentId) -> Vec<String> {
        let stream = Category::Shipment.stream(shipment_id.uuid());
        let events = self
            .log
            .read_stream(&stream, None, Direction::Forwards, 100)
            .await
            .unwrap();
        let name = |event: ShipmentEvent| match event {
            ShipmentEvent::ParcelScanned(scanned) => format!("{:?}", scanned.status),
            other => other.event_type().to_owned(),
        };
        events.iter().map(|event| name(event.decode().unwrap())).collect()
    }

    async fn is_delivered(&self, shipment_id: ShipmentId) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        while self
            .events(shipment_id)
            .await
            .last()
            .is_none_or(|last| last != "ParcelDelivered")
        {
            assert!(
                tokio::time::Instant::now() < deadline,
                "{:?}",
                self.events(shipment_id).await
            );
            tokio::task::yield_now().await;
        }
    }
}

const WHOLE_WAY: [&str; 5] = [
    "ShipmentBooked",
    "ParcelPickedUp",
    "InTransit",
    "OutForDelivery",
    "ParcelDelivered",
];

fn order(number: u128) -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(number))
}

fn parcel(number: u128) -> ShipmentId {
    ShipmentId::derived(order(number).uuid(), "shipment")
}

fn items() -> Vec<ParcelItem> {
    vec![ParcelItem {
        product_id: ProductId::from_uuid(Uuid::from_u128(9)),
        quantity: 1,
    }]
}

fn book(number: u128) -> ServiceCommand {
    ServiceCommand::BookShipment {
        seller_id: None,
        shipment_id: parcel(number),
        order_id: order(number),
        items: items(),
        address: address(),
    }
}

fn cancel(number: u128) -> ServiceCommand {
    ServiceCommand::CancelShipment {
        shipment_id: parcel(number),
        order_id: order(number),
    }
}

fn directive(command: ServiceCommand) -> Directive {
    Directive {
        id: Uuid::now_v7(),
        correlation_id: Uuid::from_u128(7),
        causation_id: Uuid::from_u128(8),
        at: Timestamp::from_millis(5),
        command,
    }
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, ServiceError>) -> &'static str {
    match outcome {
        Err(ServiceError::Refused(refusal)) => refusal.code,
        other => panic!("expected a refusal: {other:?}"),
    }
}

#[tokio::test]
async fn a_parcel_is_booked_once_and_shows_the_city_only() {
    let shop = Fixture::new(SLOW);
    shop.ask(book(1)).await.unwrap();
    shop.ask(book(1)).await.unwrap();
    let stream = Category::Shipment.stream(parcel(1).uuid());
    let events = shop
        .log
        .read_stream(&stream, None, Direction::Forwards, 100)
        .await
        .unwrap();
    assert_eq!(events.len(), 1);
    let ShipmentEvent::ShipmentBooked(booked) = events[0].decode().unwrap() else {
        panic!("another event")
    };
    assert_eq!(
        (booked.carrier.as_str(), booked.destination.as_str()),
        ("simulator", "서울, KR")
    );
    assert_eq!(shop.carrier.shipment_of(&booked.tracking_number), Some(parcel(1)));
    assert!(booked.estimated_delivery.unwrap() > Timestamp::now());
}

#[tokio::test]
async fn a_parcel_is_called_off_until_it_is_fetched() {
    let shop = Fixture::new(SLOW);
    shop.ask(book(1)).await.unwrap();
    shop.ask(cancel(1)).await.unwrap();
    shop.ask(cancel(1)).await.unwrap();
    assert_eq!(shop.events(parcel(1)).await, ["ShipmentBooked", "ShipmentCancelled"]);
    assert_eq!(
        refused(shop.report(ParcelStatus::PickedUp, "1").await),
        "shipment-cancelled"
    );

    shop.ask(book(2)).await.unwrap();
    let picked_up = Report {
        shipment_id: parcel(2),
        status: ParcelStatus::PickedUp,
        location: String::new(),
        occurred_at: Timestamp::from_millis(9),
        event_id: "1".to_owned(),
    };
    shop.shipping.report(simulator::NAME, &picked_up).await.unwrap();
    shop.ask(cancel(2)).await.unwrap();
    assert_eq!(
        shop.events(parcel(2)).await,
        ["ShipmentBooked", "ParcelPickedUp"],
        "too late: nothing happens"
    );
    assert_eq!(refused(shop.ask(cancel(3)).await), "parcel-not-found");
}

#[tokio::test]
async fn the_carrier_answers_a_repeated_cancellation_alike() {
    let shop = Fixture::new(SLOW);
    shop.ask(book(1)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(shop.carrier.cancel(parcel(1), "").await, Ok(Cancelled::CalledOff));
    }
    assert!(
        shop.carrier.cancel(parcel(2), "").await.is_err(),
        "one it never heard of"
    );
}

#[tokio::test]
async fn reports_may_come_twice_and_out_of_order() {
    let shop = Fixture::new(SLOW);
    shop.ask(book(1)).await.unwrap();
    shop.report(ParcelStatus::Booked, "0").await.unwrap();
    shop.report(ParcelStatus::OutForDelivery, "3").await.unwrap();
    let late = shop.report(ParcelStatus::InTransit, "2").await.unwrap();
    assert_eq!(late.status, ParcelStatus::OutForDelivery, "overtaken");
    shop.report(ParcelStatus::PickedUp, "1").await.unwrap();
    for _ in 0..3 {
        shop.report(ParcelStatus::Delivered, "4").await.unwrap();
    }
    let expected = ["ShipmentBooked", "ParcelPickedUp", "OutForDelivery", "ParcelDelivered"];
    assert_eq!(
        shop.events(parcel(1)).await,
        expected,
        "fetched before seen, never back, once"
    );
}

#[tokio::test]
async fn parcels_move_by_themselves_on_a_fast_clock() {
    let shop = Fixture::new(FAST);
    let running = shop.run();
    for number in 1..=200 {
        shop.ask(book(number)).await.unwrap();
    }
    for number in 1..=200 {
        shop.is_delivered(parcel(number)).await;
        assert_eq!(shop.events(parcel(number)).await, WHOLE_WAY);
    }
    running.abort();
}

#[tokio::test]
async fn after_a_restart_parcels_go_on_from_where_they_were_seen() {
    let shop = Fixture::new(SLOW);
    shop.ask(book(1)).await.unwrap();
    shop.report(ParcelStatus::InTransit, "1").await.unwrap();
    shop.ask(book(2)).await.unwrap();
    shop.ask(cancel(2)).await.unwrap();
    give_history(&shop.log).await;
    let shop = Fixture::over(shop.log, FAST);
    let running = shop.run();
    shop.is_delivered(parcel(1)).await;
    assert_eq!(shop.events(parcel(1)).await, WHOLE_WAY);
    assert_eq!(shop.events(parcel(2)).await, ["ShipmentBooked", "ShipmentCancelled"]);
    for number in [3, 4] {
        assert_eq!(
            shop.events(parcel(number)).await.len(),
            2,
            "history and other carriers' parcels stay where they are"
        );
    }
    running.abort();
}

/// Parcel 3 was imported, parcel 4 is with another carrier.
async fn give_history(log: &Arc<MemoryLog>) {
    for (number, carrier, imported) in [(3, simulator::NAME, true), (4, "another", false)] {
        let booked = ShipmentBooked {
            seller_id: None,
            shipment_id: parcel(number),
            order_id: order(number),
            carrier: carrier.to_owned(),
            tracking_number: "X".to_owned(),
            items: items(),
            destination: String::new(),
            estimated_delivery: None,
        };
        let scanned = ParcelScanned {
            shipment_id: parcel(number),
            order_id: order(number),
            status: ParcelStatus::InTransit,
            location: String::new(),
        };
        let metadata = Metadata {
            imported,
            ..Metadata::new(Timestamp::from_millis(0), Uuid::nil(), Actor::system("test"))
        };
        let events = [ShipmentEvent::from(booked), scanned.into()];
        let append = Append {
            stream: Category::Shipment.stream(parcel(number).uuid()),
            expected: ExpectedVersion::None,
            events: events
                .iter()
                .map(|event| NewEvent::new(Uuid::now_v7(), event, &metadata))
                .collect(),
        };
        log.append(append).await.unwrap();
    }
}

#[tokio::test]
async fn while_the_log_is_away_the_carrier_reports_later() {
    let inner = MemoryLog::new();
    let log = Arc::new(FaultyLog::over(inner.clone()));
    let carrier = CarrierSimulator::new(FAST);
    let shipping = Arc::new(Shipping::new(log.clone(), carrier.clone(), CALL_TIMEOUT));
    let shop = Fixture {
        shipping,
        carrier,
        log: inner,
    };
    shop.ask(book(1)).await.unwrap();
    log.set_down(true);
    let running = tokio::spawn(Arc::clone(&shop.carrier).run(log.clone(), Arc::clone(&shop.shipping)));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while log.asked_in_vain.load(std::sync::atomic::Ordering::SeqCst) < 3 {
        assert!(tokio::time::Instant::now() < deadline, "nobody asked");
        tokio::task::yield_now().await;
    }
    assert_eq!(shop.events(parcel(1)).await, ["ShipmentBooked"]);
    log.set_down(false);
    shop.is_delivered(parcel(1)).await;
    running.abort();
}

/// A carrier that never answers.
struct Silent;

#[async_trait::async_trait]
impl Carrier for Silent {
    fn name(&self) -> &str {
        "silent"
    }
    async fn book(&self, _: &Booking) -> Result<Booked, carrier::CarrierError> {
        std::future::pending().await
    }
    async fn cancel(&self, _: ShipmentId, _: &str) -> Result<Cancelled, carrier::CarrierError> {
        std::future::pending().await
    }
    fn shipment_of(&self, _: &str) -> Option<ShipmentId> {
        None
    }
}

#[tokio::test]
async fn a_carrier_that_does_not_answer_is_a_fault_to_be_tried_again() {
    let shipping = Shipping::new(MemoryLog::new(), Arc::new(Silent), Duration::from_millis(10));
    let outcome = shipping.execute(&directive(book(1))).await;
    assert!(
        matches!(&outcome, Err(ServiceError::Fault(fault)) if fault.contains("no answer")),
        "{outcome:?}"
    );
    let elsewhere = ServiceCommand::ConfirmOrder { order_id: order(1) };
    assert!(matches!(
        shipping.execute(&directive(elsewhere)).await,
        Err(ServiceError::Fault(_))
    ));
}
