//! A product as its fields in the index.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::catalogue::{
    CatalogueEntry,
    embedded::{SEPARATOR, attribute_term, attribute_text, codes, paths, price_range},
    texts::{Texts, attributes},
    wording::{
        hangul::{initials, strokes},
        korean::{is_hangul, without_particle},
    },
};

/// Attributes with longer names are searched, but are no facets.
const LONGEST_NAME: usize = 64;

/// The fields of an entry, see [`super::mapping`].
pub(super) fn fields(entry: &CatalogueEntry) -> Map<String, Value> {
    let texts = Texts::of(entry);
    let fields = json!({
        "title": texts.title,
        "brand": texts.brand,
        "category": texts.category,
        "attributes": texts.attributes,
        "description": texts.description,
        "kinds": texts.kinds,
        "joined": texts.joined,
        "code": codes_of(entry),
        "typing": spoken(&entry.title).map(strokes).collect::<Vec<_>>().join(" "),
        "initials": spoken(&entry.title).filter(|word| word.contains(is_hangul)).map(initials).collect::<Vec<_>>().join(" "),
        "spelling": spellings(entry),
        "category_beginning": entry.category.split('/').flat_map(beginnings).collect::<Vec<_>>(),
        "in_category": paths(&entry.category).collect::<Vec<_>>(),
        "of_brand": Some(&entry.brand).filter(|brand| !brand.is_empty()),
        "attribute_name": entry.attributes.keys().filter(|name| is_facet(name)).collect::<Vec<_>>(),
        "attribute_value": attribute_values(entry),
        "price": entry.price.amount,
        "price_from": price_range(entry.price.amount).0,
        "in_stock": entry.in_stock,
        "listed_at": entry.listed_at.as_millis(),
        "popularity": entry.popularity,
    });
    match fields {
        Value::Object(fields) => fields,
        // Written as an object just above.
        _ => Map::new(),
    }
}

/// Whether products are counted by this attribute.
pub(super) fn is_facet(name: &str) -> bool {
    name.len() <= LONGEST_NAME && !name.contains(SEPARATOR)
}

fn attribute_values(entry: &CatalogueEntry) -> Vec<String> {
    let facets = entry.attributes.iter().filter(|(name, _)| is_facet(name));
    facets
        .map(|(name, value)| attribute_term(name, &attribute_text(value)))
        .collect()
}

/// Part numbers and EANs, in one spelling.
fn codes_of(entry: &CatalogueEntry) -> BTreeSet<String> {
    let one_word = attributes(entry).filter(|text| !text.contains(char::is_whitespace));
    let texts = [entry.title.as_str(), entry.ean.as_deref().unwrap_or_default()];
    texts.into_iter().chain(one_word).flat_map(codes).collect()
}

/// The words of a text as people write them.
fn spoken(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// As it is typed, key by key, without regard to case.
pub(super) fn keys(text: &str) -> String {
    strokes(&text.trim().to_lowercase())
}

/// What may be typed of a name: from its beginning or from that of a word in it, key by key or only the initials.
pub(super) fn beginnings(name: &str) -> impl Iterator<Item = String> {
    let name = name.trim().to_lowercase();
    let words = name
        .char_indices()
        .filter(|(at, _)| *at == 0 || name[..*at].ends_with(' '));
    let begun: Vec<_> = words
        .flat_map(|(at, _)| [strokes(&name[at..]), initials(&name[at..])])
        .collect();
    begun.into_iter()
}

/// What a misspelt word may have been: numbers and part numbers are never corrected.
fn spellings(entry: &CatalogueEntry) -> String {
    let texts = [&entry.title, &entry.brand, &entry.category];
    let words = texts.into_iter().flat_map(|text| spoken(text));
    let words = words.filter(|word| !word.contains(|c: char| c.is_numeric()));
    let words = words.flat_map(|word| [Some(word), without_particle(word)].into_iter().flatten());
    words.map(strokes).collect::<Vec<_>>().join(" ")
}
