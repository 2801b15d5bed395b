//! Goods leave, go back and come back parcel by parcel.

use event_schemas::{ReturnId, ShipmentId};

use super::*;

fn shipment(number: u128) -> ShipmentId {
    ShipmentId::from_uuid(Uuid::from_u128(1000 + number))
}

fn lines(lines: &[(u128, u32)]) -> Vec<Line> {
    let line = |&(number, quantity): &(u128, u32)| Line {
        product_id: product(number),
        quantity,
    };
    lines.iter().map(line).collect()
}

pub(super) fn issue_parcel(order_id: OrderId, parcel: u128, goods: &[(u128, u32)]) -> ServiceCommand {
    ServiceCommand::IssueStock {
        order_id,
        shipment_id: Some(shipment(parcel)),
        lines: lines(goods),
    }
}

pub(super) fn release_parcel(order_id: OrderId, parcel: u128, goods: &[(u128, u32)]) -> ServiceCommand {
    ServiceCommand::ReleaseStock {
        order_id,
        shipment_id: Some(shipment(parcel)),
        lines: lines(goods),
    }
}

pub(super) fn restock(order_id: OrderId, number: u128, goods: &[(u128, u32)]) -> ServiceCommand {
    ServiceCommand::RestockGoods {
        order_id,
        return_id: ReturnId::from_uuid(Uuid::from_u128(2000 + number)),
        lines: lines(goods),
    }
}

#[tokio::test]
async fn one_parcel_leaves_another_is_dropped_and_some_of_it_comes_back() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 10).await;
    shop.receive(product(2), 10).await;
    shop.ask(reserve(order(1), &[(1, 3), (2, 2)])).await.unwrap();
    for _ in 0..2 {
        shop.ask(issue_parcel(order(1), 1, &[(1, 3)])).await.unwrap();
        shop.ask(release_parcel(order(1), 2, &[(2, 2)])).await.unwrap();
        shop.ask(restock(order(1), 1, &[(1, 2)])).await.unwrap();
    }
    let told = shop.told().await;
    assert_eq!(
        told[2..],
        [
            "reserved 1x3→7 2x2→8",
            "issued 1x3→7",
            "released 2x2→10",
            "returned 1x2→9"
        ],
        "each once"
    );
    assert_eq!(refused(shop.ask(restock(order(1), 2, &[(1, 2)])).await), "not-issued");
    assert_eq!(refused(shop.ask(restock(order(1), 3, &[(2, 1)])).await), "not-issued");
    shop.ask(restock(order(1), 2, &[(1, 1)])).await.unwrap();
    assert_eq!(shop.inventory.available(product(1)).await.unwrap(), 10);
}

#[tokio::test]
async fn a_parcel_is_sent_or_dropped_never_both_and_never_more_than_is_set_aside() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 10).await;
    shop.ask(reserve(order(1), &[(1, 3)])).await.unwrap();
    assert_eq!(
        refused(shop.ask(issue_parcel(order(1), 1, &[(1, 4)])).await),
        "not-set-aside"
    );
    assert_eq!(
        refused(shop.ask(issue_parcel(order(1), 1, &[(2, 1)])).await),
        "not-set-aside"
    );
    shop.ask(issue_parcel(order(1), 1, &[(1, 1)])).await.unwrap();
    assert_eq!(
        refused(shop.ask(release_parcel(order(1), 1, &[(1, 1)])).await),
        "stock-issued"
    );
    shop.ask(release_parcel(order(1), 2, &[(1, 1)])).await.unwrap();
    assert_eq!(
        refused(shop.ask(issue_parcel(order(1), 2, &[(1, 1)])).await),
        "nothing-reserved"
    );
    assert_eq!(
        refused(shop.ask(issue_parcel(order(2), 1, &[(1, 1)])).await),
        "nothing-reserved"
    );
    assert_eq!(
        refused(shop.ask(release_parcel(order(2), 1, &[(1, 1)])).await),
        "nothing-reserved"
    );
    assert_eq!(shop.told().await.len(), 4);
}

