//! Returns: their runner is killed wherever it can be, beside another that runs the orders.

use std::sync::Arc;

use event_schemas::{OrderId, payment::PaymentOperation, saga::SagaStatus};
use uuid::Uuid;

use super::{
    assert_all_delivered, folder,
    mortal::{Killer, runner, runner_of},
    shop::Shop,
};
use crate::{
    ReturnGoods, SystemClock,
    world::{Script, Tell},
};

/// A piece of the order comes back and is accepted.
async fn send_back(shop: &Shop, order_id: OrderId, script: Script) -> Uuid {
    let tell = Tell::of(order_id, script);
    for event in [tell.return_requested(), tell.return_received(), tell.return_inspected()] {
        shop.tell(order_id, event, tell.return_id().uuid()).await;
    }
    tell.return_id().uuid()
}

/// Runs a return to its end, killing the runner at the `n`-th thing it does; whether it was.
async fn returned_though_killed(at: i64, times: usize, script: Script) -> bool {
    let (shop, folder) = (Shop::new(times), folder());
    let order_id = shop.place("an order", script).await;
    let return_id = send_back(&shop, order_id, script).await;
    let mut killed = false;
    for killer in [Killer::at(at), Killer::never()] {
        let clock = Arc::new(SystemClock);
        let runner = runner_of(ReturnGoods::default(), &shop, &killer, folder.path(), clock).await;
        tokio::select! {
            biased;
            () = killer.struck() => {
                runner.kill().await;
                killed = true;
            }
            _ = shop.advanced_of::<ReturnGoods>(return_id, |saga| saga.status == SagaStatus::Completed) => {
                runner.shutdown().await;
                break;
            }
        }
    }
    shop.with(order_id, |world| world.assert_returned());
    shop.assert_told_once_to::<ReturnGoods>(return_id).await;
    killed
}

fn scripts() -> [Script; 3] {
    let (card, invoice) = (Script::default(), true);
    [
        card,
        Script { invoice, ..card },
        Script {
            answer_lost: Some((PaymentOperation::Refund, 0)),
            ..card
        },
    ]
}

#[tokio::test]
async fn killed_anywhere_what_comes_back_is_paid_back_and_restocked_once() {
    for script in scripts() {
        let mut points = 0;
        while returned_though_killed(points, 1, script).await {
            points += 1;
        }
        // Three dispatches and a write, each with a point before it and one after it.
        assert!(points >= 8, "over after {points} points");
        returned_though_killed(i64::MAX, 3, script).await;
    }
}

#[tokio::test]
async fn orders_and_returns_run_beside_each_other() {
    let (shop, folder, never) = (Shop::new(1), folder(), Killer::never());
    let orders = runner(&shop, &never, folder.path()).await;
    let returns = runner_of(
        ReturnGoods::default(),
        &shop,
        &never,
        folder.path(),
        Arc::new(SystemClock),
    )
    .await;
    let mut outside = tokio::task::JoinSet::new();
    outside.spawn(Arc::clone(&shop).outside(None));
    let order_id = shop.place("an order", Script::default()).await;
    assert_all_delivered(&shop, &[order_id]).await;
    let return_id = send_back(&shop, order_id, Script::default()).await;
    shop.advanced_of::<ReturnGoods>(return_id, |saga| saga.status == SagaStatus::Completed)
        .await;
    shop.with(order_id, |world| {
        world.assert_clean();
        world.assert_returned();
    });
    returns.shutdown().await;
    orders.shutdown().await;
}
