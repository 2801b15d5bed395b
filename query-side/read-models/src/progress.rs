//! How far each projection has come, so that a query can wait for a command's effect.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use tokio::sync::watch;

/// The position up to which each read model shows the log.
#[derive(Debug)]
pub struct Progress {
    positions: BTreeMap<&'static str, watch::Sender<u64>>,
    floor: AtomicU64,
}

/// The read model did not get there in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{projection} shows the log up to {at}, {wanted} was asked for")]
pub struct Behind {
    /// The projection's name.
    pub projection: &'static str,
    /// How far it has come.
    pub at: u64,
    /// How far was asked for.
    pub wanted: u64,
}

impl Progress {
    /// A register of these projections, all at the start.
    pub fn new(projections: impl IntoIterator<Item = &'static str>) -> Self {
        let positions = projections.into_iter().map(|name| (name, watch::Sender::new(0)));
        Self {
            positions: positions.collect(),
            floor: AtomicU64::new(0),
        }
    }

    /// Counts what shows less than `floor` as showing nothing. For a log that was moved to: a position from before may be smaller
    /// than the one at which its event stands now.
    pub fn not_before(&self, floor: u64) {
        self.floor.store(floor, Ordering::Relaxed);
    }

    /// Says how far a projection has come: queries from now on see everything up to there.
    pub fn reached(&self, projection: &str, position: u64) {
        let shown = if position < self.floor.load(Ordering::Relaxed) {
            0
        } else {
            position
        };
        if let Some(at) = self.positions.get(projection) {
            at.send_replace(shown);
        }
    }

    /// Says that a projection has come at least so far: what arrives late takes nothing back.
    pub fn advanced(&self, projection: &str, position: u64) {
        let counts = position >= self.floor.load(Ordering::Relaxed);
        if let Some(at) = self.positions.get(projection).filter(|_| counts) {
            at.send_if_modified(|at| {
                let further = position > *at;
                *at = position.max(*at);
                further
            });
        }
    }

    /// Follows how far a projection comes; none for one that is not known.
    pub fn follow(&self, projection: &str) -> Option<watch::Receiver<u64>> {
        self.positions.get(projection).map(watch::Sender::subscribe)
    }

    /// How far a projection has come; 0 for one that is not known.
    pub fn position(&self, projection: &str) -> u64 {
        self.positions.get(projection).map_or(0, |at| *at.borrow())
    }

    /// Waits until queries see everything up to `position`, at most until `deadline`.
    ///
    /// # Errors
    /// When the projection is not there in time.
    pub async fn wait_for(&self, projection: &'static str, position: u64, deadline: Instant) -> Result<(), Behind> {
        let behind = |at| Behind {
            projection,
            at,
            wanted: position,
        };
        let Some(sender) = self.positions.get(projection) else {
            return Err(behind(0));
        };
        let mut receiver = sender.subscribe();
        let there = receiver.wait_for(|at| *at >= position);
        match tokio::time::timeout_at(deadline.into(), there).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(behind(self.position(projection))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_reader_waits_until_the_position_is_shown() {
        let progress = Progress::new(["my_page"]);
        let deadline = Instant::now() + Duration::from_secs(10);
        let (waited, ()) = tokio::join!(progress.wait_for("my_page", 7, deadline), async {
            progress.reached("my_page", 6);
            progress.reached("my_page", 8);
        });
        assert_eq!(waited, Ok(()));
    }

    #[tokio::test]
    async fn what_shows_less_than_the_floor_shows_nothing_yet() {
        let progress = Progress::new(["my_page"]);
        progress.not_before(5);
        progress.reached("my_page", 4);
        assert!(progress.wait_for("my_page", 1, Instant::now()).await.is_err());
        progress.reached("my_page", 5);
        assert_eq!(progress.wait_for("my_page", 1, Instant::now()).await, Ok(()));
    }

    #[tokio::test]
    async fn a_reader_is_told_how_far_behind_it_is() {
        let progress = Progress::new(["my_page"]);
        progress.reached("my_page", 6);
        let waited = progress.wait_for("my_page", 7, Instant::now()).await;
        assert_eq!(
            waited.unwrap_err().to_string(),
            "my_page shows the log up to 6, 7 was asked for"
        );
    }
}
