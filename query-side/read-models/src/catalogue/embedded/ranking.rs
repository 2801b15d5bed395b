//! One pass over everything that matches: the best so many, the total, the facets.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BinaryHeap, HashMap},
};

use tantivy::{
    DocAddress, DocId, Score, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    columnar::{Column, StrColumn},
};

use super::schema::columns;
use crate::catalogue::{FacetCount, Facets, PriceRange, Sort};

/// Values shown of each facet.
const FACET_VALUES: usize = 20;

/// A hit's place: greater comes first. It depends on the hit alone, so that a page can start behind any place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    key: u64,
    /// Tells apart what ranks the same, on every page in the same way.
    id: Reverse<(u64, u64)>,
}

impl Rank {
    /// As a cursor, for this order.
    pub(super) fn cursor(self, sort: Sort) -> Vec<u8> {
        let Reverse((high, low)) = self.id;
        let mut bytes = vec![sort as u8];
        for part in [self.key, high, low] {
            bytes.extend(part.to_be_bytes());
        }
        bytes
    }

    /// From a cursor; none for one of another order, or of no order.
    pub(super) fn from_cursor(bytes: &[u8], sort: Sort) -> Option<Self> {
        let parts = bytes.strip_prefix(&[sort as u8])?;
        let (parts, rest) = parts.as_chunks::<8>();
        match parts {
            [key, high, low] if rest.is_empty() => Some(Self {
                key: u64::from_be_bytes(*key),
                id: Reverse((u64::from_be_bytes(*high), u64::from_be_bytes(*low))),
            }),
            _ => None,
        }
    }
}

/// What to rank by, and how much to keep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranking {
    pub(super) sort: Sort,
    pub(super) size: usize,
    /// Only what ranks below this.
    pub(super) after: Option<Rank>,
}

/// What one pass found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) total: u64,
    /// Best first.
    pub(super) best: Vec<(Rank, DocAddress)>,
    pub(super) facets: Facets,
}

impl Collector for Ranking {
    type Fruit = Found;
    type Child = SegmentRanking;

