//! What the order of hits is worth.

use std::{collections::HashMap, fmt, time::Duration};

use event_schemas::ProductId;
use serde::Serialize;

/// Where the gain is cut off.
const NDCG_AT: usize = 10;
/// How many hits are asked for.
pub const RECALL_AT: usize = 100;

/// How products were rated for one query. What is not rated is worth nothing.
pub type Ratings = HashMap<ProductId, f64>;

/// What one query reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The gain of the first ten hits, of what is possible.
    pub ndcg_at_10: f64,
    /// The share of the good products among the first hundred hits.
    pub recall_at_100: f64,
    /// One by the place of the first good product.
    pub reciprocal_rank: f64,
    /// Nothing was found.
    pub nothing: bool,
    /// How long a page took.
    pub took: Duration,
}

impl Measured {
    /// Of the hits, best first.
    pub fn of(found: &[ProductId], ratings: &Ratings, nothing: bool, took: Duration) -> Self {
        let rating = |id: &ProductId| ratings.get(id).copied().unwrap_or(0.0);
        let reached: Vec<f64> = found.iter().take(RECALL_AT).map(rating).collect();
        let mut ideal: Vec<f64> = ratings.values().copied().collect();
        ideal.sort_unstable_by(|a, b| b.total_cmp(a));
        let good = |ratings: &[f64]| ratings.iter().filter(|rating| **rating > 0.0).count();
        let first = reached.iter().position(|rating| *rating > 0.0);
        Self {
            ndcg_at_10: ratio(gain(&reached), gain(&ideal)),
            recall_at_100: ratio(good(&reached) as f64, good(&ideal) as f64),
            reciprocal_rank: first.map_or(0.0, |place| 1.0 / (place + 1) as f64),
            nothing,
            took,
        }
    }
}

/// Discounted cumulative gain: 2^rating − 1, less the further down.
fn gain(ratings: &[f64]) -> f64 {
    let places = ratings.iter().take(NDCG_AT).zip(2u32..);
    places
        .map(|(rating, place)| (rating.exp2() - 1.0) / f64::from(place).log2())
        .sum()
}

fn ratio(reached: f64, possible: f64) -> f64 {
    if possible > 0.0 { reached / possible } else { 0.0 }
}

/// What all queries reached.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Mean over the queries.
    pub ndcg_at_10: f64,
    /// Mean over the queries.
    pub recall_at_100: f64,
    /// Mean reciprocal rank.
    pub mrr: f64,
    /// The share of queries that found nothing.
    pub zero_result_share: f64,
    /// How long a page of twenty hits with facets took.
    pub latency_ms: Latency,
    /// Queries measured.
    pub queries: usize,
    /// Queries without a good product: no order of hits could please.
    pub queries_without_positive: usize,
    /// Products in the index.
    pub products: usize,
}

/// In milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    /// Half of the searches were as fast.
    pub p50: f64,
    /// All but one in a hundred were.
    pub p99: f64,
}

impl Report {
    /// Over all queries.
    pub fn of(measured: &[Measured], products: usize, left_out: usize) -> Self {
        let mean = |value: fn(&Measured) -> f64| ratio(measured.iter().map(value).sum(), measured.len() as f64);
        let mut times: Vec<Duration> = measured.iter().map(|one| one.took).collect();
        times.sort_unstable();
        Self {
            ndcg_at_10: mean(|one| one.ndcg_at_10),
            recall_at_100: mean(|one| one.recall_at_100),
            mrr: mean(|one| one.reciprocal_rank),
            zero_result_share: mean(|one| f64::from(u8::from(one.nothing))),
            latency_ms: Latency {
                p50: percentile(&times, 50),
                p99: percentile(&times, 99),
            },
            queries: measured.len(),
            queries_without_positive: left_out,
            products,
        }
    }
}

/// The time within which so many in a hundred were done, in milliseconds.
fn percentile(sorted: &[Duration], hundredths: usize) -> f64 {
    let place = (sorted.len() * hundredths).div_ceil(100).max(1) - 1;
    sorted.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { latency_ms, .. } = self;
        writeln!(f, "NDCG@10             {:>8.3}", self.ndcg_at_10)?;
        writeln!(f, "recall@100          {:>8.3}", self.recall_at_100)?;
        writeln!(f, "MRR                 {:>8.3}", self.mrr)?;
        writeln!(f, "zero-result share   {:>8.3}", self.zero_result_share)?;
        writeln!(f, "p50                 {:>8.2} ms", latency_ms.p50)?;
        writeln!(f, "p99                 {:>8.2} ms", latency_ms.p99)?;
        writeln!(
            f,
            "{} queries over {} products; {} queries without a good product were left out",
            self.queries, self.products, self.queries_without_positive
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn products(names: &str) -> Vec<ProductId> {
        let id = |name: char| ProductId::derived(uuid::Uuid::nil(), &name.to_string());
        names.chars().map(id).collect()
    }

    fn rated(ratings: &[(char, f64)]) -> Ratings {
        let rated = |(name, rating): &(char, f64)| (products(&name.to_string())[0], *rating);
        ratings.iter().map(rated).collect()
    }

    fn measured(found: &str, ratings: &Ratings) -> Measured {
        Measured::of(&products(found), ratings, found.is_empty(), Duration::from_millis(2))
    }

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    #[test]
    fn the_best_order_reaches_all_that_can_be_reached() {
        let ratings = rated(&[('a', 3.0), ('b', 1.5), ('c', 0.0)]);
        let best = measured("ab", &ratings);
        close(best.ndcg_at_10, 1.0);
        close(best.recall_at_100, 1.0);
        close(best.reciprocal_rank, 1.0);
    }

    #[test]
    fn gain_shrinks_with_the_place_and_what_is_not_rated_takes_one() {
        let ratings = rated(&[('a', 1.0), ('b', 3.0)]);
        // 7 is at best first, 1 second; here 1 is second, after one that nobody rated, and 7 third.
        let reached = 1.0 / 3f64.log2() + 7.0 / 4f64.log2();
        let ideal = 7.0 + 1.0 / 3f64.log2();
        close(measured("xab", &ratings).ndcg_at_10, reached / ideal);
        close(measured("xab", &ratings).reciprocal_rank, 0.5);
    }

    #[test]
    fn what_is_behind_the_tenth_place_counts_for_recall_only() {
        let ratings = rated(&[('a', 2.0), ('b', 2.0)]);
        let late = measured("0123456789a", &ratings);
        close(late.ndcg_at_10, 0.0);
        close(late.recall_at_100, 0.5);
        close(late.reciprocal_rank, 1.0 / 11.0);
    }

    #[test]
    fn a_report_is_the_mean() {
        let ratings = rated(&[('a', 1.0)]);
        let report = Report::of(&[measured("a", &ratings), measured("", &ratings)], 7, 3);
        close(report.ndcg_at_10, 0.5);
        close(report.mrr, 0.5);
        close(report.zero_result_share, 0.5);
        close(report.latency_ms.p99, 2.0);
        assert_eq!(
            (report.queries, report.queries_without_positive, report.products),
            (2, 3, 7)
        );
    }
}
