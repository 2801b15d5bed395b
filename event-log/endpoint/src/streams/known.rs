//! The metadata of the streams that are in use, in memory.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    /// Counts what was forgotten: what was read before is not kept after. Held while either changes.
    forgotten: Mutex<u64>,
}

/// When a lookup began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked(u64);

impl Known {
    pub(crate) fn new() -> Self {
        Self {
            metadata: Cache::new(KNOWN),
            forgotten: Mutex::new(0),
        }
    }

    /// A number cannot be left half changed.
    fn forgotten(&self) -> MutexGuard<'_, u64> {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, stream: &StreamName) -> Result<Arc<StreamMetadata>, Asked> {
        let known = self.metadata.get(stream);
        known.ok_or_else(|| Asked(*self.forgotten()))
    }

    pub(crate) fn keep(&self, stream: &StreamName, metadata: &Arc<StreamMetadata>, asked: Asked) {
        let forgotten = self.forgotten();
        if *forgotten == asked.0 {
            self.metadata.insert(stream.clone(), Arc::clone(metadata));
        }
    }

    pub(crate) fn forget(&self, stream: &StreamName) {
        let mut forgotten = self.forgotten();
        *forgotten += 1;
        self.metadata.remove(stream);
    }

    fn forget_all(&self) {
        let mut forgotten = self.forgotten();
        *forgotten += 1;
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
