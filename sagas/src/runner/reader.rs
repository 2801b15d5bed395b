//! Follows the log, whatever befalls it.

use std::{sync::Arc, time::Duration};

use event_log::{EventFilter, EventLog, LogError, Position, RecordedEvent};
use tokio::sync::mpsc;

use crate::{Clock, Saga};

/// Some events, and the position up to which the log was considered.
pub(super) type Batch = (Vec<Arc<RecordedEvent>>, Position);

const BATCH: usize = 512;
const PAUSE: Duration = Duration::from_millis(500);

/// What may be a fact of `S`.
pub(super) fn facts_of<S: Saga>() -> EventFilter {
    let types = S::FACTS.iter().flat_map(|(_, types)| *types);
    EventFilter {
        categories: S::FACTS.iter().map(|(category, _)| category.to_string()).collect(),
        types: types.map(|event_type| (*event_type).to_owned()).collect(),
    }
}

/// Sends batches until nobody takes them.
pub(super) async fn follow(
    log: Arc<dyn EventLog>,
    clock: Arc<dyn Clock>,
    filter: EventFilter,
    after: Position,
    batches: mpsc::Sender<Batch>,
) {
    let mut at = after;
    loop {
        match follow_while_well(&log, &filter, &mut at, &batches).await {
            Ok(()) => return,
            Err(error) => {
                tracing::error!(%error, %at, "a saga runner cannot read the log; trying again");
                clock.sleep(PAUSE).await;
            }
        }
    }
}

async fn follow_while_well(
    log: &Arc<dyn EventLog>,
    filter: &EventFilter,
    at: &mut Position,
    batches: &mpsc::Sender<Batch>,
) -> Result<(), LogError> {
    let mut subscription = Arc::clone(log).subscribe(*at, filter.clone()).await?;
    loop {
        let batch = subscription.next(BATCH).await?;
        *at = batch.1;
        if batches.send(batch).await.is_err() {
            return Ok(());
        }
    }
}
