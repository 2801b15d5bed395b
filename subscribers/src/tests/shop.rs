//! Facts told to a log in memory, and waiting for what comes of them.

use std::{sync::Arc, time::Duration};

use event_log::{Append, EventFilter, EventLog, ExpectedVersion, Position, RecordedEvent, memory::MemoryLog};
use event_schemas::{
    Actor, Address, CustomerId, DomainEvent, Metadata, Money, NewEvent, OrderId, ProductId, ReturnId, SellerId,
    ShipmentId, StreamName, Timestamp,
    customer::{CustomerEvent, CustomerRegistered},
    order::{
        OrderCancelled, OrderConfirmed, OrderDelivered, OrderEvent, OrderItem, OrderItemsCancelled, OrderPlaced,
        OrderShipped, PaymentMethod, Reason,
    },
    returns::{ReturnCompleted, ReturnEvent},
};
use uuid::Uuid;

use crate::{Bookmark, MemoryBookmark, Patience, Subscriber, Subscriptions};

const DEADLINE: Duration = Duration::from_secs(30);

/// Tries often and waits little.
pub(crate) const HASTY: Patience = Patience {
    attempts: 3,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(5),
};

pub(crate) struct Shop {
    pub(crate) log: Arc<MemoryLog>,
}

impl Shop {
    pub(crate) fn new() -> Self {
        let log = MemoryLog::new();
        Self { log }
    }

    pub(crate) fn log(&self) -> Arc<dyn EventLog> {
        Arc::<MemoryLog>::clone(&self.log)
    }

    pub(crate) async fn tell<E: DomainEvent>(&self, id: Uuid, event: E) -> Position {
        self.tell_as(id, event, false).await
    }

    pub(crate) async fn tell_as<E: DomainEvent>(&self, id: Uuid, event: E, imported: bool) -> Position {
        let metadata = Metadata {
            imported,
            ..Metadata::new(Timestamp::now(), id, Actor::system("test"))
        };
        let append = Append {
            stream: E::CATEGORY.stream(id),
            expected: ExpectedVersion::Any,
            events: vec![NewEvent::new(Uuid::now_v7(), &event, &metadata)],
        };
        self.log.append(append).await.unwrap().position
    }

    pub(crate) async fn customer(&self, name: &str, email: Option<&str>) -> CustomerId {
        let customer_id = CustomerId::fresh();
        let event = CustomerEvent::CustomerRegistered(CustomerRegistered {
            customer_id,
            name: name.to_owned(),
            email: email.map(str::to_owned),
        });
        self.tell(customer_id.uuid(), event).await;
        customer_id
    }

    pub(crate) async fn order(&self, customer_id: CustomerId, price: i64) -> OrderId {
        let order_id = OrderId::fresh();
        self.tell(order_id.uuid(), placed(order_id, customer_id, price)).await;
        order_id
    }

    pub(crate) async fn confirmed(&self, order_id: OrderId) -> Position {
        let event = OrderEvent::OrderConfirmed(OrderConfirmed { order_id });
        self.tell(order_id.uuid(), event).await
    }

    pub(crate) async fn shipped(&self, order_id: OrderId) -> Position {
        let shipment_id = ShipmentId::derived(order_id.uuid(), "shipment");
        let event = OrderEvent::OrderShipped(OrderShipped { order_id, shipment_id });
        self.tell(order_id.uuid(), event).await
    }

    pub(crate) async fn delivered(&self, order_id: OrderId) -> Position {
        let event = OrderEvent::OrderDelivered(OrderDelivered { order_id });
        self.tell(order_id.uuid(), event).await
    }

    pub(crate) async fn cancelled(&self, order_id: OrderId) -> Position {
        let reason = Reason::new("cancelled_by_customer", "You called it off.");
        let event = OrderEvent::OrderCancelled(OrderCancelled { order_id, reason });
        self.tell(order_id.uuid(), event).await
    }

    pub(crate) async fn dropped(&self, order_id: OrderId, amount: i64) -> Position {
        let event = OrderEvent::OrderItemsCancelled(OrderItemsCancelled {
            order_id,
            shipment_id: ShipmentId::fresh(),
            items: vec![],
            amount: Money::krw(amount),
            reason: Reason::new("cannot_send", "The seller cannot send it."),
        });
        self.tell(order_id.uuid(), event).await
    }

    pub(crate) async fn refunded(&self, order_id: OrderId, amount: i64) -> Position {
        let event = ReturnEvent::ReturnCompleted(ReturnCompleted {
            return_id: ReturnId::fresh(),
            order_id,
            refunded: Money::krw(amount),
        });
        self.tell(order_id.uuid(), event).await
    }

    pub(crate) fn subscribe(&self, subscriber: impl Subscriber) -> Subscriptions {
        let bookmark = |_: &str| Ok(Box::new(MemoryBookmark::default()) as Box<dyn Bookmark>);
        Subscriptions::start_with(
            self.log(),
            vec![Arc::new(subscriber)],
            bookmark,
            HASTY,
            Arc::new(event_log::SystemClock),
        )
        .unwrap()
    }

    /// Everything in a stream.
    pub(crate) async fn stream<E: DomainEvent>(&self, stream: &StreamName) -> Vec<E> {
        let events = self.read(stream).await;
        events.iter().map(|event| event.decode().unwrap()).collect()
    }

    async fn read(&self, stream: &StreamName) -> Vec<Arc<RecordedEvent>> {
        let forwards = event_log::Direction::Forwards;
        self.log.read_stream(stream, Some(0), forwards, 1_000).await.unwrap()
    }

    /// How many events of a type there are.
    pub(crate) async fn count(&self, event_type: &str) -> usize {
        let filter = EventFilter {
            categories: vec![],
            types: vec![event_type.to_owned()],
        };
        let (events, _) = self.log.read_all(Position::START, &filter, 10_000).await.unwrap();
        events.len()
    }
}

/// Waits until the only subscriber has seen to everything up to there.
pub(crate) async fn seen(subscriptions: &Subscriptions, position: Position) {
    until(async || {
        subscriptions
            .standings()
            .iter()
            .all(|standing| standing.position >= position)
    })
    .await;
}

pub(crate) async fn until(mut there: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(DEADLINE, async {
        while !there().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    waited.await.expect("it did not come in time");
}

pub(crate) fn placed(order_id: OrderId, customer_id: CustomerId, price: i64) -> OrderEvent {
    OrderEvent::OrderPlaced(OrderPlaced {
        order_id,
        customer_id,
        items: vec![OrderItem {
            product_id: ProductId::fresh(),
            seller_id: SellerId::fresh(),
            title: "Kimchi <1 kg>".to_owned(),
            unit_price: Money::krw(price),
            quantity: 1,
        }],
        total: Money::krw(price),
        shipping_address: Address {
            recipient: "김하나".to_owned(),
            phone: "010".to_owned(),
            postal_code: "04524".to_owned(),
            line1: "Sejong-daero 110".to_owned(),
            line2: None,
            city: "Seoul".to_owned(),
            country: "KR".to_owned(),
        },
        payment: PaymentMethod {
            method: "card".to_owned(),
            token: "tok".to_owned(),
        },
        from_cart: false,
        promised_by: None,
    })
}
