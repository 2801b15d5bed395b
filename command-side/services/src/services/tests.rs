use domain::{Order, commands::Line};
use event_log::{Direction, Position};
use event_schemas::{
    Category, CustomerId, Money, OrderId, PaymentId, ProductId, ShipmentId, Timestamp,
    order::{OrderItem, OrderPlaced, PaymentMethod, Reason},
};
use uuid::Uuid;

use super::*;
use crate::testing::{Shop, address};

fn directive(command: ServiceCommand) -> Directive {
    Directive {
        id: Uuid::now_v7(),
        correlation_id: Uuid::now_v7(),
        causation_id: Uuid::now_v7(),
        at: Timestamp::from_millis(7),
        command,
    }
}

fn card() -> PaymentMethod {
    PaymentMethod {
        method: "card".to_owned(),
        token: "card_approve".to_owned(),
    }
}

/// A shop with one order placed, of a product of which there are five pieces.
struct Story {
    shop: Shop,
    order_id: OrderId,
    customer_id: CustomerId,
    product_id: ProductId,
}

impl Story {
    async fn begin() -> Self {
        let story = Self {
            shop: Shop::open().await,
            order_id: OrderId::fresh(),
            customer_id: CustomerId::fresh(),
            product_id: ProductId::fresh(),
        };
        let placed = OrderPlaced {
            order_id: story.order_id,
            customer_id: story.customer_id,
            items: vec![OrderItem {
                product_id: story.product_id,
                seller_id: event_schemas::SellerId::fresh(),
                title: "Moon jar".to_owned(),
                unit_price: Money::krw(129_000),
                quantity: 2,
            }],
            total: Money::krw(258_000),
            shipping_address: address(),
            payment: card(),
            from_cart: true,
            promised_by: None,
        };
        story.shop.given::<Order>(story.order_id.uuid(), [placed.into()]).await;
        let context = CommandContext::within("test", Uuid::now_v7(), Timestamp::from_millis(0));
        story
            .shop
            .inventory
            .receive(story.product_id, 5, &context)
            .await
            .unwrap();
        story
    }

    /// Does what is asked, twice, as a saga that was killed in between.
    async fn ask(&self, command: ServiceCommand) {
        let directive = directive(command);
        for _ in 0..2 {
            self.shop.services.execute(&directive).await.unwrap();
        }
        assert!(self.shop.inventory.drained(std::time::Duration::from_secs(5)).await);
    }

    /// The types of the events in a stream.
    async fn types(&self, category: Category, id: Uuid) -> Vec<String> {
        let stream = category.stream(id);
        let events = self
            .shop
            .log
            .read_stream(&stream, None, Direction::Forwards, 100)
            .await
            .unwrap();
        events.iter().map(|event| event.event_type.to_string()).collect()
    }
}

