//! Facets, counted in the same pass that finds the hits.
//!
//! A product that passes all filters counts in every facet; one that fails a single filter counts in the facet of that filter,
//! for a facet shows what choosing differently would bring.

use std::{cmp::Reverse, collections::HashMap};

use tantivy::DocId;

use super::{
    names::{Names, Numbered},
    narrowing::{Facet, Missed, Narrowing},
    schema::SEPARATOR,
    snapshot::{Columns, Vocabulary},
};
use crate::catalogue::{AttributeFacet, FacetCount, Facets, PriceRange};

/// Values shown of each facet.
const FACET_VALUES: usize = 20;
/// Attributes shown.
const ATTRIBUTES: usize = 8;

/// How many products have each value.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Products that pass all filters.
    pub(super) total: u64,
    category: Vec<u32>,
    brand: Vec<u32>,
    price: Vec<u32>,
    attribute: Vec<u32>,
    /// For each attribute asked for, of products that pass all filters but that.
    other_values: Vec<Vec<u32>>,
}

impl Counts {
    /// Nothing counted yet, with room for all values.
    pub(super) fn of(narrowing: &Narrowing, vocabulary: &Vocabulary) -> Self {
        let room = |names: &Names| vec![0; names.read().len()];
        let attributes = || match narrowing.counts_attributes {
            true => room(&vocabulary.attribute),
            false => vec![],
        };
        Self {
            total: 0,
            category: room(&vocabulary.category),
            brand: room(&vocabulary.brand),
            price: vec![0; BOUNDS.len() + 1],
            attribute: attributes(),
            other_values: narrowing.attributes.iter().map(|_| attributes()).collect(),
        }
    }

    /// Counts a product that has the words; true if it passes all filters.
    pub(super) fn count(&mut self, narrowing: &Narrowing, columns: &Columns, doc: DocId) -> bool {
        let missed = narrowing.missed(columns, doc);
        if missed == Missed::Nothing {
            self.total += 1;
        }
        let counts = |facet| missed == Missed::Nothing || missed == Missed::Only(facet);
        if counts(Facet::Category) {
            add(&mut self.category, columns.category.of(doc));
        }
        if counts(Facet::Brand) {
            add(&mut self.brand, columns.brand.of(doc));
        }
        if counts(Facet::Price) {
            add(&mut self.price, [range_of(columns.price(doc))].into_iter());
        }
        match missed {
            Missed::Nothing if narrowing.counts_attributes => add(&mut self.attribute, columns.attribute.of(doc)),
            Missed::Only(Facet::Attribute(place)) => {
                if let Some(counts) = self.other_values.get_mut(place) {
                    add(counts, columns.attribute.of(doc));
                }
            }
            _ => {}
        }
        missed == Missed::Nothing
    }

    /// Together with those of another segment.
    pub(super) fn and(mut self, other: Self) -> Self {
        fn sum(to: &mut Vec<u32>, from: &[u32]) {
            to.resize(to.len().max(from.len()), 0);
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        }
        self.total += other.total;
        sum(&mut self.category, &other.category);
        sum(&mut self.brand, &other.brand);
        sum(&mut self.price, &other.price);
        sum(&mut self.attribute, &other.attribute);
        self.other_values
            .resize(self.other_values.len().max(other.other_values.len()), vec![]);
        for (to, from) in self.other_values.iter_mut().zip(&other.other_values) {
            sum(to, from);
        }
        self
    }

    /// As facets.
    pub(super) fn facets(&self, narrowing: &Narrowing, vocabulary: &Vocabulary) -> Facets {
        let attributes = match narrowing.counts_attributes {
            true => self.attributes(narrowing, &vocabulary.attribute.read()),
            false => vec![],
        };
        Facets {
            category: most(&self.category, &vocabulary.category),
            brand: most(&self.brand, &vocabulary.brand),
            price: self.prices(),
            attributes,
        }
    }

    fn prices(&self) -> Vec<PriceRange> {
        let ranges = self.price.iter().enumerate().filter(|(_, count)| **count > 0);
        let range = |(at, count): (usize, &u32)| {
            let (from, to) = bounds(at);
            let count = u64::from(*count);
            PriceRange { from, to, count }
        };
        ranges.map(range).collect()
    }

