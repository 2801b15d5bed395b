//! What the catalogue knows of a product.

use event_schemas::{Money, ProductId, Timestamp, product::Attributes};
use serde::{Deserialize, Serialize};

use crate::documents::{IndexKeys, Model};

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
