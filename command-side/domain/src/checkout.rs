//! From what a customer wants to the lines of an order, at the prices of now. Pure: the caller has looked the products up.

use event_schemas::{ProductId, order::OrderItem};

use crate::{Cart, ChangedLine, Product, Refusal, product::Listing, values::Findings};

/// So many pieces of a product, as the customer asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// The product.
    pub product_id: ProductId,
    /// Pieces.
    pub quantity: u32,
}

/// Whether wishes can be looked up at all: some, not too many, each product once, in sensible quantities.
///
/// # Errors
/// When they cannot.
pub fn check(wishes: &[Wish]) -> Result<(), Refusal> {
    let mut findings = Findings::default();
    findings.lines(wishes.iter().map(|wish| (wish.product_id, wish.quantity)));
    findings.into_result()
}

/// The lines of an order for wishes, each with its product.
///
/// # Errors
/// When a product does not exist or is no longer sold.
pub fn from_wishes<'a>(wishes: impl IntoIterator<Item = (Wish, &'a Product)>) -> Result<Vec<OrderItem>, Refusal> {
    let mut findings = Findings::default();
    let mut items = vec![];
    for (index, (wish, product)) in wishes.into_iter().enumerate() {
        let field = || format!("items[{index}].product_id");
        match product {
            Product::Listed(listing) => items.push(item(listing, wish.quantity)),
            Product::Unlisted => findings.add(field(), "there is no such product: check its id"),
            Product::Delisted(_) => findings.add(field(), "is no longer sold: leave it out"),
        }
    }
    findings.into_result()?;
    Ok(items)
}

/// The lines of an order for a cart, each with its product. The customer pays what they saw or is asked again.
///
/// # Errors
/// When the cart is empty, or a product in it is gone or has another price than the customer saw.
pub fn from_cart<'a>(cart: &Cart, product: impl Fn(ProductId) -> &'a Product) -> Result<Vec<OrderItem>, Refusal> {
    if cart.lines().is_empty() {
        let message = "The cart is empty: put something in it, or name the items of the order.";
        return Err(Refusal::invalid("cart-empty", message));
    }
    let (mut items, mut changed) = (vec![], vec![]);
    for (product_id, line) in cart.lines() {
        match product(*product_id).listing() {
            Some(listing) if listing.price == line.unit_price => items.push(item(listing, line.quantity)),
            listing => changed.push(ChangedLine {
                product_id: *product_id,
                title: line.title.clone(),
                was: line.unit_price,
                now: listing.map(|listing| listing.price),
            }),
        }
    }
    if changed.is_empty() {
        Ok(items)
    } else if changed.iter().any(|line| line.now.is_none()) {
        let message = "Some of the cart is no longer sold: take the lines without a price out and order again.";
        Err(Refusal::changed("cart-changed", message, changed))
    } else {
        let message =
            "Prices changed since these products were put in the cart: put them in again to accept the new ones.";
        Err(Refusal::changed("cart-price-changed", message, changed))
    }
}

fn item(listing: &Listing, quantity: u32) -> OrderItem {
    OrderItem {
        product_id: listing.product_id,
        seller_id: listing.seller_id,
        title: listing.title.clone(),
        unit_price: listing.price,
        quantity,
    }
}

#[cfg(test)]
mod tests;
