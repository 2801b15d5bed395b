//! What the catalogue knows of a product.

use std::{collections::HashMap, time::Duration};

use event_schemas::{
    Category, Money, ProductId, ShopEvent, Timestamp,
    product::{Attributes, ProductEvent, ProductListed, ProductRevised},
};
use serde::{Deserialize, Serialize};

use super::{
    popularity::level_after,
    products::set,
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
/// Stock moves with every order, but the index only shows whether there is any, and about how much was ever sold: it is told
/// when that changes. What it shows is remembered here, because asking the index at every order would cost more than the order.
#[derive(Debug, Default)]
pub struct CatalogueProjection {
    shown: HashMap<ProductId, Shown>,
    /// The last event that was seen: seen again, it sells nothing again.
    position: u64,
    /// The event under way was seen before.
    again: bool,
}

/// What the index shows of a product that orders can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    in_stock: bool,
    popularity: u32,
}

impl Shown {
    const fn by(entry: &CatalogueEntry) -> Self {
        Self {
            in_stock: entry.in_stock,
            popularity: entry.popularity,
        }
    }

    /// What is to be shown of the product after an event that moved its stock.
    fn after(self, event: &ShopEvent, product: ProductId, again: bool) -> Self {
        let popularity = if again {
            self.popularity
        } else {
            level_after(event, product, self.popularity)
        };
        Self {
            in_stock: level(event, product).unwrap_or_default() > 0,
            popularity,
        }
    }
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
            ShopEvent::Product(event) => keys.push(event.product_id()),
            event => {
                self.again = fact.position <= std::mem::replace(&mut self.position, fact.position);
                let changes = |product: &ProductId| {
                    let shown = self.shown.get(product);
                    shown.is_none_or(|shown| shown.after(event, *product, self.again) != *shown)
                };
                keys.extend(levels(event).map(|(product, _)| product).filter(changes));
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
                let before = Shown::by(entry);
                let after = before.after(event, *key, self.again);
                (entry.in_stock, entry.popularity) = (after.in_stock, after.popularity);
                after != before
            }),
        };
        if self.shown.len() > REMEMBERED {
            self.shown.clear();
        }
        if let Some(entry) = document {
            self.shown.insert(*key, Shown::by(entry));
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
