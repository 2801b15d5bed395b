//! What breaks, and what is left of it.

use super::*;
use crate::outbox::faulty::FaultyLog;

#[tokio::test]
async fn killed_before_the_log_was_told_it_tells_after_the_next_start_once() {
    let folder = tempfile::tempdir().unwrap();
    let (file, log) = (folder.path().join("inventory.sqlite"), MemoryLog::new());
    {
        let away = Arc::new(FaultyLog::over(log.clone()));
        away.set_down(true);
        let inventory = Inventory::open(&file, away).await.unwrap();
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
    let inventory = Arc::new(Inventory::open(&file, log.clone()).await.unwrap());
    let shop = Fixture { inventory, log, folder };
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
async fn on_a_full_disk_a_command_fails_as_a_whole_and_works_again_when_there_is_room() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 10).await;
    let pages = async |limit: i64| {
        let mut writer = shop.inventory.database.writer().await;
        let pragma = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {limit}"));
        sqlx::query(pragma).execute(&mut *writer).await.unwrap();
    };
    pages(1).await;
    let mut outcome = Ok(());
    let mut number = 0;
    while outcome.is_ok() && number < 10_000 {
        number += 1;
        outcome = shop.ask(release(order(1000 + number))).await;
    }
    let Err(ServiceError::Fault(fault)) = outcome else {
        panic!("the disk never filled: {outcome:?}")
    };
    assert!(fault.contains("full"), "{fault}");
    assert!(matches!(
        shop.ask(release(order(1000 + number))).await,
        Err(ServiceError::Fault(_))
    ));
    pages(1_000_000).await;
    shop.ask(release(order(1000 + number))).await.unwrap();
    let told = shop.told().await;
    assert_eq!(
        told.len() as u128,
        number + 1,
        "each once, the failed one after it was asked again"
    );
}

#[tokio::test]
async fn the_tables_own_checks_stop_a_sale_that_the_code_would_get_wrong() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 10).await;
    let oversold = sqlx::query("UPDATE stock SET reserved = 11");
    let outcome = oversold.execute(&mut *shop.inventory.database.writer().await).await;
    assert!(outcome.unwrap_err().to_string().contains("CHECK"));
}

#[tokio::test]
async fn a_folder_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inventory.sqlite");
    let newer: Vec<Step> = [STEPS, &[(99, "later", "CREATE TABLE later (x INTEGER) STRICT;")]].concat();
    drop(Database::open(&file, &newer).await.unwrap());
    let refused = Inventory::open(&file, MemoryLog::new()).await.err().unwrap();
    assert!(refused.to_string().contains("newer jangteo"), "{refused}");
}

#[tokio::test]
async fn what_was_decided_survives_a_restart() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 10).await;
    shop.ask(reserve(order(1), &[(1, 4)])).await.unwrap();
    shop.told().await;
    let Fixture { inventory, log, folder } = shop;
    drop(inventory);
    let file = folder.path().join("inventory.sqlite");
    let shop = Fixture {
        inventory: Arc::new(Inventory::open(&file, log.clone()).await.unwrap()),
        log,
        folder,
    };
    assert_eq!(shop.inventory.available(product(1)).await.unwrap(), 6);
    shop.ask(issue(order(1))).await.unwrap();
    assert_eq!(shop.told().await.last().unwrap(), "issued 1x4→6");
}
