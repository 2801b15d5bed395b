//! What is counted: best sellers, trends, sellers' sales, stock alerts.

use event_schemas::{Money, product::ProductRevised};
use read_models::{
    best_sellers::Window,
    calendar::Day,
    seller_sales::DaySales,
    stock_alerts::{LOW, StockLevel},
    trending::Trend,
};

use super::{
    history::{changed, id, listed, order, placed, product, received, seller, step},
    *,
};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// Steps of [`step`].
const SHIPPED: usize = 6;
const ISSUED: usize = 8;
const REJECTED: usize = 12;
const CANCELLED: usize = 13;

/// A shop with products 1 to 4.
async fn shop() -> Shop {
    let shop = Shop::open().await;
    for number in 1..=4 {
        product(&shop.log, listed(number), 0).await;
    }
    shop
}

/// Two pieces of a product leave the house.
async fn sale(shop: &Shop, number: u128, product: u128, at: i64) {
    step(&shop.log, number, product, ISSUED, at).await;
}

/// A product is put into another category.
async fn moved(shop: &Shop, number: u128, at: i64) {
    let revised = ProductRevised {
        product_id: id(number),
        title: None,
        description: None,
        brand: None,
        category: Some("Garden".to_owned()),
        attributes: None,
        ean: None,
    };
    product(&shop.log, revised.into(), at).await;
}

