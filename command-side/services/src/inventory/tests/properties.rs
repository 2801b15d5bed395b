//! Whatever is asked at the same time, no piece is promised twice and none is lost.

use std::collections::{HashMap, HashSet};

use futures_util::future::join_all;
use proptest::prelude::*;

use super::{
    parcels::{issue_parcel, release_parcel, restock},
    *,
};

#[derive(Debug, Clone)]
enum Ask {
    Receive(u128, u32),
    Reserve(u128, Vec<(u128, u32)>),
    Release(u128),
    Issue(u128),
    Send(u128, u128, Vec<(u128, u32)>),
    Drop(u128, u128, Vec<(u128, u32)>),
    Restock(u128, u128, Vec<(u128, u32)>),
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let product = 1u128..4;
    let order = 1u128..12;
    let lines = prop::collection::vec((product.clone(), 1u32..6), 1..4);
    let goods = prop::collection::vec((product.clone(), 1u32..3), 0..3);
    let ask = prop_oneof![
        1 => (product, 1u32..10).prop_map(|(product, quantity)| Ask::Receive(product, quantity)),
        4 => (order.clone(), lines).prop_map(|(order, lines)| Ask::Reserve(order, lines)),
        1 => order.clone().prop_map(Ask::Release),
        1 => order.clone().prop_map(Ask::Issue),
        2 => (order.clone(), 1u128..3, goods.clone()).prop_map(|(order, parcel, goods)| Ask::Send(order, parcel, goods)),
        1 => (order.clone(), 1u128..3, goods.clone()).prop_map(|(order, parcel, goods)| Ask::Drop(order, parcel, goods)),
        1 => (order, 1u128..3, goods).prop_map(|(order, back, goods)| Ask::Restock(order, back, goods)),
    ];
    prop::collection::vec(ask, 1..60)
}

async fn ask(shop: &Fixture, ask: &Ask) {
    let outcome = match ask {
        Ask::Receive(number, quantity) => {
            shop.receive(product(*number), *quantity).await;
            return;
        }
        Ask::Reserve(number, lines) => shop.ask(reserve(order(*number), lines)).await,
        Ask::Release(number) => shop.ask(release(order(*number))).await,
        Ask::Issue(number) => shop.ask(issue(order(*number))).await,
        Ask::Send(number, parcel, goods) => shop.ask(issue_parcel(order(*number), *parcel, goods)).await,
        Ask::Drop(number, parcel, goods) => shop.ask(release_parcel(order(*number), *parcel, goods)).await,
        Ask::Restock(number, back, goods) => shop.ask(restock(order(*number), *back, goods)).await,
    };
    if let Err(ServiceError::Fault(fault)) = outcome {
        panic!("{ask:?}: {fault}");
    }
}

/// The stock as the log tells it.
#[derive(Default)]
struct Reckoned {
    on_hand: HashMap<u128, i64>,
    reserved: HashMap<u128, i64>,
    received: HashMap<u128, i64>,
    promised: HashSet<String>,
}

impl Reckoned {
    fn take_in(&mut self, event: &event_log::RecordedEvent) {
        if event.stream.category() == "stock" {
            let StockEvent::StockReceived(it) = event.decode::<StockEvent>().unwrap();
            *self.received.entry(number(it.product_id)).or_default() += i64::from(it.quantity);
            let line = event_schemas::stock::StockLine {
                product_id: it.product_id,
                quantity: it.quantity,
                available: it.available,
            };
            return self.moved(&[line], 1, 0);
        }
        match event.decode::<ReservationEvent>().unwrap() {
            ReservationEvent::StockReserved(it) => {
                assert!(
                    self.promised.insert(event.stream.to_string()),
                    "an order is promised once"
                );
                self.moved(&it.lines, 0, 1);
            }
            ReservationEvent::StockReleased(it) => self.moved(&it.lines, 0, -1),
            ReservationEvent::StockIssued(it) => self.moved(&it.lines, -1, -1),
            ReservationEvent::StockReturned(it) => self.moved(&it.lines, 1, 0),
            ReservationEvent::StockReservationRefused(it) => {
                assert!(
                    it.shortages
                        .iter()
                        .all(|line| u64::from(line.quantity) > line.available)
                );
            }
        }
    }

    fn moved(&mut self, lines: &[event_schemas::stock::StockLine], house: i64, aside: i64) {
        for line in lines {
            let on_hand = self.on_hand.entry(number(line.product_id)).or_default();
            *on_hand += house * i64::from(line.quantity);
            let reserved = self.reserved.entry(number(line.product_id)).or_default();
            *reserved += aside * i64::from(line.quantity);
            assert!(*on_hand >= *reserved && *reserved >= 0, "never oversold");
            let told = i64::try_from(line.available).unwrap();
            assert_eq!(told, *on_hand - *reserved, "told in the order in which it was true");
        }
    }
}

/// Reckons everything again from what the log was told.
async fn audit(shop: &Fixture, asked: &[Ask]) {
    assert!(shop.inventory.drained(PATIENT).await);
    let mut reckoned = Reckoned::default();
    for event in all(&*shop.log).await {
        reckoned.take_in(&event);
    }
    let mut came_in = HashMap::<u128, i64>::new();
    for ask in asked {
        if let Ask::Receive(number, quantity) = ask {
            *came_in.entry(*number).or_default() += i64::from(*quantity);
        }
    }
    assert_eq!(reckoned.received, came_in, "every piece that came in is accounted for");
    for (number, on_hand) in reckoned.on_hand {
        let available = shop.inventory.available(product(number)).await.unwrap();
        let left = on_hand - reckoned.reserved[&number];
        assert_eq!(
            i64::try_from(available).unwrap(),
            left,
            "the database and the log agree"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn no_piece_is_promised_twice_and_none_is_lost(asked in asks()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let shop = Fixture::new().await;
            join_all(asked.iter().map(|one| ask(&shop, one))).await;
            audit(&shop, &asked).await;
        });
    }
}
