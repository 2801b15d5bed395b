use domain::Order;
use edge::Principal;
use event_schemas::{
    Money, ProductId, ShipmentId,
    order::{OrderConfirmed, OrderDelivered, OrderItem, OrderPlaced, OrderShipped, PaymentMethod},
    returns::ReturnEvent,
};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Answer, Shop, admin, customer, seller};

/// An order that was delivered: two jars of one seller, a kettle of another.
struct Delivered {
    shop: Shop,
    order_id: OrderId,
    customer: Principal,
    sellers: [Principal; 2],
    jar: ProductId,
    kettle: ProductId,
}

impl Delivered {
    async fn new() -> Self {
        let story = Self {
            shop: Shop::open().await,
            order_id: OrderId::fresh(),
            customer: customer(),
            sellers: [seller(), seller()],
            jar: ProductId::fresh(),
            kettle: ProductId::fresh(),
        };
        let order_id = story.order_id;
        let item = |product_id, seller: &Principal, quantity, price| OrderItem {
            product_id,
            seller_id: seller.account_id,
            title: "Moon jar".to_owned(),
            unit_price: Money::krw(price),
            quantity,
        };
        let placed = OrderPlaced {
            order_id,
            customer_id: story.customer.account_id,
            items: vec![
                item(story.jar, &story.sellers[0], 2, 129_000),
                item(story.kettle, &story.sellers[1], 1, 70_000),
            ],
            total: Money::krw(328_000),
            shipping_address: crate::testing::address(),
            payment: PaymentMethod {
                method: "card".to_owned(),
                token: "card_approve".to_owned(),
            },
            from_cart: false,
            promised_by: None,
        };
        let shipment_id = ShipmentId::derived(order_id.uuid(), "shipment");
        let history = [
            placed.into(),
            OrderConfirmed { order_id }.into(),
            OrderShipped { order_id, shipment_id }.into(),
            OrderDelivered { order_id }.into(),
        ];
        story.shop.given::<Order>(order_id.uuid(), history).await;
        story
    }

    fn path(&self) -> String {
        format!("/api/v1/orders/{}/returns", self.order_id)
    }

    async fn request(&self, items: &[(ProductId, u32)]) -> Answer {
        let body = json!({"items": pieces(items), "reason": "Too large."});
        self.shop.ask(&self.customer, "POST", &self.path(), &body).await
    }

    /// Asks for both jars to come back.
    async fn requested(&self) -> ReturnId {
        let answer = self.request(&[(self.jar, 2)]).await;
        assert_eq!(answer.status.as_u16(), 202, "{answer:?}");
        assert_eq!(answer.json()["status"], "requested");
        answer.json()["id"].as_str().unwrap().parse().unwrap()
    }

    async fn receive(&self, who: &Principal, id: ReturnId) -> Answer {
        let path = format!("{}/{id}/receipt", self.path());
        self.shop.answer(self.shop.request(who, "POST", &path)).await
    }

    async fn inspect(&self, who: &Principal, id: ReturnId, finding: &Value) -> Answer {
        let path = format!("{}/{id}/inspection", self.path());
        self.shop.ask(who, "POST", &path, finding).await
    }

    async fn events(&self) -> Vec<ReturnEvent> {
        let stored = self.shop.events::<returns::Returns>(self.order_id.uuid()).await;
        stored.into_iter().map(|(_, event)| event).collect()
    }
}

fn pieces(items: &[(ProductId, u32)]) -> Value {
    let piece = |(id, quantity): &(ProductId, u32)| json!({"product_id": id, "quantity": quantity});
    items.iter().map(piece).collect()
}

