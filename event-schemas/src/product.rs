//! A product in the catalogue. Stream `product-<product id>`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ProductId, SellerId, family::event_family, money::Money};

event_family! {
    /// What can happen to a product.
    ProductEvent in Product about product_id: ProductId {
        ProductListed = 2,
        ProductRevised = 1,
        ProductRepriced = 1,
        ProductPictured = 1,
        ProductDelisted = 1,
    }
}

/// The value of an attribute: `"colour": "red"`, `"watts": 60`, `"touchscreen": false`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum AttributeValue {
    /// Yes or no.
    Flag(bool),
    /// A number as it was written.
    Number(serde_json::Number),
    /// Words.
    Text(String),
}

impl utoipa::PartialSchema for AttributeValue {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
        let kinds = SchemaType::from_iter([Type::Boolean, Type::Number, Type::String]);
        ObjectBuilder::new().schema_type(kinds).build().into()
    }
}
impl utoipa::ToSchema for AttributeValue {
    fn name() -> std::borrow::Cow<'static, str> {
        "AttributeValue".into()
    }
}

/// Named properties of a product.
pub type Attributes = BTreeMap<String, AttributeValue>;

/// A product can be found and bought. Version 1 had a bare integer of won as its price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductListed {
    /// The product.
    pub product_id: ProductId,
    /// Who sells it.
    pub seller_id: SellerId,
    /// One line.
    pub title: String,
    /// Some paragraphs, may be empty.
    pub description: String,
    /// The maker's brand, may be empty.
    pub brand: String,
    /// Path of category names, such as `Kitchen/Coffee`, may be empty.
    pub category: String,
    /// Named properties.
    pub attributes: Attributes,
    /// For one piece.
    pub price: Money,
    /// European article number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ean: Option<String>,
}

/// Texts or attributes changed. What is absent stayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductRevised {
    /// The product.
    pub product_id: ProductId,
    /// The new title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The new description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The new brand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The new category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// All attributes from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes>,
    /// The new article number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ean: Option<String>,
}

/// The price changed; orders placed before keep theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductRepriced {
    /// The product.
    pub product_id: ProductId,
    /// From now on.
    pub price: Money,
    /// Until now.
    pub was: Money,
}

/// The product has a (new) picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductPictured {
    /// The product.
    pub product_id: ProductId,
    /// The picture's key in the blob store; changes with its content.
    pub image: String,
    /// Such as `image/png`.
    pub media_type: String,
}

/// The product can no longer be found or bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductDelisted {
    /// The product.
    pub product_id: ProductId,
}
