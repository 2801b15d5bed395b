//! A rebuilt generation is compared, approved or rejected, swapped, and gone back from.

use std::sync::atomic::{AtomicBool, Ordering};

use read_models::{
    catalogue::SearchQuery,
    my_page::{MyPageDocument, MyPageKey},
    order_view::OrderStatus,
};

use super::{
    history::{DEADLINE, HAPPY, id, listed, order, placed, product, received, step},
    *,
};
use crate::{CutOver, Decision, ProjectionState, RebuildError, RebuildPhase};

async fn orders(log: &MemoryLog, numbers: std::ops::Range<u128>) {
    for number in numbers {
        order(log, placed(number, 7, &[10]), 100 + number as i64).await;
        for kind in HAPPY {
            step(log, number, 10, kind, 200 + number as i64).await;
        }
    }
}

impl Shop {
    async fn with_orders(number: u128) -> Self {
        // Nobody else puts right what is made wrong here.
        let shop = Self::watched_by(None).await;
        product(&shop.log, listed(10), 1).await;
        orders(&shop.log, 1..number + 1).await;
        shop.settled().await;
        shop
    }

    async fn status_of(&self, name: &str) -> ProjectionStatus {
        let statuses = self.projections.status().await.unwrap();
        statuses.into_iter().find(|status| status.name == name).unwrap()
    }

    async fn generation(&self) -> u32 {
        self.status_of("my_page").await.generation
    }

    /// Something that is in no event gets into the live order 1.
    async fn falsified(&self) {
        let mut workspace = self.read_models.my_page().workspace().await.unwrap();
        let key = MyPageKey::Order(id(1));
        if let Some(MyPageDocument::Order(order)) = workspace.document(key).await.unwrap() {
            order.shipping_address.city = "Atlantis".to_owned();
        }
        workspace.touch(key);
        let at = workspace.committed().position;
        workspace.commit(at, 0).await.unwrap();
    }

    async fn city(&self) -> String {
        let order = self.read_models.my_page().order(id(1)).await.unwrap().unwrap();
        order.shipping_address.city
    }

    async fn rebuilt(&self, cut_over: CutOver) {
        self.projections.rebuild("my_page", cut_over).await.unwrap();
        self.settled().await;
    }

