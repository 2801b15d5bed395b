//! Carts: what customers are about to buy.

pub mod routes;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use domain::{
    Cart, Product, Refusal,
    cart::{CartCommand, CartLine},
};
use event_log::{EventLog, Position};
use event_schemas::{CustomerId, OrderId, ProductId};

use crate::{
    execution::{CommandContext, Execution, Loaded},
    products::{Products, no_such_product},
    services::ServiceError,
};

/// The carts of the shop's customers.
pub struct Carts {
    execution: Execution<Cart>,
    products: Arc<Products>,
}

impl Carts {
    /// Over a log; titles and prices are those of `products`.
    pub fn new(log: Arc<dyn EventLog>, products: Arc<Products>) -> Self {
        Self {
            execution: Execution::new(log),
            products,
        }
    }

    /// A customer's cart as it is now.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn load(&self, customer_id: CustomerId) -> Result<Arc<Loaded<Cart>>, ServiceError> {
        self.execution.load(customer_id.uuid()).await
    }

    /// Has the cart hold so many pieces of a product at its price of now, whatever it held before.
    ///
    /// # Errors
    /// When the product is not sold, the cart has no room, or the log fails.
    pub async fn set_item(
        &self,
        context: &CommandContext,
        customer_id: CustomerId,
        product_id: ProductId,
        quantity: u32,
    ) -> Result<(CartLine, Position), ServiceError> {
        let product = self.products.load(product_id).await?;
        let listing = match &product.state {
            Product::Listed(listing) => listing,
            Product::Unlisted => return Err(no_such_product().into()),
            Product::Delisted(_) => {
                let message = "The product is no longer sold; choose another.";
                return Err(Refusal::conflict("product-delisted", message).into());
            }
        };
        let line = CartLine {
            title: listing.title.clone(),
            unit_price: listing.price,
            quantity,
        };
        let command = CartCommand::SetItem {
            customer_id,
            product_id,
            line: line.clone(),
        };
        let executed = self.execution.execute(customer_id.uuid(), &command, context).await?;
        Ok((line, executed.position))
    }

    /// Takes a product out; does nothing where it is not in.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn remove_item(
        &self,
        context: &CommandContext,
        customer_id: CustomerId,
        product_id: ProductId,
    ) -> Result<Position, ServiceError> {
        let command = CartCommand::RemoveItem {
            customer_id,
            product_id,
        };
        let executed = self.execution.execute(customer_id.uuid(), &command, context).await?;
        Ok(executed.position)
    }

    /// Empties the cart, because it became that order.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn check_out(
        &self,
        context: &CommandContext,
        customer_id: CustomerId,
        order_id: OrderId,
    ) -> Result<(), ServiceError> {
        let command = CartCommand::CheckOut { customer_id, order_id };
        self.execution
            .execute(customer_id.uuid(), &command, context)
            .await
            .map(|_| ())
    }
}
