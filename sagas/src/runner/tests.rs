//! The runner is killed wherever it can be killed, and nothing is done twice or left undone.

mod in_flight;
mod mortal;
mod returns;
mod shop;
mod stories;
mod waiting;
mod writing;

use std::sync::Arc;

use event_log::{Append, EventLog, ExpectedVersion, Position};
use event_schemas::{Actor, Category, Metadata, NewEvent, OrderId, Timestamp, saga::SagaStatus};
use tempfile::TempDir;
use tokio::{task::JoinSet, time::timeout};
use uuid::Uuid;

use crate::{
    SagaRunner,
    world::{Script, Tell},
};
use mortal::{Killer, runner};
use shop::{DEADLINE, Shop, packed};
use stories::{Story, all_stories};

impl SagaRunner {
    /// As SIGKILL would: nothing is said good-bye to.
    async fn kill(mut self) {
        self.conductor.abort();
        assert!((&mut self.conductor).await.is_err(), "it had ended by itself");
    }
}

/// For a checkpoint. In memory where there is such a place: a thousand databases are opened here, and each syncs a disk.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// Runs an order to its end, killing runner after runner as `killers` says; how often one was killed.
async fn live_through(shop: &Arc<Shop>, story: Story, killers: impl IntoIterator<Item = i64>) -> usize {
    let folder = folder();
    let mut outside = JoinSet::new();
    outside.spawn(Arc::clone(shop).outside(story.1));
    let order_id = shop.place("an order", story.0).await;
    let mut kills = 0;
    for at in killers.into_iter().chain([i64::MAX]) {
        let killer = Killer::at(at);
        let runner = runner(shop, &killer, folder.path()).await;
        let over = async {
            shop.over(order_id).await;
            caught_up(shop, &runner).await;
        };
        tokio::select! {
            biased;
            () = killer.struck() => {
                runner.kill().await;
                kills += 1;
            }
            () = over => {
                runner.shutdown().await;
                break;
            }
        }
    }
    shop.with(order_id, |world| world.assert_clean());
    shop.assert_told_once(order_id).await;
    kills
}

#[tokio::test]
async fn killed_before_and_after_each_thing_it_does_everything_is_done_once() {
    let mut tales = JoinSet::new();
    for (name, story) in all_stories() {
        tales.spawn(async move {
            let mut points = 0;
            while live_through(&Shop::new(1), story, [points]).await > 0 {
                points += 1;
            }
            // Before and after each dispatch, and each writing: the shortest story has two of the one and one of the other.
            assert!(points >= 6, "{name} was over after {points} points");
        });
    }
    tales.join_all().await;
}

#[tokio::test]
async fn killed_again_and_again_it_gets_there() {
    for (seed, (_, story)) in (1_u64..).zip(all_stories()) {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let killers = std::iter::repeat_with(|| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            i64::try_from(random % 12).unwrap()
        });
        let kills = live_through(&Shop::new(1), story, killers.take(12)).await;
        assert!(kills > 0);
    }
}

#[tokio::test]
async fn every_command_sent_three_times_does_nothing_more() {
    for (_, story) in all_stories() {
        live_through(&Shop::new(3), story, []).await;
    }
}

#[tokio::test]
async fn two_runners_on_one_log_do_everything_once() {
    let (shop, never) = (Shop::new(1), Killer::never());
    let folders = [folder(), folder()];
    let one = runner(&shop, &never, folders[0].path()).await;
    let two = runner(&shop, &never, folders[1].path()).await;
    let mut outside = JoinSet::new();
    outside.spawn(Arc::clone(&shop).outside(None));
    let orders = place_many(&shop, 50).await;
    assert_all_delivered(&shop, &orders).await;
    one.shutdown().await;
    two.shutdown().await;
}

async fn place_many(shop: &Shop, count: usize) -> Vec<OrderId> {
    let mut orders = vec![];
    for n in 0..count {
        orders.push(
            shop.place(
                &format!("order {n}"),
                Script {
                    from_cart: n % 2 == 0,
                    ..Script::default()
                },
            )
            .await,
        );
    }
    orders
}

async fn assert_all_delivered(shop: &Shop, orders: &[OrderId]) {
    for order_id in orders {
        assert_eq!(shop.over(*order_id).await, SagaStatus::Completed);
        shop.with(*order_id, |world| world.assert_clean());
        shop.assert_told_once(*order_id).await;
    }
}

/// Waits until the runner has taken in everything that the log holds.
async fn caught_up(shop: &Shop, runner: &SagaRunner) -> Position {
    let head = shop.log.head().await.unwrap();
    let mut position = runner.position();
    *timeout(DEADLINE, position.wait_for(|at| *at >= head))
        .await
        .expect("it hangs behind")
        .unwrap()
}

