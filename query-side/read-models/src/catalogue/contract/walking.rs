//! Orders, and pages while the catalogue changes.

use event_schemas::{Money, ProductId, Timestamp};

use super::{
    narrowing::sixty,
    shelf::{Shelf, product, wanted},
};
use crate::catalogue::{CatalogueEntry, SearchEngine, SearchError, SearchHit, SearchResults, Sort, Wanted};

const ORDERS: [Sort; 5] = [
    Sort::Relevance,
    Sort::PriceAsc,
    Sort::PriceDesc,
    Sort::Newest,
    Sort::Popularity,
];

/// Orders and pages.
pub async fn walking(engine: &dyn SearchEngine) {
    pages_neither_repeat_nor_skip(engine).await;
    a_walk_sees_the_catalogue_as_it_was(engine).await;
    a_walk_goes_deep(engine).await;
    a_cursor_of_another_search_is_refused(engine).await;
}

/// Walks from a first page to the end.
async fn rest(shelf: &Shelf<'_>, wanted: &Wanted, first: SearchResults) -> Vec<SearchHit> {
    let (mut seen, mut after) = (first.hits, first.next);
    while after.is_some() {
        let page = shelf
            .search(&Wanted {
                after,
                ..wanted.clone()
            })
            .await;
        assert!(
            page.hits.len() <= wanted.size && !page.hits.is_empty(),
            "{} hits",
            page.hits.len()
        );
        assert!(seen.len() <= 2_000, "the walk never ends");
        seen.extend(page.hits);
        after = page.next;
    }
    seen
}

fn ids(hits: &[SearchHit]) -> Vec<ProductId> {
    hits.iter().map(|hit| hit.id).collect()
}

async fn pages_neither_repeat_nor_skip(engine: &dyn SearchEngine) {
    let entries = sixty();
    let shelf = Shelf::with(engine, entries.clone()).await;
    let entry = |hit: &SearchHit| entries.iter().find(|entry| entry.id == hit.id).unwrap();
    for sort in ORDERS {
        for text in ["", "thing"] {
            let wanted = Wanted {
                sort,
                size: 7,
                ..wanted(text)
            };
            let first = shelf.search(&wanted).await;
            assert_eq!((first.total, first.hits.len()), (60, 7), "{sort:?} {text:?}");
            let seen = rest(&shelf, &wanted, first).await;
            let mut ids = ids(&seen);
            ids.sort();
            ids.dedup();
            assert_eq!((seen.len(), ids.len()), (60, 60), "{sort:?} {text:?}");
            let prices = seen.iter().map(|hit| hit.price.amount);
            let listed = seen.iter().map(|hit| entry(hit).listed_at);
            let bought = seen.iter().map(|hit| entry(hit).popularity);
            match sort {
                Sort::PriceAsc => assert!(prices.is_sorted(), "{text:?}"),
                Sort::PriceDesc => assert!(prices.rev().is_sorted(), "{text:?}"),
                Sort::Newest => assert!(listed.rev().is_sorted(), "{text:?}"),
                Sort::Popularity => assert!(bought.rev().is_sorted(), "{text:?}"),
                Sort::Relevance if text.is_empty() => assert!(listed.rev().is_sorted(), "one browses newest first"),
                Sort::Relevance => {}
            }
        }
    }
}

async fn a_walk_sees_the_catalogue_as_it_was(engine: &dyn SearchEngine) {
    for sort in ORDERS {
        let entries = sixty();
        let shelf = Shelf::with(engine, entries.clone()).await;
        let wanted = Wanted {
            sort,
            size: 9,
            ..wanted("thing")
        };
        let first = shelf.search(&wanted).await;
        let undisturbed = rest(&shelf, &wanted, shelf.search(&wanted).await).await;
        let extreme = |number: i64| CatalogueEntry {
            price: Money::krw(if number % 2 == 0 { 1 } else { 900_000 }),
            listed_at: Timestamp::from_millis(if number % 2 == 0 { -5 } else { 5_000 }),
            popularity: u32::try_from(number % 2 * 99).unwrap(),
            ..product(&format!("Thing thing {number}"))
        };
        shelf.put((0..20).map(extreme)).await;
        shelf.remove(entries.iter().step_by(5).map(|entry| entry.id)).await;
        let moved = entries.iter().skip(1).step_by(5).map(|entry| CatalogueEntry {
            price: Money::krw(61_000 - entry.price.amount),
            listed_at: Timestamp::from_millis(40 - entry.listed_at.as_millis()),
            popularity: 60 - entry.popularity,
            ..entry.clone()
        });
        shelf.put(moved).await;
        let seen = rest(&shelf, &wanted, first).await;
        assert_eq!(ids(&seen), ids(&undisturbed), "{sort:?}");
        let now = rest(&shelf, &wanted, shelf.search(&wanted).await).await;
        assert_eq!(now.len(), 60 + 20 - 12, "{sort:?}: a new walk sees what is there now");
    }
}

async fn a_walk_goes_deep(engine: &dyn SearchEngine) {
    let shelf = Shelf::with(engine, (0..1_050).map(|number| product(&format!("Thing {number}")))).await;
    let wanted = Wanted {
        size: 100,
        ..wanted("thing")
    };
    let mut ids = ids(&rest(&shelf, &wanted, shelf.search(&wanted).await).await);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 1_050);
}

async fn a_cursor_of_another_search_is_refused(engine: &dyn SearchEngine) {
    let shelf = Shelf::with(engine, sixty()).await;
    let by_price = Wanted {
        sort: Sort::PriceAsc,
        size: 5,
        ..wanted("")
    };
    let cursor = shelf.search(&by_price).await.next.expect("there are more pages");
    let cut = cursor[..cursor.len() / 2].to_vec();
    for after in [cursor, cut, vec![], b"nonsense".to_vec(), vec![0xff; 500]] {
        let wanted = Wanted {
            sort: Sort::PriceDesc,
            after: Some(after),
            ..by_price.clone()
        };
        let refused = engine.search(shelf.generation, &wanted).await;
        assert!(
            matches!(refused, Err(SearchError::BadCursor)),
            "{:?}: {refused:?}",
            wanted.after
        );
    }
}
