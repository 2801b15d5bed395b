//! What of a product is searched, as texts: the same whichever engine indexes them.

use event_schemas::product::AttributeValue;

use super::{CatalogueEntry, wording::titles};

/// How often a title may say a word. Honest titles say what a thing is twice: `Case Logic notebook case`.
const IN_A_TITLE: usize = 2;

/// The texts of a product, by how much they say.
///
/// A word counts once in the attributes and once in the description, however often it stands there, and a title that is a
/// list of keywords counts as a piece of description: so stuffing does not pay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) title: String,
    pub(crate) brand: String,
    pub(crate) category: String,
    pub(crate) attributes: String,
    pub(crate) description: String,
    /// What the product is: see [`titles::kinds`].
    pub(crate) kinds: String,
    /// What of the title could be written in one word: see [`titles::joined`].
    pub(crate) joined: String,
}

impl Texts {
    pub(crate) fn of(entry: &CatalogueEntry) -> Self {
        let attributes: String = attributes(entry).flat_map(|text| [text, " "]).collect();
        let texts = Self {
            brand: entry.brand.clone(),
            category: entry.category.clone(),
            attributes: titles::thinned(&attributes, 1),
            ..Self::default()
        };
        if titles::is_stuffed(&entry.title) {
            let description = format!("{} {}", entry.title, entry.description);
            return Self {
                description: titles::thinned(&description, 1),
                ..texts
            };
        }
        Self {
            title: titles::thinned(&entry.title, IN_A_TITLE),
            description: titles::thinned(&entry.description, 1),
            kinds: titles::kinds(&entry.title).flat_map(|word| [word, " "]).collect(),
            joined: titles::joined(&entry.title).collect::<Vec<_>>().join(" "),
            ..texts
        }
    }
}

/// The attributes' texts; numbers and flags say nothing without their name.
pub(crate) fn attributes(entry: &CatalogueEntry) -> impl Iterator<Item = &str> {
    entry.attributes.values().filter_map(|value| match value {
        AttributeValue::Text(text) => Some(text.as_str()),
        AttributeValue::Number(_) | AttributeValue::Flag(_) => None,
    })
}
