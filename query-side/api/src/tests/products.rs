use std::collections::BTreeSet;

use event_schemas::product::{AttributeValue, Attributes};
use read_models::{
    carts::{CartLine, CartView},
    catalogue::CatalogueEntry,
    products::{ProductImage, ProductPage, StockView},
};

use super::*;

fn product(title: &str) -> ProductPage {
    ProductPage {
        id: ProductId::fresh(),
        seller_id: SellerId::fresh(),
        title: title.to_owned(),
        description: "For filter coffee.".to_owned(),
        brand: "Onggi".to_owned(),
        category: "Kitchen/Coffee".to_owned(),
        attributes: Attributes::new(),
        price: Money::krw(12_900),
        ean: None,
        image: Some(ProductImage {
            key: "0a1b.png".to_owned(),
            media_type: "image/png".to_owned(),
        }),
        stock: StockView { available: 3 },
        version: 4,
        listed_at: Timestamp::from_millis(1),
        updated_at: Timestamp::from_millis(2),
        delisted: false,
    }
}

fn entry(number: i64) -> CatalogueEntry {
    CatalogueEntry {
        id: ProductId::fresh(),
        title: format!("Coffee dripper {number}"),
        description: String::new(),
        brand: if number % 2 == 0 { "Onggi" } else { "Hario" }.to_owned(),
        category: "Kitchen/Coffee".to_owned(),
        attributes: Attributes::new(),
        price: Money::krw(1_000 * number),
        ean: None,
        image: None,
        in_stock: number % 3 != 0,
        listed_at: Timestamp::from_millis(number),
        popularity: 0,
    }
}

#[tokio::test]
async fn a_product_page_has_stock_picture_and_etag() {
    let shop = shop().await;
    let dripper = product("Dripper");
    fill(shop.models.products(), [(dripper.id, dripper.clone())]).await;
    let answer = shop.get(&format!("products/{}", dripper.id)).await;
    assert_eq!((answer.0, answer.header("etag")), (200, Some("\"v4\"")));
    assert_eq!(
        (&answer.2["title"], &answer.2["stock"]["available"]),
        (&"Dripper".into(), &3.into())
    );
    assert_eq!(
        (&answer.2["price"]["amount"], &answer.2["image_url"]),
        (&12_900.into(), &"/images/0a1b.png".into())
    );
}

#[tokio::test]
async fn a_product_that_is_not_there_or_gone_is_not_found() {
    let shop = shop().await;
    let gone = ProductPage {
        delisted: true,
        ..product("Old dripper")
    };
    fill(shop.models.products(), [(gone.id, gone.clone())]).await;
    assert_eq!(
        shop.get(&format!("products/{}", gone.id)).await.problem(),
        (404, "product-delisted")
    );
    assert_eq!(
        shop.get(&format!("products/{}", ProductId::fresh())).await.problem(),
        (404, "not-found")
    );
    assert_eq!(shop.get("products/one").await.problem(), (404, "not-found"));
}

