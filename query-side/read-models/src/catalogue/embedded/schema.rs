//! The fields of the index, and how an entry fills them.

use std::borrow::Cow;

use event_schemas::product::AttributeValue;
use tantivy::{
    TantivyDocument, Term,
    schema::{
        BytesOptions, FAST, Field, INDEXED, IndexRecordOption, NumericOptions, STORED, STRING, Schema, SchemaBuilder,
        TextFieldIndexing, TextOptions,
    },
};

use super::{
    analysis::{self, JOINED, KEYS, PAIRS, TYPED, WEIGHED, WORDS},
    weighing::weighed,
};
use crate::catalogue::{
    CatalogueEntry,
    texts::{Texts, attributes},
    wording::korean::is_hangul,
};

/// How often each text counts. One field with repetition is BM25F in its simplest form: the frequencies of a word in title,
/// brand and description are added up before they saturate, where a sum of scores per field would let a word that stands
/// in many fields win over two words that stand in one.
const TITLE: u8 = 15;
const BRAND: u8 = 4;
const CATEGORY: u8 = 4;
const DESCRIPTION: u8 = 3;
const ATTRIBUTES: u8 = 2;

/// Between an attribute's name and its value.
pub(crate) const SEPARATOR: char = '\u{1f}';
/// Longer values, in bytes, are texts to read, not values to choose.
const LONGEST_VALUE: usize = 200;

/// The fields of the index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) id: Field,
    pub(super) words: Field,
    /// What the product is.
    pub(super) kinds: Field,
    /// Neighbours in the title, in one word.
    pub(super) joined: Field,
    pub(super) pairs: Field,
    pub(super) code: Field,
    /// Words of titles, as they are typed.
    pub(super) typed: Field,
    /// Words of brands and categories, as they are typed.
    pub(super) named: Field,
    pub(super) category: Field,
    pub(super) brand: Field,
    attribute: Field,
    pub(super) price: Field,
    pub(super) in_stock: Field,
    listed_at: Field,
    popularity: Field,
    id_high: Field,
    id_low: Field,
    pub(super) source: Field,
}

/// Names of the fields that are read by column.
pub(super) mod columns {
    pub(in super::super) const CATEGORY: &str = "category";
    pub(in super::super) const BRAND: &str = "brand";
    pub(in super::super) const ATTRIBUTE: &str = "attribute";
    pub(in super::super) const IN_STOCK: &str = "in_stock";
    pub(in super::super) const PRICE: &str = "price";
    pub(in super::super) const LISTED_AT: &str = "listed_at";
    pub(in super::super) const POPULARITY: &str = "popularity";
    pub(in super::super) const ID_HIGH: &str = "id_high";
    pub(in super::super) const ID_LOW: &str = "id_low";
}

/// The schema with its fields.
pub(super) fn schema() -> (Schema, Fields) {
    let analysed = |name: &str| {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(name)
            .set_index_option(IndexRecordOption::WithFreqs);
        TextOptions::default().set_indexing_options(indexing)
    };
    let present = |name: &str| {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(name)
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false);
        TextOptions::default().set_indexing_options(indexing)
    };
    let exact = STRING | FAST;
    let number = NumericOptions::from(INDEXED | FAST);
    let mut schema = SchemaBuilder::new();
    let fields = Fields {
        id: schema.add_bytes_field("id", BytesOptions::from(INDEXED)),
        words: schema.add_text_field("words", analysed(WEIGHED)),
        kinds: schema.add_text_field("kinds", present(WORDS)),
        joined: schema.add_text_field("joined", present(JOINED)),
        pairs: schema.add_text_field("pairs", analysed(PAIRS)),
        code: schema.add_text_field("code", STRING),
        typed: schema.add_text_field("typed", present(TYPED)),
        named: schema.add_text_field("named", present(KEYS)),
        category: schema.add_text_field(columns::CATEGORY, exact.clone()),
        brand: schema.add_text_field(columns::BRAND, exact),
        attribute: schema.add_text_field(columns::ATTRIBUTE, TextOptions::from(FAST)),
        price: schema.add_i64_field(columns::PRICE, number.clone()),
        in_stock: schema.add_bool_field(columns::IN_STOCK, number),
        listed_at: schema.add_i64_field(columns::LISTED_AT, FAST),
        popularity: schema.add_i64_field(columns::POPULARITY, FAST),
        id_high: schema.add_u64_field(columns::ID_HIGH, FAST),
        id_low: schema.add_u64_field(columns::ID_LOW, FAST),
        source: schema.add_bytes_field("source", BytesOptions::from(STORED)),
    };
    (schema.build(), fields)
}

