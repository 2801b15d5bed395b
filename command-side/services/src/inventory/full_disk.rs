//! A disk that is full: SQLite's own, so only there.

use super::{
    on_sqlite::{Fixture, order, product, release},
    *,
};

async fn pages(shop: &Fixture, limit: &'static str) {
    let mut transaction = shop.database().begin().await.unwrap();
    let _: Vec<(i64,)> = transaction.all(limit, []).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn on_a_full_disk_a_command_fails_as_a_whole_and_works_again_when_there_is_room() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 10).await;
    pages(&shop, "PRAGMA max_page_count = 1").await;
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
    pages(&shop, "PRAGMA max_page_count = 1000000").await;
    shop.ask(release(order(1000 + number))).await.unwrap();
    let told = shop.told().await;
    assert_eq!(
        told.len() as u128,
        number + 1,
        "each once, the failed one after it was asked again"
    );
}
