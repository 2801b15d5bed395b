//! A whole shop around the runner, for tests: a log in memory, and the world of each order.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use domain::commands::Directive;
use event_log::{Append, Direction, EventFilter, EventLog, ExpectedVersion, Position, memory::MemoryLog};
use event_schemas::{
    Actor, Category, DomainEvent, Metadata, NewEvent, OrderId, PaymentId, ShopEvent, StreamName, Timestamp,
    ids::derived_uuid,
    saga::{SagaAdvanced, SagaStatus},
    shipment::ShipmentEvent,
};
use tokio::{sync::watch, time::timeout};
use uuid::Uuid;

use crate::{
    Clock, DispatchError, Dispatcher, PlaceOrder, Saga,
    world::{Script, Tell, World},
};

pub(super) const DEADLINE: Duration = Duration::from_secs(30);

/// All orders and their worlds.
pub(super) struct Shop {
    pub(super) log: Arc<MemoryLog>,
    pub(super) worlds: Mutex<HashMap<OrderId, World>>,
    /// Every directive is executed so often.
    pub(super) times: usize,
}

impl Shop {
    pub(super) fn new(times: usize) -> Arc<Self> {
        Arc::new(Self {
            log: MemoryLog::new(),
            worlds: Mutex::default(),
            times,
        })
    }

    pub(super) async fn place(&self, name: &str, script: Script) -> OrderId {
        let order_id = OrderId::derived(Uuid::nil(), name);
        self.worlds
            .lock()
            .unwrap()
            .insert(order_id, World::new(order_id, script));
        let placed = Tell::of(order_id, script).placed();
        self.tell(order_id, placed, order_id.uuid()).await;
        order_id
    }

    /// Appends an event once, however often its cause is repeated.
    pub(super) async fn tell(&self, order_id: OrderId, event: ShopEvent, cause: Uuid) {
        let metadata = Metadata::new(Timestamp::from_millis(0), order_id.uuid(), Actor::system("test"));
        let (stream, event_type, new) = packed(order_id, &event, cause, &metadata);
        let expected = ExpectedVersion::Any;
        let appended = self
            .log
            .append(Append {
                stream,
                expected,
                events: vec![new],
            })
            .await;
        appended.unwrap_or_else(|error| panic!("{event_type}: {error}"));
    }

    /// The customer and the carrier: what comes to the shop from outside. The order is called off as soon as an event
    /// `cancel_after` stands in the log; else its parcel is moved.
    pub(super) async fn outside(self: Arc<Self>, cancel_after: Option<&'static str>) {
        let mut events = Arc::clone(&self.log)
            .subscribe(Position::START, EventFilter::default())
            .await
            .unwrap();
        while let Ok((batch, _)) = events.next(64).await {
            for event in batch {
                let Ok((metadata, fact)) = event.shop_event() else {
                    continue;
                };
                let order_id = OrderId::from_uuid(metadata.correlation_id);
                if cancel_after == Some(&*event.event_type) {
                    let cancelled = self.with(order_id, World::cancel);
                    if let Some(cancelled) = cancelled {
                        self.tell(order_id, cancelled, event.id).await;
                    }
                }
                if cancel_after.is_none()
                    && let ShopEvent::Shipment(ShipmentEvent::ShipmentBooked(booked)) = fact
                {
                    let n = self.with(order_id, |world| world.index(booked.shipment_id));
                    while let Some(moved) = self.with(order_id, |world| world.carrier_moves(n)) {
                        self.tell(order_id, moved, event.id).await;
                    }
                }
            }
        }
    }

    pub(super) fn with<T>(&self, order_id: OrderId, f: impl FnOnce(&mut World) -> T) -> T {
        f(self
            .worlds
            .lock()
            .unwrap()
            .get_mut(&order_id)
            .expect("an order nobody placed"))
    }

    /// Waits until an order's saga was advanced like this.
    pub(super) async fn advanced(&self, order_id: OrderId, like: impl Fn(&SagaAdvanced) -> bool) -> SagaAdvanced {
        self.advanced_of::<PlaceOrder>(order_id.uuid(), like).await
    }

    /// Waits until a saga was advanced like this.
    pub(super) async fn advanced_of<S: Saga>(
        &self,
        saga_id: Uuid,
        like: impl Fn(&SagaAdvanced) -> bool,
    ) -> SagaAdvanced {
        let filter = EventFilter::categories(&[S::Event::CATEGORY]);
        let mut events = Arc::clone(&self.log).subscribe(Position::START, filter).await.unwrap();
        let stream = S::Event::CATEGORY.stream(saga_id);
        let search = async {
            loop {
                let (batch, _) = events.next(256).await.unwrap();
                for event in batch.iter().filter(|event| event.stream == stream) {
                    let advanced = S::advanced(event.decode::<S::Event>().unwrap());
                    if like(&advanced) {
                        return advanced;
                    }
                }
            }
        };
        timeout(DEADLINE, search)
            .await
            .expect("the saga did not get there in time")
    }

