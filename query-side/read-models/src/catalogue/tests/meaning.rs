//! What was meant, where it is not what was typed.

use super::*;

fn instead(kind: InsteadKind, text: &str) -> Option<Instead> {
    let text = text.to_owned();
    Some(Instead { kind, text })
}

fn titles(results: SearchResults) -> Vec<String> {
    results.hits.into_iter().map(|hit| hit.title).collect()
}

#[tokio::test]
async fn the_keyboard_was_in_the_wrong_language() {
    let shop = Shop::with(["전자동 커피 머신", "Hello Kitty mug", "안녕 인형"].map(product)).await;
    for (typed, meant, title) in [
        ("zjvl", "커피", "전자동 커피 머신"),
        ("dkssud", "안녕", "안녕 인형"),
        ("ㅗ디ㅣㅐ", "hello", "Hello Kitty mug"),
        ("\"zjvl\" ajtls", "커피 머신", "전자동 커피 머신"),
    ] {
        let results = shop.search(SearchQuery::text(typed)).await;
        assert_eq!(results.instead, instead(InsteadKind::Keyboard, meant), "{typed}");
        assert_eq!((results.total, titles(results)), (1, vec![title.to_owned()]), "{typed}");
    }
}

#[tokio::test]
async fn misspelt_words_are_corrected() {
    let shop = Shop::with(["Coffee grinder", "Coffee maker", "Tea maker", "스테인리스 텀블러"].map(product)).await;
    for (typed, meant, total) in [
        ("cofee", "coffee", 2),
        ("\"cofee\" maker", "coffee maker", 3),
        ("grimder", "grinder", 1),
        ("텀불러", "텀블러", 1),
    ] {
        let results = shop.search(SearchQuery::text(typed)).await;
        assert_eq!(results.instead, instead(InsteadKind::Spelling, meant), "{typed}");
        assert_eq!((results.total, results.did_you_mean), (total, None), "{typed}");
    }
    let described = CatalogueEntry {
        description: "Not for grimder lovers.".to_owned(),
        ..product("Mug")
    };
    shop.put([described]).await;
    let results = shop.search(SearchQuery::text("grimder")).await;
    assert_eq!(
        (results.instead.clone(), results.did_you_mean.as_deref()),
        (None, Some("grinder"))
    );
    assert_eq!(titles(results), ["Mug"], "somebody wrote it so");
    assert_eq!(
        shop.search(SearchQuery::text("006r90321")).await.instead,
        instead(InsteadKind::Popular, ""),
        "codes"
    );
}

#[tokio::test]
async fn unfinished_words_find_how_they_go_on() {
    let shop = Shop::with(["전자동 커피 머신", "Bluetooth speaker", "Teapot"].map(product)).await;
    for (typed, title) in [
        ("ㅋㅍ", "전자동 커피 머신"),
        ("컾", "전자동 커피 머신"),
        ("bluetoo", "Bluetooth speaker"),
    ] {
        let results = shop.search(SearchQuery::text(typed)).await;
        assert_eq!((results.total, titles(results)), (1, vec![title.to_owned()]), "{typed}");
    }
}

#[tokio::test]
async fn what_is_being_typed_goes_on() {
    let shop = Shop::with(["전자동 커피 머신", "Coffee grinder", "Teapot"].map(product)).await;
    for _ in 0..3 {
        shop.search(SearchQuery::text("커피 머신")).await;
    }
    let suggested = async |typed: &str| {
        let Suggestions { products, searches, .. } = shop.finder.suggest(typed, 5).await.unwrap();
        let titles: Vec<_> = products.into_iter().map(|hit| hit.title).collect();
        (titles.join("|"), searches.join("|"))
    };
    for typed in ["커ㅍ", "ㅋㅍ", "zjv", "ㅋㅓㅍ"] {
        assert_eq!(
            suggested(typed).await,
            ("전자동 커피 머신".to_owned(), "커피 머신".to_owned()),
            "{typed}"
        );
    }
    assert_eq!(
        suggested("ㅊㅐㄹ").await.0,
        "Coffee grinder",
        "cof on a Korean keyboard"
    );
    assert_eq!(suggested("").await, (String::new(), String::new()));
    assert_eq!(suggested(&"커".repeat(5_000)).await, (String::new(), String::new()));
}

#[tokio::test]
async fn synonyms_are_looked_for_too() {
    let shop = Shop::with(["Laptop sleeve", "Notebook sleeve"].map(product)).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("synonyms.txt");
    std::fs::write(&path, "laptop, notebook").unwrap();
    let finder = shop.finder.clone().with_synonyms(Arc::new(SynonymFile::open(&path)));
    let query = SearchQuery {
        size: 5,
        ..SearchQuery::text("Laptops")
    };
    assert_eq!(finder.search(query).await.unwrap().total, 2);
}

#[tokio::test]
async fn letters_typed_apart_come_together() {
    let shop = Shop::with(["전자동 커피 머신", "Teapot"].map(product)).await;
    for typed in ["ㅋㅓㅍㅣ", "컾ㅣ", "\u{110f}\u{1165}\u{1111}\u{1175}"] {
        let results = shop.search(SearchQuery::text(typed)).await;
        assert_eq!(
            (results.instead.clone(), titles(results)),
            (None, vec!["전자동 커피 머신".to_owned()]),
            "{typed}"
        );
    }
}

#[tokio::test]
async fn where_nothing_is_found_what_is_bought_most_is_shown() {
    let entries = (1..=3).map(|number| CatalogueEntry {
        popularity: number,
        listed_at: Timestamp::from_millis(i64::from(number)),
        ..product(&format!("Thing {number}"))
    });
    let shop = Shop::with(entries).await;
    let results = shop.search(SearchQuery::text("xyzzyx")).await;
    assert_eq!(results.instead, instead(InsteadKind::Popular, ""));
    assert_eq!(
        (results.total, &results.next, &results.facets),
        (0, &None, &Facets::default())
    );
    assert_eq!(titles(results), ["Thing 3", "Thing 2", "Thing 1"]);
    let within = SearchQuery {
        filters: Filters {
            category: Some("Garden".to_owned()),
            ..Filters::default()
        },
        ..SearchQuery::text("thing")
    };
    let results = shop.search(within).await;
    assert_eq!(
        (results.instead, results.hits),
        (None, vec![]),
        "it is the filters that leave nothing"
    );
}

#[tokio::test]
async fn a_walk_goes_on_with_what_was_meant() {
    let shop = Shop::with((0..30).map(|number| product(&format!("커피 {number}")))).await;
    let query = SearchQuery {
        size: 20,
        ..SearchQuery::text("zjvl")
    };
    let first = shop.search(query.clone()).await;
    assert_eq!((first.total, first.hits.len()), (30, 20));
    let second = shop
        .search(SearchQuery {
            after: first.next,
            ..query
        })
        .await;
    assert_eq!(second.instead, instead(InsteadKind::Keyboard, "커피"));
    assert_eq!((second.total, second.hits.len(), second.next), (30, 10, None));
}

#[tokio::test]
async fn what_was_found_is_remembered_as_it_should_have_been_typed() {
    let shop = Shop::with(["전자동 커피 머신", "Teapot"].map(product)).await;
    for typed in ["zjvl", "Teapot", "xyzzyx", ""] {
        shop.search(SearchQuery::text(typed)).await;
    }
    assert_eq!(shop.finder.past_searches().unwrap().recent(9), ["teapot", "커피"]);
}
