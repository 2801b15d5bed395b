//! What breaks, and what is left of it.

use super::*;
use crate::outbox::faulty::FaultyLog;

#[tokio::test]
async fn killed_before_the_log_was_told_it_tells_after_the_next_start_once() {
    let (own, log) = (own(), MemoryLog::new());
    {
        let away = Arc::new(FaultyLog::over(log.clone()));
        away.set_down(true);
        let inventory = Inventory::open(&own.place, away).await.unwrap();
        let receipt = context("receipt");
        let receiving = inventory.receive(product(1), 10, &receipt);
        // Nobody waits for the position: the log is away. The commit is what counts.
        let _ = tokio::time::timeout(Duration::from_millis(300), receiving).await;
        inventory
            .execute(&directive(reserve(order(1), &[(1, 3)])))
            .await
            .unwrap();
    }
    assert!(all(&*log).await.is_empty());
    let shop = Fixture::over(own, log).await;
    assert_eq!(shop.told().await, ["received 1x10→10", "reserved 1x3→7"]);
    shop.ask(reserve(order(1), &[(1, 3)])).await.unwrap();
    let again = shop
        .inventory
        .receive(product(1), 10, &context("receipt"))
        .await
        .unwrap();
    assert_eq!(again.event.available, 10);
    assert_eq!(
        shop.told().await.len(),
        2,
        "a repeat after the restart does nothing again"
    );
}

#[tokio::test]
async fn the_tables_own_checks_stop_a_sale_that_the_code_would_get_wrong() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 10).await;
    let mut transaction = shop.database().begin().await.unwrap();
    let outcome = transaction.run("UPDATE stock SET reserved = 11", []).await;
    assert!(outcome.unwrap_err().to_string().to_lowercase().contains("check"));
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let own = own();
    let later = Step {
        number: 99,
        name: "later",
        sql: "CREATE TABLE later (x INTEGER);".into(),
    };
    drop(Database::open(&own.place, &[STEPS, &[later]].concat()).await.unwrap());
    let refused = Inventory::open(&own.place, MemoryLog::new()).await.err().unwrap();
    assert!(refused.to_string().contains("newer jangteo"), "{refused}");
}

#[tokio::test]
async fn what_was_decided_survives_a_restart() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 10).await;
    shop.ask(reserve(order(1), &[(1, 4)])).await.unwrap();
    shop.told().await;
    let Fixture { inventory, log, own } = shop;
    drop(inventory);
    let shop = Fixture::over(own, log).await;
    assert_eq!(shop.inventory.available(product(1)).await.unwrap(), 6);
    shop.ask(issue(order(1))).await.unwrap();
    assert_eq!(shop.told().await.last().unwrap(), "issued 1x4→6");
}

/// As when two processes of the command role share a server. On SQLite, whose folder is locked, it is one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_inventories_on_one_database_never_promise_a_piece_twice_and_tell_each_thing_once() {
    let one = Fixture::new().await;
    one.receive(product(1), 100).await;
    let other = Inventory::open(&one.own.place, one.log.clone()).await.unwrap();
    let asked = (0..240).map(async |number| {
        let command = directive(reserve(order(number / 2), &[(1, 1)]));
        let inventory = if number % 2 == 0 { &*one.inventory } else { &other };
        inventory.execute(&command).await.unwrap();
    });
    futures_util::future::join_all(asked).await;
    assert!(other.drained(PATIENT).await);
    let told = one.told().await;
    let count = |what: &str| told.iter().filter(|told| told.starts_with(what)).count();
    assert_eq!((count("reserved"), count("refused")), (100, 20), "{told:?}");
    assert_eq!(one.inventory.available(product(1)).await.unwrap(), 0);
}
