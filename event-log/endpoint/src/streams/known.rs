//! The metadata of the streams that are in use, in memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use event_log::{EventFilter, EventLog, Position};
use event_schemas::StreamName;
use quick_cache::sync::Cache;

use super::{METADATA_TYPE, StreamMetadata, original_of};

/// Streams without metadata are remembered too: that is most of them.
const KNOWN: usize = 64 * 1024;
/// How long to wait before the log is asked again after it failed.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bounded memory that is never older than the last change it was told of.
pub(crate) struct Known {
    metadata: Cache<StreamName, Arc<StreamMetadata>>,
    /// Counts what was forgotten: what was read before is not kept after.
    forgotten: AtomicU64,
}

/// When a lookup began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked(u64);

impl Known {
    pub(crate) fn new() -> Self {
        Self {
            metadata: Cache::new(KNOWN),
            forgotten: AtomicU64::new(0),
        }
    }

    pub(crate) fn get(&self, stream: &StreamName) -> (Option<Arc<StreamMetadata>>, Asked) {
        let asked = Asked(self.forgotten.load(Ordering::SeqCst));
        (self.metadata.get(stream), asked)
    }

    pub(crate) fn keep(&self, stream: &StreamName, metadata: &Arc<StreamMetadata>, asked: Asked) {
        self.metadata.insert(stream.clone(), Arc::clone(metadata));
        // Something changed since it was read: perhaps this.
        if self.forgotten.load(Ordering::SeqCst) != asked.0 {
            self.metadata.remove(stream);
        }
    }

    pub(crate) fn forget(&self, stream: &StreamName) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.metadata.remove(stream);
    }

    fn forget_all(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.metadata.clear();
    }
}

/// Forgets what others change. Ends with the log.
pub(crate) async fn follow(log: Arc<dyn EventLog>, known: Arc<Known>) {
    let filter = EventFilter {
        types: vec![METADATA_TYPE.to_owned()],
        ..EventFilter::default()
    };
    let mut after: Option<Position> = None;
    loop {
        let begun = match after {
            Some(after) => Ok(after),
            None => log.head().await,
        };
        // Whatever was read before the log was followed may have changed since.
        known.forget_all();
        let subscribed = match begun {
            Ok(begun) => Arc::clone(&log).subscribe(begun, filter.clone()).await,
            Err(error) => Err(error),
        };
        if let Ok(mut subscription) = subscribed {
            while let Ok((events, at)) = subscription.next(256).await {
                for original in events.iter().filter_map(|event| original_of(&event.stream)) {
                    known.forget(&original);
                }
                after = Some(at);
            }
        }
        tokio::time::sleep(PATIENCE).await;
    }
}
