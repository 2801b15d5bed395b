//! A product in the catalogue. Stream `product-<product id>`.

use event_schemas::{
    Money, ProductId, SellerId,
    product::{
        AttributeValue, Attributes, ProductDelisted, ProductEvent, ProductListed, ProductPictured, ProductRepriced,
        ProductRevised,
    },
};

use crate::{Aggregate, Refusal, values::Findings};

/// A product: not listed yet, for sale, or withdrawn for good.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Product {
    /// Nobody listed it.
    #[default]
    Unlisted,
    /// For sale.
    Listed(Listing),
    /// Withdrawn. The end.
    Delisted(Listing),
}

/// What the shop must remember of a product to sell it. Texts that only readers want are not kept here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Its id.
    pub product_id: ProductId,
    /// Who sells it.
    pub seller_id: SellerId,
    /// One line.
    pub title: String,
    /// For one piece.
    pub price: Money,
    /// Its picture's key in the blob store.
    pub image: Option<String>,
}

/// What can be asked of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductCommand {
    /// Offer it.
    List(ProductListed),
    /// Change what is said about it, its price, or both; all or nothing.
    Change(ProductChange),
    /// Give it a picture that is in the blob store.
    Picture {
        /// The picture's key.
        image: String,
        /// Such as `image/png`.
        media_type: String,
    },
    /// Withdraw it.
    Delist,
}

/// What changes; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductChange {
    /// The new title.
    pub title: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// The new brand.
    pub brand: Option<String>,
    /// The new category.
    pub category: Option<String>,
    /// All attributes from now on.
    pub attributes: Option<Attributes>,
    /// The new article number.
    pub ean: Option<String>,
    /// The new price, in the currency it was listed in.
    pub price: Option<Money>,
}

impl Product {
    /// What is for sale, if it is.
    pub const fn listing(&self) -> Option<&Listing> {
        match self {
            Self::Listed(listing) => Some(listing),
            _ => None,
        }
    }

    /// Who sells it or sold it.
    pub const fn seller(&self) -> Option<SellerId> {
        match self {
            Self::Unlisted => None,
            Self::Listed(listing) | Self::Delisted(listing) => Some(listing.seller_id),
        }
    }
}

impl Aggregate for Product {
    type Event = ProductEvent;
    type Command = ProductCommand;

    fn evolve(&mut self, event: &ProductEvent) {
        if let ProductEvent::ProductListed(listed) = event {
            *self = Self::Listed(Listing {
                product_id: listed.product_id,
                seller_id: listed.seller_id,
                title: listed.title.clone(),
                price: listed.price,
                image: None,
            });
        }
        let Self::Listed(listing) = self else { return };
        match event {
            ProductEvent::ProductListed(_) => {}
            ProductEvent::ProductRevised(revised) => {
                if let Some(title) = &revised.title {
                    listing.title.clone_from(title);
                }
            }
            ProductEvent::ProductRepriced(repriced) => listing.price = repriced.price,
            ProductEvent::ProductPictured(pictured) => listing.image = Some(pictured.image.clone()),
            ProductEvent::ProductDelisted(_) => *self = Self::Delisted(listing.clone()),
        }
    }

    fn decide(&self, command: &ProductCommand) -> Result<Vec<ProductEvent>, Refusal> {
        match (self, command) {
            (Self::Unlisted, ProductCommand::List(listed)) => {
                check_listed(listed)?;
                Ok(vec![listed.clone().into()])
            }
            (Self::Unlisted, _) => Err(Refusal::not_found(
                "product-not-found",
                "There is no such product; check its id.",
            )),
            (_, ProductCommand::List(_)) | (Self::Delisted(_), ProductCommand::Delist) => Ok(vec![]),
            (Self::Delisted(_), _) => Err(Refusal::conflict(
                "product-delisted",
                "The product was withdrawn and cannot be changed any more; list it anew.",
            )),
            (Self::Listed(listing), ProductCommand::Change(change)) => listing.decide_change(change),
            (Self::Listed(listing), ProductCommand::Picture { image, media_type }) => {
                listing.decide_picture(image, media_type)
            }
            (Self::Listed(listing), ProductCommand::Delist) => {
                let product_id = listing.product_id;
                Ok(vec![ProductDelisted { product_id }.into()])
            }
        }
    }
}

