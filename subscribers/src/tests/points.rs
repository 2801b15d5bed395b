//! Points come and go with what was delivered and what came back.

use event_schemas::{Category, CustomerId, OrderId, subscription::PointsEvent};

use super::shop::{Shop, placed, seen};
use crate::points::Points;

async fn points(shop: &Shop, customer_id: CustomerId) -> Vec<i64> {
    let events = shop
        .stream::<PointsEvent>(&Category::Points.stream(customer_id.uuid()))
        .await;
    let changes = events.iter().map(|event| match event {
        PointsEvent::PointsEarned(event) => event.points as i64,
        PointsEvent::PointsTakenBack(event) => -(event.points as i64),
    });
    changes.collect()
}

#[tokio::test]
async fn what_was_delivered_earns_and_what_comes_back_is_taken_back() {
    let shop = Shop::new();
    let subscriptions = shop.subscribe(Points::new(shop.log()));
    let customer_id = CustomerId::fresh();
    let order_id = shop.order(customer_id, 10_150).await;
    shop.dropped(order_id, 5_000).await;
    shop.delivered(order_id).await;
    // 5,150 won are 51 points; 5,075 are 50, 5,000 are 50, nothing is nothing.
    for amount in [75, 75, 5_000] {
        shop.refunded(order_id, amount).await;
    }
    let end = shop.order(customer_id, 99).await;
    let end = shop.delivered(end).await;
    seen(&subscriptions, end).await;
    assert_eq!(points(&shop, customer_id).await, [51, -1, -50]);
    subscriptions.shutdown().await;
}

#[tokio::test]
async fn the_same_history_read_again_gives_nothing_twice() {
    let shop = Shop::new();
    let customer_id = CustomerId::fresh();
    let order_id = shop.order(customer_id, 10_000).await;
    shop.delivered(order_id).await;
    let end = shop.refunded(order_id, 10_000).await;
    for _ in 0..3 {
        let subscriptions = shop.subscribe(Points::new(shop.log()));
        seen(&subscriptions, end).await;
        subscriptions.shutdown().await;
    }
    assert_eq!(points(&shop, customer_id).await, [100, -100]);
}

#[tokio::test]
async fn imported_history_earns_nothing_and_has_nothing_to_take_back() {
    let shop = Shop::new();
    let subscriptions = shop.subscribe(Points::new(shop.log()));
    let (customer_id, order_id) = (CustomerId::fresh(), OrderId::fresh());
    shop.tell_as(order_id.uuid(), placed(order_id, customer_id, 10_000), true)
        .await;
    let delivered = event_schemas::order::OrderEvent::OrderDelivered(event_schemas::order::OrderDelivered { order_id });
    shop.tell_as(order_id.uuid(), delivered, true).await;
    let end = shop.refunded(order_id, 10_000).await;
    seen(&subscriptions, end).await;
    assert_eq!(points(&shop, customer_id).await, [0_i64; 0]);
    subscriptions.shutdown().await;
}
