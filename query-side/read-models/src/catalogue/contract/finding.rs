//! Which products a text finds, whatever is typed, and where in them.

use super::shelf::{Shelf, product, text, titles, wanted};
use crate::catalogue::{CatalogueEntry, Filters, SearchEngine, Sort, Wanted, Word};

/// Which products a text finds.
pub async fn finding(engine: &dyn SearchEngine) {
    english_is_found_in_any_form(engine).await;
    every_field_is_searched(engine).await;
    codes_are_found_across_case_and_hyphens(engine).await;
    korean_is_found_with_and_without_particles(engine).await;
    korean_compounds_are_found_in_one_word_or_in_two(engine).await;
    where_hardly_any_has_all_words_some_will_do(engine).await;
    synonyms_find_what_means_the_same(engine).await;
    products_are_replaced_and_removed(engine).await;
    every_text_is_only_text(engine).await;
    every_filter_is_only_a_filter(engine).await;
}

async fn english_is_found_in_any_form(engine: &dyn SearchEngine) {
    let shelf = Shelf::with(engine, [product("Coffee Grinders"), product("Teapot")]).await;
    for text in ["grinder", "GRINDERS", "the grinder of coffees", "coffée"] {
        assert_eq!(shelf.titles(text).await, ["Coffee Grinders"], "{text}");
    }
    assert_eq!(shelf.titles("bicycle").await, [""; 0]);
}

async fn every_field_is_searched(engine: &dyn SearchEngine) {
    let lamp = CatalogueEntry {
        brand: "Lumière".to_owned(),
        category: "Living/Lamps".to_owned(),
        description: "Warm light for long evenings.".to_owned(),
        attributes: [text("colour", "turquoise")].into(),
        ..product("Aurora")
    };
    let shelf = Shelf::with(engine, [lamp, product("Teapot")]).await;
    for text in ["aurora", "lumiere", "lamp", "turquoise", "evening", "turquoise lamp"] {
        assert_eq!(shelf.titles(text).await, ["Aurora"], "{text}");
    }
}

async fn codes_are_found_across_case_and_hyphens(engine: &dyn SearchEngine) {
    let toner = CatalogueEntry {
        ean: Some("0095205603217".to_owned()),
        ..product("Xerox 006R90321 toner")
    };
    let laptop = CatalogueEntry {
        attributes: [text("mpn", "NB-044/EA")].into(),
        ..product("HP Pavilion dv7-1211ea Notebook")
    };
    let shelf = Shelf::with(engine, [toner, laptop]).await;
    for text in ["006r90321", "006R-90321", "0095205603217"] {
        assert_eq!(shelf.titles(text).await, ["Xerox 006R90321 toner"], "{text}");
    }
    for text in ["DV7-1211EA", "dv71211ea", "nb044ea"] {
        assert_eq!(shelf.titles(text).await, ["HP Pavilion dv7-1211ea Notebook"], "{text}");
    }
}

async fn korean_is_found_with_and_without_particles(engine: &dyn SearchEngine) {
    let dripper = CatalogueEntry {
        description: "매일 아침 커피를 내려 마시는 분께".to_owned(),
        ..product("핸드드립 세트")
    };
    let shelf = Shelf::with(engine, [dripper, product("유리 주전자"), product("도자기 컵")]).await;
    for text in ["커피", "커피를", "커피는"] {
        assert_eq!(shelf.titles(text).await, ["핸드드립 세트"], "{text}");
    }
    assert_eq!(shelf.titles("주전자가").await, ["유리 주전자"]);
    assert_eq!(shelf.titles("컵").await, ["도자기 컵"], "one syllable is a word too");
}

async fn korean_compounds_are_found_in_one_word_or_in_two(engine: &dyn SearchEngine) {
    let shelf = Shelf::with(engine, [product("전자동 커피 머신"), product("스테인리스 텀블러")]).await;
    for text in ["커피머신", "전자동커피머신", "커피 머신"] {
        assert_eq!(shelf.titles(text).await, ["전자동 커피 머신"], "{text}");
    }
    let shelf = Shelf::with(engine, [product("캡슐커피머신"), product("스테인리스 텀블러")]).await;
    for text in ["커피", "커피 머신", "캡슐 커피"] {
        assert_eq!(shelf.titles(text).await, ["캡슐커피머신"], "{text}");
    }
    assert_eq!(shelf.titles("자전거").await, [""; 0]);
}

