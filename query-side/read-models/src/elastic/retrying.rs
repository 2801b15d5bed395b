//! How often and how long to try again.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::{Duration, Instant},
};

/// How long to wait for one answer, and for how long to try again.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For one answer.
    pub answer: Duration,
    /// No further attempt begins after so long.
    pub attempts: Duration,
}

impl Patience {
    /// Somebody waits for a page.
    pub const QUERY: Self = Self {
        answer: Duration::from_secs(5),
        attempts: Duration::from_millis(1_500),
    };
    /// Whoever writes would try again by itself, later.
    pub const WRITE: Self = Self {
        answer: Duration::from_secs(30),
        attempts: Duration::from_secs(5),
    };
    /// Said once.
    pub(super) const ONCE: Self = Self {
        answer: Duration::from_secs(5),
        attempts: Duration::ZERO,
    };
}

/// The pauses between attempts: each about twice as long as the one before, none like another's.
pub(super) struct Pauses {
    until: Instant,
    next: Duration,
}

const FIRST: Duration = Duration::from_millis(40);
const LONGEST: Duration = Duration::from_secs(2);

impl Pauses {
    pub(super) fn within(patience: Patience) -> Self {
        Self {
            until: Instant::now() + patience.attempts,
            next: FIRST,
        }
    }

    /// Waits before the next attempt; false, at once, where there is to be none.
    pub(super) async fn pause(&mut self) -> bool {
        let pause = jittered(self.next);
        if Instant::now() + pause >= self.until {
            return false;
        }
        self.next = (self.next * 2).min(LONGEST);
        tokio::time::sleep(pause).await;
        true
    }
}

/// Between half of it and all of it: those who were refused together do not come back together.
fn jittered(pause: Duration) -> Duration {
    // Hashers are seeded at random: chance without a crate for it.
    let chance = RandomState::new().hash_one(0) % 1_000;
    pause / 2 + pause * u32::try_from(chance).unwrap_or_default() / 2_000
}