    pub(super) async fn over(&self, order_id: OrderId) -> SagaStatus {
        let over = |saga: &SagaAdvanced| matches!(saga.status, SagaStatus::Completed | SagaStatus::Compensated);
        self.advanced(order_id, over).await.status
    }

    pub(super) async fn assert_told_once(&self, order_id: OrderId) {
        self.assert_told_once_to::<PlaceOrder>(order_id.uuid()).await;
    }

    /// The saga's stream tells each fact once, one version after the other.
    pub(super) async fn assert_told_once_to<S: Saga>(&self, saga_id: Uuid) {
        let stream = S::Event::CATEGORY.stream(saga_id);
        let events = self
            .log
            .read_stream(&stream, None, Direction::Forwards, 1_000)
            .await
            .unwrap();
        let facts = events.iter().map(|event| S::advanced(event.decode().unwrap()).fact);
        let mut facts: Vec<_> = facts.collect();
        let all = facts.len();
        facts.sort();
        facts.dedup();
        assert_eq!(facts.len(), all, "a fact was taken in twice");
    }
}

/// An event in its stream, with an id that depends on its cause alone.
pub(super) fn packed(
    order_id: OrderId,
    event: &ShopEvent,
    cause: Uuid,
    metadata: &Metadata,
) -> (StreamName, String, NewEvent) {
    let id = |event_type: &str| derived_uuid(cause, event_type);
    let order = order_id.uuid();
    let (category, of, new) = match event {
        ShopEvent::Order(e) => (Category::Order, order, NewEvent::new(id(e.event_type()), e, metadata)),
        ShopEvent::Reservation(e) => {
            let new = NewEvent::new(id(e.event_type()), e, metadata);
            (Category::Reservation, order, new)
        }
        ShopEvent::Cart(e) => (Category::Cart, order, NewEvent::new(id(e.event_type()), e, metadata)),
        ShopEvent::Payment(e) => {
            let payment = PaymentId::derived(order, "payment").uuid();
            (
                Category::Payment,
                payment,
                NewEvent::new(id(e.event_type()), e, metadata),
            )
        }
        ShopEvent::Credit(e) => (Category::Credit, order, NewEvent::new(id(e.event_type()), e, metadata)),
        ShopEvent::Shipment(e) => {
            let shipment = match e {
                ShipmentEvent::ShipmentBooked(e) => e.shipment_id,
                ShipmentEvent::ParcelPickedUp(e) => e.shipment_id,
                ShipmentEvent::ParcelScanned(e) => e.shipment_id,
                ShipmentEvent::ParcelDelivered(e) => e.shipment_id,
                ShipmentEvent::ShipmentCancelled(e) => e.shipment_id,
            };
            let new = NewEvent::new(id(e.event_type()), e, metadata);
            (Category::Shipment, shipment.uuid(), new)
        }
        ShopEvent::Returns(e) => (Category::Returns, order, NewEvent::new(id(e.event_type()), e, metadata)),
        ShopEvent::Audit(e) => (Category::Audit, order, NewEvent::new(id(e.event_type()), e, metadata)),
        other => panic!("{other:?} is not told here"),
    };
    let event_type = new.event_type.clone();
    (category.stream(of), event_type, new)
}

#[async_trait]
impl Dispatcher for Shop {
    async fn dispatch(&self, directive: &Directive) -> Result<(), DispatchError> {
        let order_id = OrderId::from_uuid(directive.correlation_id);
        let mut outcome = Ok(());
        for _ in 0..self.times {
            match self.with(order_id, |world| world.execute(&directive.command)) {
                Ok(events) => {
                    for event in events {
                        self.tell(order_id, event, directive.id).await;
                    }
                }
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }
}

/// A clock whose hands the test turns.
pub(super) struct Hands(pub(super) watch::Sender<Timestamp>);

impl Hands {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(Timestamp::from_millis(1_795_000_000_000))))
    }

    pub(super) fn turn(&self, millis: i64) {
        self.0.send_modify(|now| *now = now.plus_millis(millis));
    }
}

#[async_trait]
impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }
    async fn sleep_until(&self, moment: Timestamp) {
        // The sender lives as long as this clock.
        self.0.subscribe().wait_for(|now| *now >= moment).await.unwrap();
    }
}
