//! What fails is tried again, what fails often is put aside, and an operator has the last word.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use event_log::EventLog;
use event_schemas::{Actor, CustomerId, DeadLetterId};
use uuid::Uuid;

use super::shop::{HASTY, Shop, seen, until};
use crate::{DeadLetterError, Fact, Fate, NotTaken, Subscriber, Subscriptions};

/// Takes in all but a poison, while it is there at all.
#[derive(Default)]
struct Scripted {
    poison: Mutex<Option<Uuid>>,
    away: AtomicBool,
    asked: AtomicUsize,
    taken: Mutex<Vec<Uuid>>,
}

struct Listener(Arc<Scripted>);

#[async_trait]
impl Subscriber for Listener {
    fn name(&self) -> &'static str {
        "listener"
    }

    fn event_types(&self) -> &'static [&'static str] {
        &["OrderConfirmed"]
    }

    async fn take_in(&self, fact: &Fact<'_>) -> Result<(), NotTaken> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        let order_id = fact.recorded.stream.id().parse().unwrap();
        if self.0.away.load(Ordering::SeqCst) {
            return Err(NotTaken::Away("out for lunch".to_owned()));
        }
        if *self.0.poison.lock().unwrap() == Some(order_id) {
            return Err(NotTaken::Failed("it tastes of almonds".to_owned()));
        }
        self.0.taken.lock().unwrap().push(order_id);
        Ok(())
    }
}

fn operator() -> Actor {
    Actor::system("operator")
}

#[tokio::test]
async fn a_poison_is_put_aside_after_some_tries_and_taken_in_when_it_is_retried() {
    let shop = Shop::new();
    let listener = Arc::new(Scripted::default());
    let orders = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
    *listener.poison.lock().unwrap() = Some(orders[1]);
    let subscriptions = shop.subscribe(Listener(Arc::clone(&listener)));
    let mut end = Default::default();
    for order in orders {
        end = shop.confirmed(event_schemas::OrderId::from_uuid(order)).await;
    }
    seen(&subscriptions, end).await;
    assert_eq!(
        *listener.taken.lock().unwrap(),
        [orders[0], orders[2]],
        "in order, without the poison"
    );
    assert_eq!(listener.asked.load(Ordering::SeqCst), 2 + HASTY.attempts as usize);

    let letters = subscriptions.dead_letters();
    let waiting = letters.list(false).await.unwrap();
    let [dead] = waiting.as_slice() else {
        panic!("{waiting:?}")
    };
    assert_eq!(
        (dead.letter.attempts, &*dead.letter.error),
        (HASTY.attempts, "it tastes of almonds")
    );
    assert_eq!(
        (&*dead.letter.subscriber, &*dead.letter.event_type),
        ("listener", "OrderConfirmed")
    );
    let id = dead.letter.dead_letter_id;
    let again = subscriptions.retry(id, operator()).await;
    assert_eq!(
        again,
        Err(DeadLetterError::FailedAgain("it tastes of almonds".to_owned()))
    );
    assert_eq!(letters.list(false).await.unwrap().len(), 1, "what fails again stays");

    *listener.poison.lock().unwrap() = None;
    assert_eq!(subscriptions.retry(id, operator()).await, Ok(()));
    assert_eq!(listener.taken.lock().unwrap().last(), Some(&orders[1]));
    assert_eq!(letters.list(false).await.unwrap(), []);
    assert_eq!(letters.list(true).await.unwrap()[0].fate, Fate::TakenIn);
    let decided = subscriptions.retry(id, operator()).await.unwrap_err();
    assert!(matches!(decided, DeadLetterError::Decided(_)), "{decided}");
    subscriptions.shutdown().await;
}

