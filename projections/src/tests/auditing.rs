//! Documents that were falsified in the store are found, described and put right.

use read_models::{
    documents::{DocumentStore as _, Generation, Part, Write},
    filling::Filling,
    my_page::{MyPage, MyPageKey},
};
use serde_json::json;

use super::{
    history::{DEADLINE, HAPPY, id, listed, order, placed, product, received, step},
    *,
};
use crate::{AuditScope, AuditStatus, DriftKind, Sentinel};

const ALL: AuditScope = AuditScope {
    all: true,
    repair: false,
};
const REPAIR: AuditScope = AuditScope {
    all: true,
    repair: true,
};

/// A shop with orders 1 to 20 of customer 7, that the sentinel leaves alone.
async fn shop() -> Shop {
    let shop = Shop::watched_by(None).await;
    for number in 1..=20 {
        product(&shop.log, listed(number), 1).await;
        received(&shop.log, number, 5, 1).await;
        order(&shop.log, placed(number, 7, &[number]), number as i64).await;
        for kind in HAPPY {
            step(&shop.log, number, number, kind, 100 + number as i64).await;
        }
    }
    shop.settled().await;
    shop
}

/// Writes behind the projection's back.
async fn tamper(shop: &Shop, model: &'static str, writes: Vec<Write>) {
    let store = Filling::of(Arc::clone(&shop.read_models)).await.unwrap();
    let live: Generation = store.generations(model).await.unwrap().live;
    let checkpoint = store.checkpoint(live).await.unwrap();
    store.commit(live, writes, checkpoint).await.unwrap();
}

fn put(key: Vec<u8>, value: Option<Vec<u8>>) -> Write {
    Write {
        part: Part::Documents,
        key,
        value,
    }
}

