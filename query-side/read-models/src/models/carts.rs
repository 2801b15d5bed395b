//! A customer's cart.

use event_schemas::{Category, CustomerId, Money, ProductId, ShopEvent, cart::CartEvent};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    documents::{Collection, IndexKeys, Model, StoreError},
    projection::{Fact, Key, Projection, Unexpected},
};

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

/// Fills the carts.
#[derive(Debug, Default)]
pub struct CartsProjection;

impl Projection for CartsProjection {
    type Model = Carts;
    const CATEGORIES: &'static [Category] = &[Category::Cart];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        if let ShopEvent::Cart(event) = fact.event {
            keys.push(event.customer_id());
        }
        Ok(())
    }

    fn apply(&mut self, fact: &Fact<'_>, _: &Key<Self>, document: &mut Option<CartView>) -> Result<bool, Unexpected> {
        let ShopEvent::Cart(event) = fact.event else {
            return Ok(false);
        };
        // Changed aside, so that an event that makes no sense leaves the cart as it was.
        let mut cart = document.clone().unwrap_or_else(CartView::empty);
        match event {
            CartEvent::CartItemSet(set) => {
                let line = CartLine {
                    product_id: set.product_id,
                    title: set.title.clone(),
                    unit_price: set.unit_price,
                    quantity: set.quantity,
                    line_total: set.unit_price.times(set.quantity).map_err(nonsense)?,
                };
                match cart.items.iter_mut().find(|item| item.product_id == set.product_id) {
                    Some(item) => *item = line,
                    None => cart.items.push(line),
                }
            }
            CartEvent::CartItemRemoved(removed) => cart.items.retain(|item| item.product_id != removed.product_id),
            CartEvent::CartCheckedOut(_) => cart.items.clear(),
        }
        cart.total = total(&cart.items)?;
        cart.version = fact.version;
        *document = Some(cart);
        Ok(true)
    }
}

fn total(items: &[CartLine]) -> Result<Money, Unexpected> {
    let mut lines = items.iter().map(|item| item.line_total);
    let first = lines.next().unwrap_or(Money::krw(0));
    lines.try_fold(first, Money::plus).map_err(nonsense)
}

fn nonsense(error: event_schemas::money::MoneyError) -> Unexpected {
    Unexpected::Nonsense(error.to_string())
}