#[tokio::test]
async fn a_discarded_letter_is_not_taken_in_any_more_and_read_again_is_put_aside_once() {
    let shop = Shop::new();
    let listener = Arc::new(Scripted::default());
    let order = Uuid::now_v7();
    *listener.poison.lock().unwrap() = Some(order);
    let end = shop.confirmed(event_schemas::OrderId::from_uuid(order)).await;
    for _ in 0..2 {
        // A lost bookmark: the whole log is read again.
        let subscriptions = shop.subscribe(Listener(Arc::clone(&listener)));
        seen(&subscriptions, end).await;
        subscriptions.shutdown().await;
    }
    assert_eq!(shop.count("DeadLettered").await, 1);
    let resting = Subscriptions::resting(shop.log(), vec![]);
    let letters = resting.dead_letters();
    let id = letters.list(false).await.unwrap()[0].letter.dead_letter_id;
    let nobody = resting.retry(id, operator()).await.unwrap_err();
    assert!(nobody.to_string().contains("no subscriber listener"), "{nobody}");
    letters.discard(id, "a test's", operator()).await.unwrap();
    assert_eq!(
        letters.list(true).await.unwrap()[0].fate,
        Fate::Discarded("a test's".to_owned())
    );
    let decided = letters.discard(id, "again", operator()).await.unwrap_err();
    assert_eq!(decided.to_string(), "it was discarded: a test's");
    let unknown = DeadLetterId::fresh();
    assert_eq!(
        letters.discard(unknown, "", operator()).await,
        Err(DeadLetterError::Unknown(unknown))
    );
}

#[tokio::test]
async fn who_waits_for_somebody_who_is_away_waits_and_loses_nothing() {
    let shop = Shop::new();
    let listener = Arc::new(Scripted::default());
    listener.away.store(true, Ordering::SeqCst);
    let subscriptions = shop.subscribe(Listener(Arc::clone(&listener)));
    let orders: Vec<_> = (0..5).map(|_| Uuid::now_v7()).collect();
    let mut end = Default::default();
    for order in &orders {
        end = shop.confirmed(event_schemas::OrderId::from_uuid(*order)).await;
    }
    let often = HASTY.attempts as usize * 3;
    until(async || listener.asked.load(Ordering::SeqCst) > often).await;
    let held_up_by = subscriptions.standings()[0].held_up_by.clone();
    assert_eq!(held_up_by.as_deref(), Some("out for lunch"), "it can be seen");
    listener.away.store(false, Ordering::SeqCst);
    seen(&subscriptions, end).await;
    assert_eq!(*listener.taken.lock().unwrap(), orders);
    assert_eq!(shop.count("DeadLettered").await, 0);
    assert_eq!(subscriptions.standings()[0].held_up_by, None);
    subscriptions.shutdown().await;
}

#[tokio::test]
async fn a_subscriber_goes_on_where_it_was_and_hears_of_no_import() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::new();
    let listener = Arc::new(Scripted::default());
    let start = || {
        let subscribers: Vec<Arc<dyn Subscriber>> = vec![Arc::new(Listener(Arc::clone(&listener)))];
        Subscriptions::start(shop.log(), subscribers, folder.path(), HASTY).unwrap()
    };
    let order_id = event_schemas::OrderId::fresh();
    let confirmed = event_schemas::order::OrderConfirmed { order_id };
    let confirmed = event_schemas::order::OrderEvent::OrderConfirmed(confirmed);
    shop.tell_as(order_id.uuid(), confirmed, true).await;
    for round in 1..=3 {
        let subscriptions = start();
        let end = shop.confirmed(event_schemas::OrderId::fresh()).await;
        seen(&subscriptions, end).await;
        subscriptions.shutdown().await;
        assert_eq!(listener.asked.load(Ordering::SeqCst), round);
    }
    // Another log, shorter than the bookmark: from its beginning.
    let other = Shop::new();
    let end = other.confirmed(event_schemas::OrderId::fresh()).await;
    let subscribers: Vec<Arc<dyn Subscriber>> = vec![Arc::new(Listener(Arc::clone(&listener)))];
    let subscriptions = Subscriptions::start(other.log(), subscribers, folder.path(), HASTY).unwrap();
    until(async || listener.asked.load(Ordering::SeqCst) == 4).await;
    assert_eq!(other.log.head().await.unwrap(), end);
    subscriptions.shutdown().await;
}

#[test]
fn names_of_dead_letters_differ_by_subscriber() {
    let event = CustomerId::fresh().uuid();
    assert_ne!(
        DeadLetterId::derived(event, "mails"),
        DeadLetterId::derived(event, "points")
    );
}
