//! A thousand buyers for a hundred pieces.

use std::time::Instant;

use futures_util::future::join_all;

use super::*;

/// How long a buyer who gets nothing waits for the answer, on a machine that is busy with other tests.
const REFUSED_WITHIN: Duration = Duration::from_secs(10);

/// Everybody at once; each for one piece of every product. Returns how many got theirs and how many did not.
async fn sale(shop: &Fixture, first_order: u128, basket: &[(u128, u32)]) -> (usize, usize) {
    let before = shop.told().await.len();
    let began = Instant::now();
    let buyers = (first_order..first_order + 1000).map(async |number| {
        shop.ask(reserve(order(number), basket)).await.unwrap();
        assert!(began.elapsed() < REFUSED_WITHIN, "a buyer waited too long");
    });
    join_all(buyers).await;
    println!("1000 buyers answered in {:?}", began.elapsed());
    let told = shop.told().await.split_off(before);
    let count = |what: &str| told.iter().filter(|told| told.starts_with(what)).count();
    (count("reserved"), count("refused"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_buyers_for_a_hundred_pieces_exactly_a_hundred_are_sold() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 100).await;
    assert_eq!(sale(&shop, 1, &[(1, 1)]).await, (100, 900));
    assert_eq!(shop.inventory.available(product(1)).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_buyers_for_a_hundred_baskets_of_three_get_whole_baskets_or_nothing() {
    let shop = Fixture::new().await;
    for (number, pieces) in [(1, 130), (2, 100), (3, 250)] {
        shop.receive(product(number), pieces).await;
    }
    assert_eq!(sale(&shop, 1, &[(1, 1), (2, 1), (3, 1)]).await, (100, 900));
    for (number, left) in [(1, 30), (2, 0), (3, 150)] {
        assert_eq!(shop.inventory.available(product(number)).await.unwrap(), left);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_back_is_sold_to_those_who_come_later() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 100).await;
    assert_eq!(sale(&shop, 1, &[(1, 1)]).await, (100, 900));
    // Whoever got a piece and did not pay in time gives it back; a second release changes nothing.
    let told = all(&*shop.log).await;
    let bought = told.iter().filter(|event| &*event.event_type == "StockReserved");
    let orders: Vec<OrderId> = bought
        .map(|event| match event.decode::<ReservationEvent>().unwrap() {
            ReservationEvent::StockReserved(it) => it.order_id,
            other => panic!("{other:?}"),
        })
        .collect();
    for order_id in orders.iter().take(40).chain(orders.iter().take(40)) {
        shop.ask(release(*order_id)).await.unwrap();
    }
    assert_eq!(sale(&shop, 2001, &[(1, 1)]).await, (40, 960));
}