#[tokio::test]
async fn goods_come_back_are_looked_at_and_then_paid_back() {
    let story = Delivered::new().await;
    let id = story.requested().await;
    let theirs = &story.sellers[0];
    for _ in 0..2 {
        let received = story.receive(theirs, id).await;
        assert_eq!(received.json()["status"], "received", "{received:?}");
    }
    let finding = json!({
        "accepted": pieces(&[(story.jar, 2)]), "resellable": pieces(&[(story.jar, 1)]), "note": "One is chipped."
    });
    let inspected = story.inspect(theirs, id, &finding).await;
    assert_eq!(inspected.json()["status"], "inspected", "{inspected:?}");
    story
        .inspect(theirs, id, &finding)
        .await
        .is_problem(409, "return-inspected");

    let complete = Directive {
        id: uuid::Uuid::now_v7(),
        correlation_id: uuid::Uuid::now_v7(),
        causation_id: uuid::Uuid::now_v7(),
        at: event_schemas::Timestamp::from_millis(7),
        command: ServiceCommand::CompleteReturn {
            order_id: story.order_id,
            return_id: id,
            refunded: Money::krw(258_000),
        },
    };
    for _ in 0..2 {
        story.shop.services.execute(&complete).await.unwrap();
    }
    let events = story.events().await;
    let [
        ReturnEvent::ReturnRequested(requested),
        ReturnEvent::ReturnReceived(_),
        ReturnEvent::ReturnInspected(inspected),
        ReturnEvent::ReturnCompleted(_),
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(requested.customer_id, story.customer.account_id);
    assert_eq!(inspected.refund, Money::krw(258_000));
}

#[tokio::test]
async fn nothing_accepted_is_a_refusal() {
    let story = Delivered::new().await;
    let id = story.requested().await;
    story
        .inspect(&admin(), id, &json!({"accepted": []}))
        .await
        .is_problem(409, "return-not-received");
    story.receive(&admin(), id).await;
    let refused = story
        .inspect(&admin(), id, &json!({"accepted": [], "note": "Worn."}))
        .await;
    assert_eq!(refused.json()["status"], "refused", "{refused:?}");
}

#[tokio::test]
async fn a_request_that_cannot_be_met_names_the_rule() {
    let story = Delivered::new().await;
    let (jar, kettle) = (story.jar, story.kettle);
    story
        .request(&[(jar, 1), (kettle, 1)])
        .await
        .is_problem(422, "several-sellers");
    story.request(&[(jar, 3)]).await.names_fields(&["items[0].quantity"]);
    story
        .request(&[(ProductId::fresh(), 1)])
        .await
        .names_fields(&["items[0].product_id"]);
    story.requested().await;
    story.request(&[(jar, 1)]).await.names_fields(&["items[0].quantity"]);
    assert_eq!(story.events().await.len(), 1);
}

#[tokio::test]
async fn the_same_key_is_one_return() {
    let story = Delivered::new().await;
    let body = json!({"items": pieces(&[(story.jar, 1)])});
    let mut answers = vec![];
    for _ in 0..2 {
        let request = story.shop.request(&story.customer, "POST", &story.path());
        answers.push(
            story
                .shop
                .answer(request.header("idempotency-key", "k").json(&body))
                .await
                .bytes,
        );
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(story.events().await.len(), 1);
}

#[tokio::test]
async fn returns_are_the_business_of_their_customer_their_seller_and_admins() {
    let story = Delivered::new().await;
    let body = json!({"items": pieces(&[(story.jar, 1)])});
    let stranger = customer();
    story
        .shop
        .ask(&stranger, "POST", &story.path(), &body)
        .await
        .is_problem(404, "order-not-found");
    let id = story.requested().await;
    story.receive(&story.customer, id).await.is_problem(403, "forbidden");
    story
        .receive(&story.sellers[1], id)
        .await
        .is_problem(404, "return-not-found");
    story
        .receive(&admin(), ReturnId::fresh())
        .await
        .is_problem(404, "return-not-found");
    assert_eq!(story.events().await.len(), 1);
}

#[tokio::test]
async fn an_order_on_its_way_is_cancelled_or_waited_for_not_returned() {
    let shop = Shop::open().await;
    let (buyer, jar) = (customer(), crate::carts::tests::given_product(&shop, 129_000).await);
    let body = json!({
        "items": pieces(&[(jar, 1)]), "shipping_address": crate::testing::address(),
        "payment": {"method": "card", "token": "card_approve"}
    });
    let placed = shop.ask(&buyer, "POST", "/api/v1/orders", &body).await.json();
    let path = format!("/api/v1/orders/{}/returns", placed["id"].as_str().unwrap());
    shop.ask(&buyer, "POST", &path, &json!({"items": pieces(&[(jar, 1)])}))
        .await
        .is_problem(409, "order-not-delivered");
}
