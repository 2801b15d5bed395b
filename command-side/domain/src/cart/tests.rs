use event_schemas::Currency;

use super::*;
use crate::testing::{Given, given, given_nothing, samples::id};

fn line(price: i64, quantity: u32) -> CartLine {
    CartLine {
        title: "Moon jar".to_owned(),
        unit_price: Money::krw(price),
        quantity,
    }
}
fn set(product: u128, price: i64, quantity: u32) -> CartEvent {
    CartItemSet {
        customer_id: id(1),
        product_id: id(product),
        title: "Moon jar".to_owned(),
        unit_price: Money::krw(price),
        quantity,
    }
    .into()
}
fn set_item(product: u128, line: CartLine) -> CartCommand {
    CartCommand::SetItem {
        customer_id: id(1),
        product_id: id(product),
        line,
    }
}
fn removed(product: u128) -> CartEvent {
    CartItemRemoved {
        customer_id: id(1),
        product_id: id(product),
    }
    .into()
}
fn remove(product: u128) -> CartCommand {
    CartCommand::RemoveItem {
        customer_id: id(1),
        product_id: id(product),
    }
}
fn checked_out(order: u128) -> CartEvent {
    CartCheckedOut {
        customer_id: id(1),
        order_id: id(order),
    }
    .into()
}
fn check_out(order: u128) -> CartCommand {
    CartCommand::CheckOut {
        customer_id: id(1),
        order_id: id(order),
    }
}
fn cart(events: impl IntoIterator<Item = CartEvent>) -> Given<Cart> {
    given(events)
}

#[test]
fn a_product_is_put_in_changed_and_taken_out() {
    given_nothing::<Cart>()
        .when(set_item(10, line(100, 2)))
        .then([set(10, 100, 2)]);
    cart([set(10, 100, 2)])
        .when(set_item(10, line(100, 3)))
        .then([set(10, 100, 3)]);
    cart([set(10, 100, 2)]).when(remove(10)).then([removed(10)]);
}

#[test]
fn what_the_cart_holds_already_changes_nothing() {
    cart([set(10, 100, 2)]).when(set_item(10, line(100, 2))).then_nothing();
    given_nothing::<Cart>().when(remove(10)).then_nothing();
    cart([set(10, 100, 2), checked_out(7)]).when(remove(10)).then_nothing();
}

#[test]
fn putting_it_in_again_accepts_the_new_price() {
    cart([set(10, 100, 2)])
        .when(set_item(10, line(120, 2)))
        .then([set(10, 120, 2)]);
}

#[test]
fn a_cart_becomes_an_order_once() {
    cart([set(10, 100, 2)]).when(check_out(7)).then([checked_out(7)]);
    let next_wishes = cart([set(10, 100, 2), checked_out(7), set(11, 50, 1)]);
    next_wishes.when(check_out(7)).then_nothing();
    next_wishes.when(check_out(8)).then([checked_out(8)]);
}

#[test]
fn quantities_prices_and_currencies_are_checked() {
    let empty = given_nothing::<Cart>();
    empty.when(set_item(10, line(100, 0))).then_refused_fields(["quantity"]);
    empty
        .when(set_item(10, line(100, 1000)))
        .then_refused_fields(["quantity"]);
    empty
        .when(set_item(10, line(0, 1)))
        .then_refused_fields(["unit_price.amount"]);
    let dollars = CartLine {
        unit_price: Money::new(100, Currency::USD),
        ..line(1, 1)
    };
    cart([set(10, 100, 1)])
        .when(set_item(11, dollars.clone()))
        .then_refused("mixed-currencies");
    // Its own line may change its currency: nothing else is there to disagree.
    assert!(cart([set(11, 100, 1)]).0.decide(&set_item(11, dollars)).is_ok());
}

#[test]
fn a_cart_holds_fifty_products() {
    let full = cart((0..50).map(|product| set(product, 100, 1)));
    full.when(set_item(50, line(100, 1))).then_refused("cart-full");
    full.when(set_item(49, line(100, 2))).then([set(49, 100, 2)]);
}