    /// The attributes that most products have, and those that were asked for. A product has one value of each, so an
    /// attribute's products are the sum over its values.
    fn attributes(&self, narrowing: &Narrowing, names: &Numbered) -> Vec<AttributeFacet> {
        let parts = |number: usize| names.text(number).split_once(SEPARATOR).unwrap_or_default();
        let mut facets: HashMap<&str, Vec<(usize, u32)>> = HashMap::new();
        for (number, count) in seen(&self.attribute) {
            facets.entry(parts(number).0).or_default().push((number, count));
        }
        let products = |values: &[(usize, u32)]| values.iter().map(|(_, count)| u64::from(*count)).sum::<u64>();
        let asked = |name: &str| narrowing.attributes.iter().any(|(asked, _)| asked == name);
        let mut most: Vec<_> = facets
            .iter()
            .map(|(name, values)| (asked(name), products(values), *name))
            .collect();
        most.sort_unstable_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then_with(|| a.2.cmp(b.2)));
        let others = narrowing.attributes.iter().zip(&self.other_values);
        for ((asked, _), counts) in others {
            if !facets.contains_key(asked.as_str()) {
                most.insert(0, (true, 0, asked));
            }
            let others = seen(counts).filter(|(number, _)| parts(*number).0 == asked);
            facets.entry(asked).or_default().extend(others);
        }
        most.truncate(ATTRIBUTES);
        most.sort_by_key(|(_, products, _)| Reverse(*products));
        let facet = |(_, _, name): (bool, u64, &str)| AttributeFacet {
            name: name.to_owned(),
            values: ranked(facets.remove(name).unwrap_or_default(), |number| parts(number).1),
        };
        let shown = most.into_iter().map(facet);
        shown.filter(|facet| !facet.values.is_empty()).collect()
    }
}

fn add(counts: &mut [u32], values: impl Iterator<Item = usize>) {
    for value in values {
        if let Some(count) = counts.get_mut(value) {
            *count += 1;
        }
    }
}

fn most(counts: &[u32], names: &Names) -> Vec<FacetCount> {
    let names = names.read();
    ranked(seen(counts).collect(), |number| names.text(number))
}

/// The values that some product has.
fn seen(counts: &[u32]) -> impl Iterator<Item = (usize, u32)> {
    let counts = counts.iter().copied().enumerate();
    counts.filter(|(_, count)| *count > 0)
}

/// The most frequent values, by name where they are equally frequent.
fn ranked<'a>(mut counts: Vec<(usize, u32)>, text: impl Fn(usize) -> &'a str) -> Vec<FacetCount> {
    if counts.len() > FACET_VALUES {
        // Names are compared only among those that may be shown.
        let (_, (_, least), _) = counts.select_nth_unstable_by_key(FACET_VALUES - 1, |(_, count)| Reverse(*count));
        let least = *least;
        counts.retain(|(_, count)| *count >= least);
    }
    let mut counts: Vec<_> = counts
        .into_iter()
        .map(|(value, count)| (Reverse(count), text(value)))
        .collect();
    counts.sort_unstable();
    counts.truncate(FACET_VALUES);
    let shown = counts.into_iter().map(|(Reverse(count), value)| FacetCount {
        value: value.to_owned(),
        count: u64::from(count),
    });
    shown.collect()
}

/// Where price ranges meet: 1, 3, 10, 30, 100 … whatever the currency's unit is worth.
const BOUNDS: [i64; 36] = {
    let mut bounds = [0; 36];
    let mut at = 0;
    let mut power = 1;
    while at < bounds.len() {
        bounds[at] = power;
        bounds[at + 1] = 3 * power;
        at += 2;
        if at < bounds.len() {
            power *= 10;
        }
    }
    bounds
};

/// Which range a price is in.
fn range_of(price: i64) -> usize {
    BOUNDS.partition_point(|bound| *bound <= price)
}

/// Where a range begins, and where it ends.
fn bounds(range: usize) -> (i64, Option<i64>) {
    let from = range.checked_sub(1).map_or(0, |before| BOUNDS[before]);
    (from, BOUNDS.get(range).copied())
}

/// The bounds of the range that a price is in.
pub(crate) fn price_range(price: i64) -> (i64, Option<i64>) {
    bounds(range_of(price))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn price_ranges_meet() {
        assert_eq!(price_range(0), (0, Some(1)));
        assert_eq!(price_range(29_999), (10_000, Some(30_000)));
        assert_eq!(price_range(30_000), (30_000, Some(100_000)));
        assert_eq!(price_range(i64::MAX), (3 * 10i64.pow(17), None));
    }

    #[test]
    fn the_most_frequent_are_shown_by_name_where_they_are_equal() {
        let counts: Vec<_> = (0..100).map(|value| (value, u32::from(value % 50 == 7) + 1)).collect();
        let names: Vec<_> = (0..100).map(|value| format!("{value:03}")).collect();
        let shown: Vec<_> = ranked(counts, |value| &names[value])
            .into_iter()
            .map(|count| count.value)
            .collect();
        assert_eq!(
            (shown.len(), &shown[..4]),
            (20, &["007", "057", "000", "001"].map(str::to_owned)[..])
        );
    }
}
