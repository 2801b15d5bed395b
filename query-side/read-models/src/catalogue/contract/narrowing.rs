//! Filters, and the facets that lead to them.

use std::collections::BTreeMap;

use event_schemas::{Money, Timestamp, product::AttributeValue};

use super::shelf::{Shelf, product, text, wanted};
use crate::catalogue::{AttributeFacet, CatalogueEntry, FacetCount, Facets, Filters, SearchEngine, Wanted};

/// Filters and facets.
pub async fn narrowing(engine: &dyn SearchEngine) {
    every_filter_and_every_facet_counts_right(engine).await;
    a_category_holds_what_is_beneath_it(engine).await;
    attributes_are_shown_that_most_products_have(engine).await;
}

/// Sixty products in six categories, three brands, at 2,000 to 60,000 won; every fourth is sold out.
pub(super) fn sixty() -> Vec<CatalogueEntry> {
    const CATEGORIES: [&str; 6] = [
        "Kitchen/Coffee",
        "Kitchen/Tea",
        "Kitchen",
        "Garden/Tools",
        "Garden",
        "Office",
    ];
    let pick = |from: &[&str], number: usize| from[number % from.len()].to_owned();
    let make = |number: usize| CatalogueEntry {
        category: pick(&CATEGORIES, number),
        brand: pick(&["Acme", "Bolt & Söhne", "코르크"], number / 2),
        attributes: BTreeMap::from([
            text("Colour", &pick(&["red", "blue", "dark green"], number / 3)),
            ("watts".to_owned(), AttributeValue::Number((number % 5 * 100).into())),
            (
                "touch.screen \"7\"".to_owned(),
                AttributeValue::Flag(number.is_multiple_of(2)),
            ),
        ]),
        // Pairs share a price, so that something must break the tie.
        price: Money::krw(i64::try_from(number / 2 + 1).unwrap() * 2_000),
        in_stock: !number.is_multiple_of(4),
        listed_at: Timestamp::from_millis(i64::try_from(number / 3).unwrap()),
        popularity: u32::try_from(number * 7 % 60).unwrap(),
        ..product(&format!("Thing number {number}"))
    };
    (0..60).map(make).collect()
}

/// Which of the filters an entry passes, one by one.
#[derive(Clone, Copy)]
struct Passed {
    category: bool,
    brand: bool,
    price: bool,
    in_stock: bool,
}

impl Passed {
    fn of(filters: &Filters, entry: &CatalogueEntry) -> Self {
        let beneath = |path: &String| entry.category == *path || entry.category.starts_with(&format!("{path}/"));
        let price = entry.price.amount;
        Self {
            category: filters.category.as_ref().is_none_or(beneath),
            brand: filters.brands.is_empty() || filters.brands.contains(&entry.brand),
            price: filters.min_price.is_none_or(|min| price >= min) && filters.max_price.is_none_or(|max| price <= max),
            in_stock: filters.in_stock.is_none_or(|wanted| wanted == entry.in_stock),
        }
    }
}

/// Passes the filters on attributes, but for those on one.
fn attributes_pass(filters: &Filters, entry: &CatalogueEntry, but: Option<&str>) -> bool {
    let mut wanted = filters.attributes.iter().filter(|(name, _)| Some(name.as_str()) != but);
    wanted.all(|(name, values)| attribute(entry, name).is_some_and(|value| values.contains(&value)))
}

/// An attribute as text.
fn attribute(entry: &CatalogueEntry, name: &str) -> Option<String> {
    entry.attributes.get(name).map(|value| match value {
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::Number(number) => number.to_string(),
        AttributeValue::Flag(flag) => flag.to_string(),
    })
}

fn combinations() -> Vec<Filters> {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let attributes = [
        BTreeMap::new(),
        BTreeMap::from([("Colour".to_owned(), owned(&["red"]))]),
        BTreeMap::from([
            ("Colour".to_owned(), owned(&["red", "dark green"])),
            ("touch.screen \"7\"".to_owned(), owned(&["true"])),
        ]),
        BTreeMap::from([("watts".to_owned(), owned(&["100", "300"]))]),
    ];
    let mut combinations = vec![];
    for category in [None, Some("Kitchen"), Some("Kitchen/Coffee")] {
        for brands in [&[][..], &["Acme"], &["Acme", "코르크", "Bolt & Söhne"]] {
            for attributes in &attributes {
                for (min_price, max_price, in_stock) in [(None, None, None), (Some(8_000), Some(44_000), Some(true))] {
                    combinations.push(Filters {
                        category: category.map(str::to_owned),
                        brands: owned(brands),
                        attributes: attributes.clone(),
                        min_price,
                        max_price,
                        in_stock,
                    });
                }
            }
        }
    }
    combinations
}

async fn every_filter_and_every_facet_counts_right(engine: &dyn SearchEngine) {
    let entries = sixty();
    let shelf = Shelf::with(engine, entries.clone()).await;
    for (number, filters) in combinations().into_iter().enumerate() {
        // With a text and without: the same products.
        let text = if number.is_multiple_of(2) { "thing" } else { "" };
        let wanted = Wanted {
            filters,
            size: 100,
            ..wanted(text)
        };
        let results = shelf.search(&wanted).await;
        let filters = &wanted.filters;
        let fits = |entry: &&CatalogueEntry| {
            let passed = Passed::of(filters, entry);
            passed.category && passed.brand && passed.price && passed.in_stock && attributes_pass(filters, entry, None)
        };
        let mut expected: Vec<_> = entries.iter().filter(fits).map(|entry| entry.id).collect();
        let mut found: Vec<_> = results.hits.iter().map(|hit| hit.id).collect();
        expected.sort();
        found.sort();
        assert_eq!((results.total, found), (expected.len() as u64, expected), "{wanted:?}");
        check_facets(&entries, filters, &results.facets);
        if results.total > 0 {
            check_attributes(&entries, filters, &results.facets.attributes);
        }
    }
}

