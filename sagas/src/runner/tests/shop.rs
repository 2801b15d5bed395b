//! A whole shop around the runner, for tests: a log in memory, the world of each order, and the places where a runner can
//! be killed.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::commands::Directive;
use event_log::{
    Append, AppendError, Appended, Direction, EventFilter, EventLog, ExpectedVersion, LogError, LogStats, Position,
    RecordedEvent, StreamSummary, StreamVersion, Subscription, memory::MemoryLog,
};
use event_schemas::{
    Actor, Category, Metadata, NewEvent, OrderId, PaymentId, ShopEvent, StreamName, Timestamp,
    ids::derived_uuid,
    saga::{PlaceOrderEvent, SagaAdvanced, SagaStatus},
    shipment::ShipmentEvent,
};
use tokio::{sync::watch, time::timeout};
use uuid::Uuid;

use crate::{
    Clock, DispatchError, Dispatcher, Limits, PlaceOrder, RunnerConfig, Saga, SagaRunner, SystemClock,
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

    /// Waits until a saga's last advance is like this.
    pub(super) async fn advanced(&self, order_id: OrderId, like: impl Fn(&SagaAdvanced) -> bool) -> SagaAdvanced {
        let filter = EventFilter::categories(&[Category::PlaceOrder]);
        let mut events = Arc::clone(&self.log).subscribe(Position::START, filter).await.unwrap();
        let stream = Category::PlaceOrder.stream(order_id.uuid());
        let search = async {
            loop {
                let (batch, _) = events.next(256).await.unwrap();
                for event in batch.iter().filter(|event| event.stream == stream) {
                    let advanced = PlaceOrder::advanced(event.decode::<PlaceOrderEvent>().unwrap());
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

    /// The saga's stream tells each fact once, one version after the other.
    pub(super) async fn assert_told_once(&self, order_id: OrderId) {
        let stream = Category::PlaceOrder.stream(order_id.uuid());
        let events = self
            .log
            .read_stream(&stream, None, Direction::Forwards, 1_000)
            .await
            .unwrap();
        let facts = events
            .iter()
            .map(|event| PlaceOrder::advanced(event.decode().unwrap()).fact);
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
    use event_schemas::DomainEvent;
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

/// Kills the runner at one of the things it does: before it, or after it and before anyone knows.
pub(super) struct Killer {
    left: AtomicI64,
    passed: AtomicUsize,
    struck: watch::Sender<bool>,
}

impl Killer {
    /// Strikes at the `n`-th point, counted from 0.
    pub(super) fn at(n: i64) -> Arc<Self> {
        Arc::new(Self {
            left: AtomicI64::new(n),
            passed: AtomicUsize::new(0),
            struck: watch::Sender::new(false),
        })
    }

    pub(super) fn never() -> Arc<Self> {
        Self::at(i64::MAX)
    }

    /// Whoever comes here when it strikes, or later, does not come back.
    async fn point(&self) {
        self.passed.fetch_add(1, Ordering::SeqCst);
        if self.left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            self.struck.send_replace(true);
            std::future::pending::<()>().await;
        }
    }

    pub(super) async fn struck(&self) {
        self.struck.subscribe().wait_for(|struck| *struck).await.unwrap();
    }
}

/// The shop's log and services, seen through a runner that may be killed.
pub(super) struct Mortal {
    pub(super) shop: Arc<Shop>,
    pub(super) killer: Arc<Killer>,
}

#[async_trait]
impl Dispatcher for Mortal {
    async fn dispatch(&self, directive: &Directive) -> Result<(), DispatchError> {
        self.killer.point().await;
        let outcome = self.shop.dispatch(directive).await;
        self.killer.point().await;
        outcome
    }
}

#[async_trait]
impl EventLog for Mortal {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.killer.point().await;
        let appended = self.shop.log.append(append).await;
        self.killer.point().await;
        appended
    }
    async fn tombstone(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError> {
        self.shop.log.tombstone(stream, expected).await
    }
    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        self.shop.log.read_stream(stream, from, direction, max).await
    }
    async fn read_all(
        &self,
        after: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.shop.log.read_all(after, filter, max).await
    }
    async fn read_all_backwards(
        &self,
        before: Option<Position>,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.shop.log.read_all_backwards(before, filter, max).await
    }
    async fn subscribe(self: Arc<Self>, after: Position, filter: EventFilter) -> Result<Subscription, LogError> {
        Arc::clone(&self.shop.log).subscribe(after, filter).await
    }
    async fn head(&self) -> Result<Position, LogError> {
        self.shop.log.head().await
    }
    async fn streams(&self, prefix: &str, after: Option<&str>, max: usize) -> Result<Vec<StreamSummary>, LogError> {
        self.shop.log.streams(prefix, after, max).await
    }
    async fn stats(&self) -> Result<LogStats, LogError> {
        self.shop.log.stats().await
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

/// A runner for this shop, with its checkpoint in this folder.
pub(super) async fn runner(shop: &Arc<Shop>, killer: &Arc<Killer>, folder: &std::path::Path) -> SagaRunner {
    runner_with(shop, killer, folder, Arc::new(SystemClock)).await
}

pub(super) async fn runner_with(
    shop: &Arc<Shop>,
    killer: &Arc<Killer>,
    folder: &std::path::Path,
    clock: Arc<dyn Clock>,
) -> SagaRunner {
    let mortal = Arc::new(Mortal {
        shop: Arc::clone(shop),
        killer: Arc::clone(killer),
    });
    let config = RunnerConfig {
        log: mortal.clone(),
        dispatcher: mortal,
        folder: folder.to_owned(),
        clock,
        limits: Limits {
            checkpoint_every: Duration::from_millis(1),
            prompt_repeats: &[],
            farewell: Duration::from_millis(100),
            ..Limits::default()
        },
    };
    SagaRunner::start(PlaceOrder::default(), config).await.unwrap()
}
