//! Which products a text finds.

use super::*;

#[tokio::test]
async fn english_words_are_found_in_any_form() {
    let shop = Shop::with([product("Coffee Grinders"), product("Teapot")]).await;
    assert_eq!(shop.titles("grinder").await, ["Coffee Grinders"]);
    assert_eq!(shop.titles("GRINDERS").await, ["Coffee Grinders"]);
    assert_eq!(shop.titles("the grinder of coffees").await, ["Coffee Grinders"]);
}

#[tokio::test]
async fn korean_is_found_with_and_without_particles() {
    let mut with_text = product("핸드드립 세트");
    with_text.description = "매일 아침 커피를 내려 마시는 분께".to_owned();
    let shop = Shop::with([with_text, product("유리 주전자")]).await;
    for text in ["커피", "커피를", "커피는", "커피와"] {
        assert_eq!(shop.titles(text).await, ["핸드드립 세트"], "{text}");
    }
    assert_eq!(shop.titles("주전자가").await, ["유리 주전자"]);
}

#[tokio::test]
async fn korean_compounds_are_found_written_in_one_or_in_two() {
    let shop = Shop::with([product("전자동 커피 머신"), product("스테인리스 텀블러")]).await;
    assert_eq!(shop.titles("커피머신").await, ["전자동 커피 머신"]);
    assert_eq!(shop.titles("전자동커피머신").await, ["전자동 커피 머신"]);
    let shop = Shop::with([product("캡슐커피머신"), product("스테인리스 텀블러")]).await;
    assert_eq!(shop.titles("커피").await, ["캡슐커피머신"]);
    assert_eq!(shop.titles("커피 머신").await, ["캡슐커피머신"]);
    assert!(shop.titles("자전거").await.is_empty());
}

#[tokio::test]
async fn one_syllable_is_a_word_too() {
    let shop = Shop::with([product("도자기 컵"), product("유리 접시")]).await;
    assert_eq!(shop.titles("컵").await, ["도자기 컵"]);
}

#[tokio::test]
async fn codes_are_found_across_case_and_hyphens() {
    let mut toner = product("Xerox 006R90321 toner");
    toner.ean = Some("0095205603217".to_owned());
    let mut laptop = product("HP Pavilion dv7-1211ea Notebook");
    laptop.attributes = [attribute("mpn", "NB-044/EA")].into();
    let shop = Shop::with([toner, laptop]).await;
    for text in ["006r90321", "006R-90321", "0095205603217"] {
        assert_eq!(shop.titles(text).await, ["Xerox 006R90321 toner"], "{text}");
    }
    for text in ["DV7-1211EA", "dv71211ea", "nb044ea"] {
        assert_eq!(shop.titles(text).await, ["HP Pavilion dv7-1211ea Notebook"], "{text}");
    }
}

#[tokio::test]
async fn brand_category_and_attributes_are_searched() {
    let mut lamp = product("Aurora");
    lamp.brand = "Lumière".to_owned();
    lamp.category = "Living/Lamps".to_owned();
    lamp.attributes = [attribute("colour", "turquoise")].into();
    let shop = Shop::with([lamp, product("Teapot")]).await;
    for text in ["lumiere", "lamp", "turquoise"] {
        assert_eq!(shop.titles(text).await, ["Aurora"], "{text}");
    }
}

#[tokio::test]
async fn the_title_counts_more_than_the_description() {
    let mut mentioned = product("Desk");
    mentioned.description = "A desk for a lamp, a second lamp and one more lamp.".to_owned();
    let shop = Shop::with([mentioned, product("Lamp")]).await;
    assert_eq!(shop.titles("lamp").await, ["Lamp", "Desk"]);
}

#[tokio::test]
async fn every_text_is_only_text() {
    let shop = Shop::with([product("Teapot"), product("AND OR NOT")]).await;
    let long = "teapot ".repeat(1_500);
    let wild = [
        "title:teapot",
        "teapot AND",
        "\"teapot",
        "(((",
        "teapot^99999 +teapot -teapot",
        "*",
        "[a TO b]",
        "teapot~",
        "\\",
        "te\u{0}apot\u{7}",
        "\u{202e}teapot",
        "🫖",
        &long,
        &"x".repeat(10_000),
        &"가".repeat(4_000),
        &"1".repeat(10_000),
    ];
    for text in wild {
        shop.titles(text).await;
    }
    assert_eq!(shop.titles("teapot AND (").await, ["Teapot"]);
    assert_eq!(shop.titles("\u{7}\tteapot\u{0}").await, ["Teapot"]);
}

#[tokio::test]
async fn an_entry_is_replaced_and_removed() {
    let mut teapot = product("Teapot");
    let shop = Shop::with([teapot.clone()]).await;
    teapot.title = "Kettle".to_owned();
    shop.put([teapot.clone()]).await;
    assert!(shop.titles("teapot").await.is_empty());
    assert_eq!(shop.titles("kettle").await, ["Kettle"]);
    let live = shop.index.generations(Catalogue::NAME).await.unwrap().live;
    let remove = Write {
        part: Part::Documents,
        key: teapot.id.bytes(),
        value: None,
    };
    shop.index
        .commit(live, vec![remove], Checkpoint::default())
        .await
        .unwrap();
    assert!(shop.titles("kettle").await.is_empty());
}

#[tokio::test]
async fn hits_are_highlighted() {
    let mut teapot = product("Blue <b>Teapot</b>");
    teapot.description = "A teapot for two & more.".to_owned();
    let shop = Shop::with([teapot]).await;
    let hit = shop.search(SearchQuery::text("teapots")).await.hits.remove(0);
    assert_eq!(
        hit.highlight.title.as_deref(),
        Some("Blue &lt;b&gt;<em>Teapot</em>&lt;/b&gt;")
    );
    assert_eq!(
        hit.highlight.description.as_deref(),
        Some("A <em>teapot</em> for two &amp; more.")
    );
}
