//! Broken events, and a store that fails for a while.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use read_models::{
    carts::CartsProjection,
    documents::{
        Checkpoint, Collection, DocumentStore, Documents, Generation, Generations, Part, Scan, StoreError, Write,
    },
};
use tokio::sync::watch;

use super::{
    history::{DEADLINE, cart, id, order, placed, step},
    *,
};
use crate::{
    ProjectionState,
    running::{
        pages::Pages,
        rebuilding::Benches,
        runner::{self, Surroundings},
    },
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_event_is_skipped_and_counted() {
    let shop = Shop::open().await;
    order(&shop.log, placed(1, 7, &[10]), 100).await;
    let stream: StreamName = event_schemas::Category::Order.stream(Uuid::from_u128(1));
    for (event_type, data) in [
        ("OrderConfirmed", "{broken"),
        ("OrderEaten", "{}"),
        ("OrderShipped", "[]"),
    ] {
        let event = NewEvent {
            id: Uuid::now_v7(),
            event_type: event_type.to_owned(),
            content: event_schemas::ContentType::Json,
            metadata: serde_json::to_vec(&Metadata::new(
                Timestamp::from_millis(1),
                Uuid::nil(),
                Actor::system("test"),
            ))
            .unwrap()
            .into(),
            data: data.as_bytes().to_vec().into(),
        };
        append(&shop.log, stream.clone(), event).await;
    }
    // About an order that nobody placed.
    step(&shop.log, 99, 10, 3, 101).await;
    step(&shop.log, 1, 10, 3, 102).await;
    let statuses = shop.settled().await;
    let my_page = statuses.iter().find(|status| status.name == "my_page").unwrap();
    assert_eq!(
        (my_page.skipped, my_page.documents, my_page.error.as_deref()),
        (4, 1, None)
    );
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

/// A real store that is away for a while.
struct Leaving {
    store: Documents,
    away: AtomicBool,
    /// The next commit is made but said to have failed.
    denies: AtomicBool,
}

impl Leaving {
    fn here(&self) -> Result<&Documents, StoreError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("out to lunch".to_owned()));
        }
        Ok(&self.store)
    }
}

#[async_trait]
impl DocumentStore for Leaving {
    async fn generations(&self, model: &'static str) -> Result<Generations, StoreError> {
        self.here()?.generations(model).await
    }
    async fn begin(&self, model: &'static str) -> Result<Generation, StoreError> {
        self.here()?.begin(model).await
    }
    async fn promote(&self, generation: Generation) -> Result<(), StoreError> {
        self.here()?.promote(generation).await
    }
    async fn discard(&self, generation: Generation) -> Result<(), StoreError> {
        self.here()?.discard(generation).await
    }
    async fn checkpoint(&self, generation: Generation) -> Result<Checkpoint, StoreError> {
        self.here()?.checkpoint(generation).await
    }
    async fn get(&self, of: Generation, part: Part, key: &[u8]) -> Result<Option<bytes::Bytes>, StoreError> {
        self.here()?.get(of, part, key).await
    }
    async fn scan(
        &self,
        of: Generation,
        part: Part,
        scan: Scan<'_>,
    ) -> Result<Vec<(Vec<u8>, bytes::Bytes)>, StoreError> {
        self.here()?.scan(of, part, scan).await
    }
    async fn commit(&self, of: Generation, writes: Vec<Write>, checkpoint: Checkpoint) -> Result<(), StoreError> {
        self.here()?.commit(of, writes, checkpoint).await?;
        if self.denies.swap(false, Ordering::SeqCst) {
            return Err(StoreError::Unavailable("did it reach the disk?".to_owned()));
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_is_tried_again_and_nothing_is_lost() {
    let (log, folder) = (MemoryLog::new(), tempfile::tempdir().unwrap());
    let read_models = Arc::new(ReadModels::open(&folder.path().join("rest")).await.unwrap());
    let store = Arc::new(Leaving {
        store: Documents::open(&folder.path().join("carts")).unwrap(),
        away: AtomicBool::new(false),
        denies: AtomicBool::new(false),
    });
    let carts = Collection::open(Arc::<Leaving>::clone(&store)).await.unwrap();
    let pages = Arc::new(Pages::of(Arc::<MemoryLog>::clone(&log)));
    let (stop, stopped) = watch::channel(false);
    let around = Surroundings {
        read_models: Arc::clone(&read_models),
        pages: Arc::clone(&pages),
        stop: stopped.clone(),
        benches: Benches::default(),
    };
    let runner = runner::start::<CartsProjection>(around, carts.clone()).await.unwrap();
    let follower = tokio::spawn(async move { pages.follow(stopped).await });

    store.away.store(true, Ordering::SeqCst);
    cart(&log, 7, 10, 2, 0, 1).await;
    let failed = async {
        while runner.report.status(1).state != ProjectionState::Failed {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, failed).await.unwrap();
    let error = runner.report.status(1).error.unwrap();
    assert!(error.contains("out to lunch"), "{error}");

    store.away.store(false, Ordering::SeqCst);
    let deadline = std::time::Instant::now() + DEADLINE;
    read_models.progress().wait_for("carts", 1, deadline).await.unwrap();
    assert_eq!(carts.of_customer(id(7)).await.unwrap().items.len(), 1);
    assert_eq!(runner.report.status(1).state, ProjectionState::Live);

    // What failed may be there after all: the checkpoint is asked for again.
    store.denies.store(true, Ordering::SeqCst);
    cart(&log, 8, 10, 2, 0, 2).await;
    let deadline = std::time::Instant::now() + DEADLINE;
    read_models.progress().wait_for("carts", 2, deadline).await.unwrap();
    assert!(!store.denies.load(Ordering::SeqCst));
    let status = runner.report.status(2);
    assert_eq!((status.documents, status.state), (2, ProjectionState::Live));
    stop.send_replace(true);
    follower.await.unwrap();
    tokio::task::spawn_blocking(move || runner.thread.join().unwrap())
        .await
        .unwrap();
}
