//! The places where a runner can be killed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::commands::Directive;
use event_log::{
    Append, AppendError, Appended, Direction, EventFilter, EventLog, ExpectedVersion, LogError, LogStats, Position,
    RecordedEvent, StreamSummary, StreamVersion, Subscription,
};
use event_schemas::StreamName;
use tokio::sync::watch;

use super::shop::Shop;
use crate::{Clock, DispatchError, Dispatcher, Limits, PlaceOrder, RunnerConfig, Saga, SagaRunner, SystemClock};

/// Kills the runner at one of the things it does: before it, or after it and before anyone knows.
pub(super) struct Killer {
    left: AtomicI64,
    passed: AtomicUsize,
    struck: watch::Sender<bool>,
}

impl Killer {
    /// Strikes at the `n`-th point, counted from 0.
    pub(super) fn at(n: i64) -> Arc<Self> {
        Arc::new(Self {
            left: AtomicI64::new(n),
            passed: AtomicUsize::new(0),
            struck: watch::Sender::new(false),
        })
    }

    pub(super) fn never() -> Arc<Self> {
        Self::at(i64::MAX)
    }

    /// Whoever comes here when it strikes, or later, does not come back.
    async fn point(&self) {
        self.passed.fetch_add(1, Ordering::SeqCst);
        if self.left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            self.struck.send_replace(true);
            std::future::pending::<()>().await;
        }
    }

    pub(super) async fn struck(&self) {
        self.struck.subscribe().wait_for(|struck| *struck).await.unwrap();
    }
}

/// The shop's log and services, seen through a runner that may be killed.
pub(super) struct Mortal {
    pub(super) shop: Arc<Shop>,
    pub(super) killer: Arc<Killer>,
}

#[async_trait]
impl Dispatcher for Mortal {
    async fn dispatch(&self, directive: &Directive) -> Result<(), DispatchError> {
        self.killer.point().await;
        let outcome = self.shop.dispatch(directive).await;
        self.killer.point().await;
        outcome
    }
}

#[async_trait]
impl EventLog for Mortal {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.killer.point().await;
        let appended = self.shop.log.append(append).await;
        self.killer.point().await;
        appended
    }
    async fn tombstone(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError> {
        self.shop.log.tombstone(stream, expected).await
    }
    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        self.shop.log.read_stream(stream, from, direction, max).await
    }
    async fn read_all(
        &self,
        after: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.shop.log.read_all(after, filter, max).await
    }
    async fn read_all_backwards(
        &self,
        before: Option<Position>,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.shop.log.read_all_backwards(before, filter, max).await
    }
    async fn subscribe(self: Arc<Self>, after: Position, filter: EventFilter) -> Result<Subscription, LogError> {
        Arc::clone(&self.shop.log).subscribe(after, filter).await
    }
    async fn head(&self) -> Result<Position, LogError> {
        self.shop.log.head().await
    }
    async fn streams(&self, prefix: &str, after: Option<&str>, max: usize) -> Result<Vec<StreamSummary>, LogError> {
        self.shop.log.streams(prefix, after, max).await
    }
    async fn stats(&self) -> Result<LogStats, LogError> {
        self.shop.log.stats().await
    }
}

/// A runner for this shop, with its checkpoint in this folder.
pub(super) async fn runner(shop: &Arc<Shop>, killer: &Arc<Killer>, folder: &std::path::Path) -> SagaRunner {
    runner_with(shop, killer, folder, Arc::new(SystemClock)).await
}

pub(super) async fn runner_with(
    shop: &Arc<Shop>,
    killer: &Arc<Killer>,
    folder: &std::path::Path,
    clock: Arc<dyn Clock>,
) -> SagaRunner {
    runner_of(PlaceOrder::default(), shop, killer, folder, clock).await
}

pub(super) async fn runner_of<S: Saga>(
    saga: S,
    shop: &Arc<Shop>,
    killer: &Arc<Killer>,
    folder: &std::path::Path,
    clock: Arc<dyn Clock>,
) -> SagaRunner {
    let mortal = Arc::new(Mortal {
        shop: Arc::clone(shop),
        killer: Arc::clone(killer),
    });
    let config = RunnerConfig {
        log: mortal.clone(),
        dispatcher: mortal,
        folder: folder.to_owned(),
        clock,
        limits: Limits {
            checkpoint_every: Duration::from_millis(1),
            prompt_repeats: &[],
            farewell: Duration::from_millis(100),
            ..Limits::default()
        },
    };
    SagaRunner::start(saga, config).await.unwrap()
}
