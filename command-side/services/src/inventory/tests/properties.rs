//! Whatever is asked at the same time, no piece is promised twice and none is lost.

use std::collections::HashMap;

use futures_util::future::join_all;
use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Ask {
    Receive(u128, u32),
    Reserve(u128, Vec<(u128, u32)>),
    Release(u128),
    Issue(u128),
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let product = 1u128..4;
    let order = 1u128..12;
    let lines = prop::collection::vec((product.clone(), 1u32..6), 1..4);
    let ask = prop_oneof![
        1 => (product, 1u32..10).prop_map(|(product, quantity)| Ask::Receive(product, quantity)),
        4 => (order.clone(), lines).prop_map(|(order, lines)| Ask::Reserve(order, lines)),
        1 => order.clone().prop_map(Ask::Release),
        2 => order.prop_map(Ask::Issue),
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
    };
    if let Err(ServiceError::Fault(fault)) = outcome {
        panic!("{ask:?}: {fault}");
    }
}

/// Reckons everything again from what the log was told.
async fn audit(shop: &Fixture, asked: &[Ask]) {
    assert!(shop.inventory.drained(PATIENT).await);
    let (mut on_hand, mut reserved) = (HashMap::<u128, i64>::new(), HashMap::<u128, i64>::new());
    let mut received = HashMap::<u128, i64>::new();
    let mut promised: HashMap<String, Vec<(u128, i64)>> = HashMap::new();
    for event in all(&*shop.log).await {
        if event.stream.category() == "stock" {
            let StockEvent::StockReceived(it) = event.decode::<StockEvent>().unwrap();
            *on_hand.entry(number(it.product_id)).or_default() += i64::from(it.quantity);
            *received.entry(number(it.product_id)).or_default() += i64::from(it.quantity);
            let key = number(it.product_id);
            let left = on_hand[&key] - reserved.get(&key).copied().unwrap_or(0);
            assert_eq!(
                i64::try_from(it.available).unwrap(),
                left,
                "told in the order in which it was true"
            );
            continue;
        }
        let stream = event.stream.to_string();
        let (lines, house, aside) = match event.decode::<ReservationEvent>().unwrap() {
            ReservationEvent::StockReserved(it) => {
                let lines = it
                    .lines
                    .iter()
                    .map(|line| (number(line.product_id), i64::from(line.quantity)));
                assert!(
                    promised.insert(stream, lines.collect()).is_none(),
                    "an order is promised once"
                );
                (it.lines, 0, 1)
            }
            ReservationEvent::StockReleased(it) => (it.lines, 0, -1),
            ReservationEvent::StockIssued(it) => (it.lines, -1, -1),
            ReservationEvent::StockReservationRefused(it) => {
                assert!(
                    it.shortages
                        .iter()
                        .all(|line| u64::from(line.quantity) > line.available)
                );
                continue;
            }
        };
        for line in lines {
            let key = number(line.product_id);
            *on_hand.entry(key).or_default() += house * i64::from(line.quantity);
            *reserved.entry(key).or_default() += aside * i64::from(line.quantity);
            let left = on_hand[&key] - reserved[&key];
            assert!(left >= 0 && reserved[&key] >= 0 && on_hand[&key] >= 0, "never oversold");
            assert_eq!(
                i64::try_from(line.available).unwrap(),
                left,
                "told in the order in which it was true"
            );
        }
    }
    let mut expected = HashMap::<u128, i64>::new();
    for ask in asked {
        if let Ask::Receive(number, quantity) = ask {
            *expected.entry(*number).or_default() += i64::from(*quantity);
        }
    }
    assert_eq!(received, expected, "every piece that came in is accounted for");
    for (number, pieces) in on_hand {
        let left = pieces - reserved.get(&number).copied().unwrap_or(0);
        let available = shop.inventory.available(product(number)).await.unwrap();
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
