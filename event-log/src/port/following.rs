//! Following the log: what there is, then what comes.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use super::{EventFilter, EventLog, LogError, Position, RecordedEvent};

/// How a [`Subscription`] gets at its events.
#[async_trait]
pub trait Follow: Send {
    /// As [`Subscription::next`].
    ///
    /// # Errors
    /// As there.
    async fn next(&mut self, max: usize) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError>;
}

/// Follows the log: the reader asks for the next batch when it is ready for it, so a slow reader holds no memory.
pub struct Subscription(Box<dyn Follow>);

impl Subscription {
    /// A subscription that reads pages of `log` and waits on `heads` at its end. For adapters.
    pub fn new(log: Arc<dyn EventLog>, heads: watch::Receiver<Position>, filter: EventFilter, after: Position) -> Self {
        Self::of(Box::new(Pages {
            log,
            heads,
            filter,
            at: after,
        }))
    }

    /// A subscription that follows in a way of its own. For adapters.
    pub fn of(follow: Box<dyn Follow>) -> Self {
        Self(follow)
    }

    /// The next events, at most `max`, waiting until there is at least one or the position moved on over events that the
    /// filter leaves out. The position is everything considered so far: the checkpoint to keep.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the log fails; a later call goes on from the same place.
    pub async fn next(&mut self, max: usize) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.0.next(max).await
    }
}

/// Page after page of a log that tells when it has more.
struct Pages {
    log: Arc<dyn EventLog>,
    heads: watch::Receiver<Position>,
    filter: EventFilter,
    at: Position,
}

#[async_trait]
impl Follow for Pages {
    async fn next(&mut self, max: usize) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        loop {
            let (events, at) = self.log.read_all(self.at, &self.filter, max).await?;
            if at > self.at {
                self.at = at;
                return Ok((events, at));
            }
            let behind = *self.heads.borrow_and_update() > self.at;
            if !behind && self.heads.changed().await.is_err() {
                return Err(LogError::Unavailable("the log is closed".to_owned()));
            }
        }
    }
}
