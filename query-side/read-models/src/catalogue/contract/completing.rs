//! How what is being typed may go on.

use super::shelf::{Shelf, product, titles};
use crate::catalogue::{CatalogueEntry, SearchEngine};

/// Completion.
pub async fn completing(engine: &dyn SearchEngine) {
    titles_go_on_from_any_word(engine).await;
    hangul_goes_on_within_a_syllable(engine).await;
    categories_go_on_too(engine).await;
}

/// Bought so much.
fn bought(title: &str, popularity: u32) -> CatalogueEntry {
    CatalogueEntry {
        popularity,
        ..product(title)
    }
}

async fn products(shelf: &Shelf<'_>, typed: &str, size: usize) -> Vec<String> {
    titles(
        shelf
            .engine
            .complete(shelf.generation, typed, size)
            .await
            .unwrap()
            .products,
    )
}

async fn titles_go_on_from_any_word(engine: &dyn SearchEngine) {
    let described = CatalogueEntry {
        description: "Coffee coffee coffee".to_owned(),
        ..bought("Mug", 50)
    };
    let grinder = bought("Burr coffee grinder", 5);
    let entries = [
        bought("Coffee maker", 9),
        grinder.clone(),
        bought("Cotton towel", 20),
        described,
    ];
    let shelf = Shelf::with(engine, entries).await;
    for typed in ["cof", "Coffe", "COFFEE"] {
        let found = products(&shelf, typed, 5).await;
        assert_eq!(
            found,
            ["Coffee maker", "Burr coffee grinder"],
            "{typed}: bought most first"
        );
    }
    for typed in ["coffee g", "coffee gri", "grinder cof", "  burr   gr"] {
        assert_eq!(products(&shelf, typed, 5).await, ["Burr coffee grinder"], "{typed}");
    }
    assert_eq!(products(&shelf, "co", 2).await, ["Cotton towel", "Coffee maker"]);
    assert_eq!(products(&shelf, "co", 1).await.len(), 1);
    for typed in ["", "   ", "xyz", "coffee xyz", "offee", "tea g"] {
        assert_eq!(products(&shelf, typed, 5).await, [""; 0], "{typed:?}");
    }
    shelf.remove([grinder.id]).await;
    assert_eq!(products(&shelf, "grind", 5).await, [""; 0]);
}

async fn hangul_goes_on_within_a_syllable(engine: &dyn SearchEngine) {
    let entries = [
        bought("전자동 커피 머신", 9),
        bought("코르크 받침", 5),
        bought("쿠션 의자", 1),
    ];
    let shelf = Shelf::with(engine, entries).await;
    for typed in [
        "커",
        "커피",
        "커ㅍ",
        "컾",
        "ㅋㅍ",
        "커피 ㅁ",
        "커피 머",
        "머신 컾",
        "ㅁㅅ",
    ] {
        assert_eq!(products(&shelf, typed, 5).await, ["전자동 커피 머신"], "{typed}");
    }
    let found = products(&shelf, "ㅋ", 5).await;
    assert_eq!(found, ["전자동 커피 머신", "코르크 받침", "쿠션 의자"]);
    assert_eq!(products(&shelf, "ㅋㄹㅋ", 5).await, ["코르크 받침"]);
    assert_eq!(products(&shelf, "피", 5).await, [""; 0], "a word begins so");
}

async fn categories_go_on_too(engine: &dyn SearchEngine) {
    let placed = |category: &str| CatalogueEntry {
        category: category.to_owned(),
        ..product("Thing")
    };
    let entries = [
        "Kitchen/Coffee",
        "Kitchen/Coffee",
        "Kitchen",
        "Garden/Cotton",
        "주방/커피",
    ]
    .map(placed);
    let shelf = Shelf::with(engine, entries).await;
    let categories = async |typed: &str| engine.complete(shelf.generation, typed, 5).await.unwrap().categories;
    assert_eq!(categories("kit").await.first().map(String::as_str), Some("Kitchen"));
    assert_eq!(
        categories("co").await,
        ["Kitchen/Coffee", "Garden/Cotton"],
        "most products first"
    );
    assert_eq!(categories("cof").await, ["Kitchen/Coffee"]);
    for typed in ["커피", "컾"] {
        assert_eq!(categories(typed).await, ["주방/커피"], "{typed}");
    }
    for typed in ["", "xyz"] {
        assert_eq!(categories(typed).await, [""; 0], "{typed:?}");
    }
}
