//! Orders that are called off.

use domain::commands::{Directive, ServiceCommand};
use edge::Role;
use event_schemas::{
    AccountId, ShipmentId, Timestamp,
    order::{OrderCancellationDenied, OrderCancelled, OrderShipped},
};

use super::*;
use crate::testing::admin;

/// An order that was placed, its customer and the path that calls it off.
async fn placed(shop: &Shop) -> (OrderId, Principal, String) {
    let (customer, jar) = (customer(), given_product(shop, 129_000).await);
    let id = id_of(&shop.ask(&customer, "POST", ORDERS, &order(&[(jar, 1.into())])).await);
    (id, customer, format!("{ORDERS}/{id}/cancellation"))
}

#[tokio::test]
async fn a_customer_calls_an_order_off() {
    let shop = Shop::open().await;
    let (id, customer, path) = placed(&shop).await;
    for _ in 0..2 {
        let answer = shop.answer(shop.request(&customer, "POST", &path)).await;
        assert_eq!(id_of(&answer), id);
        assert_eq!(answer.json()["status"], "cancelled");
        assert_eq!(answer.header("location"), format!("/api/v1/orders/{id}"));
    }
    let stored = events(&shop, id).await;
    assert!(
        matches!(&stored[1..], [OrderEvent::OrderCancelled(off)] if off.reason.code == "cancelled_by_customer"),
        "{stored:?}"
    );
}

#[tokio::test]
async fn a_confirmed_order_is_cancelling_until_its_carriers_are_called_off() {
    let shop = Shop::open().await;
    let (id, customer, path) = placed(&shop).await;
    shop.given::<Order>(id.uuid(), [OrderConfirmed { order_id: id }.into()])
        .await;
    for _ in 0..2 {
        let answer = shop.answer(shop.request(&customer, "POST", &path)).await;
        assert_eq!(
            (id_of(&answer), answer.json()["status"].as_str()),
            (id, Some("cancelling"))
        );
    }
    let stored = events(&shop, id).await;
    assert!(
        matches!(&stored[2..], [OrderEvent::OrderCancellationRequested(_)]),
        "{stored:?}"
    );
    let denied = OrderCancellationDenied {
        order_id: id,
        reason: Reason::new("parcel_under_way", "A carrier was faster."),
    };
    shop.given::<Order>(id.uuid(), [denied.into()]).await;
    shop.answer(shop.request(&customer, "POST", &path))
        .await
        .is_problem(409, "cancellation-denied");
}

#[tokio::test]
async fn a_repeated_cancellation_says_what_became_of_it() {
    let shop = Shop::open().await;
    let (id, customer, path) = placed(&shop).await;
    shop.given::<Order>(id.uuid(), [OrderConfirmed { order_id: id }.into()])
        .await;
    let why = json!({"reason": "Too slow."});
    let status = async || keyed(&shop, &customer, &path, &why).await.json()["status"].clone();
    assert_eq!(status().await, "cancelling");
    let off = OrderCancelled {
        order_id: id,
        reason: Reason::new("cancelled_by_customer", "Too slow."),
    };
    shop.given::<Order>(id.uuid(), [off.into()]).await;
    assert_eq!(status().await, "cancelled");
}

#[tokio::test]
async fn an_admin_or_operator_calls_any_order_off_and_says_why() {
    let shop = Shop::open().await;
    for role in [Role::Admin, Role::Operator] {
        let (id, _, path) = placed(&shop).await;
        let keeper = Principal::new(AccountId::fresh(), vec![role]);
        shop.ask(&keeper, "POST", &path, &json!({"reason": ""}))
            .await
            .names_fields(&["reason"]);
        shop.ask(&keeper, "POST", &path, &json!({"why": "x"}))
            .await
            .names_fields(&["why"]);
        id_of(
            &shop
                .ask(&keeper, "POST", &path, &json!({"reason": "The kiln broke."}))
                .await,
        );
        let stored = events(&shop, id).await;
        let OrderEvent::OrderCancelled(off) = &stored[1] else {
            panic!("{stored:?}")
        };
        assert_eq!(off.reason, Reason::new("cancelled_by_shop", "The kiln broke."));
    }
}

#[tokio::test]
async fn other_peoples_orders_are_not_there() {
    let shop = Shop::open().await;
    let (id, _, path) = placed(&shop).await;
    let theirs = shop.answer(shop.request(&customer(), "POST", &path)).await;
    theirs.is_problem(404, "order-not-found");
    let nobodys = format!("{ORDERS}/{}/cancellation", OrderId::fresh());
    let none = shop.answer(shop.request(&customer(), "POST", &nobodys)).await;
    assert_eq!(none.bytes, theirs.bytes);
    shop.answer(shop.request(&admin(), "POST", &nobodys))
        .await
        .is_problem(404, "order-not-found");
    assert_eq!(events(&shop, id).await.len(), 1);
}

#[tokio::test]
async fn a_shipped_order_is_not_called_off() {
    let shop = Shop::open().await;
    let (id, customer, path) = placed(&shop).await;
    let shipped = OrderShipped {
        order_id: id,
        shipment_id: ShipmentId::derived(id.uuid(), "shipment"),
    };
    shop.given::<Order>(id.uuid(), [OrderConfirmed { order_id: id }.into(), shipped.into()])
        .await;
    shop.answer(shop.request(&customer, "POST", &path))
        .await
        .is_problem(409, "order-shipped");
}

#[tokio::test]
async fn a_cancellation_with_another_body_under_its_key_is_refused() {
    let shop = Shop::open().await;
    let (_, customer, path) = placed(&shop).await;
    for _ in 0..2 {
        id_of(&keyed(&shop, &customer, &path, &json!({"reason": "Too slow."})).await);
    }
    keyed(&shop, &customer, &path, &json!({"reason": "Too large."}))
        .await
        .is_problem(422, "idempotency-key-reused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_a_cancellation_and_a_pick_up_exactly_one_wins_and_the_other_does_nothing() {
    let shop = Arc::new(Shop::open().await);
    for _ in 0..50 {
        let (id, _, _) = placed(&shop).await;
        shop.given::<Order>(id.uuid(), [OrderConfirmed { order_id: id }.into()])
            .await;
        let reason = Reason::new("cancelled_by_customer", "Too slow.");
        let shipment_id = ShipmentId::derived(id.uuid(), "shipment");
        let rivals = [
            ServiceCommand::CancelOrder { order_id: id, reason },
            ServiceCommand::MarkOrderShipped {
                order_id: id,
                shipment_id,
            },
        ];
        let asked = rivals.map(|command| {
            let shop = Arc::clone(&shop);
            tokio::spawn(async move { shop.services.execute(&directive(command)).await })
        });
        for answer in asked {
            answer.await.unwrap().unwrap();
        }
        let stored = events(&shop, id).await;
        assert!(
            matches!(
                &stored[2..],
                [OrderEvent::OrderCancelled(_)] | [OrderEvent::OrderShipped(_)]
            ),
            "{stored:?}"
        );
    }
}

fn directive(command: ServiceCommand) -> Directive {
    Directive {
        id: uuid::Uuid::now_v7(),
        correlation_id: uuid::Uuid::now_v7(),
        causation_id: uuid::Uuid::now_v7(),
        at: Timestamp::from_millis(7),
        command,
    }
}
