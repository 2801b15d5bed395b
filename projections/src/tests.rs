//! Events in, documents out: through the real log port, the real stores, the real runner.

mod auditing;
mod documents;
mod failures;
mod figures;
mod full_order;
mod history;
mod parts;
mod proof;
mod random;
mod rebuilding;
mod speed;

use std::{collections::BTreeMap, sync::Arc};

use event_log::{Append, EventFilter, EventLog, ExpectedVersion, Position, RecordedEvent, memory::MemoryLog};
use event_schemas::{Actor, DomainEvent, Metadata, NewEvent, StreamName, Timestamp};
use read_models::{
    ReadModels,
    documents::{Model, ModelKey},
    projection::Document,
};
use uuid::Uuid;

use crate::{
    Config, ProjectionStatus, Projections, Sentinel,
    projection::{Projection, Unexpected, read},
};

/// A shop with a log and read models, in a folder of its own.
struct Shop {
    log: Arc<MemoryLog>,
    folder: tempfile::TempDir,
    read_models: Arc<ReadModels>,
    projections: Projections,
}

impl Shop {
    async fn open() -> Self {
        Self::over(MemoryLog::new(), tempfile::tempdir().unwrap()).await
    }

    async fn watched_by(sentinel: Option<Sentinel>) -> Self {
        Self::over_watched_by(MemoryLog::new(), tempfile::tempdir().unwrap(), sentinel).await
    }

    async fn over(log: Arc<MemoryLog>, folder: tempfile::TempDir) -> Self {
        Self::over_watched_by(log, folder, Some(Sentinel::default())).await
    }

    async fn over_watched_by(log: Arc<MemoryLog>, folder: tempfile::TempDir, sentinel: Option<Sentinel>) -> Self {
        let read_models = Arc::new(ReadModels::open(folder.path()).await.unwrap());
        let followed: Arc<dyn EventLog> = Arc::<MemoryLog>::clone(&log);
        let config = Config::default().with_sentinel(sentinel);
        let projections = Projections::start(followed, Arc::clone(&read_models), config)
            .await
            .unwrap();
        Self {
            log,
            folder,
            read_models,
            projections,
        }
    }

    /// Waits until everything is shown.
    async fn settled(&self) -> Vec<ProjectionStatus> {
        let settled = self.projections.settled(|_| {});
        tokio::time::timeout(history::DEADLINE, settled).await.unwrap().unwrap()
    }

    async fn close(self) -> (Arc<MemoryLog>, tempfile::TempDir) {
        self.projections.shutdown().await;
        (self.log, self.folder)
    }
}

/// Appends an event that happened so many milliseconds after 1970.
async fn happens<E: DomainEvent>(log: &MemoryLog, stream: StreamName, event: E, at: i64) {
    let metadata = Metadata::new(Timestamp::from_millis(at), Uuid::nil(), Actor::system("test"));
    append(log, stream, NewEvent::new(Uuid::now_v7(), &event, &metadata)).await;
}

async fn append(log: &MemoryLog, stream: StreamName, event: NewEvent) {
    let (expected, events) = (ExpectedVersion::Any, vec![event]);
    log.append(Append {
        stream,
        expected,
        events,
    })
    .await
    .unwrap();
}

async fn events(log: &MemoryLog) -> Vec<Arc<RecordedEvent>> {
    log.read_all(Position::START, &EventFilter::default(), usize::MAX)
        .await
        .unwrap()
        .0
}

/// Documents by key.
type Projected<P> = BTreeMap<Vec<u8>, Option<Document<P>>>;

/// The documents that a projection makes of events, each taken in so many times, with what it did not expect.
fn project<P: Projection>(events: &[Arc<RecordedEvent>], times: usize) -> (Projected<P>, Vec<Unexpected>) {
    let (mut projection, mut documents, mut unexpected) = (P::default(), BTreeMap::new(), vec![]);
    for event in events.iter().filter(|event| crate::projection::needs::<P>(event)) {
        for _ in 0..times {
            let fact = match read(event) {
                Ok(fact) => fact,
                Err(error) => {
                    unexpected.push(error);
                    continue;
                }
            };
            let mut keys = vec![];
            unexpected.extend(projection.about(&fact, &mut keys).err());
            let mut applied = 0;
            while let Some(key) = keys.get(applied) {
                let document = documents.entry(key.bytes()).or_insert(None);
                unexpected.extend(projection.apply(&fact, key, document).err());
                applied += 1;
                if applied == keys.len() {
                    projection.follow_up(&fact, &mut keys);
                }
            }
        }
    }
    (documents, unexpected)
}
