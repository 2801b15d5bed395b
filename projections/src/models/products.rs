//! The product page: `products`.

use event_schemas::{
    Category, ShopEvent,
    product::{ProductEvent, ProductListed, ProductRevised},
};
use read_models::product_page::{ProductImage, ProductPage, Products, StockView};

use super::stock_levels::{level, levels};
use crate::projection::{Fact, Key, Projection, Unexpected, known};

/// Fills the product pages.
#[derive(Debug, Default)]
pub(crate) struct ProductsProjection;

impl Projection for ProductsProjection {
    type Model = Products;
    const CATEGORIES: &'static [Category] = &[Category::Product, Category::Stock, Category::Reservation];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        match fact.event {
            ShopEvent::Product(event) => keys.push(product_of(event)),
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

/// The product an event is about.
pub(super) fn product_of(event: &ProductEvent) -> event_schemas::ProductId {
    match event {
        ProductEvent::ProductListed(event) => event.product_id,
        ProductEvent::ProductRevised(event) => event.product_id,
        ProductEvent::ProductRepriced(event) => event.product_id,
        ProductEvent::ProductPictured(event) => event.product_id,
        ProductEvent::ProductDelisted(event) => event.product_id,
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
