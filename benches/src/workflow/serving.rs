//! What is measured: the real saga runner and the real saga `place_order` on the embedded log. Its services answer at once, by
//! appending their events: reserve, authorise, confirm, book.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use domain::commands::{Directive, ServiceCommand};
use event_log::{Append, EventLog, ExpectedVersion, embedded::EmbeddedLog};
use event_schemas::{
    Actor, Address, Category, Currency, DomainEvent, Metadata, Money, NewEvent, OrderId, ProductId, SellerId,
    Timestamp,
    ids::derived_uuid,
    order::{OrderConfirmed, OrderEvent, OrderItem, OrderPlaced, PaymentMethod},
    payment::{PaymentAuthorised, PaymentEvent},
    shipment::{ShipmentBooked, ShipmentEvent},
    stock::{ReservationEvent, StockLine, StockReserved},
};
use sagas::{DispatchError, Dispatcher, Limits, PlaceOrder, Policy, RunnerConfig, SagaRunner, SystemClock};
use tokio::{net::TcpListener, sync::oneshot};
use uuid::Uuid;
use warp::{Filter, http::StatusCode};

use crate::Result;

/// Who waits for which order's last step.
type Waiting = Mutex<HashMap<OrderId, oneshot::Sender<()>>>;

/// Four services that answer at once.
struct PromptServices {
    log: Arc<dyn EventLog>,
    waiting: Waiting,
}

impl PromptServices {
    async fn append<E: DomainEvent>(
        &self,
        id: Uuid,
        event: E,
        directive: &Directive,
    ) -> std::result::Result<(), DispatchError> {
        let metadata = Metadata {
            causation_id: Some(directive.causation_id),
            ..Metadata::new(directive.at, directive.correlation_id, Actor::system("bench"))
        };
        let append = Append {
            stream: E::CATEGORY.stream(id),
            expected: ExpectedVersion::Any,
            events: vec![NewEvent::new(derived_uuid(directive.id, "0"), &event, &metadata)],
        };
        let appended = self.log.append(append).await;
        appended
            .map(|_| ())
            .map_err(|error| DispatchError::Fault(error.to_string()))
    }

    fn ended(&self, order_id: OrderId) {
        let waiting = self
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&order_id);
        if let Some(waiting) = waiting {
            // Whoever went away wants no answer.
            let _ = waiting.send(());
        }
    }
}

#[async_trait]
impl Dispatcher for PromptServices {
    async fn dispatch(&self, directive: &Directive) -> std::result::Result<(), DispatchError> {
        match &directive.command {
            ServiceCommand::ReserveStock { order_id, lines } => {
                let line = |line: &domain::commands::Line| StockLine {
                    product_id: line.product_id,
                    quantity: line.quantity,
                    available: 1,
                };
                let reserved = StockReserved {
                    order_id: *order_id,
                    lines: lines.iter().map(line).collect(),
                    expires_at: None,
                };
                self.append(order_id.uuid(), ReservationEvent::from(reserved), directive)
                    .await
            }
            ServiceCommand::AuthorisePayment {
                payment_id,
                order_id,
                amount,
                ..
            } => {
                let authorised = PaymentAuthorised {
                    payment_id: *payment_id,
                    order_id: *order_id,
                    amount: *amount,
                    provider_reference: "bench".to_owned(),
                };
                self.append(payment_id.uuid(), PaymentEvent::from(authorised), directive)
                    .await
            }
            ServiceCommand::ConfirmOrder { order_id } => {
                let confirmed = OrderConfirmed { order_id: *order_id };
                self.append(order_id.uuid(), OrderEvent::from(confirmed), directive)
                    .await
            }
            ServiceCommand::BookShipment {
                shipment_id,
                order_id,
                seller_id,
                items,
                ..
            } => {
                let booked = ShipmentBooked {
                    shipment_id: *shipment_id,
                    order_id: *order_id,
                    carrier: "bench".to_owned(),
                    tracking_number: "1".to_owned(),
                    seller_id: *seller_id,
                    items: items.clone(),
                    destination: "Seoul, KR".to_owned(),
                    estimated_delivery: None,
                };
                self.append(shipment_id.uuid(), ShipmentEvent::from(booked), directive)
                    .await?;
                self.ended(*order_id);
                Ok(())
            }
            other => Err(DispatchError::Refused(format!("no step of the workflow: {other:?}"))),
        }
    }
}

/// Serves `POST /workflows` on a free port until killed; answers when the last step's answer is durable.
pub(crate) async fn serve(folder: &Path) -> Result<()> {
    let log: Arc<dyn EventLog> = EmbeddedLog::open(&folder.join("log"))?;
    let services = Arc::new(PromptServices {
        log: Arc::clone(&log),
        waiting: Waiting::default(),
    });
    let config = RunnerConfig {
        log,
        dispatcher: Arc::clone(&services) as _,
        folder: folder.join("sagas"),
        clock: Arc::new(SystemClock),
        limits: Limits::default(),
    };
    let _runner = SagaRunner::start(PlaceOrder::new(Policy::default()), config).await?;
    let start = warp::path!("workflows")
        .and(warp::post())
        .and(warp::body::bytes())
        .and(warp::any().map(move || Arc::clone(&services)))
        .then(|_: Bytes, services: Arc<PromptServices>| async move {
            let (status, said) = match run(&services).await {
                Ok(()) => (StatusCode::OK, String::new()),
                Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            };
            warp::reply::with_status(said, status)
        });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    crate::report::say(&format!("listening on {}", listener.local_addr()?));
    warp::serve(start).incoming(listener).run().await;
    Ok(())
}

/// An order is placed, and its parcel booked.
async fn run(services: &PromptServices) -> Result<()> {
    let order_id = OrderId::fresh();
    let (ended, end) = oneshot::channel();
    services
        .waiting
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(order_id, ended);
    let placed = OrderEvent::from(placed(order_id));
    let metadata = Metadata::new(Timestamp::now(), order_id.uuid(), Actor::system("bench"));
    let append = Append {
        stream: Category::Order.stream(order_id.uuid()),
        expected: ExpectedVersion::None,
        events: vec![NewEvent::new(Uuid::now_v7(), &placed, &metadata)],
    };
    services.log.append(append).await?;
    Ok(end.await?)
}

fn placed(order_id: OrderId) -> OrderPlaced {
    let price = Money::new(12_000, Currency::KRW);
    let item = OrderItem {
        product_id: ProductId::from_uuid(Uuid::from_u128(1)),
        seller_id: SellerId::from_uuid(Uuid::from_u128(2)),
        title: "Moon jar".to_owned(),
        unit_price: price,
        quantity: 1,
    };
    OrderPlaced {
        order_id,
        customer_id: SellerId::from_uuid(Uuid::from_u128(3)),
        items: vec![item],
        total: price,
        shipping_address: Address {
            recipient: "Kim Haneul".to_owned(),
            phone: "010-1234-5678".to_owned(),
            postal_code: "03187".to_owned(),
            line1: "Jong-ro 1".to_owned(),
            line2: None,
            city: "Seoul".to_owned(),
            country: "KR".to_owned(),
        },
        payment: PaymentMethod {
            method: "card".to_owned(),
            token: "card_approve".to_owned(),
        },
        from_cart: false,
        promised_by: None,
    }
}
