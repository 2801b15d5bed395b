//! Guessing passwords, slowly: after some failures for one address, every further one is answered only after a pause that
//! doubles. Addresses that nobody has are treated alike. In memory and bounded: a restart, or ten thousand other
//! addresses, forgive.

use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

/// Failures that cost nothing: people mistype.
const FREE: u32 = 5;
/// The longest pause: an address can be kept from signing in by somebody else no longer than this after they stop.
const LONGEST: Duration = Duration::from_secs(60);
const REMEMBERED: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    until: Instant,
}

/// Who failed lately.
pub(super) struct Throttle(Cache<String, Failures>);

impl Default for Throttle {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl Throttle {
    /// How long this address must wait, if it must.
    pub(super) fn pause(&self, address: &str, now: Instant) -> Option<Duration> {
        let failures = self.0.get(address)?;
        let left = failures.until.checked_duration_since(now)?;
        (!left.is_zero()).then_some(left)
    }

    /// A password was wrong.
    pub(super) fn failed(&self, address: &str, now: Instant) {
        let before = self.0.get(address).map_or(0, |failures| failures.count);
        let count = before.saturating_add(1);
        let doublings = count.saturating_sub(FREE).min(16);
        let pause = if doublings == 0 {
            Duration::ZERO
        } else {
            LONGEST.min(Duration::from_secs(1 << (doublings - 1)))
        };
        let until = now + pause;
        self.0.insert(address.to_owned(), Failures { count, until });
    }

    /// The password was right.
    pub(super) fn succeeded(&self, address: &str) {
        self.0.remove(address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_failures_pauses_double_up_to_a_minute_and_success_forgives() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..FREE {
            throttle.failed("a@b.kr", now);
            assert_eq!(throttle.pause("a@b.kr", now), None);
        }
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            throttle.failed("a@b.kr", now);
            assert_eq!(throttle.pause("a@b.kr", now), Some(Duration::from_secs(seconds)));
        }
        assert_eq!(throttle.pause("c@d.kr", now), None, "another address");
        assert_eq!(throttle.pause("a@b.kr", now + LONGEST), None);
        throttle.succeeded("a@b.kr");
        throttle.failed("a@b.kr", now);
        assert_eq!(throttle.pause("a@b.kr", now), None);
    }
}
