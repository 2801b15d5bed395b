//! Which of the products found comes first.

use super::shelf::{Shelf, product, text};
use crate::catalogue::{CatalogueEntry, SearchEngine};

/// Which of the products found comes first.
pub async fn ranking(engine: &dyn SearchEngine) {
    the_title_says_most(engine).await;
    whoever_has_more_of_the_words_comes_first(engine).await;
    a_code_names_one_product(engine).await;
    what_cannot_be_bought_comes_behind_what_can(engine).await;
    saying_a_word_again_does_not_pay(engine).await;
    naming_everything_does_not_pay(engine).await;
}

async fn the_title_says_most(engine: &dyn SearchEngine) {
    let mentioned = CatalogueEntry {
        description: "A desk for a lamp, a second lamp and one more lamp.".to_owned(),
        ..product("Desk")
    };
    let shelf = Shelf::with(engine, [mentioned, product("Lamp")]).await;
    assert_eq!(shelf.titles("lamp").await, ["Lamp", "Desk"]);
}

async fn whoever_has_more_of_the_words_comes_first(engine: &dyn SearchEngine) {
    let titles = ["Red steel kettle", "Kettle", "Steel kettle", "Red scarf"];
    let shelf = Shelf::with(engine, titles.map(product)).await;
    let found = shelf.titles("red steel kettle").await;
    assert_eq!(found[..2], ["Red steel kettle", "Steel kettle"]);
    assert_eq!(found.len(), 4);
}

async fn a_code_names_one_product(engine: &dyn SearchEngine) {
    let titles = [
        "Notebook bag",
        "HP dv7-1211ea notebook",
        "HP notebook dv6-1200ea notebook",
    ];
    let shelf = Shelf::with(engine, titles.map(product)).await;
    assert_eq!(
        shelf.titles("hp notebook dv7-1211ea").await[0],
        "HP dv7-1211ea notebook"
    );
}

async fn what_cannot_be_bought_comes_behind_what_can(engine: &dyn SearchEngine) {
    let gone = |title: &str| CatalogueEntry {
        in_stock: false,
        ..product(title)
    };
    let products = [
        gone("Glass teapot"),
        product("Glass teapot"),
        gone("Teapot warmer"),
        gone("Cast iron pan"),
        product("Wooden spoon for the pan"),
    ];
    let shelf = Shelf::with(engine, products).await;
    let results = shelf.search(&super::shelf::wanted("glass teapot")).await;
    let stock: Vec<_> = results.hits.iter().map(|hit| hit.in_stock).collect();
    assert_eq!(stock, [true, false, false], "it is found all the same");
    assert_eq!(
        shelf.titles("cast iron pan").await[0],
        "Cast iron pan",
        "what was looked for, though sold out, is before what hardly compares"
    );
}

/// Keyword stuffing: a word said ten times is said once.
async fn saying_a_word_again_does_not_pay(engine: &dyn SearchEngine) {
    let honest = CatalogueEntry {
        description: "Charges a phone in an hour.".to_owned(),
        ..product("USB charger")
    };
    let in_the_title = product("USB charger charger charger usb charger usb charger charger cable");
    let in_the_description = CatalogueEntry {
        description: "usb charger ".repeat(200),
        ..product("Lanyard with clip")
    };
    let in_the_attributes = CatalogueEntry {
        attributes: (0..40)
            .map(|number| text(&format!("tag {number}"), "usb charger"))
            .collect(),
        ..product("Sticker")
    };
    let others = (0..20).map(|number| product(&format!("Mug number {number}")));
    let shelf = Shelf::with(engine, [in_the_title, in_the_description, in_the_attributes, honest]).await;
    shelf.put(others).await;
    for text in ["usb charger", "charger"] {
        let found = shelf.titles(text).await;
        assert_eq!(
            found.first().map(String::as_str),
            Some("USB charger"),
            "{text}: {found:?}"
        );
    }
}

/// Keyword stuffing: a title that names every brand there is.
async fn naming_everything_does_not_pay(engine: &dyn SearchEngine) {
    let products = [
        product("Case cover pouch strap for Samsung Nokia Sony Philips Siemens phone tablet camera watch"),
        CatalogueEntry {
            brand: "Samsung".to_owned(),
            ..product("Samsung phone")
        },
        CatalogueEntry {
            brand: "Nokia".to_owned(),
            ..product("Nokia phone")
        },
    ];
    let shelf = Shelf::with(engine, products).await;
    assert_eq!(shelf.titles("samsung phone").await[0], "Samsung phone");
    assert_eq!(shelf.titles("nokia phone").await[0], "Nokia phone");
}
