//! How long after an event is in the log queries see it.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use event_schemas::Timestamp;
use serde::Serialize;

/// Measured over so many of the last times something was shown.
const REMEMBERED: usize = 1_024;

/// How long after an event was in the log queries saw it, of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FreshnessStatus {
    /// In half of the cases within so many milliseconds.
    pub p50_ms: u64,
    /// In all but one of a hundred cases.
    pub p99_ms: u64,
}

/// Measures it for one projection.
#[derive(Debug)]
pub(crate) struct Freshness {
    name: &'static str,
    recent: Mutex<VecDeque<u64>>,
}

impl Freshness {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            recent: Mutex::default(),
        }
    }

    /// Queries see now what was in the log since `recorded`.
    pub(crate) fn shown(&self, recorded: Timestamp) {
        let millis = Timestamp::now().as_millis().saturating_sub(recorded.as_millis());
        // The log's clock may be another machine's, and ahead of ours.
        let millis = u64::try_from(millis).unwrap_or(0);
        let seconds = std::time::Duration::from_millis(millis).as_secs_f64();
        metrics::histogram!("projection_freshness_seconds", "projection" => self.name).record(seconds);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() >= REMEMBERED {
            recent.pop_front();
        }
        recent.push_back(millis);
    }

    /// As measured of late; none where nothing was shown.
    pub(crate) fn status(&self) -> Option<FreshnessStatus> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<u64> = recent.iter().copied().collect();
        drop(recent);
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        Some(FreshnessStatus {
            p50_ms: sorted[last / 2],
            p99_ms: sorted[last - last / 100],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_is_told_by_the_middle_and_by_the_worst() {
        let freshness = Freshness::new("my_page");
        assert_eq!(freshness.status(), None);
        let now = Timestamp::now().as_millis();
        for _ in 0..50 {
            freshness.shown(Timestamp::from_millis(now + 60_000));
        }
        freshness.shown(Timestamp::from_millis(now - 5_000));
        let status = freshness.status().unwrap();
        assert_eq!(status.p50_ms, 0, "a clock that is ahead");
        assert!(status.p99_ms >= 5_000, "{status:?}");
    }
}
