//! What is known of a read model's correctness.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::auditing::Findings;

/// What is known of a read model's correctness since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DriftStatus {
    /// Documents that were held against the log.
    pub checked: u64,
    /// Those that were not what it tells.
    pub found: u64,
    /// Those that were put right.
    pub repaired: u64,
    /// The share that was right in the sentinel's last pass, in millionths; none before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right_ppm: Option<u64>,
}

/// Counts what audits find.
#[derive(Debug)]
pub(crate) struct Tally {
    name: &'static str,
    counted: Mutex<DriftStatus>,
}

impl Tally {
    pub(crate) fn new(name: &'static str) -> Self {
        // From the start, so that an alarm has something to look at.
        metrics::counter!("projection_drift_found_total", "projection" => name).increment(0);
        metrics::counter!("projection_drift_repaired_total", "projection" => name).increment(0);
        Self {
            name,
            counted: Mutex::default(),
        }
    }

    /// What was counted.
    pub(crate) fn status(&self) -> DriftStatus {
        *self.counted()
    }

    /// Counts what an audit found.
    pub(crate) fn add(&self, findings: &Findings) {
        let mut counted = self.counted();
        counted.checked += findings.checked;
        counted.found += findings.found;
        counted.repaired += findings.repaired;
        let name = self.name;
        metrics::counter!("projection_audited_total", "projection" => name).increment(findings.checked);
        metrics::counter!("projection_drift_found_total", "projection" => name).increment(findings.found);
        metrics::counter!("projection_drift_repaired_total", "projection" => name).increment(findings.repaired);
    }

    /// Says which share a pass of the sentinel found right.
    pub(crate) fn correctness(&self, findings: &Findings) {
        let wrong = findings.found.min(findings.checked);
        // Nothing to be wrong is right.
        let right_ppm = ((findings.checked - wrong) * 1_000_000)
            .checked_div(findings.checked)
            .unwrap_or(1_000_000);
        self.counted().right_ppm = Some(right_ppm);
        let share = f64::from(u32::try_from(right_ppm).unwrap_or(u32::MAX)) / 1e6;
        metrics::gauge!("projection_correctness", "projection" => self.name).set(share);
    }

    fn counted(&self) -> MutexGuard<'_, DriftStatus> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
