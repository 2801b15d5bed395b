//! What an outlet allows.

use std::time::Duration;

/// What an outlet allows. The defaults suit a server in the same house; one across the internet wants a longer deadline.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Bulkhead: so many calls at a time (32). The rest wait, so that one slow server cannot take every task and connection.
    pub places: usize,
    /// How long a call waits for a place (1 s) before it is told that there is none.
    pub patience: Duration,
    /// How long an attempt may take (5 s).
    pub deadline: Duration,
    /// How often a call that may be repeated is made at most, the first time included (3).
    pub attempts: usize,
    /// The wait before the first repeat (50 ms); it doubles, with as much again of jitter.
    pub first_wait: Duration,
    /// The longest wait between two attempts (2 s).
    pub longest_wait: Duration,
    /// Retry budget: repeats per call, in the mean of ten seconds (0.2), so that a server in distress is not asked thrice as much.
    pub repeats_per_call: f32,
    /// Retry budget: repeats per second that are always allowed (5), for an outlet with few calls.
    pub repeats_per_second: u32,
    /// Breaker: opens after so many failures in a row (5) …
    pub failures_in_a_row: u32,
    /// … or when less than this share succeeds (0.5) over a window of thirty seconds with twenty calls or more.
    pub success_rate: f64,
    /// How long an open breaker stays so (1 s) before it lets one call try; doubles while the try fails.
    pub first_break: Duration,
    /// The longest time that an open breaker lets nobody try (30 s).
    pub longest_break: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            places: 32,
            patience: Duration::from_secs(1),
            deadline: Duration::from_secs(5),
            attempts: 3,
            first_wait: Duration::from_millis(50),
            longest_wait: Duration::from_secs(2),
            repeats_per_call: 0.2,
            repeats_per_second: 5,
            failures_in_a_row: 5,
            success_rate: 0.5,
            first_break: Duration::from_secs(1),
            longest_break: Duration::from_secs(30),
        }
    }
}

impl Settings {
    /// With so many calls at a time.
    #[must_use]
    pub fn places(self, places: usize) -> Self {
        Self { places, ..self }
    }

    /// With a wait for a place of at most this.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// With this deadline for each attempt.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// With so many attempts for a call that may be repeated.
    #[must_use]
    pub fn attempts(self, attempts: usize) -> Self {
        Self { attempts, ..self }
    }

    /// With a breaker that opens after so many failures in a row, first for `first` and at most for `longest`.
    #[must_use]
    pub fn breaks(self, failures_in_a_row: u32, first: Duration, longest: Duration) -> Self {
        Self {
            failures_in_a_row,
            first_break: first,
            longest_break: longest,
            ..self
        }
    }
}