#[tokio::test]
async fn a_saga_brings_an_order_to_the_door_and_every_step_is_done_once() {
    let story = Story::begin().await;
    let Story {
        order_id,
        customer_id,
        product_id,
        ..
    } = story;
    let payment_id = PaymentId::derived(order_id.uuid(), "payment");
    let shipment_id = ShipmentId::derived(order_id.uuid(), "shipment");
    let lines = vec![Line {
        product_id,
        quantity: 2,
    }];
    for command in [
        ServiceCommand::CheckOutCart { customer_id, order_id },
        ServiceCommand::ReserveStock {
            order_id,
            lines: lines.clone(),
        },
        ServiceCommand::AuthorisePayment {
            payment_id,
            order_id,
            amount: Money::krw(258_000),
            method: card(),
        },
        ServiceCommand::ConfirmOrder { order_id },
        ServiceCommand::BookShipment {
            seller_id: None,
            shipment_id,
            order_id,
            items: lines,
            address: address(),
        },
        ServiceCommand::MarkOrderShipped { order_id, shipment_id },
        ServiceCommand::CapturePayment {
            amount: None,
            shipment_id: None,
            payment_id,
            order_id,
        },
        ServiceCommand::IssueStock {
            lines: vec![],
            shipment_id: None,
            order_id,
        },
        ServiceCommand::MarkOrderDelivered { order_id },
    ] {
        story.ask(command).await;
    }
    let order = ["OrderPlaced", "OrderConfirmed", "OrderShipped", "OrderDelivered"];
    assert_eq!(story.types(Category::Order, order_id.uuid()).await, order);
    assert_eq!(
        story.types(Category::Cart, customer_id.uuid()).await,
        ["CartCheckedOut"]
    );
    assert_eq!(
        story.types(Category::Reservation, order_id.uuid()).await,
        ["StockReserved", "StockIssued"]
    );
    let payment = [
        "PaymentAuthorisationRequested",
        "PaymentAuthorised",
        "PaymentCaptureRequested",
        "PaymentCaptured",
    ];
    assert_eq!(story.types(Category::Payment, payment_id.uuid()).await, payment);
    assert_eq!(
        story.types(Category::Shipment, shipment_id.uuid()).await,
        ["ShipmentBooked"]
    );
}

#[tokio::test]
async fn a_saga_undoes_what_was_done() {
    let story = Story::begin().await;
    let order_id = story.order_id;
    let payment_id = PaymentId::derived(order_id.uuid(), "payment");
    let lines = vec![Line {
        product_id: story.product_id,
        quantity: 2,
    }];
    story.ask(ServiceCommand::ReserveStock { order_id, lines }).await;
    let authorise = ServiceCommand::AuthorisePayment {
        payment_id,
        order_id,
        amount: Money::krw(258_000),
        method: card(),
    };
    story.ask(authorise).await;
    story.ask(ServiceCommand::VoidPayment { payment_id, order_id }).await;
    story
        .ask(ServiceCommand::ReleaseStock {
            lines: vec![],
            shipment_id: None,
            order_id,
        })
        .await;
    let reason = Reason::new("out_of_stock", "Sold out.");
    story.ask(ServiceCommand::RejectOrder { order_id, reason }).await;
    assert_eq!(
        story.types(Category::Order, order_id.uuid()).await,
        ["OrderPlaced", "OrderRejected"]
    );
    assert_eq!(
        story.types(Category::Reservation, order_id.uuid()).await,
        ["StockReserved", "StockReleased"]
    );
    assert_eq!(
        story.types(Category::Payment, payment_id.uuid()).await.last().unwrap(),
        "PaymentVoided"
    );
    assert_eq!(story.shop.inventory.available(story.product_id).await.unwrap(), 5);
}

#[tokio::test]
async fn what_is_asked_of_nothing_is_refused_and_writes_nothing() {
    let shop = Shop::open().await;
    let order_id = OrderId::fresh();
    let refused = shop
        .services
        .execute(&directive(ServiceCommand::ConfirmOrder { order_id }))
        .await;
    assert!(matches!(refused, Err(ServiceError::Refused(refusal)) if refusal.code == "order-not-found"));
    assert_eq!(shop.log.head().await.unwrap(), Position::START);
}

#[tokio::test]
async fn events_name_the_saga_and_what_made_it_ask() {
    let story = Story::begin().await;
    let confirm = directive(ServiceCommand::ConfirmOrder {
        order_id: story.order_id,
    });
    story.shop.services.execute(&confirm).await.unwrap();
    let events = story.shop.events::<Order>(story.order_id.uuid()).await;
    let metadata = &events[1].0;
    assert_eq!(metadata.actor, event_schemas::Actor::system("place_order"));
    assert_eq!(
        (metadata.command_id, metadata.causation_id),
        (Some(confirm.id), Some(confirm.causation_id))
    );
    assert_eq!(
        (metadata.correlation_id, metadata.occurred_at),
        (confirm.correlation_id, confirm.at)
    );
}
