use event_schemas::{
    Money,
    cart::{CartEvent, CartItemSet},
    product::{Attributes, ProductDelisted, ProductEvent, ProductListed},
};

use super::*;
use crate::testing::{
    given,
    samples::{id, item},
};

fn product(n: u128, price: i64) -> Product {
    given::<Product>([listed(n, price)]).0
}
fn withdrawn(n: u128) -> Product {
    given::<Product>([listed(n, 1), ProductDelisted { product_id: id(n) }.into()]).0
}
fn listed(n: u128, price: i64) -> ProductEvent {
    ProductListed {
        product_id: id(n),
        seller_id: id(5),
        title: "Moon jar".to_owned(),
        description: String::new(),
        brand: String::new(),
        category: String::new(),
        attributes: Attributes::new(),
        price: Money::krw(price),
        ean: None,
    }
    .into()
}
fn cart(lines: impl IntoIterator<Item = (u128, i64, u32)>) -> Cart {
    let set = |(product, price, quantity)| -> CartEvent {
        CartItemSet {
            customer_id: id(1),
            product_id: id(product),
            title: "Moon jar".to_owned(),
            unit_price: Money::krw(price),
            quantity,
        }
        .into()
    };
    given::<Cart>(lines.into_iter().map(set)).0
}
fn wish(n: u128, quantity: u32) -> Wish {
    Wish {
        product_id: id(n),
        quantity,
    }
}

#[test]
fn wishes_are_bought_at_the_price_of_now() {
    let (jar, cup) = (product(10, 129_000), product(11, 5_000));
    let items = from_wishes([(wish(10, 2), &jar), (wish(11, 1), &cup)]);
    assert_eq!(items, Ok(vec![item(10, 129_000, 2), item(11, 5_000, 1)]));
}

#[test]
fn wishes_for_what_is_not_sold_are_refused_by_line() {
    let (jar, nothing, gone) = (product(10, 1), Product::default(), withdrawn(12));
    let refusal = from_wishes([(wish(10, 1), &jar), (wish(11, 1), &nothing), (wish(12, 1), &gone)]).unwrap_err();
    let fields: Vec<_> = refusal.fields.iter().map(|refused| refused.field.as_str()).collect();
    assert_eq!(fields, ["items[1].product_id", "items[2].product_id"]);
}

#[test]
fn wishes_are_checked_before_anything_is_looked_up() {
    assert!(check(&[wish(10, 1), wish(11, 999)]).is_ok());
    for wishes in [&[][..], &[wish(10, 0)], &[wish(10, 1), wish(10, 1)], &[wish(10, 1); 51]] {
        assert_eq!(check(wishes).unwrap_err().code, "validation", "{wishes:?}");
    }
}

#[test]
fn a_cart_is_bought_at_the_prices_the_customer_saw() {
    let jar = product(10, 129_000);
    assert_eq!(
        from_cart(&cart([(10, 129_000, 2)]), |_| &jar),
        Ok(vec![item(10, 129_000, 2)])
    );
}

#[test]
fn a_cart_with_another_price_or_a_product_gone_is_shown_again() {
    let (jar, gone) = (product(10, 130_000), withdrawn(11));
    let refusal = from_cart(&cart([(10, 129_000, 2)]), |_| &jar).unwrap_err();
    assert_eq!(refusal.code, "cart-price-changed");
    let changed = ChangedLine {
        product_id: id(10),
        title: "Moon jar".to_owned(),
        was: Money::krw(129_000),
        now: Some(Money::krw(130_000)),
    };
    assert_eq!(refusal.lines, std::slice::from_ref(&changed));

    let both = cart([(10, 129_000, 2), (11, 5, 1)]);
    let refusal = from_cart(&both, |product| if product == id(10) { &jar } else { &gone }).unwrap_err();
    assert_eq!(refusal.code, "cart-changed");
    let gone = ChangedLine {
        product_id: id(11),
        was: Money::krw(5),
        now: None,
        ..changed.clone()
    };
    assert_eq!(refusal.lines, [changed, gone]);
}

#[test]
fn an_empty_cart_is_no_order() {
    let nothing = Product::default();
    assert_eq!(
        from_cart(&Cart::default(), |_| &nothing).unwrap_err().code,
        "cart-empty"
    );
}
