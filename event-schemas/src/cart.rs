//! A customer's cart. Stream `cart-<customer id>`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CustomerId, Money, OrderId, ProductId, family::event_family};

event_family! {
    /// What can happen to a cart.
    CartEvent in Cart about customer_id: CustomerId {
        CartItemSet = 1,
        CartItemRemoved = 1,
        CartCheckedOut = 1,
    }
}

/// The cart holds so many pieces of a product, whatever it held before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartItemSet {
    /// Whose cart.
    pub customer_id: CustomerId,
    /// The product.
    pub product_id: ProductId,
    /// Its title as the customer saw it.
    pub title: String,
    /// Its price as the customer saw it: an order at another price is refused until they have seen the new one.
    pub unit_price: Money,
    /// Pieces, at least one.
    pub quantity: u32,
}

/// The product was taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartItemRemoved {
    /// Whose cart.
    pub customer_id: CustomerId,
    /// The product.
    pub product_id: ProductId,
}

/// The cart became an order and is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartCheckedOut {
    /// Whose cart.
    pub customer_id: CustomerId,
    /// The order.
    pub order_id: OrderId,
}
