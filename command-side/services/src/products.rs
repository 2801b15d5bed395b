//! Products: what sellers offer.

pub mod routes;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use domain::{
    Product, Refusal,
    product::{ProductChange, ProductCommand},
};
use event_log::{EventLog, Position, StreamVersion};
use event_schemas::{
    Money, ProductId, SellerId,
    product::{Attributes, ProductListed},
};

use crate::{
    execution::{CommandContext, Executed, Execution, Loaded},
    images::{Images, StoredImage},
    services::ServiceError,
};

/// The products of the shop.
pub struct Products {
    execution: Execution<Product>,
    images: Images,
}

/// What a seller offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListProduct {
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
    pub ean: Option<String>,
}

/// Where a product stands after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The version of its last event: what an `ETag` speaks of.
    pub version: StreamVersion,
    /// The place in the log from which the command's effect is seen.
    pub position: Position,
}

impl Products {
    /// Over a log, with their pictures.
    pub fn new(log: Arc<dyn EventLog>, images: Images) -> Self {
        Self {
            execution: Execution::new(log),
            images,
        }
    }

    /// Their pictures.
    pub const fn images(&self) -> &Images {
        &self.images
    }

    /// A product as it is now.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn load(&self, id: ProductId) -> Result<Arc<Loaded<Product>>, ServiceError> {
        self.execution.load(id.uuid()).await
    }

    /// Offers a product. Its id is derived from the command's.
    ///
    /// # Errors
    /// When something about it is not acceptable, or the log fails.
    pub async fn list_product(
        &self,
        context: &CommandContext,
        product: ListProduct,
    ) -> Result<(ProductId, Stored), ServiceError> {
        let product_id = ProductId::derived(context.command_id, "product");
        let listed = ProductListed {
            product_id,
            seller_id: product.seller_id,
            title: product.title,
            description: product.description,
            brand: product.brand,
            category: product.category,
            attributes: product.attributes,
            price: product.price,
            ean: product.ean,
        };
        let executed = self
            .execution
            .create(product_id.uuid(), &ProductCommand::List(listed), context)
            .await?;
        Ok((product_id, stored(&executed)))
    }

    /// Changes what is said about a product, or its price, if it is still as `condition` wants it.
    ///
    /// # Errors
    /// When there is no such product, a value is not acceptable, what `condition` returns, or the log fails.
    pub async fn change_product(
        &self,
        context: &CommandContext,
        id: ProductId,
        change: ProductChange,
        condition: impl Fn(&Loaded<Product>) -> Result<(), ServiceError> + Send + Sync,
    ) -> Result<Stored, ServiceError> {
        let command = ProductCommand::Change(change);
        let executed = self
            .execution
            .execute_if(id.uuid(), &command, context, condition)
            .await?;
        Ok(stored(&executed))
    }

    /// Withdraws a product, if it is still as `condition` wants it.
    ///
    /// # Errors
    /// As [`Self::change_product`].
    pub async fn delist_product(
        &self,
        context: &CommandContext,
        id: ProductId,
        condition: impl Fn(&Loaded<Product>) -> Result<(), ServiceError> + Send + Sync,
    ) -> Result<Stored, ServiceError> {
        let executed = self
            .execution
            .execute_if(id.uuid(), &ProductCommand::Delist, context, condition)
            .await?;
        Ok(stored(&executed))
    }

    /// Gives a product a picture. The picture is on the disk before the event that speaks of it is.
    ///
    /// # Errors
    /// When there is no such product, the bytes are no picture, or the store or the log fails.
    pub async fn picture_product(
        &self,
        context: &CommandContext,
        id: ProductId,
        picture: Bytes,
    ) -> Result<(StoredImage, Stored), ServiceError> {
        let image = self.images.put(picture).await?;
        let command = ProductCommand::Picture {
            image: image.key.clone(),
            media_type: image.format.media_type().to_owned(),
        };
        let executed = self.execution.execute(id.uuid(), &command, context).await?;
        Ok((image, stored(&executed)))
    }
}

fn stored(executed: &Executed<Product>) -> Stored {
    Stored {
        version: executed.aggregate.version.unwrap_or_default(),
        position: executed.position,
    }
}

/// There is no such product.
pub(crate) fn no_such_product() -> Refusal {
    Refusal::not_found("product-not-found", "There is no such product; check its id.")
}
