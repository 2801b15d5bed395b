//! One pass over everything that matches: the best so many, the total, the facets.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    sync::Arc,
};

use tantivy::{
    DocAddress, DocId, Score, SegmentOrdinal, SegmentReader, TantivyError,
    collector::{Collector, SegmentCollector},
};

use super::{
    facets::Counts,
    narrowing::Narrowing,
    snapshot::{Columns, Snapshot},
    views::ViewId,
};
use crate::catalogue::{Sort, formula::SOLD_OUT};

/// A hit's place: greater comes first. It depends on the hit alone, so that a page can start behind any place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    key: u64,
    /// Tells apart what ranks the same, on every page in the same way.
    id: Reverse<(u64, u64)>,
}

/// Where a page ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// What the walk sees.
    pub(super) view: ViewId,
    /// The last hit's.
    pub(super) rank: Rank,
}

impl Place {
    /// As a cursor, for this order.
    pub(super) fn cursor(self, sort: Sort) -> Vec<u8> {
        let Reverse((high, low)) = self.rank.id;
        let mut bytes = vec![sort as u8];
        for part in [self.view, self.rank.key, high, low] {
            bytes.extend(part.to_be_bytes());
        }
        bytes
    }

    /// From a cursor; none for one of another order, or of no order.
    pub(super) fn from_cursor(bytes: &[u8], sort: Sort) -> Option<Self> {
        let parts = bytes.strip_prefix(&[sort as u8])?;
        let (parts, rest) = parts.as_chunks::<8>();
        match parts {
            [view, key, high, low] if rest.is_empty() => Some(Self {
                view: ViewId::from_be_bytes(*view),
                rank: Rank {
                    key: u64::from_be_bytes(*key),
                    id: Reverse((u64::from_be_bytes(*high), u64::from_be_bytes(*low))),
                },
            }),
            _ => None,
        }
    }
}

/// What to rank by, and how much to keep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) sort: Sort,
    pub(super) size: usize,
    /// Only what ranks below this.
    pub(super) after: Option<Rank>,
}

/// The pass over what has the words.
pub(super) struct Ranking<'a> {
    pub(super) order: Order,
    pub(super) snapshot: &'a Snapshot,
    pub(super) narrowing: &'a Arc<Narrowing>,
}

/// What one pass found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Best first.
    pub(super) best: Vec<(Rank, DocAddress)>,
    pub(super) counts: Counts,
}

impl Collector for Ranking<'_> {
    type Fruit = Found;
    type Child = SegmentRanking;

    fn for_segment(&self, ordinal: SegmentOrdinal, _: &SegmentReader) -> tantivy::Result<SegmentRanking> {
        let columns = self.snapshot.segments.get(ordinal as usize);
        let columns = columns.ok_or_else(|| TantivyError::InternalError(format!("no segment {ordinal}")))?;
        Ok(SegmentRanking {
            order: self.order,
            ordinal,
            columns: Arc::clone(columns),
            narrowing: Arc::clone(self.narrowing),
            counts: Counts::of(self.narrowing, &self.snapshot.vocabulary),
            best: BinaryHeap::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        self.order.sort == Sort::Relevance
    }

    fn merge_fruits(&self, segments: Vec<Found>) -> tantivy::Result<Found> {
        let mut found = Found::default();
        for segment in segments {
            found.best.extend(segment.best);
            found.counts = found.counts.and(segment.counts);
        }
        found.best.sort_unstable_by_key(|(rank, _)| Reverse(*rank));
        found.best.truncate(self.order.size);
        Ok(found)
    }
}

/// See [`Ranking`]; over one segment.
pub(super) struct SegmentRanking {
    order: Order,
    ordinal: SegmentOrdinal,
    columns: Arc<Columns>,
    narrowing: Arc<Narrowing>,
    counts: Counts,
    /// The worst of the best on top.
    best: BinaryHeap<Reverse<(Rank, DocId)>>,
}

impl SegmentRanking {
    fn key(&self, doc: DocId, score: Score) -> u64 {
        let by = match self.order.sort {
            // Scores are never negative: their bits sort as they do.
            Sort::Relevance => return u64::from((score.max(0.0) * self.worth(doc)).to_bits()),
            Sort::PriceAsc | Sort::PriceDesc => &self.columns.price,
            Sort::Newest => &self.columns.listed_at,
            Sort::Popularity => &self.columns.popularity,
        };
        let ascending = by.first(doc).unwrap_or_default().cast_unsigned() ^ (1 << 63);
        if self.order.sort == Sort::PriceAsc {
            !ascending
        } else {
            ascending
        }
    }

    /// What cannot be bought comes behind what fits about as well.
    fn worth(&self, doc: DocId) -> Score {
        match self.columns.in_stock.first(doc) {
            Some(false) => SOLD_OUT,
            _ => 1.0,
        }
    }

    fn rank(&mut self, doc: DocId, score: Score) {
        let key = self.key(doc, score);
        let worst = self.best.peek().filter(|_| self.best.len() == self.order.size);
        if worst.is_some_and(|Reverse((worst, _))| key < worst.key) {
            return;
        }
        let id = (
            self.columns.id.0.first(doc).unwrap_or_default(),
            self.columns.id.1.first(doc).unwrap_or_default(),
        );
        let rank = Rank { key, id: Reverse(id) };
        let better = worst.is_none_or(|Reverse((worst, _))| rank.cmp(worst) == Ordering::Greater);
        if better && self.order.after.is_none_or(|after| rank < after) {
            self.best.push(Reverse((rank, doc)));
            if self.best.len() > self.order.size {
                self.best.pop();
            }
        }
    }
}

impl SegmentCollector for SegmentRanking {
    type Fruit = Found;

    fn collect(&mut self, doc: DocId, score: Score) {
        if self.counts.count(&self.narrowing, &self.columns, doc) {
            self.rank(doc, score);
        }
    }

    fn harvest(self) -> Found {
        let place = |Reverse((rank, doc))| (rank, DocAddress::new(self.ordinal, doc));
        Found {
            best: self.best.into_iter().map(place).collect(),
            counts: self.counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_fits_one_order_only() {
        let rank = Rank {
            key: 7,
            id: Reverse((1, 2)),
        };
        let place = Place { view: 3, rank };
        let cursor = place.cursor(Sort::PriceAsc);
        assert_eq!(Place::from_cursor(&cursor, Sort::PriceAsc), Some(place));
        assert_eq!(Place::from_cursor(&cursor, Sort::Newest), None);
        assert_eq!(Place::from_cursor(&cursor[1..], Sort::PriceAsc), None);
        assert_eq!(Place::from_cursor(b"", Sort::Relevance), None);
    }
}