impl Listing {
    fn decide_change(&self, change: &ProductChange) -> Result<Vec<ProductEvent>, Refusal> {
        check_change(change)?;
        if let Some(price) = change.price
            && price.currency != self.price.currency
        {
            let message = format!("must stay {}: carts and orders hold prices in it", self.price.currency);
            return Err(Refusal::field("price.currency", message));
        }
        let revised = ProductRevised {
            product_id: self.product_id,
            title: change.title.clone().filter(|title| *title != self.title),
            description: change.description.clone(),
            brand: change.brand.clone(),
            category: change.category.clone(),
            attributes: change.attributes.clone(),
            ean: change.ean.clone(),
        };
        let repriced = change
            .price
            .filter(|price| *price != self.price)
            .map(|price| ProductRepriced {
                product_id: self.product_id,
                price,
                was: self.price,
            });
        let mut events = vec![];
        if says_something(&revised) {
            events.push(revised.into());
        }
        events.extend(repriced.map(ProductEvent::from));
        Ok(events)
    }

    fn decide_picture(&self, image: &str, media_type: &str) -> Result<Vec<ProductEvent>, Refusal> {
        if self.image.as_deref() == Some(image) {
            return Ok(vec![]);
        }
        let mut findings = Findings::default();
        findings.line("image", image, 200);
        findings.line("media_type", media_type, 100);
        findings.into_result()?;
        let pictured = ProductPictured {
            product_id: self.product_id,
            image: image.to_owned(),
            media_type: media_type.to_owned(),
        };
        Ok(vec![pictured.into()])
    }
}

const fn says_something(revised: &ProductRevised) -> bool {
    revised.title.is_some()
        || revised.description.is_some()
        || revised.brand.is_some()
        || revised.category.is_some()
        || revised.attributes.is_some()
        || revised.ean.is_some()
}

fn check_listed(listed: &ProductListed) -> Result<(), Refusal> {
    let mut findings = Findings::default();
    findings.line("title", &listed.title, 300);
    findings.paragraphs("description", &listed.description, 20_000);
    findings.line_or_empty("brand", &listed.brand, 100);
    check_category(&mut findings, &listed.category);
    check_attributes(&mut findings, &listed.attributes);
    findings.price("price", listed.price);
    if let Some(ean) = &listed.ean {
        findings.ean("ean", ean);
    }
    findings.into_result()
}

fn check_change(change: &ProductChange) -> Result<(), Refusal> {
    let mut findings = Findings::default();
    if let Some(title) = &change.title {
        findings.line("title", title, 300);
    }
    if let Some(description) = &change.description {
        findings.paragraphs("description", description, 20_000);
    }
    if let Some(brand) = &change.brand {
        findings.line_or_empty("brand", brand, 100);
    }
    if let Some(category) = &change.category {
        check_category(&mut findings, category);
    }
    if let Some(attributes) = &change.attributes {
        check_attributes(&mut findings, attributes);
    }
    if let Some(price) = change.price {
        findings.price("price", price);
    }
    if let Some(ean) = &change.ean {
        findings.ean("ean", ean);
    }
    findings.into_result()
}

fn check_category(findings: &mut Findings, category: &str) {
    findings.line_or_empty("category", category, 200);
    if !category.is_empty() && category.split('/').any(|name| name.trim().is_empty()) {
        findings.add(
            "category",
            "must be names parted by single slashes, such as Kitchen/Coffee",
        );
    }
}

fn check_attributes(findings: &mut Findings, attributes: &Attributes) {
    if attributes.len() > 200 {
        findings.add("attributes", "must be at most 200");
    }
    for (name, value) in attributes.iter().take(200) {
        // The name itself may be what is wrong with it: it is shown shortened.
        let field = format!(
            "attributes.{}",
            name.chars().take(100).collect::<String>().escape_debug()
        );
        findings.line(&field, name, 100);
        if let AttributeValue::Text(text) = value {
            findings.paragraphs(&field, text, 8_000);
        }
    }
}

#[cfg(test)]
mod tests;
