//! What the catalogue knows of a product.

use std::{collections::HashMap, time::Duration};

use event_schemas::{
    Category, Money, ProductId, ShopEvent, Timestamp,
    product::{Attributes, ProductEvent, ProductListed, ProductRevised},
};
use serde::{Deserialize, Serialize};

use super::{
    products::{product_of, set},
    stock_levels::{level, levels},
};
use crate::{
    documents::{IndexKeys, Model},
    projection::{Fact, Key, Projection, Unexpected, known},
};

/// A product as the search index holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueEntry {
    /// The product.
    pub id: ProductId,
    /// One line.
    pub title: String,
    /// Some paragraphs.
    pub description: String,
    /// The maker's brand.
    pub brand: String,
    /// Path of category names.
    pub category: String,
    /// Named properties.
    pub attributes: Attributes,
    /// For one piece.
    pub price: Money,
    /// European article number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ean: Option<String>,
    /// The picture's key in the blob store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// It can be bought now.
    pub in_stock: bool,
    /// Since when it can be bought.
    pub listed_at: Timestamp,
    /// How much it is bought: rough, and grows with the logarithm of the pieces sold.
    #[serde(default)]
    pub popularity: u32,
}

/// The read model `catalogue`. A delisted product has no entry.
#[derive(Debug, Clone, Copy)]
pub enum Catalogue {}

impl Model for Catalogue {
    const NAME: &'static str = "catalogue";
    type Key = ProductId;
    type Document = CatalogueEntry;

    fn index(_: &CatalogueEntry) -> IndexKeys {
        // The search index is the only one it needs.
        vec![]
    }
}

/// More products than this are not remembered at once.
const REMEMBERED: usize = 200_000;

/// Fills the search index.
///
/// Stock moves with every order, but the index only shows whether there is any: it is told when that flips. Which products
/// are in stock is remembered here, because asking the index at every order would cost more than the order.
#[derive(Debug, Default)]
pub struct CatalogueProjection {
    in_stock: HashMap<ProductId, bool>,
}

impl Projection for CatalogueProjection {
    type Model = Catalogue;
    const CATEGORIES: &'static [Category] = &[Category::Product, Category::Stock, Category::Reservation];
    /// A commit of the index costs some milliseconds whatever is in it; a customer does not miss a product for so long.
    const LINGER: Duration = Duration::from_millis(60);
    /// Products have long texts: fewer at once, for the sake of memory.
    const MOST_CHANGES: usize = 2_000;

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        match fact.event {
            ShopEvent::Product(event) => keys.push(product_of(event)),
            event => {
                let flipped = |(product, available)| {
                    let known = self.in_stock.get(&product).copied();
                    (known != Some(available > 0)).then_some(product)
                };
                keys.extend(levels(event).filter_map(flipped));
            }
        }
        Ok(())
    }

    fn apply(
        &mut self,
        fact: &Fact<'_>,
        key: &Key<Self>,
        document: &mut Option<CatalogueEntry>,
    ) -> Result<bool, Unexpected> {
        let changed = match fact.event {
            ShopEvent::Product(event) => apply(event, fact, document)?,
            // What was delisted is not in the catalogue, and its last pieces may still be moved.
            event => document.as_mut().is_some_and(|entry| {
                let in_stock = level(event, *key).unwrap_or_default() > 0;
                std::mem::replace(&mut entry.in_stock, in_stock) != in_stock
            }),
        };
        if self.in_stock.len() > REMEMBERED {
            self.in_stock.clear();
        }
        if let Some(entry) = document {
            self.in_stock.insert(*key, entry.in_stock);
        }
        Ok(changed)
    }
}

fn apply(event: &ProductEvent, fact: &Fact<'_>, document: &mut Option<CatalogueEntry>) -> Result<bool, Unexpected> {
    match event {
        ProductEvent::ProductListed(listed) => {
            let new = document.is_none();
            document.get_or_insert_with(|| entry(listed, fact));
            return Ok(new);
        }
        ProductEvent::ProductRevised(revised) => revise(known(document, "a product")?, revised),
        ProductEvent::ProductRepriced(repriced) => known(document, "a product")?.price = repriced.price,
        ProductEvent::ProductPictured(pictured) => {
            known(document, "a product")?.image = Some(pictured.image.clone());
        }
        ProductEvent::ProductDelisted(_) => return Ok(document.take().is_some()),
    }
    Ok(true)
}

fn entry(listed: &ProductListed, fact: &Fact<'_>) -> CatalogueEntry {
    let listed = listed.clone();
    CatalogueEntry {
        id: listed.product_id,
        title: listed.title,
        description: listed.description,
        brand: listed.brand,
        category: listed.category,
        attributes: listed.attributes,
        price: listed.price,
        ean: listed.ean,
        image: None,
        in_stock: false,
        listed_at: fact.at,
        popularity: 0,
    }
}

fn revise(entry: &mut CatalogueEntry, revised: &ProductRevised) {
    set(&mut entry.title, &revised.title);
    set(&mut entry.description, &revised.description);
    set(&mut entry.brand, &revised.brand);
    set(&mut entry.category, &revised.category);
    set(&mut entry.attributes, &revised.attributes);
    if revised.ean.is_some() {
        entry.ean.clone_from(&revised.ean);
    }
}
