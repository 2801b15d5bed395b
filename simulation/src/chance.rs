//! Chance that is the same again for the same seed.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A stream of numbers that looks like chance (splitmix64). Cheap to share: clones draw from the same stream.
#[derive(Debug, Clone)]
pub struct Chance(Arc<AtomicU64>);

impl Chance {
    /// The stream that this seed and name always have.
    pub fn of(seed: u64, name: &str) -> Self {
        let named = name.bytes().fold(seed, |sum, byte| {
            mixed(sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
        });
        Self(Arc::new(AtomicU64::new(named)))
    }

    /// The next number.
    pub fn next(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        mixed(self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP))
    }

    /// From `low` to `high`, both included.
    pub fn between(&self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// As [`Self::between`], small numbers far more often than large ones: as delays are.
    pub fn mostly_short(&self, low: u64, high: u64) -> u64 {
        let within = self.between(low, high) - low;
        low + within / (1 << self.between(0, 10))
    }

    /// True so often in a thousand.
    pub fn hits(&self, per_mille: u64) -> bool {
        per_mille > 0 && self.next() % 1_000 < per_mille
    }

    /// One of these; the first where there is no other.
    pub fn one_of<'a, T>(&self, of: &'a [T]) -> Option<&'a T> {
        of.get(usize::try_from(self.next() % (of.len().max(1) as u64)).unwrap_or(0))
    }
}

const fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
