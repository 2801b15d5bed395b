//! A customer's cart. Stream `cart-<customer id>`.

use std::collections::{BTreeMap, VecDeque};

use event_schemas::{
    CustomerId, Money, OrderId, ProductId,
    cart::{CartCheckedOut, CartEvent, CartItemRemoved, CartItemSet},
};

use crate::{
    Aggregate, Refusal,
    values::{Findings, MAX_LINES, sum},
};

/// A cart: what the customer wants, at the prices the customer saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cart {
    lines: BTreeMap<ProductId, CartLine>,
    checked_out: VecDeque<OrderId>,
}

/// How many orders a cart remembers that it became. A check-out that is repeated later than that would empty the cart
/// again; the place-order saga repeats its own within minutes, and with the same command id at that.
const REMEMBERED_ORDERS: usize = 32;

/// One product in a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartLine {
    /// Its title as the customer saw it.
    pub title: String,
    /// Its price as the customer saw it.
    pub unit_price: Money,
    /// Pieces.
    pub quantity: u32,
}

/// What can be asked of a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartCommand {
    /// Hold so many pieces of a product, whatever the cart held before.
    SetItem {
        /// Whose cart.
        customer_id: CustomerId,
        /// The product.
        product_id: ProductId,
        /// What the customer sees.
        line: CartLine,
    },
    /// Take a product out.
    RemoveItem {
        /// Whose cart.
        customer_id: CustomerId,
        /// The product.
        product_id: ProductId,
    },
    /// Empty the cart, because it became this order.
    CheckOut {
        /// Whose cart.
        customer_id: CustomerId,
        /// The order.
        order_id: OrderId,
    },
}

impl Cart {
    /// What is inside.
    pub const fn lines(&self) -> &BTreeMap<ProductId, CartLine> {
        &self.lines
    }

    /// What all of it costs at the prices the customer saw; nothing for an empty cart.
    ///
    /// # Errors
    /// When the sum is beyond counting.
    pub fn total(&self) -> Result<Option<Money>, Refusal> {
        sum(self.lines.values().map(|line| (line.unit_price, line.quantity)))
    }

    fn check_set(&self, product_id: ProductId, line: &CartLine) -> Result<(), Refusal> {
        let mut findings = Findings::default();
        findings.line("title", &line.title, 300);
        findings.price("unit_price", line.unit_price);
        findings.quantity("quantity", line.quantity);
        findings.into_result()?;
        let mut others = self
            .lines
            .iter()
            .filter(|(product, _)| **product != product_id)
            .map(|(_, line)| line);
        if others.clone().count() >= MAX_LINES {
            return Err(Refusal::conflict(
                "cart-full",
                format!("The cart holds {MAX_LINES} products, and no more fit; order these first or take some out."),
            ));
        }
        if let Some(other) = others.find(|other| other.unit_price.currency != line.unit_price.currency) {
            return Err(Refusal::conflict(
                "mixed-currencies",
                format!(
                    "The cart holds goods sold in {}, this one is sold in {}; order those first or take them out.",
                    other.unit_price.currency, line.unit_price.currency
                ),
            ));
        }
        Ok(())
    }
}

impl Aggregate for Cart {
    type Event = CartEvent;
    type Command = CartCommand;

    fn evolve(&mut self, event: &CartEvent) {
        match event {
            CartEvent::CartItemSet(set) => {
                let line = CartLine {
                    title: set.title.clone(),
                    unit_price: set.unit_price,
                    quantity: set.quantity,
                };
                self.lines.insert(set.product_id, line);
            }
            CartEvent::CartItemRemoved(removed) => {
                self.lines.remove(&removed.product_id);
            }
            CartEvent::CartCheckedOut(checked_out) => {
                self.lines.clear();
                if self.checked_out.len() == REMEMBERED_ORDERS {
                    self.checked_out.pop_front();
                }
                self.checked_out.push_back(checked_out.order_id);
            }
        }
    }

    fn decide(&self, command: &CartCommand) -> Result<Vec<CartEvent>, Refusal> {
        let event: CartEvent = match command {
            CartCommand::SetItem { product_id, line, .. } if self.lines.get(product_id) == Some(line) => {
                return Ok(vec![]);
            }
            CartCommand::SetItem {
                customer_id,
                product_id,
                line,
            } => {
                self.check_set(*product_id, line)?;
                CartItemSet {
                    customer_id: *customer_id,
                    product_id: *product_id,
                    title: line.title.clone(),
                    unit_price: line.unit_price,
                    quantity: line.quantity,
                }
                .into()
            }
            CartCommand::RemoveItem { product_id, .. } if !self.lines.contains_key(product_id) => return Ok(vec![]),
            CartCommand::RemoveItem {
                customer_id,
                product_id,
            } => CartItemRemoved {
                customer_id: *customer_id,
                product_id: *product_id,
            }
            .into(),
            CartCommand::CheckOut { order_id, .. } if self.checked_out.contains(order_id) => return Ok(vec![]),
            CartCommand::CheckOut { customer_id, order_id } => CartCheckedOut {
                customer_id: *customer_id,
                order_id: *order_id,
            }
            .into(),
        };
        Ok(vec![event])
    }
}

#[cfg(test)]
mod tests;
