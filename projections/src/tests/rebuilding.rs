//! Rebuilding beside what is live, and starting again after a kill.

use read_models::models::{catalogue::CatalogueProjection, my_page::MyPageProjection};

use super::{
    history::{HAPPY, id, listed, order, placed, product, step},
    *,
};
use crate::{
    CutOver, RebuildError,
    running::{generation::Building, pages::Pages},
};

async fn orders(log: &MemoryLog, numbers: std::ops::Range<u128>) {
    for number in numbers {
        order(log, placed(number, 7, &[10]), 100 + number as i64).await;
        for kind in HAPPY {
            step(log, number, 10, kind, 200 + number as i64).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_runs_beside_what_is_live_and_only_once() {
    let shop = Shop::open().await;
    orders(&shop.log, 1..500).await;
    shop.settled().await;
    shop.projections.rebuild("my_page", CutOver::Always).await.unwrap();
    let again = shop.projections.rebuild("my_page", CutOver::Always).await;
    assert!(
        matches!(again, Err(RebuildError::UnderWay("my_page")) | Ok(())),
        "{again:?}"
    );
    orders(&shop.log, 500..520).await;
    assert!(
        shop.read_models.my_page().order(id(1)).await.unwrap().is_some(),
        "the old one answers meanwhile"
    );
    let statuses = shop.settled().await;
    let my_page = statuses.iter().find(|status| status.name == "my_page").unwrap();
    assert!(my_page.generation >= 2 && my_page.documents == 519, "{my_page:?}");
    assert!(shop.read_models.my_page().order(id(519)).await.unwrap().is_some());
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_of_nothing_known_is_refused() {
    let shop = Shop::open().await;
    let refused = shop
        .projections
        .rebuild("catalog", CutOver::Always)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("catalogue") && refused.contains("my_page"),
        "{refused}"
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_rebuild_is_gone_on_with() {
    let (log, folder) = Shop::open().await.close().await;
    orders(&log, 1..50).await;
    {
        // As far as a process gets that is killed in the middle of it.
        let models = ReadModels::open(folder.path()).await.unwrap();
        models.my_page().build(false).await.unwrap().commit(0, 0).await.unwrap();
        models.catalogue().build(false).await.unwrap();
    }
    let shop = Shop::over(log, folder).await;
    let statuses = shop.settled().await;
    let generation = |name| statuses.iter().find(|status| status.name == name).unwrap().generation;
    assert_eq!(
        (generation("my_page"), generation("catalogue"), generation("carts")),
        (2, 2, 1)
    );
    assert!(shop.read_models.my_page().order(id(49)).await.unwrap().is_some());
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_had_not_committed_is_read_again() {
    let log = MemoryLog::new();
    let folder = tempfile::tempdir().unwrap();
    product(&log, listed(10), 1).await;
    order(&log, placed(1, 7, &[10]), 100).await;
    {
        let models = ReadModels::open(folder.path()).await.unwrap();
        let pages = Pages::of(Arc::<MemoryLog>::clone(&log));
        let page = pages.read(0).await.unwrap().unwrap();
        Building::<MyPageProjection>::new(models.my_page().workspace().await.unwrap())
            .take_in(&page)
            .await
            .unwrap();
        // The catalogue lingers before it commits.
        Building::<CatalogueProjection>::new(models.catalogue().workspace().await.unwrap())
            .take_in(&page)
            .await
            .unwrap();
        assert!(models.catalogue().get(&id(10)).await.unwrap().is_none());
    }
    step(&log, 1, 10, 3, 101).await;
    let shop = Shop::over(log, folder).await;
    shop.settled().await;
    assert!(shop.read_models.catalogue().get(&id(10)).await.unwrap().is_some());
    assert_eq!(
        shop.read_models
            .my_page()
            .order(id(1))
            .await
            .unwrap()
            .unwrap()
            .history
            .len(),
        2
    );
    shop.close().await;
}
