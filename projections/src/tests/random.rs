//! Random histories: live, rebuilt, and every event twice come to the same documents.

use event_schemas::saga::SagaStatus;
use proptest::prelude::*;
use read_models::{
    best_sellers::Window,
    calendar::Day,
    models::{
        best_sellers::BestSellersProjection, carts::CartsProjection, catalogue::CatalogueProjection,
        dead_events::DeadEventsProjection, my_page::MyPageProjection, products::ProductsProjection,
        repair_cases::RepairCasesProjection, sagas::SagasProjection, seller_orders::SellerOrdersProjection,
        seller_sales::SellerSalesProjection, stock_alerts::StockAlertsProjection, tracking::TrackingProjection,
        trending::TrendingProjection,
    },
};

use crate::CutOver;

use super::{
    full_order::{BESIDE, beside},
    history::{STEPS, advanced, cart, changed, id, listed, order, placed, product, received, registered, seller, step},
    parts::{KINDS, Part},
    *,
};
const THINGS: u128 = 4;

/// Something that happens to one of a few products, orders and customers; it need not make sense.
async fn anything(log: &MemoryLog, kind: usize, thing: u128, detail: usize, at: i64) {
    let other = 1 + (thing + detail as u128) % THINGS;
    match kind {
        0 => product(log, listed(thing), at).await,
        1 => product(log, changed(thing, detail % 4, at), at).await,
        2 => received(log, thing, detail as u64 % 3, at).await,
        3 => order(log, placed(thing, other, &[thing, 1 + thing % THINGS]), at).await,
        4 => cart(log, thing, other, 1 + detail as u32, detail % 3, at).await,
        5 => registered(log, thing, &format!("Customer {detail}")).await,
        6 => {
            let status = [SagaStatus::Running, SagaStatus::Stuck, SagaStatus::Completed][detail % 3];
            advanced(log, thing, status, "some_step", at).await;
        }
        7 => beside(log, thing, detail % BESIDE, at).await,
        8..=11 => {
            Part::of(thing, other)
                .happens(log, KINDS[detail % KINDS.len()], at)
                .await
        }
        _ => step(log, thing, other, detail % STEPS, at).await,
    }
}

/// Everything that queries can see, as JSON.
async fn everything(models: &ReadModels) -> Vec<String> {
    let mut seen = vec![];
    let mut see = |value: serde_json::Value| seen.push(value.to_string());
    for number in 1..=THINGS {
        see(serde_json::json!([
            models.products().product(id(number)).await.unwrap(),
            models.catalogue().get(&id(number)).await.unwrap(),
            models.my_page().order(id(number)).await.unwrap(),
            models.my_page().customer(id(number)).await.unwrap(),
            models.my_page().orders_of(id(number), None, 100).await.unwrap().items,
            models.tracking().of_order(id(number)).await.unwrap(),
            models.carts().of_customer(id(number)).await.unwrap(),
            models.sagas().get(&Uuid::from_u128(number)).await.unwrap(),
            models.repair_cases().get(&id(number)).await.unwrap(),
            models.dead_events().get(&id(number)).await.unwrap(),
        ]));
    }
    for product in 0..2 {
        let of_seller = models.seller_orders();
        let orders = of_seller
            .of_seller(seller(product), false, None, 100)
            .await
            .unwrap()
            .items;
        let returning = of_seller
            .of_seller(seller(product), true, None, 100)
            .await
            .unwrap()
            .items;
        let products = models
            .products()
            .of_seller(seller(product), None, 100)
            .await
            .unwrap()
            .items;
        see(serde_json::json!([orders, returning, products]));
    }
    let (best_sellers, trending) = (models.best_sellers(), models.trending());
    let (sales, alerts) = (models.seller_sales(), models.stock_alerts());
    let always = Day::of(Timestamp::from_millis(0))..=Day::of(Timestamp::now());
    see(serde_json::json!([
        best_sellers.best(Window::Month, "", None, 100).await.unwrap().items,
        best_sellers
            .best(Window::Week, "Kitchen", None, 100)
            .await
            .unwrap()
            .items,
        trending.rising("Kitchen/Coffee", None, 100).await.unwrap().items,
        sales.days(None, always, None, 100).await.unwrap().items,
        alerts.alerts(None, None, None, 100).await.unwrap().items,
    ]));
    for status in [
        None,
        Some(SagaStatus::Running),
        Some(SagaStatus::Stuck),
        Some(SagaStatus::Completed),
    ] {
        see(serde_json::json!(
            models.sagas().list(status, None, 100).await.unwrap().items
        ));
    }
    seen
}

fn twice_is_once<P: Projection>(events: &[Arc<RecordedEvent>]) {
    let (once, unexpected) = project::<P>(events, 1);
    let (twice, unexpected_twice) = project::<P>(events, 2);
    assert!(once == twice, "{} took an event in again", P::Model::NAME);
    assert_eq!(unexpected.len() * 2, unexpected_twice.len());
}

async fn live_is_rebuilt(happenings: Vec<(usize, u128, usize)>) {
    let shop = Shop::open().await;
    // Some hours apart, so that windows move on.
    for (at, (kind, thing, detail)) in (1_000..).step_by(20_000_000).zip(happenings) {
        anything(&shop.log, kind, thing, detail, at).await;
    }
    let before = shop.settled().await;
    let live = everything(&shop.read_models).await;
    for name in ReadModels::NAMES {
        shop.projections.rebuild(name, CutOver::IfIdentical).await.unwrap();
    }
    let after = shop.settled().await;
    assert_eq!(everything(&shop.read_models).await, live);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(
            (before.documents, before.skipped),
            (after.documents, after.skipped),
            "{}",
            after.name
        );
        assert_eq!(before.generation + 1, after.generation, "{}", after.name);
    }
    let (log, folder) = shop.close().await;
    let shop = Shop::over(log, folder).await;
    shop.settled().await;
    assert_eq!(everything(&shop.read_models).await, live, "after a restart");
    let events = events(&shop.log).await;
    twice_is_once::<ProductsProjection>(&events);
    twice_is_once::<CatalogueProjection>(&events);
    twice_is_once::<MyPageProjection>(&events);
    twice_is_once::<SellerOrdersProjection>(&events);
    twice_is_once::<TrackingProjection>(&events);
    twice_is_once::<CartsProjection>(&events);
    twice_is_once::<SagasProjection>(&events);
    twice_is_once::<RepairCasesProjection>(&events);
    twice_is_once::<DeadEventsProjection>(&events);
    twice_is_once::<BestSellersProjection>(&events);
    twice_is_once::<TrendingProjection>(&events);
    twice_is_once::<SellerSalesProjection>(&events);
    twice_is_once::<StockAlertsProjection>(&events);
    shop.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 40, ..ProptestConfig::default() })]
    #[test]
    fn live_rebuilt_and_twice_are_the_same(
        happenings in proptest::collection::vec((0usize..18, 1u128..=THINGS, 0usize..36), 0..200),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(live_is_rebuilt(happenings));
    }
}
