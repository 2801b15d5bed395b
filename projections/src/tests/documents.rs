//! Which documents each event makes.

use event_schemas::{Money, saga::SagaStatus, shipment::ParcelStatus};
use read_models::{
    Page,
    catalogue::SearchQuery,
    order_payment::PaymentStatus,
    order_view::{OrderStatus, OrderView},
};

use super::{
    history::{HAPPY, advanced, cart, changed, id, listed, order, placed, product, received, registered, seller, step},
    *,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_goes_from_placed_to_delivered() {
    let shop = Shop::open().await;
    registered(&shop.log, 7, "김하나").await;
    order(&shop.log, placed(1, 7, &[10, 11]), 100).await;
    for (at, kind) in (101..).zip(HAPPY) {
        step(&shop.log, 1, 10, kind, at).await;
    }
    shop.settled().await;
    let order = shop.read_models.my_page().order(id(1)).await.unwrap().unwrap();
    use OrderStatus::{Confirmed, Delivered, PaymentAuthorised, Placed, Shipped, StockReserved};
    let history: Vec<_> = order
        .history
        .iter()
        .map(|change| (change.status, change.at.as_millis()))
        .collect();
    let expected = [
        (Placed, 100),
        (StockReserved, 101),
        (PaymentAuthorised, 103),
        (Confirmed, 104),
        (Shipped, 107),
        (Delivered, 112),
    ];
    assert_eq!(history, expected);
    assert_eq!(
        (order.status, order.payment.status),
        (Delivered, PaymentStatus::Captured)
    );
    assert_eq!(
        (order.total, order.items[0].line_total),
        (Money::krw(4_000), Money::krw(2_000))
    );
    assert_eq!(order.delivered_at.map(Timestamp::as_millis), Some(112));
    assert_eq!(
        shop.read_models.my_page().customer(id(7)).await.unwrap().unwrap().name,
        "김하나"
    );

    let parcels = shop
        .read_models
        .tracking()
        .of_order(id(1))
        .await
        .unwrap()
        .unwrap()
        .shipments;
    assert_eq!((parcels.len(), parcels[0].status), (1, ParcelStatus::Delivered));
    let seen: Vec<_> = parcels[0].events.iter().map(|event| event.status).collect();
    use ParcelStatus::{Booked, Delivered as Arrived, OutForDelivery, PickedUp};
    assert_eq!(seen, [Booked, PickedUp, OutForDelivery, Arrived]);
    shop.close().await;
}

async fn order_after(steps: &[usize]) -> OrderView {
    let log = MemoryLog::new();
    order(&log, placed(1, 7, &[10]), 100).await;
    for (at, kind) in (101..).zip(steps) {
        step(&log, 1, 10, *kind, at).await;
    }
    let (documents, unexpected) = project::<read_models::my_page::MyPageProjection>(&events(&log).await, 1);
    assert!(unexpected.is_empty(), "{unexpected:?}");
    match documents.into_values().next().flatten() {
        Some(read_models::my_page::MyPageDocument::Order(order)) => *order,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_declined_card_ends_in_a_rejected_order_with_its_reason() {
    let order = order_after(&[0, 1, 14, 17, 12]).await;
    assert_eq!(
        (order.status, order.payment.status),
        (OrderStatus::Rejected, PaymentStatus::Declined)
    );
    assert_eq!(order.reason.unwrap().code, "some_reason");
}

#[tokio::test]
async fn nothing_follows_a_cancelled_order_but_its_money() {
    let order = order_after(&[0, 13, 2, 3, 15]).await;
    assert_eq!(
        (order.status, order.payment.status),
        (OrderStatus::Cancelled, PaymentStatus::Voided)
    );
    assert_eq!(order.history.len(), 3);
}

#[tokio::test]
async fn a_lost_answer_is_shown_until_it_is_known() {
    assert_eq!(order_after(&[0, 1, 2, 16]).await.payment.status, PaymentStatus::Unknown);
    assert_eq!(
        order_after(&[0, 1, 2, 16, 7]).await.payment.status,
        PaymentStatus::Captured
    );
}

#[tokio::test]
async fn a_status_never_goes_backwards() {
    let order = order_after(&[3, 0]).await;
    assert_eq!(order.status, OrderStatus::Confirmed);
    assert_eq!(order.history.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn my_page_shows_the_newest_order_first_page_by_page() {
    let shop = Shop::open().await;
    for number in 1..=5 {
        order(
            &shop.log,
            placed(number, 7 + number / 5, &[10]),
            100 - number as i64 % 3,
        )
        .await;
    }
    shop.settled().await;
    let my_page = shop.read_models.my_page();
    let Page { items, next } = my_page.orders_of(id(7), None, 3).await.unwrap();
    let more = my_page.orders_of(id(7), next.as_deref(), 3).await.unwrap();
    assert_eq!(more.next, None);
    let orders: Vec<_> = items.into_iter().chain(more.items).map(|order| order.id).collect();
    assert_eq!(orders, [id(3), id(1), id(4), id(2)]);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seller_sees_their_own_items_only() {
    let shop = Shop::open().await;
    order(&shop.log, placed(1, 7, &[10, 11, 12]), 100).await;
    order(&shop.log, placed(2, 7, &[10]), 101).await;
    step(&shop.log, 1, 10, 3, 102).await;
    shop.settled().await;
    let even = shop
        .read_models
        .seller_orders()
        .of_seller(seller(0), false, None, 10)
        .await
        .unwrap()
        .items;
    assert_eq!(even.iter().map(|order| order.id).collect::<Vec<_>>(), [id(2), id(1)]);
    assert_eq!((even[1].items.len(), even[1].total), (2, Money::krw(4_000)));
    let odd = shop
        .read_models
        .seller_orders()
        .of_seller(seller(1), false, None, 10)
        .await
        .unwrap()
        .items;
    assert_eq!(
        (odd.len(), odd[0].total, odd[0].status),
        (1, Money::krw(2_000), OrderStatus::Confirmed)
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_is_shown_as_it_was_last_changed() {
    let shop = Shop::open().await;
    product(&shop.log, listed(10), 1).await;
    received(&shop.log, 10, 5, 2).await;
    for kind in 0..3 {
        product(&shop.log, changed(10, kind, 50), 50).await;
    }
    shop.settled().await;
    let page = shop.read_models.products().product(id(10)).await.unwrap().unwrap();
    assert_eq!(
        (page.title.as_str(), page.price),
        ("Thing 10 revised 50", Money::krw(50))
    );
    assert_eq!(
        (page.image.as_ref().unwrap().key.as_str(), page.stock.available),
        ("picture-50", 5)
    );
    assert_eq!(
        (page.version, page.updated_at.as_millis(), page.delisted),
        (3, 50, false)
    );
    let found = shop.read_models.search(SearchQuery {
        text: "커피".to_owned(),
        size: 5,
        ..SearchQuery::default()
    });
    let hit = found.await.unwrap().hits.remove(0);
    assert_eq!(
        (hit.price, hit.in_stock, hit.image.as_deref()),
        (Money::krw(50), true, Some("picture-50"))
    );

    product(&shop.log, changed(10, 3, 60), 60).await;
    shop.settled().await;
    assert!(
        shop.read_models
            .products()
            .product(id(10))
            .await
            .unwrap()
            .unwrap()
            .delisted
    );
    assert_eq!(
        shop.read_models
            .search(SearchQuery {
                size: 5,
                ..SearchQuery::default()
            })
            .await
            .unwrap()
            .total,
        0
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalogue_hears_of_stock_when_it_runs_out_and_when_it_comes_back() {
    let shop = Shop::open().await;
    product(&shop.log, listed(10), 1).await;
    for (available, shown) in [(5, true), (3, true), (0, false), (2, true)] {
        received(&shop.log, 10, available, 2).await;
        shop.settled().await;
        let entry = shop.read_models.catalogue().get(&id(10)).await.unwrap().unwrap();
        assert_eq!(entry.in_stock, shown, "{available}");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_holds_what_was_put_in_and_is_empty_after_the_order() {
    let shop = Shop::open().await;
    cart(&shop.log, 7, 10, 2, 0, 1).await;
    cart(&shop.log, 7, 11, 1, 0, 2).await;
    cart(&shop.log, 7, 10, 3, 0, 3).await;
    cart(&shop.log, 7, 12, 9, 0, 4).await;
    cart(&shop.log, 7, 12, 0, 1, 5).await;
    shop.settled().await;
    let view = shop.read_models.carts().of_customer(id(7)).await.unwrap();
    assert_eq!(
        view.items
            .iter()
            .map(|item| (item.product_id, item.quantity))
            .collect::<Vec<_>>(),
        [(id(10), 3), (id(11), 1)]
    );
    assert_eq!((view.total, view.version), (Money::krw(4_000), 4));
    cart(&shop.log, 7, 10, 0, 2, 6).await;
    shop.settled().await;
    let view = shop.read_models.carts().of_customer(id(7)).await.unwrap();
    assert_eq!((view.items.len(), view.total), (0, Money::krw(0)));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sagas_are_listed_by_status() {
    let shop = Shop::open().await;
    advanced(&shop.log, 1, SagaStatus::Running, "reserve_stock", 1).await;
    advanced(&shop.log, 2, SagaStatus::Running, "reserve_stock", 2).await;
    advanced(&shop.log, 1, SagaStatus::Completed, "done", 3).await;
    shop.settled().await;
    let sagas = shop.read_models.sagas();
    let ids = async |status| {
        let page = sagas.list(status, None, 10).await.unwrap();
        page.items.into_iter().map(|saga| saga.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(ids(None).await, [2, 1]);
    assert_eq!(ids(Some(SagaStatus::Running)).await, [2]);
    assert_eq!(ids(Some(SagaStatus::Completed)).await, [1]);
    let saga = sagas.get(&Uuid::from_u128(1)).await.unwrap().unwrap();
    assert_eq!(
        (saga.started_at.as_millis(), saga.updated_at.as_millis(), saga.version),
        (1, 3, 1)
    );
    shop.close().await;
}