/// Each facet respects all filters but the one on itself.
fn check_facets(entries: &[CatalogueEntry], filters: &Filters, facets: &Facets) {
    let select = |keep: fn(Passed) -> bool| {
        let entries = entries.iter().filter(|entry| attributes_pass(filters, entry, None));
        entries.filter(move |entry| keep(Passed::of(filters, entry)))
    };
    let brands = select(|passed| passed.category && passed.price && passed.in_stock);
    let expected = counted(brands.map(|entry| entry.brand.clone()));
    assert_eq!(as_map(&facets.brand), expected, "brands with {filters:?}");
    let categories = select(|passed| passed.brand && passed.price && passed.in_stock);
    let paths = categories.flat_map(|entry| {
        let top = entry.category.split('/').next().unwrap_or_default();
        let beneath = Some(entry.category.clone()).filter(|path| path != top);
        [Some(top.to_owned()), beneath].into_iter().flatten()
    });
    assert_eq!(as_map(&facets.category), counted(paths), "categories with {filters:?}");
    let prices: Vec<_> = select(|passed| passed.category && passed.brand && passed.in_stock)
        .map(|entry| entry.price.amount)
        .collect();
    for range in &facets.price {
        let within = |price: &&i64| **price >= range.from && range.to.is_none_or(|to| **price < to);
        let expected = prices.iter().filter(within).count() as u64;
        assert_eq!(range.count, expected, "{range:?} with {filters:?}");
    }
    let in_ranges: u64 = facets.price.iter().map(|range| range.count).sum();
    assert_eq!(
        in_ranges,
        prices.len() as u64,
        "each product is in one range: {:?}",
        facets.price
    );
    assert!(facets.price.is_sorted_by_key(|range| range.from), "cheapest first");
    for facet in [&facets.brand, &facets.category] {
        assert!(facet.is_sorted_by(|a, b| a.count >= b.count), "most first: {facet:?}");
    }
}

fn check_attributes(entries: &[CatalogueEntry], filters: &Filters, facets: &[AttributeFacet]) {
    if filters.category.is_none() {
        assert_eq!(facets, [], "attributes mean something within a category only");
        return;
    }
    let mut names: Vec<_> = facets.iter().map(|facet| facet.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Colour", "touch.screen \"7\"", "watts"]);
    for AttributeFacet { name, values } in facets {
        let fits = |entry: &&CatalogueEntry| {
            let passed = Passed::of(filters, entry);
            let others = attributes_pass(filters, entry, Some(name));
            passed.category && passed.brand && passed.price && passed.in_stock && others
        };
        let expected = counted(entries.iter().filter(fits).filter_map(|entry| attribute(entry, name)));
        assert_eq!(as_map(values), expected, "{name} with {filters:?}");
        assert!(values.is_sorted_by(|a, b| a.count >= b.count), "most first: {values:?}");
    }
}

fn counted(values: impl Iterator<Item = String>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

fn as_map(facet: &[FacetCount]) -> BTreeMap<String, u64> {
    facet.iter().map(|count| (count.value.clone(), count.count)).collect()
}

async fn a_category_holds_what_is_beneath_it(engine: &dyn SearchEngine) {
    let shelf = Shelf::with(engine, sixty()).await;
    for (path, total) in [
        ("Kitchen", 30),
        ("Kitchen/", 30),
        ("Kitchen/Coffee", 10),
        ("Office", 10),
        ("Kit", 0),
        ("Coffee", 0),
    ] {
        let filters = Filters {
            category: Some(path.to_owned()),
            ..Filters::default()
        };
        let wanted = Wanted { filters, ..wanted("") };
        assert_eq!(shelf.search(&wanted).await.total, total, "{path}");
    }
}

async fn attributes_are_shown_that_most_products_have(engine: &dyn SearchEngine) {
    // The attribute `n` is on the first `30 - n` products, the first with a value of its own on each.
    let entries = (0..30_usize).map(|number| CatalogueEntry {
        attributes: (0..12_usize)
            .filter(|attribute| number < 30 - attribute)
            .map(|attribute| {
                let value = if attribute == 0 { number } else { number % 2 };
                text(&format!("attribute {attribute}"), &format!("value {value}"))
            })
            .collect(),
        ..product("Thing")
    });
    let shelf = Shelf::with(engine, entries).await;
    let filters = Filters {
        category: Some("Household".to_owned()),
        ..Filters::default()
    };
    let facets = shelf
        .search(&Wanted {
            filters,
            ..wanted("thing")
        })
        .await
        .facets
        .attributes;
    let names: Vec<_> = facets.iter().map(|facet| facet.name.clone()).collect();
    let expected: Vec<_> = (0..8).map(|attribute| format!("attribute {attribute}")).collect();
    assert_eq!(names, expected, "eight at most, those that most have first");
    let values: Vec<_> = facets.iter().map(|facet| facet.values.len()).collect();
    assert_eq!(values, [20, 2, 2, 2, 2, 2, 2, 2], "twenty values at most");
}