impl Fields {
    /// The term that names one product.
    pub(super) fn product(&self, key: &[u8]) -> Term {
        Term::from_field_bytes(self.id, key)
    }

    /// The entry as the index takes it; `source` is the entry as JSON, given back as it came.
    pub(super) fn document(&self, entry: &CatalogueEntry, source: &[u8]) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        let id = entry.id.uuid();
        let (high, low) = id.as_u64_pair();
        document.add_bytes(self.id, id.as_bytes());
        document.add_u64(self.id_high, high);
        document.add_u64(self.id_low, low);
        document.add_bytes(self.source, source);
        for path in paths(&entry.category) {
            document.add_text(self.category, path);
        }
        if !entry.brand.is_empty() {
            document.add_text(self.brand, &entry.brand);
        }
        for (name, value) in &entry.attributes {
            let value = attribute_text(value);
            if value.len() <= LONGEST_VALUE {
                document.add_text(self.attribute, attribute_term(name, &value));
            }
        }
        document.add_i64(self.price, entry.price.amount);
        document.add_i64(self.listed_at, entry.listed_at.as_millis());
        document.add_i64(self.popularity, i64::from(entry.popularity));
        document.add_bool(self.in_stock, entry.in_stock);
        document.add_text(self.typed, &entry.title);
        document.add_text(self.named, &entry.brand);
        document.add_text(self.named, &entry.category);
        self.add_texts(&mut document, &Texts::of(entry));
        self.add_codes(&mut document, entry);
        document
    }

    fn add_texts(&self, document: &mut TantivyDocument, texts: &Texts) {
        let by_weight = [
            (&texts.title, TITLE),
            (&texts.brand, BRAND),
            (&texts.category, CATEGORY),
            (&texts.description, DESCRIPTION),
            (&texts.attributes, ATTRIBUTES),
        ];
        for (text, times) in by_weight {
            document.add_text(self.words, weighed(text, times));
            // Pairs are many already: they count once each, and the title's twice.
            let pairs = if times == TITLE { 2 } else { 1 };
            for _ in (0..pairs).take_while(|_| text.contains(is_hangul)) {
                document.add_text(self.pairs, text);
            }
        }
        document.add_text(self.kinds, &texts.kinds);
        document.add_text(self.joined, &texts.joined);
    }

    fn add_codes(&self, document: &mut TantivyDocument, entry: &CatalogueEntry) {
        let one_word = attributes(entry).filter(|text| !text.contains(char::is_whitespace));
        let texts = [entry.title.as_str(), entry.ean.as_deref().unwrap_or_default()];
        for code in texts.into_iter().chain(one_word).flat_map(analysis::codes) {
            document.add_text(self.code, code);
        }
    }
}

/// An attribute's value as customers choose it.
pub(crate) fn attribute_text(value: &AttributeValue) -> Cow<'_, str> {
    match value {
        AttributeValue::Text(text) => text.into(),
        AttributeValue::Number(number) => number.to_string().into(),
        AttributeValue::Flag(flag) => flag.to_string().into(),
    }
}

/// An attribute with one of its values, as a term.
pub(crate) fn attribute_term(name: &str, value: &str) -> String {
    format!("{name}{SEPARATOR}{value}")
}

/// `Kitchen/Coffee/Grinders` is in `Kitchen`, in `Kitchen/Coffee` and in itself.
pub(crate) fn paths(category: &str) -> impl Iterator<Item = &str> {
    let ends = category.match_indices('/').map(|(at, _)| at).chain([category.len()]);
    ends.map(|end| &category[..end]).filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::paths;

    #[test]
    fn a_category_is_found_by_every_beginning() {
        assert_eq!(
            paths("Kitchen/Coffee").collect::<Vec<_>>(),
            ["Kitchen", "Kitchen/Coffee"]
        );
        assert_eq!(paths("").count(), 0);
    }
}