#[tokio::test]
async fn many_orders_at_once_and_a_clean_stop_in_their_midst() {
    let (shop, folder) = (Shop::new(1), folder());
    let mut outside = JoinSet::new();
    outside.spawn(Arc::clone(&shop).outside(None));
    let orders = place_many(&shop, 300).await;
    let first = runner(&shop, &Killer::never(), folder.path()).await;
    shop.over(orders[0]).await;
    let stopped_at = first.position();
    first.shutdown().await;
    let second = runner(&shop, &Killer::never(), folder.path()).await;
    assert!(
        *second.position().borrow() >= *stopped_at.borrow(),
        "the checkpoint was not kept"
    );
    assert!(*second.position().borrow() > Position::START);
    assert_all_delivered(&shop, &orders).await;
    caught_up(&shop, &second).await;
    second.shutdown().await;
}

#[tokio::test]
async fn a_lost_checkpoint_is_rebuilt_from_the_log() {
    let (shop, folder, never) = (Shop::new(1), folder(), Killer::never());
    let done = shop.place("done", Script::default()).await;
    let first = runner(&shop, &never, folder.path()).await;
    let mut outside = JoinSet::new();
    outside.spawn(Arc::clone(&shop).outside(None));
    shop.over(done).await;
    // This one is left in its midst: reserved, and the runner killed before it asks for the payment.
    outside.shutdown().await;
    let open = shop.place("open", Script::default()).await;
    shop.advanced(open, |saga| saga.step == "pick_up").await;
    first.kill().await;

    std::fs::remove_dir_all(folder.path()).unwrap();
    let second = runner(&shop, &never, folder.path()).await;
    outside.spawn(Arc::clone(&shop).outside(None));
    assert_all_delivered(&shop, &[done, open]).await;
    second.shutdown().await;

    // A checkpoint ahead of its log belongs to another log.
    let other = Shop::new(1);
    let mut outside = JoinSet::new();
    outside.spawn(Arc::clone(&other).outside(None));
    let order_id = other.place("other", Script::default()).await;
    let third = runner(&other, &never, folder.path()).await;
    assert_all_delivered(&other, &[order_id]).await;
    third.shutdown().await;
}

async fn append_raw(shop: &Shop, stream: &str, event: NewEvent) {
    let (stream, expected) = (stream.parse().unwrap(), ExpectedVersion::Any);
    shop.log
        .append(Append {
            stream,
            expected,
            events: vec![event],
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn what_cannot_be_read_is_skipped_and_history_is_left_alone() {
    let (shop, folder) = (Shop::new(1), folder());
    let metadata = Metadata::new(Timestamp::from_millis(0), Uuid::nil(), Actor::system("test"));
    let imported = Metadata {
        imported: true,
        ..metadata.clone()
    };
    let past = OrderId::derived(Uuid::nil(), "from long ago");
    let (stream, _, placed) = packed(
        past,
        &Tell::of(past, Script::default()).placed(),
        past.uuid(),
        &imported,
    );
    append_raw(&shop, stream.as_str(), placed.clone()).await;
    for (n, (stream, data)) in [
        ("order-x", "{\"order_id\":7}"),
        ("order-y", "\u{0}"),
        ("unheard-of", "{}"),
    ]
    .iter()
    .enumerate()
    {
        let id = Uuid::from_u128(n as u128 + 1);
        append_raw(
            &shop,
            stream,
            NewEvent {
                id,
                data: (*data).into(),
                ..placed.clone()
            },
        )
        .await;
    }
    let bad_metadata = NewEvent {
        id: Uuid::from_u128(9),
        metadata: "?".into(),
        ..placed
    };
    append_raw(&shop, "order-z", bad_metadata).await;
    // A fact of a saga that nobody began, and one whose saga a newer version wrote.
    let reserved = |order_id| Tell::of(order_id, Script::default()).reserved();
    let unknown = OrderId::derived(Uuid::nil(), "never placed");
    shop.tell(unknown, reserved(unknown), unknown.uuid()).await;
    let newer = OrderId::derived(Uuid::nil(), "newer");
    let advanced = r#"{"definition":99,"fact":"00000000-0000-0000-0000-000000000000","fact_type":"OrderPlaced",
        "status":"running","step":"dance","state":{"steps":4}}"#;
    let event = NewEvent {
        id: Uuid::from_u128(10),
        event_type: "SagaAdvanced".to_owned(),
        content: event_schemas::ContentType::Json,
        metadata: serde_json::to_vec(&metadata).unwrap().into(),
        data: advanced.into(),
    };
    append_raw(&shop, Category::PlaceOrder.stream(newer.uuid()).as_str(), event).await;
    shop.tell(newer, reserved(newer), newer.uuid()).await;

    let runner = runner(&shop, &Killer::never(), folder.path()).await;
    let mut outside = JoinSet::new();
    outside.spawn(Arc::clone(&shop).outside(None));
    let order_id = shop.place("of today", Script::default()).await;
    assert_all_delivered(&shop, &[order_id]).await;
    caught_up(&shop, &runner).await;
    runner.shutdown().await;
    for untouched in [past, unknown] {
        let stream = Category::PlaceOrder.stream(untouched.uuid());
        assert!(
            shop.log.streams(stream.as_str(), None, 1).await.unwrap().is_empty(),
            "{stream} was begun"
        );
    }
}