async fn audited(shop: &Shop, name: &str, scope: AuditScope) -> AuditStatus {
    shop.projections.audit(name, scope).unwrap();
    let done = async {
        loop {
            match shop.projections.audited(name) {
                Some(status) if status.done => return status,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    let status = tokio::time::timeout(DEADLINE, done).await.unwrap();
    assert_eq!(status.error, None);
    status
}

fn order_key(number: u128) -> Vec<u8> {
    MyPageKey::Order(id(number)).bytes()
}

/// Falsifies an order in each way there is.
async fn falsify(shop: &Shop) {
    let honest = shop
        .read_models
        .my_page()
        .get(&MyPageKey::Order(id(3)))
        .await
        .unwrap()
        .unwrap();
    let mut lie = serde_json::to_value(&honest).unwrap();
    lie["order"]["total"]["amount"] = json!(1);
    let unlisted = shop
        .read_models
        .my_page()
        .get(&MyPageKey::Order(id(9)))
        .await
        .unwrap()
        .unwrap();
    let mut writes = vec![
        put(order_key(3), Some(serde_json::to_vec(&lie).unwrap())),
        put(order_key(5), None),
        put(order_key(7), Some(b"{torn".to_vec())),
        put(order_key(77), Some(serde_json::to_vec(&honest).unwrap())),
    ];
    writes.extend(MyPage::index(&unlisted).into_iter().map(|key| Write {
        part: Part::Index,
        key,
        value: None,
    }));
    tamper(shop, "my_page", writes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_and_put_right() {
    let shop = shop().await;
    let honest = audited(&shop, "my_page", ALL).await;
    assert_eq!((honest.findings.checked, honest.findings.found), (20, 0), "{honest:?}");
    falsify(&shop).await;

    let told = audited(&shop, "my_page", ALL).await.findings;
    let drifts: BTreeMap<_, _> = told
        .drifts
        .iter()
        .map(|drift| (drift.document.key.clone(), drift))
        .collect();
    let kind = |number: u128| drifts[&format!("o-{}", Uuid::from_u128(number))].kind;
    assert_eq!((told.checked, told.found, told.repaired), (21, 5, 0));
    assert_eq!(
        [kind(3), kind(5), kind(7), kind(77), kind(9)],
        [
            DriftKind::Different,
            DriftKind::Missing,
            DriftKind::Unreadable,
            DriftKind::Ghost,
            DriftKind::Unlisted
        ]
    );
    let different = &drifts[&format!("o-{}", Uuid::from_u128(3))].document.fields;
    assert_eq!(different.len(), 1, "{different:?}");
    assert_eq!(different[0].path, "order.total.amount");
    assert_eq!(
        (&different[0].shown, &different[0].derived),
        (&Some(json!(1)), &Some(json!(2_000)))
    );

    let repaired = audited(&shop, "my_page", REPAIR).await.findings;
    assert_eq!((repaired.found, repaired.repaired), (5, 5));
    let after = audited(&shop, "my_page", ALL).await.findings;
    assert_eq!((after.checked, after.found), (20, 0), "{after:?}");
    let mine = shop
        .read_models
        .my_page()
        .orders_of(id(7), None, 100)
        .await
        .unwrap()
        .items;
    assert_eq!(mine.len(), 20);

    // The projection goes on where it was.
    order(&shop.log, placed(21, 7, &[1]), 500).await;
    let statuses = shop.settled().await;
    let my_page = statuses.iter().find(|status| status.name == "my_page").unwrap();
    assert_eq!(
        (my_page.error.as_deref(), my_page.drift.found, my_page.drift.repaired),
        (None, 10, 5)
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_projection_remembers_of_a_wrong_document_is_forgotten() {
    let shop = shop().await;
    let key = event_schemas::ProductId::from_uuid(Uuid::from_u128(4));
    let entry = shop.read_models.catalogue().get(&key).await.unwrap().unwrap();
    assert!(entry.in_stock);
    let mut lie = entry.clone();
    lie.in_stock = false;
    tamper(
        &shop,
        "catalogue",
        vec![put(key.bytes(), Some(serde_json::to_vec(&lie).unwrap()))],
    )
    .await;
    // Started anew, it takes over what is stored.
    let (log, folder) = shop.close().await;
    let shop = Shop::over(log, folder).await;
    received(&shop.log, 4, 5, 900).await;
    shop.settled().await;
    let repaired = audited(&shop, "catalogue", REPAIR).await.findings;
    assert!(repaired.found <= 1, "{repaired:?}");
    received(&shop.log, 4, 0, 901).await;
    shop.settled().await;
    let entry = shop.read_models.catalogue().get(&key).await.unwrap().unwrap();
    assert!(!entry.in_stock, "sold out, and known to be");
    assert_eq!(audited(&shop, "catalogue", ALL).await.findings.found, 0);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sample_is_a_part_and_every_model_is_as_the_log_tells() {
    let shop = shop().await;
    for number in 21..=700 {
        order(&shop.log, placed(number, 7, &[10]), number as i64).await;
    }
    shop.settled().await;
    let sample = audited(&shop, "my_page", AuditScope::default()).await.findings;
    assert!((150..600).contains(&sample.checked), "{sample:?}");
    for name in ReadModels::NAMES {
        let findings = audited(&shop, name, ALL).await.findings;
        assert_eq!(findings.found, 0, "{name}: {findings:?}");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sentinel_finds_and_puts_right_while_the_shop_goes_on() {
    let shop = shop().await;
    falsify(&shop).await;
    let (log, folder) = shop.close().await;
    let eager = Sentinel {
        documents: 6,
        pause: std::time::Duration::ZERO,
        rest: 1,
    };
    let shop = Shop::over_watched_by(log, folder, Some(eager)).await;
    let deadline = std::time::Instant::now() + DEADLINE;
    for number in 100.. {
        order(&shop.log, placed(number, 7, &[10]), number as i64).await;
        let statuses = shop.projections.status().await.unwrap();
        let drift = statuses.iter().find(|status| status.name == "my_page").unwrap().drift;
        if drift.repaired == 5 && drift.right_ppm == Some(1_000_000) {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{drift:?}");
    }
    let statuses = shop.settled().await;
    assert!(
        statuses
            .iter()
            .all(|status| status.drift.found == status.drift.repaired),
        "{statuses:?}"
    );
    let others: u64 = statuses
        .iter()
        .filter(|one| one.name != "my_page")
        .map(|one| one.drift.found)
        .sum();
    assert_eq!(others, 0, "an honest document was suspected: {statuses:?}");
    assert_eq!(audited(&shop, "my_page", ALL).await.findings.found, 0);
    shop.close().await;
}