    fn for_segment(&self, ordinal: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentRanking> {
        let columns = segment.fast_fields();
        let by = match self.sort {
            Sort::Relevance => None,
            Sort::PriceAsc | Sort::PriceDesc => Some(columns.i64(columns::PRICE)?),
            Sort::Newest => Some(columns.i64(columns::LISTED_AT)?),
            Sort::Popularity => Some(columns.i64(columns::POPULARITY)?),
        };
        Ok(SegmentRanking {
            ranking: *self,
            ordinal,
            by,
            id: (columns.u64(columns::ID_HIGH)?, columns.u64(columns::ID_LOW)?),
            price: columns.i64(columns::PRICE)?,
            category: Tally::over(columns.str(columns::CATEGORY)?),
            brand: Tally::over(columns.str(columns::BRAND)?),
            prices: BTreeMap::new(),
            total: 0,
            best: BinaryHeap::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        self.sort == Sort::Relevance
    }

    fn merge_fruits(&self, segments: Vec<SegmentFound>) -> tantivy::Result<Found> {
        let mut found = Found::default();
        let (mut categories, mut brands, mut prices) = (HashMap::new(), HashMap::new(), BTreeMap::new());
        for segment in segments {
            found.total += segment.total;
            found.best.extend(segment.best);
            add(&mut categories, segment.categories);
            add(&mut brands, segment.brands);
            for (range, count) in segment.prices {
                *prices.entry(range).or_insert(0) += count;
            }
        }
        found.best.sort_unstable_by_key(|(rank, _)| Reverse(*rank));
        found.best.truncate(self.size);
        let price = prices
            .into_iter()
            .map(|((from, to), count)| PriceRange { from, to, count });
        found.facets = Facets {
            category: most(categories),
            brand: most(brands),
            price: price.collect(),
            attributes: vec![],
        };
        Ok(found)
    }
}

/// See [`Ranking`]; over one segment.
pub(super) struct SegmentRanking {
    ranking: Ranking,
    ordinal: SegmentOrdinal,
    by: Option<Column<i64>>,
    id: (Column<u64>, Column<u64>),
    price: Column<i64>,
    category: Tally,
    brand: Tally,
    prices: BTreeMap<(i64, Option<i64>), u64>,
    total: u64,
    /// The worst of the best on top.
    best: BinaryHeap<Reverse<(Rank, DocId)>>,
}

/// What one segment holds.
pub(super) struct SegmentFound {
    total: u64,
    best: Vec<(Rank, DocAddress)>,
    categories: Vec<(String, u64)>,
    brands: Vec<(String, u64)>,
    prices: BTreeMap<(i64, Option<i64>), u64>,
}

impl SegmentRanking {
    fn key(&self, doc: DocId, score: Score) -> u64 {
        let Some(by) = &self.by else {
            // Scores are never negative: their bits sort as they do.
            return u64::from(score.max(0.0).to_bits());
        };
        let ascending = by.first(doc).unwrap_or_default().cast_unsigned() ^ (1 << 63);
        if self.ranking.sort == Sort::PriceAsc {
            !ascending
        } else {
            ascending
        }
    }

    fn rank(&mut self, doc: DocId, score: Score) {
        let key = self.key(doc, score);
        let worst = self.best.peek().filter(|_| self.best.len() == self.ranking.size);
        if worst.is_some_and(|Reverse((worst, _))| key < worst.key) {
            return;
        }
        let id = (
            self.id.0.first(doc).unwrap_or_default(),
            self.id.1.first(doc).unwrap_or_default(),
        );
        let rank = Rank { key, id: Reverse(id) };
        let better = worst.is_none_or(|Reverse((worst, _))| rank.cmp(worst) == Ordering::Greater);
        if better && self.ranking.after.is_none_or(|after| rank < after) {
            self.best.push(Reverse((rank, doc)));
            if self.best.len() > self.ranking.size {
                self.best.pop();
            }
        }
    }
}

impl SegmentCollector for SegmentRanking {
    type Fruit = SegmentFound;

    fn collect(&mut self, doc: DocId, score: Score) {
        self.total += 1;
        self.category.count(doc);
        self.brand.count(doc);
        let price = self.price.first(doc).unwrap_or_default();
        *self.prices.entry(price_range(price)).or_insert(0) += 1;
        self.rank(doc, score);
    }

    fn harvest(self) -> SegmentFound {
        let place = |Reverse((rank, doc))| (rank, DocAddress::new(self.ordinal, doc));
        SegmentFound {
            total: self.total,
            best: self.best.into_iter().map(place).collect(),
            categories: self.category.counts(),
            brands: self.brand.counts(),
            prices: self.prices,
        }
    }
}

/// How often each value of a column occurs.
struct Tally {
    column: Option<StrColumn>,
    counts: Vec<u64>,
}

impl Tally {
    fn over(column: Option<StrColumn>) -> Self {
        let values = column.as_ref().map_or(0, |column| column.dictionary().num_terms());
        Self {
            column,
            counts: vec![0; values],
        }
    }

    fn count(&mut self, doc: DocId) {
        if let Some(column) = &self.column {
            for ordinal in column.ords().values_for_doc(doc) {
                if let Some(count) = usize::try_from(ordinal).ok().and_then(|at| self.counts.get_mut(at)) {
                    *count += 1;
                }
            }
        }
    }

    fn counts(self) -> Vec<(String, u64)> {
        let Some(column) = self.column else {
            return vec![];
        };
        let (seen, counts): (Vec<u64>, Vec<u64>) = (0..).zip(self.counts).filter(|(_, count)| *count > 0).unzip();
        let mut values = Vec::with_capacity(seen.len());
        // One walk through the dictionary, whose blocks are compressed, instead of one for each value.
        let walked = column.dictionary().sorted_ords_to_term_cb(&seen, |term| {
            values.push(String::from_utf8_lossy(term).into_owned());
        });
        if let Err(error) = walked {
            tracing::warn!(%error, "a facet could not be read");
        }
        values.into_iter().zip(counts).collect()
    }
}

fn add(to: &mut HashMap<String, u64>, counts: Vec<(String, u64)>) {
    for (value, count) in counts {
        *to.entry(value).or_insert(0) += count;
    }
}

/// The most frequent values, by name where they are equally frequent.
fn most(counts: HashMap<String, u64>) -> Vec<FacetCount> {
    let mut counts: Vec<_> = counts
        .into_iter()
        .map(|(value, count)| FacetCount { value, count })
        .collect();
    counts.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    counts.truncate(FACET_VALUES);
    counts
}

/// The range a price is in: 1, 3, 10, 30, 100 … whatever the currency's unit is worth.
fn price_range(price: i64) -> (i64, Option<i64>) {
    let mut from = 0;
    for exponent in 0..18 {
        for to in [10i64.pow(exponent), 3 * 10i64.pow(exponent)] {
            if price < to {
                return (from, Some(to));
            }
            from = to;
        }
    }
    (from, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn price_ranges_meet() {
        assert_eq!(price_range(0), (0, Some(1)));
        assert_eq!(price_range(29_999), (10_000, Some(30_000)));
        assert_eq!(price_range(30_000), (30_000, Some(100_000)));
        assert_eq!(price_range(i64::MAX).1, None);
    }

    #[test]
    fn a_cursor_fits_one_order_only() {
        let rank = Rank {
            key: 7,
            id: Reverse((1, 2)),
        };
        let cursor = rank.cursor(Sort::PriceAsc);
        assert_eq!(Rank::from_cursor(&cursor, Sort::PriceAsc), Some(rank));
        assert_eq!(Rank::from_cursor(&cursor, Sort::Newest), None);
        assert_eq!(Rank::from_cursor(&cursor[1..], Sort::PriceAsc), None);
        assert_eq!(Rank::from_cursor(b"", Sort::Relevance), None);
    }
}