#[tokio::test]
async fn a_search_is_walked_page_by_page_and_filtered() {
    let shop = shop().await;
    let entries: Vec<_> = (1..=25).map(entry).collect();
    fill(
        shop.models.catalogue(),
        entries.iter().map(|entry| (entry.id, entry.clone())),
    )
    .await;
    let nobody = someone(&[]);
    for sort in ["relevance", "price_asc", "price_desc", "newest", "popularity"] {
        let path = format!("search?q=coffee&size=10&sort={sort}");
        let walked = shop.walk(&nobody, &path, "hits").await;
        assert_eq!(walked.len(), 25, "{sort}");
        assert_eq!(
            walked.iter().collect::<BTreeSet<_>>().len(),
            25,
            "{sort}: one was shown twice"
        );
    }
    let filtered = shop
        .get("search?brand=Onggi&min_price=4000&max_price=8000&in_stock=true&sort=price_asc")
        .await;
    let prices: Vec<_> = filtered.2["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| hit["price"]["amount"].as_i64())
        .collect();
    assert_eq!(
        (&filtered.2["total"], prices),
        (&2.into(), vec![Some(4_000), Some(8_000)])
    );
    let brands = serde_json::json!([{ "value": "Hario", "count": 2 }, { "value": "Onggi", "count": 2 }]);
    assert_eq!(filtered.2["facets"]["brand"], brands, "what another brand would bring");
    assert_eq!(
        shop.get("search").await.2["total"],
        25,
        "nothing asked for is everything"
    );
    assert_eq!(shop.get("search?q=&category=&brand=&min_price=").await.2["total"], 25);
}

#[tokio::test]
async fn several_brands_and_values_of_attributes_are_asked_for() {
    let shop = shop().await;
    let coloured = |number: i64| {
        let colour = ["red", "dark green", "blue"][usize::try_from(number % 3).unwrap()];
        let attributes = [("Colour".to_owned(), AttributeValue::Text(colour.to_owned()))].into();
        CatalogueEntry {
            attributes,
            ..entry(number)
        }
    };
    fill(
        shop.models.catalogue(),
        (0..12).map(coloured).map(|entry| (entry.id, entry)),
    )
    .await;
    for (query, total) in [
        ("brand=Onggi", 6),
        ("brand=Onggi&brand=Hario", 12),
        ("attr.Colour=red", 4),
        ("attr.Colour=red&attr.Colour=dark%20green", 8),
        ("attr.Colour=red&brand=Onggi", 2),
        ("attr.Colour=", 12),
        ("attr.Size=L", 0),
    ] {
        assert_eq!(shop.get(&format!("search?{query}")).await.2["total"], total, "{query}");
    }
    let within = shop.get("search?category=Kitchen&attr.Colour=red").await;
    let facet = &within.2["facets"]["attributes"][0];
    assert_eq!(
        (&facet["name"], &facet["values"].as_array().unwrap().len()),
        (&"Colour".into(), &3)
    );
}

#[tokio::test]
async fn what_was_meant_is_found_and_said() {
    let shop = shop().await;
    let titled = |title: &str, number: i64| CatalogueEntry {
        title: title.to_owned(),
        ..entry(number)
    };
    let entries = [titled("전자동 커피 머신", 1), titled("Teapot", 2)];
    fill(shop.models.catalogue(), entries.map(|entry| (entry.id, entry))).await;
    let mistyped = shop.get("search?q=zjvl").await;
    assert_eq!(
        mistyped.2["instead"],
        serde_json::json!({ "kind": "keyboard", "text": "커피" })
    );
    assert_eq!(mistyped.2["hits"][0]["title"], "전자동 커피 머신");
    let nothing = shop.get("search?q=xyzzyx").await;
    assert_eq!(
        (&nothing.2["total"], &nothing.2["instead"]["kind"]),
        (&0.into(), &"popular".into())
    );
    assert_eq!(nothing.ids("hits").len(), 2);
}

#[tokio::test]
async fn what_is_being_typed_is_completed() {
    let shop = shop().await;
    let entries: Vec<_> = (1..=30).map(entry).collect();
    fill(
        shop.models.catalogue(),
        entries.into_iter().map(|entry| (entry.id, entry)),
    )
    .await;
    let suggested = shop.get("suggest?q=cof").await;
    assert_eq!(suggested.2["products"].as_array().unwrap().len(), 8);
    assert_eq!(suggested.2["categories"], serde_json::json!(["Kitchen/Coffee"]));
    assert_eq!(suggested.2["searches"], serde_json::json!([]));
    assert_eq!(
        shop.get("suggest?q=cof&size=3").await.2["products"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    for nothing in ["suggest", "suggest?q=", "suggest?q=%20", "suggest?q=%00%22%28title:*"] {
        assert_eq!(
            shop.get(nothing).await.2["products"],
            serde_json::json!([]),
            "{nothing}"
        );
    }
    for (query, name) in [
        ("size=0", "size"),
        ("size=21", "size"),
        ("q=%ff", "q"),
        ("sort=newest", "sort"),
    ] {
        let answer = shop.get(&format!("suggest?{query}")).await;
        assert_eq!(
            (answer.problem().0, &answer.2["errors"][0]["field"]),
            (400, &name.into()),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_search_that_makes_no_sense_is_refused_by_the_parameters_name() {
    let shop = shop().await;
    for (query, name) in [
        ("colour=red", "colour"),
        ("size=0", "size"),
        ("size=101", "size"),
        ("size=ten", "size"),
        ("min_price=-1", "min_price"),
        ("max_price=1.5", "max_price"),
        ("min_price=9&max_price=1", "min_price"),
        ("sort=nicest", "sort"),
        ("in_stock=maybe", "in_stock"),
        ("q=a&q=b", "q"),
        ("q=%ff%fe", "q"),
        ("brand=%ff", "brand"),
        ("attr.=red", "attr."),
        ("facet=colour", "facet"),
        ("max_price=99999999999999999999", "max_price"),
        ("cursor=%00", "cursor"),
        ("cursor=AAAA", "cursor"),
    ] {
        let answer = shop.get(&format!("search?{query}")).await;
        assert_eq!(answer.problem().0, 400, "{query}");
        assert_eq!(answer.2["errors"][0]["field"], name, "{query}: {}", answer.2);
    }
    // What a customer may type is found or not found, never an error.
    let long = "a".repeat(10_000);
    assert_eq!(shop.get(&format!("search?q={long}")).await.2["errors"][0]["field"], "q");
    for wild in [
        "%22%2B-%26%26%7C%7C!()%7B%7D%5B%5D%5E~*%3F%3A%5C/",
        "AND%20OR%20NOT",
        "%00%7F",
        "title:*",
    ] {
        assert_eq!(shop.get(&format!("search?q={wild}")).await.0, 200, "{wild}");
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_the_search_that_gave_it_out() {
    let shop = shop().await;
    fill(
        shop.models.catalogue(),
        (1..=5).map(entry).map(|entry| (entry.id, entry)),
    )
    .await;
    let first = shop.get("search?q=coffee&size=2&sort=price_asc").await;
    let cursor = first.2["next_cursor"].as_str().unwrap();
    assert_eq!(
        shop.get(&format!("search?q=coffee&size=3&sort=price_asc&cursor={cursor}"))
            .await
            .ids("hits")
            .len(),
        3
    );
    for other in [
        "q=coffee&sort=newest",
        "q=tea&sort=price_asc",
        "q=coffee&sort=price_asc&brand=Onggi",
    ] {
        let answer = shop.get(&format!("search?{other}&cursor={cursor}")).await;
        assert_eq!(answer.problem(), (400, "broken-cursor"), "{other}");
    }
}

#[tokio::test]
async fn a_cart_is_its_customers_own() {
    let shop = shop().await;
    let customer = someone(&[Role::Customer]);
    let empty = shop.get_as(&customer, "cart").await;
    assert_eq!(
        (&empty.2["items"], &empty.2["total"]["amount"]),
        (&serde_json::json!([]), &0.into())
    );
    let cart = CartView {
        items: vec![CartLine {
            product_id: ProductId::fresh(),
            title: "Cup".to_owned(),
            unit_price: Money::krw(3_000),
            quantity: 2,
            line_total: Money::krw(6_000),
        }],
        total: Money::krw(6_000),
        version: 0,
    };
    fill(shop.models.carts(), [(customer.account_id, cart)]).await;
    let shown = shop.get_as(&customer, "cart").await;
    assert_eq!(
        (
            &shown.2["total"]["amount"],
            &shown.2["items"][0]["line_total"]["amount"]
        ),
        (&6_000.into(), &6_000.into())
    );
    assert!(shown.header("cache-control").unwrap().contains("no-store"));
    let other = shop.get_as(&someone(&[Role::Customer]), "cart").await;
    assert_eq!(other.2["items"], serde_json::json!([]));
    assert_eq!(shop.get("cart").await.0, 401);
    assert_eq!(
        shop.get_as(&someone(&[Role::Seller]), "cart").await.problem(),
        (403, "forbidden")
    );
}