async fn where_hardly_any_has_all_words_some_will_do(engine: &dyn SearchEngine) {
    let products = ["Blue cup", "Blue teapot", "Teapot", "Bicycle"].map(product);
    let shelf = Shelf::with(engine, products).await;
    let mut found = shelf.titles("blue teapot").await;
    assert_eq!(found[0], "Blue teapot");
    found.sort();
    assert_eq!(found, ["Blue cup", "Blue teapot", "Teapot"]);
    let many = (0..30).map(|number| product(&format!("Blue teapot {number}")));
    let shelf = Shelf::with(engine, many.chain([product("Blue cup")])).await;
    let results = shelf.search(&wanted("blue teapot")).await;
    assert_eq!(results.total, 30, "many have both words: those with one say nothing");
}

async fn synonyms_find_what_means_the_same(engine: &dyn SearchEngine) {
    let titles = [
        "Laptop 15",
        "Notebook 13",
        "Smartphone sleeve",
        "Cell phone sleeve",
        "Headphone case",
    ];
    let shelf = Shelf::with(engine, titles.map(product)).await;
    let word = |typed: &str, synonyms: &[&str]| Word {
        typed: typed.to_owned(),
        synonyms: synonyms.iter().map(|text| (*text).to_owned()).collect(),
    };
    let sorted = async |words: Vec<Word>| {
        let mut titles = shelf.titles_of(words).await;
        titles.sort();
        titles
    };
    assert_eq!(
        sorted(vec![word("notebook", &["laptop"])]).await,
        ["Laptop 15", "Notebook 13"]
    );
    assert_eq!(
        shelf.titles("notebook").await,
        ["Notebook 13"],
        "not without the synonym"
    );
    let both = ["Cell phone sleeve", "Smartphone sleeve"];
    assert_eq!(sorted(vec![word("smartphone", &["cell phone"])]).await, both);
    assert_eq!(sorted(vec![word("cell phone", &["smartphone"])]).await, both);
    let mut sleeves = sorted(vec![word("mobile", &["cell phone", "smartphone"]), word("sleeve", &[])]).await;
    sleeves.retain(|title| title != "Headphone case");
    assert_eq!(sleeves, both);
}

async fn products_are_replaced_and_removed(engine: &dyn SearchEngine) {
    let teapot = product("Teapot");
    let shelf = Shelf::with(engine, [teapot.clone(), product("Cup")]).await;
    let kettle = CatalogueEntry {
        title: "Kettle".to_owned(),
        ..teapot.clone()
    };
    shelf.put([kettle]).await;
    assert_eq!(shelf.titles("teapot").await, [""; 0]);
    assert_eq!(shelf.titles("kettle").await, ["Kettle"]);
    shelf.remove([teapot.id]).await;
    assert_eq!(shelf.titles("kettle").await, [""; 0]);
    assert_eq!(shelf.titles("").await, ["Cup"]);
}

/// Texts that mean something to some query language, to some terminal or to some parser; to a search they are only text.
fn wild_texts() -> Vec<String> {
    let short = [
        "title:teapot",
        "teapot AND",
        "AND OR NOT",
        "\"teapot",
        "(((",
        "teapot^99999 +teapot -teapot",
        "*",
        "*:*",
        "te?pot*",
        "/[a-z]+(/",
        "[a TO b]",
        "{\"match_all\":{}}",
        "teapot~9",
        "\\",
        "_exists_:title && !x || y",
        "<script>alert(1)</script>",
        "' OR 1=1 --",
        "te\u{0}apot\u{7}\u{1b}[31m",
        "\u{202e}teapot\u{feff}",
        "\u{301}\u{301}\u{301}",
        "🫖🫖🏳\u{fe0f}\u{200d}🌈",
        "ㅋㅋㅋㅋ",
        "\u{1100}\u{1161}\u{11a8}",
        "%00%ff",
        "\u{10ffff}",
        "   \t\r\n  ",
    ];
    let long = [
        "teapot ".repeat(1_500),
        (0..3_000).map(|number| format!("w{number} ")).collect(),
        "x".repeat(10_000),
        "가".repeat(4_000),
        "1".repeat(10_000),
        "((".repeat(5_000),
        "a-".repeat(5_000),
    ];
    short.map(str::to_owned).into_iter().chain(long).collect()
}

