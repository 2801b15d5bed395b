//! The product page.

use event_schemas::{Money, ProductId, SellerId, Timestamp, product::Attributes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    documents::{Collection, IndexKeys, Model, StoreError},
    paging::id_bytes,
};

/// A product as its page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductPage {
    /// The product.
    pub id: ProductId,
    /// Who sells it.
    pub seller_id: SellerId,
    /// One line.
    pub title: String,
    /// Some paragraphs, may be empty.
    pub description: String,
    /// The maker's brand, may be empty.
    pub brand: String,
    /// Path of category names, such as `Kitchen/Coffee`.
    pub category: String,
    /// Named properties.
    #[schema(value_type = std::collections::BTreeMap<String, event_schemas::product::AttributeValue>)]
    pub attributes: Attributes,
    /// For one piece.
    pub price: Money,
    /// European article number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ean: Option<String>,
    /// Its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ProductImage>,
    /// What can be bought now.
    pub stock: StockView,
    /// The version of the product's stream: its `ETag`. Stock does not change it.
    pub version: u64,
    /// Since when it can be bought.
    pub listed_at: Timestamp,
    /// When its texts, price or picture last changed.
    pub updated_at: Timestamp,
    /// It can no longer be bought; kept so that old orders can still name it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delisted: bool,
}

/// A product's picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductImage {
    /// The picture's key in the blob store; changes with its content.
    pub key: String,
    /// Such as `image/png`.
    pub media_type: String,
}

/// What can be bought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockView {
    /// Pieces.
    pub available: u64,
}

/// The read model `products`.
#[derive(Debug, Clone, Copy)]
pub enum Products {}

impl Model for Products {
    const NAME: &'static str = "products";
    type Key = ProductId;
    type Document = ProductPage;

    fn index(product: &ProductPage) -> IndexKeys {
        // A seller's products, as the console lists them.
        vec![[id_bytes(product.seller_id), id_bytes(product.id)].concat()]
    }
}

impl Collection<Products> {
    /// A product, also one that was delisted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn product(&self, id: ProductId) -> Result<Option<ProductPage>, StoreError> {
        self.get(&id).await
    }

    /// A seller's products in the order of their ids, the delisted ones with them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of_seller(
        &self,
        seller: SellerId,
        after: Option<&[u8]>,
        size: usize,
    ) -> Result<crate::Page<ProductPage>, StoreError> {
        self.page(&id_bytes(seller), after, size).await
    }
}
