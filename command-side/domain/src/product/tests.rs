use event_schemas::Currency;

use super::*;
use crate::testing::{Given, given, given_nothing, samples::id};

fn listed() -> ProductListed {
    ProductListed {
        product_id: id(1),
        seller_id: id(2),
        title: "Moon jar, 24 cm".to_owned(),
        description: "Hand-thrown.\n\nWhite porcelain.".to_owned(),
        brand: "Icheon".to_owned(),
        category: "Home/Ceramics".to_owned(),
        attributes: Attributes::from([("colour".to_owned(), AttributeValue::Text("white".to_owned()))]),
        price: Money::krw(129_000),
        ean: Some("4006381333931".to_owned()),
    }
}
fn repriced(price: i64, was: i64) -> ProductEvent {
    ProductRepriced {
        product_id: id(1),
        price: Money::krw(price),
        was: Money::krw(was),
    }
    .into()
}
fn delisted() -> ProductEvent {
    ProductDelisted { product_id: id(1) }.into()
}
fn revised() -> ProductRevised {
    ProductRevised {
        product_id: id(1),
        title: None,
        description: None,
        brand: None,
        category: None,
        attributes: None,
        ean: None,
    }
}
fn pictured() -> ProductEvent {
    ProductPictured {
        product_id: id(1),
        image: "abc.png".to_owned(),
        media_type: "image/png".to_owned(),
    }
    .into()
}
fn picture() -> ProductCommand {
    ProductCommand::Picture {
        image: "abc.png".to_owned(),
        media_type: "image/png".to_owned(),
    }
}
fn change(change: ProductChange) -> ProductCommand {
    ProductCommand::Change(change)
}
fn price(amount: i64) -> ProductChange {
    ProductChange {
        price: Some(Money::krw(amount)),
        ..ProductChange::default()
    }
}
fn titled(title: &str) -> ProductChange {
    ProductChange {
        title: Some(title.to_owned()),
        ..ProductChange::default()
    }
}
fn product(events: impl IntoIterator<Item = ProductEvent>) -> Given<Product> {
    given(events)
}
fn for_sale() -> Given<Product> {
    product([listed().into()])
}

#[test]
fn a_product_is_listed_once() {
    given_nothing::<Product>()
        .when(ProductCommand::List(listed()))
        .then([listed().into()]);
    for_sale().when(ProductCommand::List(listed())).then_nothing();
}

#[test]
fn only_what_changes_is_told() {
    for_sale().when(change(price(99_000))).then([repriced(99_000, 129_000)]);
    for_sale().when(change(price(129_000))).then_nothing();
    for_sale().when(change(titled("Moon jar, 24 cm"))).then_nothing();
    for_sale().when(change(ProductChange::default())).then_nothing();
    let both = ProductChange {
        title: Some("Moon jar".to_owned()),
        brand: Some(String::new()),
        ..price(1)
    };
    let told = ProductRevised {
        title: Some("Moon jar".to_owned()),
        brand: Some(String::new()),
        ..revised()
    };
    for_sale().when(change(both)).then([told.into(), repriced(1, 129_000)]);
}

#[test]
fn a_price_keeps_its_currency() {
    let dollars = ProductChange {
        price: Some(Money::new(100, Currency::USD)),
        ..ProductChange::default()
    };
    for_sale().when(change(dollars)).then_refused_fields(["price.currency"]);
}

#[test]
fn a_picture_is_told_once() {
    for_sale().when(picture()).then([pictured()]);
    product([listed().into(), pictured()]).when(picture()).then_nothing();
}

#[test]
fn a_withdrawn_product_stays_so() {
    for_sale().when(ProductCommand::Delist).then([delisted()]);
    let withdrawn = product([listed().into(), delisted()]);
    withdrawn.when(ProductCommand::Delist).then_nothing();
    withdrawn.when(change(price(1))).then_refused("product-delisted");
    withdrawn.when(picture()).then_refused("product-delisted");
    assert_eq!((withdrawn.0.listing(), withdrawn.0.seller()), (None, Some(id(2))));
}

#[test]
fn nothing_can_be_asked_of_a_product_nobody_listed() {
    for command in [ProductCommand::Delist, picture(), change(price(1))] {
        given_nothing::<Product>()
            .when(command)
            .then_refused("product-not-found");
    }
}

#[test]
fn everything_wrong_with_a_listing_is_told_at_once() {
    let nonsense = ProductListed {
        title: "\u{7}".to_owned(),
        description: "x".repeat(20_001),
        brand: "b".repeat(101),
        category: "Home//Ceramics".to_owned(),
        attributes: Attributes::from([
            (String::new(), AttributeValue::Flag(true)),
            ("colour".to_owned(), AttributeValue::Text("x".repeat(8_001))),
        ]),
        price: Money::krw(-5),
        ean: Some("4006381333930".to_owned()),
        ..listed()
    };
    given_nothing::<Product>()
        .when(ProductCommand::List(nonsense))
        .then_refused_fields([
            "title",
            "description",
            "brand",
            "category",
            "attributes.",
            "attributes.colour",
            "price.amount",
            "ean",
        ]);
    for_sale().when(change(titled("  "))).then_refused_fields(["title"]);
    let many = (0..201)
        .map(|n| (format!("a{n}"), AttributeValue::Flag(true)))
        .collect();
    let many = ProductChange {
        attributes: Some(many),
        category: Some("/".to_owned()),
        ean: Some("1".to_owned()),
        description: Some("\u{0}".to_owned()),
        brand: Some("\n".to_owned()),
        ..price(0)
    };
    for_sale().when(change(many)).then_refused_fields([
        "description",
        "brand",
        "category",
        "attributes",
        "price.amount",
        "ean",
    ]);
}
