//! How many events and streams there are, kept up while appending so that nothing has to be counted at a start.

use serde::{Deserialize, Serialize};

/// The counts of everything up to a position.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Totals {
    /// Everything up to here is counted. Positions have no gaps, so this is also how many events there are.
    pub(super) at: u64,
    pub(super) streams: u64,
    categories: Vec<(String, u64)>,
}

impl Totals {
    /// The counts are stored when they moved on as far as this; a start counts the rest.
    pub(super) const PACE: u64 = 1024;

    pub(super) fn count(&mut self, position: u64, category: &str, is_first_of_its_stream: bool) {
        self.at = position;
        self.streams += u64::from(is_first_of_its_stream);
        match self.categories.iter_mut().find(|(name, _)| name == category) {
            Some((_, count)) => *count += 1,
            None => self.categories.push((category.to_owned(), 1)),
        }
    }

    /// Most first, then by name.
    pub(super) fn categories(&self) -> Vec<(String, u64)> {
        let mut categories = self.categories.clone();
        categories.sort_by(|(a, more), (b, less)| less.cmp(more).then_with(|| a.cmp(b)));
        categories
    }
}