async fn every_text_is_only_text(engine: &dyn SearchEngine) {
    let shelf = Shelf::with(engine, [product("Teapot"), product("AND OR NOT")]).await;
    for text in wild_texts() {
        shelf.search(&wanted(&text)).await;
        let whole = vec![Word {
            typed: text.clone(),
            synonyms: vec![text.clone()],
        }];
        shelf.titles_of(whole).await;
        let begun: String = text.chars().take(40).collect();
        engine.complete(shelf.generation, &text, 5).await.unwrap();
        let words = [text, begun];
        let spellings = engine.spellings(shelf.generation, &words).await.unwrap();
        assert_eq!(spellings.len(), words.len(), "one for each word");
    }
    assert_eq!(shelf.titles("teapot AND (").await[0], "Teapot");
    assert_eq!(shelf.titles("\u{7}\tteapot\u{0}").await, ["Teapot"]);
    assert_eq!(shelf.titles("title:bicycle").await, [""; 0]);
}

async fn every_filter_is_only_a_filter(engine: &dyn SearchEngine) {
    let shelf = Shelf::with(engine, [product("Teapot")]).await;
    for wild in wild_texts() {
        let value = || vec![wild.clone()];
        let filters = [
            Filters {
                category: Some(wild.clone()),
                ..Filters::default()
            },
            Filters {
                brands: value(),
                ..Filters::default()
            },
            Filters {
                category: Some("Household".to_owned()),
                attributes: [(wild.clone(), value())].into(),
                ..Filters::default()
            },
        ];
        for filters in filters {
            let wanted = Wanted { filters, ..wanted("") };
            assert_eq!(shelf.search(&wanted).await.total, 0, "{wanted:?}");
        }
    }
    for (min_price, max_price, total) in [
        (Some(i64::MIN), Some(i64::MAX), 1),
        (Some(10_000), Some(10_000), 1),
        (Some(20_000), Some(5_000), 0),
        (Some(i64::MAX), Some(i64::MIN), 0),
    ] {
        let filters = Filters {
            min_price,
            max_price,
            ..Filters::default()
        };
        let wanted = Wanted { filters, ..wanted("") };
        assert_eq!(shelf.search(&wanted).await.total, total, "{wanted:?}");
    }
    for size in [0, 1, usize::MAX] {
        for sort in [Sort::Relevance, Sort::Popularity] {
            let wanted = Wanted {
                size,
                sort,
                ..wanted("teapot")
            };
            assert_eq!(shelf.search(&wanted).await.hits.len(), 1, "held within bounds: {size}");
        }
    }
}

/// Where in a product the words were found.
pub async fn highlighting(engine: &dyn SearchEngine) {
    let teapot = CatalogueEntry {
        description: "A teapot for two & more. <script>alert(1)</script>".to_owned(),
        ..product("Blue <b>Teapot</b>")
    };
    let dripper = CatalogueEntry {
        description: "매일 아침 커피를 내려 마시는 분께".to_owned(),
        ..product("핸드드립 세트")
    };
    let shelf = Shelf::with(engine, [teapot, dripper, product("Unrelated")]).await;
    let highlight = shelf.search(&wanted("teapots")).await.hits.remove(0).highlight;
    let title = highlight.title.expect("a word was found in the title");
    assert!(title.starts_with("Blue &lt;b&gt;<em>Teapot</em>&lt;"), "{title}");
    let description = highlight.description.expect("a word was found in the description");
    assert!(
        description.contains("A <em>teapot</em> for two &amp; more."),
        "{description}"
    );
    assert!(!description.contains("<script"), "{description}");
    let highlight = shelf.search(&wanted("커피")).await.hits.remove(0).highlight;
    assert_eq!(highlight.title, None, "the word is not in it");
    let description = highlight.description.expect("a word was found in the description");
    assert!(description.contains("<em>커피"), "{description}");
    let browsed = shelf.search(&wanted("")).await.hits;
    assert!(browsed.iter().all(|hit| hit.highlight.title.is_none()), "{browsed:?}");
    assert_eq!(titles(browsed).len(), 3);
}
