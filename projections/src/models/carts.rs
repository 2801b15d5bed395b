//! Carts: `carts`.

use event_schemas::{Category, Money, ShopEvent, cart::CartEvent};
use read_models::carts::{CartLine, CartView, Carts};

use crate::projection::{Fact, Key, Projection, Unexpected};

/// Fills the carts.
#[derive(Debug, Default)]
pub(crate) struct CartsProjection;

impl Projection for CartsProjection {
    type Model = Carts;
    const CATEGORIES: &'static [Category] = &[Category::Cart];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        if let ShopEvent::Cart(event) = fact.event {
            keys.push(match event {
                CartEvent::CartItemSet(event) => event.customer_id,
                CartEvent::CartItemRemoved(event) => event.customer_id,
                CartEvent::CartCheckedOut(event) => event.customer_id,
            });
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