/// Products by number with the pieces they sold.
async fn best(shop: &Shop, window: Window, category: &str) -> Vec<(u128, u64)> {
    shop.settled().await;
    let page = shop
        .read_models
        .best_sellers()
        .best(window, category, None, 10)
        .await
        .unwrap();
    page.map(|(id, sold)| (id.uuid().as_u128(), sold)).items
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn best_sellers_are_counted_in_windows_that_move_on() {
    let shop = shop().await;
    for (number, product, day) in [(1, 1, 0), (2, 1, 0), (3, 2, 3), (4, 3, 5)] {
        sale(&shop, number, product, day * DAY).await;
    }
    assert_eq!(best(&shop, Window::Week, "").await, [(1, 4), (2, 2), (3, 2)]);
    // Somebody buys something else a week later: what sold on the first day falls out of the week.
    moved(&shop, 4, 7 * DAY).await;
    sale(&shop, 5, 3, 7 * DAY).await;
    assert_eq!(best(&shop, Window::Week, "").await, [(3, 4), (2, 2)]);
    assert_eq!(best(&shop, Window::Month, "Kitchen").await, [(1, 4), (3, 4), (2, 2)]);
    // Also after a restart, when nothing is remembered.
    let (log, folder) = shop.close().await;
    let shop = Shop::over(log, folder).await;
    sale(&shop, 6, 2, 29 * DAY).await;
    assert_eq!(best(&shop, Window::Week, "").await, [(2, 2)]);
    sale(&shop, 7, 2, 30 * DAY).await;
    assert_eq!(best(&shop, Window::Month, "").await, [(2, 6), (3, 4)]);
    // What is told late counts for its own day, or not at all.
    sale(&shop, 8, 4, 20 * DAY).await;
    sale(&shop, 9, 4, 0).await;
    assert_eq!(best(&shop, Window::Month, "").await, [(2, 6), (3, 4), (4, 2)]);
    // A year of silence.
    product(&shop.log, changed(4, 1, 400 * DAY), 400 * DAY).await;
    assert_eq!(best(&shop, Window::Month, "").await, []);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn best_sellers_of_a_category_are_those_that_can_be_found_in_it() {
    let shop = shop().await;
    for (number, product) in (1..).zip([1, 2, 2, 3, 3, 3]) {
        sale(&shop, number, product, 5).await;
    }
    moved(&shop, 2, 6).await;
    product(&shop.log, changed(3, 3, 6), 6).await;
    assert_eq!(best(&shop, Window::Week, "").await, [(2, 4), (1, 2)], "3 is delisted");
    assert_eq!(best(&shop, Window::Week, "Kitchen").await, [(1, 2)]);
    assert_eq!(best(&shop, Window::Week, "Kitchen/Coffee").await, [(1, 2)]);
    assert_eq!(best(&shop, Window::Week, "Garden").await, [(2, 4)]);
    assert_eq!(best(&shop, Window::Week, "Kit").await, []);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ordered_more_than_before_is_trending() {
    let shop = shop().await;
    let mut number = 0..;
    let mut orders = async |product: u128, count: usize, at: i64| {
        for number in number.by_ref().take(count) {
            order(&shop.log, placed(number, 7, &[product]), at).await;
        }
    };
    // 1 sells as ever, 2 sells more than before, 3 comes from nothing, 4 is bought too seldom to say.
    orders(1, 70, DAY).await;
    orders(2, 14, DAY).await;
    orders(1, 10, 5 * DAY).await;
    orders(2, 12, 5 * DAY).await;
    orders(3, 4, 5 * DAY).await;
    orders(4, 2, 5 * DAY).await;
    let rising = async |shop: &Shop| {
        shop.settled().await;
        let page = shop.read_models.trending().rising("Kitchen", None, 10).await.unwrap();
        page.map(|(id, trend)| (id.uuid().as_u128(), trend)).items
    };
    let trend = |orders, orders_before| Trend { orders, orders_before };
    assert_eq!(
        rising(&shop).await,
        [(2, trend(12, 14)), (3, trend(4, 0)), (1, trend(10, 70))]
    );
    orders(4, 3, 6 * DAY).await;
    assert_eq!(
        rising(&shop).await,
        [(4, trend(3, 2))],
        "a day later the others are no news"
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sellers_sales_leave_out_what_was_called_off() {
    let shop = shop().await;
    // The fourth one is placed as the day in Korea begins.
    let placed_at = [0, HOUR, 2 * HOUR, 15 * HOUR];
    for (number, at) in (1..).zip(placed_at) {
        order(&shop.log, placed(number, 7, &[2, 4, 1]), at).await;
    }
    for (number, kind) in [
        (1, CANCELLED),
        (2, REJECTED),
        (2, REJECTED),
        (3, SHIPPED),
        (3, CANCELLED),
    ] {
        step(&shop.log, number, 2, kind, 3 * DAY).await;
    }
    shop.settled().await;
    let first = Day::of(Timestamp::from_millis(0));
    let sales = async |seller, from: i32, to: i32, size| {
        let days = first.plus(from)..=first.plus(to);
        shop.read_models
            .seller_sales()
            .days(seller, days, None, size)
            .await
            .unwrap()
    };
    let page = sales(Some(seller(2)), 0, 9, 10).await;
    let expected = |day, orders: u64, called_off| DaySales {
        day,
        seller_id: seller(2),
        orders,
        pieces: orders * 4,
        revenue: vec![Money::krw(4_000 * orders as i64)],
        called_off,
    };
    assert_eq!(page.items, [expected(first, 1, 2), expected(first.plus(1), 1, 0)]);
    assert_eq!(
        sales(Some(seller(1)), 0, 9, 10).await.items[0].pieces,
        2,
        "the other seller's"
    );
    assert_eq!(
        sales(Some(seller(2)), 1, 1, 10).await.items,
        [expected(first.plus(1), 1, 0)]
    );
    assert_eq!(sales(Some(seller(2)), -5, -1, 10).await.items, []);
    let everybodys = sales(None, 0, 9, 3).await;
    assert_eq!((everybodys.items.len(), everybodys.next.is_some()), (3, true));
    let days = first..=first.plus(9);
    let rest = shop
        .read_models
        .seller_sales()
        .days(None, days, everybodys.next.as_deref(), 3)
        .await
        .unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
    assert!(sales(None, 0, 0, 1).await.next.is_some());
    assert!(
        sales(None, 0, 0, 2).await.next.is_none(),
        "the next day is not asked for"
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seller_is_told_what_ran_out_and_what_soon_will() {
    let shop = shop().await;
    for (number, available, at) in [
        (1, 100, 1),
        (2, LOW, 2),
        (4, 1, 3),
        (2, 2, 4),
        (4, 0, 5),
        (3, LOW + 1, 6),
    ] {
        received(&shop.log, number, available, at).await;
    }
    let alerts = async |seller, level| {
        shop.settled().await;
        let page = shop
            .read_models
            .stock_alerts()
            .alerts(seller, level, None, 10)
            .await
            .unwrap();
        page.map(|alert| (alert.product_id.uuid().as_u128(), alert.level, alert.since.as_millis()))
            .items
    };
    use StockLevel::{Low, Out};
    assert_eq!(
        alerts(Some(seller(2)), None).await,
        [(4, Out, 5), (2, Low, 2)],
        "2 has been low since 2"
    );
    assert_eq!(alerts(Some(seller(2)), Some(Low)).await, [(2, Low, 2)]);
    assert_eq!(
        alerts(Some(seller(1)), None).await,
        [],
        "what never had stock is no alert"
    );
    received(&shop.log, 1, 0, 7).await;
    received(&shop.log, 4, 50, 8).await;
    assert_eq!(alerts(None, None).await, [(1, Out, 7), (2, Low, 2)]);
    product(&shop.log, changed(1, 3, 9), 9).await;
    assert_eq!(alerts(None, Some(Out)).await, [], "nobody misses what is delisted");
    shop.close().await;
}