    async fn decided(&self, decision: Decision) {
        self.projections.decide("my_page", decision).await.unwrap();
        self.settled().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_takes_its_place_by_itself() {
    let shop = Shop::with_orders(50).await;
    for name in ReadModels::NAMES {
        shop.projections.rebuild(name, CutOver::IfIdentical).await.unwrap();
    }
    for status in shop.settled().await {
        assert_eq!(
            (status.generation, status.state),
            (2, ProjectionState::Live),
            "{status:?}"
        );
        let comparison = shop.projections.comparison(status.name).unwrap().unwrap();
        assert!(comparison.is_identical(), "{comparison:?}");
        assert_eq!(comparison.documents, status.documents, "{}", status.name);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_differs_is_shown_and_waits_for_approval() {
    let shop = Shop::with_orders(50).await;
    let right = shop.city().await;
    shop.falsified().await;
    shop.rebuilt(CutOver::IfIdentical).await;
    let status = shop.status_of("my_page").await;
    assert_eq!(
        (status.generation, status.state),
        (1, ProjectionState::AwaitingApproval)
    );
    assert_eq!(status.rebuild.unwrap().phase, RebuildPhase::AwaitingApproval);
    let comparison = shop.projections.comparison("my_page").unwrap().unwrap();
    assert_eq!((comparison.documents, comparison.differing), (50, 1), "{comparison:?}");
    let field = &comparison.differences[0].fields[0];
    assert_eq!(field.path, "order.shipping_address.city");
    assert_eq!(
        (field.shown.as_ref().unwrap(), field.derived.as_ref().unwrap()),
        (&"Atlantis".into(), &right.as_str().into())
    );
    assert_eq!(shop.city().await, "Atlantis", "nothing is swapped unasked");
    orders(&shop.log, 51..60).await;
    shop.decided(Decision::Approve).await;
    assert_eq!((shop.generation().await, shop.city().await), (2, right));
    assert!(
        shop.read_models.my_page().order(id(59)).await.unwrap().is_some(),
        "it caught up first"
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_one_is_dropped() {
    let shop = Shop::with_orders(20).await;
    shop.rebuilt(CutOver::OnApproval).await;
    assert_eq!(shop.status_of("my_page").await.state, ProjectionState::AwaitingApproval);
    assert!(shop.projections.comparison("my_page").unwrap().unwrap().is_identical());
    let early = shop.projections.decide("my_page", Decision::RollBack).await;
    assert!(matches!(early, Err(RebuildError::UnderWay(_))), "{early:?}");
    shop.decided(Decision::Reject).await;
    assert_eq!(shop.status_of("my_page").await.state, ProjectionState::Live);
    assert!(shop.read_models.my_page().unfinished().await.unwrap().is_none());
    let again = shop.projections.decide("my_page", Decision::Approve).await;
    assert!(matches!(again, Err(RebuildError::NothingWaits(_))), "{again:?}");
    let nothing = shop.projections.decide("my_page", Decision::RollBack).await;
    assert!(matches!(nothing, Err(RebuildError::NothingKept(_))), "{nothing:?}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_one_before_is_gone_back_to_and_has_caught_up() {
    let shop = Shop::with_orders(20).await;
    shop.falsified().await;
    shop.rebuilt(CutOver::Always).await;
    let right = shop.city().await;
    assert_ne!(right, "Atlantis");
    orders(&shop.log, 21..40).await;
    shop.settled().await;
    shop.decided(Decision::RollBack).await;
    assert_eq!((shop.generation().await, shop.city().await.as_str()), (1, "Atlantis"));
    assert!(shop.read_models.my_page().order(id(39)).await.unwrap().is_some());
    orders(&shop.log, 40..50).await;
    shop.settled().await;
    shop.decided(Decision::RollBack).await;
    assert_eq!(
        (shop.generation().await, shop.city().await),
        (2, right),
        "and forth again"
    );
    assert!(shop.read_models.my_page().order(id(49)).await.unwrap().is_some());
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_still_waits_after_a_restart() {
    let shop = Shop::with_orders(20).await;
    shop.falsified().await;
    shop.rebuilt(CutOver::OnApproval).await;
    let (log, folder) = shop.close().await;
    let shop = Shop::over_watched_by(log, folder, None).await;
    shop.settled().await;
    assert_eq!(shop.status_of("my_page").await.state, ProjectionState::AwaitingApproval);
    assert_eq!(shop.projections.comparison("my_page").unwrap().unwrap().differing, 1);
    shop.decided(Decision::Approve).await;
    assert_eq!(shop.generation().await, 2);
    assert_ne!(shop.city().await, "Atlantis");
    shop.close().await;
}

/// What customers searched for is searched for again on both, though the live index has gone through many changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recent_searches_find_the_same() {
    let (log, folder) = Shop::open().await.close().await;
    let past = folder.path().join("past");
    let models = ReadModels::open(folder.path()).await.unwrap();
    let models = Arc::new(models.finding_with(&folder.path().join("synonyms"), &past));
    let followed: Arc<dyn EventLog> = Arc::<MemoryLog>::clone(&log);
    let config = Config::default().with_sentinel(None);
    let projections = Projections::start(followed, Arc::clone(&models), config).await.unwrap();
    for round in 0..3 {
        for number in 1..40 {
            product(&log, listed(number), 1).await;
            received(&log, number, u64::from(round % 2 == 0), 2 + round).await;
        }
        projections.settled(|_| {}).await.unwrap();
    }
    let title = models.catalogue().get(&id(1)).await.unwrap().unwrap().title;
    for text in title.split_whitespace() {
        let query = SearchQuery {
            text: text.to_owned(),
            ..SearchQuery::default()
        };
        models.search(query).await.unwrap();
    }
    assert!(!models.recent_searches(100).is_empty(), "{title}");
    projections.rebuild("catalogue", CutOver::IfIdentical).await.unwrap();
    projections.settled(|_| {}).await.unwrap();
    let comparison = projections.comparison("catalogue").unwrap().unwrap();
    assert!(comparison.searches > 0 && comparison.is_identical(), "{comparison:?}");
    projections.shutdown().await;
}

/// A reader presents what was written; while everything is rebuilt, swapped and gone back from, it never sees less.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_shop_never_shows_less() {
    let shop = Shop::with_orders(300).await;
    let over = Arc::new(AtomicBool::new(false));
    let (log, models, told) = (Arc::clone(&shop.log), Arc::clone(&shop.read_models), Arc::clone(&over));
    let shopping = tokio::spawn(async move {
        let mut number = 1_000;
        while !told.load(Ordering::Acquire) {
            number += 1;
            orders(&log, number..number + 1).await;
            let position = log.head().await.unwrap().0;
            let deadline = std::time::Instant::now() + DEADLINE;
            models.progress().wait_for("my_page", position, deadline).await.unwrap();
            let order = models
                .my_page()
                .order(id(number))
                .await
                .unwrap()
                .expect("its own order");
            assert_eq!(order.status, OrderStatus::Delivered, "order {number}");
        }
        number
    });
    for round in 0..4 {
        shop.projections.rebuild("my_page", CutOver::IfIdentical).await.unwrap();
        swapped(&shop, 2 + round).await;
        let comparison = shop.projections.comparison("my_page").unwrap().unwrap();
        assert!(comparison.is_identical(), "{comparison:?}");
        shop.projections.decide("my_page", Decision::RollBack).await.unwrap();
        swapped(&shop, 1).await;
    }
    over.store(true, Ordering::Release);
    let last = shopping.await.unwrap();
    println!("{} orders meanwhile", last - 1_000);
    shop.settled().await;
    shop.close().await;
}

/// Waits until a swap to that generation is over.
async fn swapped(shop: &Shop, generation: u32) {
    let over = async {
        loop {
            let status = shop.status_of("my_page").await;
            assert_ne!(
                status.state,
                ProjectionState::AwaitingApproval,
                "{:?}",
                shop.projections.comparison("my_page")
            );
            if status.rebuild.is_none() {
                assert_eq!(status.generation, generation);
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, over).await.unwrap();
}
