//! Timers, slow services, and who waits for whom.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use domain::commands::Directive;
use event_schemas::{OrderId, payment::PaymentOperation, saga::SagaStatus};
use tokio::{sync::Semaphore, task::JoinSet};
use uuid::Uuid;

use super::{
    assert_all_delivered, caught_up, folder,
    mortal::{Killer, runner, runner_with},
    place_many,
    shop::{Hands, Shop},
};
use crate::{
    DispatchError, Dispatcher, Limits, PlaceOrder, Policy, RunnerConfig, SagaRunner, StartError,
    place_order::Order,
    world::{Script, Tell},
};

#[tokio::test]
async fn timers_ask_again_until_the_outcome_is_known_also_after_a_restart() {
    let (shop, folder, hands) = (Shop::new(1), folder(), Hands::new());
    let script = Script {
        answer_lost: Some((PaymentOperation::Authorise, 0)),
        fruitless_inquiries: 4,
        ..Script::default()
    };
    let order_id = shop.place("an order", script).await;
    let first = runner_with(&shop, &Killer::never(), folder.path(), hands.clone()).await;
    let unknown = shop
        .advanced(order_id, |saga| saga.status == SagaStatus::OutcomeUnknown)
        .await;
    hands.turn(2_000);
    let again = shop.advanced(order_id, |saga| saga.fact_type == "timeout").await;
    assert!(again.wake_at > unknown.wake_at);
    caught_up(&shop, &first).await;
    first.kill().await;

    let second = runner_with(&shop, &Killer::never(), folder.path(), hands.clone()).await;
    let known = shop.advanced(order_id, |saga| saga.step == "pick_up");
    let turning = async {
        loop {
            hands.turn(1_000);
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        known = known => assert_eq!(known.status, SagaStatus::Running),
        () = turning => {}
    }
    assert_eq!(shop.with(order_id, |world| world.order), Order::Confirmed);
    second.shutdown().await;
}

#[tokio::test]
async fn a_service_that_never_answers_calls_an_operator_with_the_last_error() {
    let (shop, folder, hands) = (Shop::new(0), folder(), Hands::new());
    let order_id = shop.place("an order", Script::default()).await;
    let runner = runner_with(&shop, &Killer::never(), folder.path(), hands.clone()).await;
    let turning = async {
        loop {
            hands.turn(Policy::default().longest_retry);
            tokio::task::yield_now().await;
        }
    };
    let stuck = tokio::select! {
        stuck = shop.advanced(order_id, |saga| saga.status == SagaStatus::Stuck) => stuck,
        () = turning => unreachable!(),
    };
    assert!(
        stuck
            .reason
            .unwrap()
            .starts_with("reserve_stock was asked for 50 times and not answered")
    );
    // Late, but welcome.
    let reserved = Tell::of(order_id, Script::default()).reserved();
    shop.tell(order_id, reserved, Uuid::nil()).await;
    let unstuck = shop.advanced(order_id, |saga| saga.fact_type == "StockReserved").await;
    assert_eq!(
        (unstuck.status, unstuck.step.as_str()),
        (SagaStatus::Running, "authorise_payment")
    );
    runner.shutdown().await;
}

#[tokio::test]
async fn a_folder_in_use_is_a_clear_error() {
    let (shop, folder) = (Shop::new(1), folder());
    let first = runner(&shop, &Killer::never(), folder.path()).await;
    let error = start_again(&shop, folder.path())
        .await
        .err()
        .expect("two runners share a folder");
    assert!(error.to_string().contains("place_order"), "{error}");
    first.shutdown().await;
    start_again(&shop, folder.path()).await.unwrap().shutdown().await;
}

async fn start_again(shop: &Arc<Shop>, folder: &Path) -> Result<SagaRunner, StartError> {
    let config = RunnerConfig {
        log: shop.log.clone(),
        dispatcher: shop.clone(),
        folder: folder.to_owned(),
        clock: Hands::new(),
        limits: Limits::default(),
    };
    SagaRunner::start(PlaceOrder::default(), config).await
}

/// A shop where one order's commands are taken, and not done before the gate opens.
struct Gated {
    shop: Arc<Shop>,
    slow: OrderId,
    gate: Semaphore,
    waiting: AtomicUsize,
}

#[async_trait]
impl Dispatcher for Gated {
    async fn dispatch(&self, directive: &Directive) -> Result<(), DispatchError> {
        if directive.correlation_id == self.slow.uuid() {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            let _open = self.gate.acquire().await;
        }
        self.shop.dispatch(directive).await
    }
}

#[tokio::test]
async fn a_slow_service_holds_up_nobody_else_and_is_not_asked_twice_at_once() {
    let (shop, folder, hands) = (Shop::new(1), folder(), Hands::new());
    let mut outside = JoinSet::new();
    outside.spawn(Arc::clone(&shop).outside(None));
    let slow = shop.place("slow", Script::default()).await;
    let gated = Arc::new(Gated {
        shop: Arc::clone(&shop),
        slow,
        gate: Semaphore::new(0),
        waiting: AtomicUsize::new(0),
    });
    let config = RunnerConfig {
        log: shop.log.clone(),
        dispatcher: gated.clone(),
        folder: folder.path().to_owned(),
        clock: hands.clone(),
        limits: Limits::default(),
    };
    let runner = SagaRunner::start(PlaceOrder::default(), config).await.unwrap();
    let quick = place_many(&shop, 40).await;
    assert_all_delivered(&shop, &quick).await;
    hands.turn(Policy::default().longest_retry);
    shop.advanced(slow, |saga| saga.fact_type == "timeout").await;
    caught_up(&shop, &runner).await;
    assert_eq!(
        gated.waiting.load(Ordering::SeqCst),
        1,
        "asked again while the first is on its way"
    );
    gated.gate.add_permits(100);
    assert_all_delivered(&shop, &[slow]).await;
    runner.shutdown().await;
}

/// A service that dies, then fails, then works.
struct Shaky {
    shop: Arc<Shop>,
    calls: AtomicUsize,
}

#[async_trait]
impl Dispatcher for Shaky {
    async fn dispatch(&self, directive: &Directive) -> Result<(), DispatchError> {
        match self.calls.fetch_add(1, Ordering::SeqCst) {
            0 => panic!("a service died"),
            1 => Err(DispatchError::Fault("out of order".to_owned())),
            _ => self.shop.dispatch(directive).await,
        }
    }
}

#[tokio::test]
async fn a_service_that_dies_or_fails_is_asked_again() {
    let (shop, folder, hands) = (Shop::new(1), folder(), Hands::new());
    let mut outside = JoinSet::new();
    outside.spawn(Arc::clone(&shop).outside(None));
    let order_id = shop.place("an order", Script::default()).await;
    let shaky = Arc::new(Shaky {
        shop: Arc::clone(&shop),
        calls: AtomicUsize::new(0),
    });
    let config = RunnerConfig {
        log: shop.log.clone(),
        dispatcher: shaky,
        folder: folder.path().to_owned(),
        clock: hands.clone(),
        limits: Limits::default(),
    };
    let runner = SagaRunner::start(PlaceOrder::default(), config).await.unwrap();
    let turning = async {
        loop {
            hands.turn(1_000);
            tokio::task::yield_now().await;
        }
    };
    let orders = [order_id];
    tokio::select! {
        () = assert_all_delivered(&shop, &orders) => {}
        () = turning => {}
    }
    runner.shutdown().await;
}
