//! A customer's cart.

use event_schemas::{CustomerId, Money, ProductId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::documents::{Collection, IndexKeys, Model, StoreError};

/// The answer to `GET cart`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CartView {
    /// In the order they were first put in.
    pub items: Vec<CartLine>,
    /// The sum of the items.
    pub total: Money,
    /// The version of the cart's stream; 0 also for a cart nobody ever used.
    pub version: u64,
}

/// One line of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CartLine {
    /// The product.
    pub product_id: ProductId,
    /// Its title as the customer saw it.
    pub title: String,
    /// Its price as the customer saw it.
    pub unit_price: Money,
    /// Pieces.
    pub quantity: u32,
    /// For all pieces.
    pub line_total: Money,
}

impl CartView {
    /// A cart with nothing in it.
    pub const fn empty() -> Self {
        Self {
            items: vec![],
            total: Money::krw(0),
            version: 0,
        }
    }
}

/// The read model `carts`.
#[derive(Debug, Clone, Copy)]
pub enum Carts {}

impl Model for Carts {
    const NAME: &'static str = "carts";
    type Key = CustomerId;
    type Document = CartView;

    fn index(_: &CartView) -> IndexKeys {
        vec![]
    }
}

impl Collection<Carts> {
    /// A customer's cart; an empty one for a customer who never put anything in.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of_customer(&self, id: CustomerId) -> Result<CartView, StoreError> {
        Ok(self.get(&id).await?.unwrap_or_else(CartView::empty))
    }
}
