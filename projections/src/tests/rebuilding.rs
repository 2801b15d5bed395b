//! Rebuilding beside what is live, and starting again after a kill.

use read_models::models::{catalogue::CatalogueProjection, my_page::MyPageProjection};

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use event_log::embedded::EmbeddedLog;

use super::{
    history::{HAPPY, id, listed, order, placed, product, step},
    speed::durable,
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

const CHILD_FOLDER: &str = "PROJECTIONS_CHILD_FOLDER";

/// Runs as a child only: it is killed in the middle of a rebuild.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_child() {
    let Some(folder) = std::env::var_os(CHILD_FOLDER).map(std::path::PathBuf::from) else {
        return;
    };
    let log = EmbeddedLog::open(&folder.join("log")).unwrap();
    let models = ReadModels::open(&folder).await.unwrap();
    let pages = Pages::of(log);
    let mut live = Building::<MyPageProjection>::new(models.my_page().workspace().await.unwrap());
    while let Some(page) = pages.read(live.position()).await.unwrap() {
        live.take_in(&page).await.unwrap();
    }
    live.commit().await.unwrap();
    let workspace = models.my_page().build(false).await.unwrap();
    let mut rebuilt = Building::<MyPageProjection>::on_threads(workspace, 3);
    let page = pages.read(0).await.unwrap().unwrap();
    rebuilt.take_in(&page).await.unwrap();
    rebuilt.commit().await.unwrap();
    let page = pages.read(rebuilt.position()).await.unwrap().unwrap();
    rebuilt.take_in(&page).await.unwrap();
    println!("half of it");
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_nothing_of_a_rebuild() {
    let folder = tempfile::tempdir().unwrap();
    let memory = MemoryLog::new();
    orders(&memory, 1..800).await;
    durable(&memory, &folder.path().join("log")).await.close();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::rebuilding::killed_child", "--nocapture"])
        .env(CHILD_FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        said.any(|line| line.unwrap().contains("half of it")),
        "the child ended before"
    );
    child.kill().unwrap();
    child.wait().unwrap();

    let models = Arc::new(ReadModels::open(folder.path()).await.unwrap());
    let committed = models.my_page().build(true).await.unwrap().committed();
    assert!(committed.position > 0 && committed.documents < 799, "{committed:?}");
    let log = EmbeddedLog::open(&folder.path().join("log")).unwrap();
    let projections = Projections::start(log, Arc::clone(&models), Config::default())
        .await
        .unwrap();
    let statuses = projections.settled(|_| {}).await.unwrap();
    let my_page = statuses.iter().find(|status| status.name == "my_page").unwrap();
    assert_eq!((my_page.generation, my_page.documents), (2, 799), "{my_page:?}");
    assert!(projections.comparison("my_page").unwrap().unwrap().is_identical());
    projections.shutdown().await;
}
