//! The demo's products, as they stand in `catalogue.csv`: fields parted by `|`, attributes by `; `.

use std::collections::HashSet;

use event_schemas::{
    Money,
    product::{AttributeValue, Attributes},
};
use serde::Deserialize;

const CATALOGUE: &str = include_str!("catalogue.csv");

/// A product of the demo.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DemoProduct {
    /// Its name in this file; its ids are derived from it, so it never changes.
    pub name: String,
    /// Path of category names.
    pub category: String,
    /// An invented brand.
    pub brand: String,
    /// For one piece.
    #[serde(deserialize_with = "won")]
    pub price: Money,
    /// Pieces that come in at the start; none for a product that is sold out.
    pub stock: u32,
    /// In Korean or English; the description is in both.
    pub title: String,
    /// In both languages, so that either finds it.
    pub description: String,
    /// Named properties.
    #[serde(deserialize_with = "attributes")]
    pub attributes: Attributes,
}

/// Every product, in the file's order.
///
/// # Errors
/// When the file does not fit; a test makes sure that it does.
pub fn products() -> Result<Vec<DemoProduct>, csv::Error> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b'|')
        .quoting(false)
        .from_reader(CATALOGUE.as_bytes());
    let mut names = HashSet::new();
    let rows: Result<Vec<DemoProduct>, _> = reader.deserialize().collect();
    rows.map(|rows| rows.into_iter().filter(|row| names.insert(row.name.clone())).collect())
}

fn won<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    i64::deserialize(deserializer).map(Money::krw)
}

/// `Volume (ml)=600; Decaf=true; Colour=white`.
fn attributes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Attributes, D::Error> {
    let text = String::deserialize(deserializer)?;
    let pairs = text.split("; ").map(|pair| {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| serde::de::Error::custom(format!("{pair:?} has no =")))?;
        Ok((name.to_owned(), value_of(value)))
    });
    pairs.collect()
}

fn value_of(text: &str) -> AttributeValue {
    match (text.parse(), text.parse()) {
        (Ok(flag), _) => AttributeValue::Flag(flag),
        (_, Ok(number)) => AttributeValue::Number(number),
        _ => AttributeValue::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use domain::{Aggregate, Product, product::ProductCommand};
    use event_schemas::{ProductId, SellerId, product::ProductListed};

    use super::*;

    #[test]
    fn the_catalogue_has_two_hundred_products_that_a_seller_could_list() {
        let products = products().unwrap();
        assert_eq!((products.len(), CATALOGUE.lines().count()), (200, 201));
        for product in products {
            let name = product.name.clone();
            let listed = ProductListed {
                product_id: ProductId::fresh(),
                seller_id: SellerId::fresh(),
                title: product.title,
                description: product.description,
                brand: product.brand,
                category: product.category,
                attributes: product.attributes,
                price: product.price,
                ean: None,
            };
            let refused = Product::default().decide(&ProductCommand::List(listed)).err();
            assert!(refused.is_none(), "{name}: {refused:?}");
        }
    }

    #[test]
    fn every_product_is_found_in_korean_and_in_english() {
        for product in products().unwrap() {
            let text = format!("{} {}", product.title, product.description);
            let hangul = text.chars().filter(|c| ('가'..='힣').contains(c)).count();
            let latin = text.chars().filter(char::is_ascii_alphabetic).count();
            assert!(hangul >= 4 && latin >= 8, "{}: {text}", product.name);
        }
    }

    #[test]
    fn attributes_have_the_type_they_look_like() {
        assert_eq!(value_of("true"), AttributeValue::Flag(true));
        assert_eq!(
            value_of("5.4"),
            AttributeValue::Number(serde_json::Number::from_f64(5.4).unwrap())
        );
        assert_eq!(value_of("36 x 24"), AttributeValue::Text("36 x 24".to_owned()));
    }
}
