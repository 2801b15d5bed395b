//! The product page.

use event_schemas::{
    Category, Money, ProductId, SellerId, ShopEvent, Timestamp,
    product::{Attributes, ProductEvent, ProductListed, ProductRevised},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::stock_levels::{level, levels};
use crate::{
    documents::{Collection, IndexKeys, Model, StoreError},
    paging::{Page, id_bytes},
    projection::{Fact, Key, Projection, Unexpected, known},
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
    ) -> Result<Page<ProductPage>, StoreError> {
        self.page(&id_bytes(seller), after, size).await
    }
}

/// Fills the product pages.
#[derive(Debug, Default)]
pub struct ProductsProjection;

impl Projection for ProductsProjection {
    type Model = Products;
    const CATEGORIES: &'static [Category] = &[Category::Product, Category::Stock, Category::Reservation];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        match fact.event {
            ShopEvent::Product(event) => keys.push(event.product_id()),
            event => keys.extend(levels(event).map(|(product, _)| product)),
        }
        Ok(())
    }

    fn apply(
        &mut self,
        fact: &Fact<'_>,
        key: &Key<Self>,
        document: &mut Option<ProductPage>,
    ) -> Result<bool, Unexpected> {
        let ShopEvent::Product(event) = fact.event else {
            let available = level(fact.event, *key).unwrap_or_default();
            let stock = &mut known(document, "a product")?.stock;
            let changed = stock.available != available;
            stock.available = available;
            return Ok(changed);
        };
        if let ProductEvent::ProductListed(listed) = event {
            let new = document.is_none();
            document.get_or_insert_with(|| page(listed, fact));
            return Ok(new);
        }
        let page = known(document, "a product")?;
        if fact.version <= page.version {
            return Ok(false);
        }
        page.version = fact.version;
        page.updated_at = fact.at;
        match event {
            ProductEvent::ProductListed(_) => {}
            ProductEvent::ProductRevised(revised) => revise(page, revised),
            ProductEvent::ProductRepriced(repriced) => page.price = repriced.price,
            ProductEvent::ProductPictured(pictured) => {
                page.image = Some(ProductImage {
                    key: pictured.image.clone(),
                    media_type: pictured.media_type.clone(),
                });
            }
            ProductEvent::ProductDelisted(_) => page.delisted = true,
        }
        Ok(true)
    }
}

fn page(listed: &ProductListed, fact: &Fact<'_>) -> ProductPage {
    let ProductListed {
        product_id,
        seller_id,
        title,
        description,
        brand,
        category,
        attributes,
        price,
        ean,
    } = listed.clone();
    ProductPage {
        id: product_id,
        seller_id,
        title,
        description,
        brand,
        category,
        attributes,
        price,
        ean,
        image: None,
        stock: StockView::default(),
        version: fact.version,
        listed_at: fact.at,
        updated_at: fact.at,
        delisted: false,
    }
}

fn revise(page: &mut ProductPage, revised: &ProductRevised) {
    set(&mut page.title, &revised.title);
    set(&mut page.description, &revised.description);
    set(&mut page.brand, &revised.brand);
    set(&mut page.category, &revised.category);
    set(&mut page.attributes, &revised.attributes);
    if revised.ean.is_some() {
        page.ean.clone_from(&revised.ean);
    }
}

/// What is absent stays.
pub(super) fn set<T: Clone>(current: &mut T, new: &Option<T>) {
    if let Some(new) = new {
        current.clone_from(new);
    }
}
