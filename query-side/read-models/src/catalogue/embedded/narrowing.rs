//! Filters that have a facet: not part of the query, but looked up by column for each product that has the words, because the
//! facet of a filter counts what the filter leaves out.

use std::ops::RangeInclusive;

use tantivy::DocId;

use super::{
    names::{NamedColumn, Names},
    schema::attribute_term,
    snapshot::{Columns, Vocabulary},
};
use crate::catalogue::Filters;

/// The filters that have a facet, by numbers. A value that no product has fits none.
#[derive(Debug, Clone, Default)]
pub(super) struct Narrowing {
    category: Option<Vec<usize>>,
    brands: Option<Vec<usize>>,
    price: Option<RangeInclusive<i64>>,
    /// Each attribute asked for, with what may be its value.
    pub(super) attributes: Vec<(String, Vec<usize>)>,
    /// Attributes mean something within a category only.
    pub(super) counts_attributes: bool,
}

impl Narrowing {
    /// The vocabulary knows all values of the segments that will be searched.
    pub(super) fn by(filters: &Filters, vocabulary: &Vocabulary) -> Self {
        let category = filters
            .category
            .as_deref()
            .map(|path| path.trim_matches('/').to_owned());
        let chosen = |names: &Names, values: &[String]| {
            let names = names.read();
            let numbers = values.iter().filter_map(|value| names.find(value));
            numbers.map(|number| number as usize).collect::<Vec<_>>()
        };
        let attribute = |(name, values): (&String, &Vec<String>)| {
            let terms: Vec<_> = values.iter().map(|value| attribute_term(name, value)).collect();
            (name.clone(), chosen(&vocabulary.attribute, &terms))
        };
        let Filters {
            min_price, max_price, ..
        } = filters;
        Self {
            counts_attributes: category.is_some(),
            category: category.map(|path| chosen(&vocabulary.category, &[path])),
            brands: (!filters.brands.is_empty()).then(|| chosen(&vocabulary.brand, &filters.brands)),
            price: (min_price.is_some() || max_price.is_some())
                .then(|| min_price.unwrap_or(i64::MIN)..=max_price.unwrap_or(i64::MAX)),
            attributes: filters.attributes.iter().map(attribute).collect(),
        }
    }

    /// Which of the filters a product fails.
    pub(super) fn missed(&self, columns: &Columns, doc: DocId) -> Missed {
        let mut missed = Missed::Nothing;
        let has = |column: &NamedColumn, chosen: &[usize]| column.of(doc).any(|value| chosen.contains(&value));
        if self
            .category
            .as_ref()
            .is_some_and(|chosen| !has(&columns.category, chosen))
        {
            missed = missed.and(Facet::Category);
        }
        if self.brands.as_ref().is_some_and(|chosen| !has(&columns.brand, chosen)) {
            missed = missed.and(Facet::Brand);
        }
        if self
            .price
            .as_ref()
            .is_some_and(|range| !range.contains(&columns.price(doc)))
        {
            missed = missed.and(Facet::Price);
        }
        for (place, (_, chosen)) in self.attributes.iter().enumerate() {
            if !has(&columns.attribute, chosen) {
                missed = missed.and(Facet::Attribute(place));
            }
        }
        missed
    }
}

/// The filters that a product does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missed {
    Nothing,
    Only(Facet),
    More,
}

/// A facet that has a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Facet {
    Category,
    Brand,
    Price,
    /// By its place among the attributes asked for.
    Attribute(usize),
}

impl Missed {
    fn and(self, facet: Facet) -> Self {
        match self {
            Self::Nothing => Self::Only(facet),
            Self::Only(_) | Self::More => Self::More,
        }
    }
}
