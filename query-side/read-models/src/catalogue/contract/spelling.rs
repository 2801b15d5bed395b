//! What an engine knows of a word's spelling.

use super::shelf::{Shelf, product};
use crate::catalogue::{CatalogueEntry, SearchEngine, Spelling};

/// Spelling.
pub async fn spelling(engine: &dyn SearchEngine) {
    let named = CatalogueEntry {
        brand: "Moccamaster".to_owned(),
        category: "Kitchen/Appliances".to_owned(),
        description: "An extraordinary brewer.".to_owned(),
        ..product("Coffee grinders")
    };
    let titles = [
        "Coffee filter",
        "Coffee table",
        "Coffer",
        "스테인리스 텀블러",
        "텀블러 뚜껑",
        "에스프레소 잔",
        "커피",
    ];
    let shelf = Shelf::with(engine, titles.map(product).into_iter().chain([named])).await;
    let spellings = async |words: &[&str]| -> Vec<Spelling> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        engine.spellings(shelf.generation, &words).await.unwrap()
    };
    let known = [
        "coffee",
        "COFFEES",
        "grinder",
        "moccamaster",
        "appliance",
        "텀블러",
        "텀블러를",
        "커피",
    ];
    for (word, spelling) in known.iter().zip(spellings(&known).await) {
        assert!(spelling.known, "{word}");
    }
    let misspelt = [
        ("cofee", "coffee"),
        ("coffe", "coffee"),
        ("ocffee", "coffee"),
        ("grimders", "grinders"),
        ("mocamastr", "moccamaster"),
        ("aplliances", "appliances"),
        ("텀불러", "텀블러"),
        ("애스프레소", "에스프레소"),
    ];
    for (typed, meant) in misspelt {
        let spelling = spellings(&[typed]).await.remove(0);
        let suggested = spelling.suggestion.as_deref().map(str::to_lowercase);
        assert_eq!((spelling.known, suggested.as_deref()), (false, Some(meant)), "{typed}");
    }
    for typed in ["xyzzyx", "cup", "bicycle", "자전거", "12345678", ""] {
        let spelling = spellings(&[typed]).await.remove(0);
        assert_eq!(spelling, Spelling::default(), "{typed:?}: nothing is near");
    }
    let in_order = spellings(&["cofee", "coffee", "xyzzyx"]).await;
    assert_eq!(
        in_order.iter().map(|spelling| spelling.known).collect::<Vec<_>>(),
        [false, true, false]
    );
}