#[tokio::test]
async fn all_that_is_left_goes_back_once_even_where_it_is_nothing() {
    let shop = Fixture::new().await;
    shop.receive(product(1), 10).await;
    shop.ask(reserve(order(1), &[(1, 3)])).await.unwrap();
    shop.ask(release_parcel(order(1), 1, &[(1, 1)])).await.unwrap();
    shop.ask(issue_parcel(order(1), 2, &[(1, 1)])).await.unwrap();
    shop.ask(release(order(1))).await.unwrap();
    shop.ask(release(order(1))).await.unwrap();
    shop.ask(reserve(order(2), &[(1, 1)])).await.unwrap();
    shop.ask(release_parcel(order(2), 3, &[(1, 1)])).await.unwrap();
    shop.ask(release(order(2))).await.unwrap();
    let told = shop.told().await;
    assert_eq!(
        told[2..],
        [
            "released 1x1→8",
            "issued 1x1→8",
            "released 1x1→9",
            "reserved 1x1→8",
            "released 1x1→9",
            "released"
        ]
    );
}

#[tokio::test]
async fn goods_are_kept_for_a_while_and_the_log_says_until_when() {
    let (log, own) = (MemoryLog::new(), own());
    let opened = Inventory::open(&own.place, log.clone()).await.unwrap();
    let inventory = opened.holding(Duration::from_secs(7));
    inventory.receive(product(1), 1, &context("")).await.unwrap();
    inventory
        .execute(&directive(reserve(order(1), &[(1, 1)])))
        .await
        .unwrap();
    assert!(inventory.drained(PATIENT).await);
    let events = all(&*log).await;
    let ReservationEvent::StockReserved(reserved) = events[1].decode::<ReservationEvent>().unwrap() else {
        panic!("{events:?}")
    };
    assert_eq!(reserved.expires_at, Some(Timestamp::from_millis(5 + 7000)));
}

/// What was stored before parcels is read as it was meant.
#[tokio::test]
async fn orders_from_before_parcels_are_what_they_were() {
    let (log, own) = (MemoryLog::new(), own());
    {
        let old = Database::open(&own.place, &STEPS[..1]).await.unwrap();
        let line = format!(r#"[{{"product_id":"{}","quantity":2}}]"#, product(1));
        let mut transaction = old.begin().await.unwrap();
        let stock = "INSERT INTO stock VALUES ($1, 10, 2)";
        transaction.run(stock, [product(1).to_string().into()]).await.unwrap();
        for (number, state, lines) in [(1, "issued", &*line), (2, "released", "[]"), (3, "reserved", &line)] {
            let values = [order(number).to_string().into(), state.into(), lines.into()];
            let reservation = "INSERT INTO reservations VALUES ($1, $2, $3)";
            transaction.run(reservation, values).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }
    let shop = Fixture::over(own, log).await;
    shop.ask(issue_parcel(order(1), 1, &[(1, 2)])).await.unwrap();
    shop.ask(release(order(2))).await.unwrap();
    assert_eq!(shop.told().await, [""; 0], "both were done before");
    shop.ask(restock(order(1), 1, &[(1, 1)])).await.unwrap();
    shop.ask(issue(order(3))).await.unwrap();
    assert_eq!(shop.told().await, ["returned 1x1→9", "issued 1x2→9"]);
}

#[tokio::test]
async fn books_in_memory_decide_alike_and_what_the_log_does_not_take_waits() {
    let inner = MemoryLog::new();
    let log = Arc::new(crate::outbox::faulty::FaultyLog::over(inner.clone()));
    let inventory = Inventory::in_memory(log.clone());
    inventory.receive(product(1), 3, &context("")).await.unwrap();
    log.set_down(true);
    inventory
        .execute(&directive(reserve(order(1), &[(1, 2)])))
        .await
        .unwrap();
    assert!(inventory.tell().await.is_err());
    assert_eq!(inventory.counted(product(1)), Some((3, 2)));
    log.set_down(false);
    inventory
        .execute(&directive(reserve(order(2), &[(1, 2)])))
        .await
        .unwrap();
    let told: Vec<_> = all(&*inner).await.iter().map(|event| told(event)).collect();
    assert_eq!(told, ["received 1x3→3", "reserved 1x2→1", "refused 1x2→1"]);
}
