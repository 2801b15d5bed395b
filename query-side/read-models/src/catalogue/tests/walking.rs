//! Filters, facets, orders and pages.

use std::collections::HashSet;

use super::*;

/// Sixty products in six categories, three brands, at 1,000 to 60,000 won; every fourth is out of stock.
fn sixty() -> Vec<CatalogueEntry> {
    let make = |number: i64| CatalogueEntry {
        category: [
            "Kitchen/Coffee",
            "Kitchen/Tea",
            "Kitchen",
            "Garden/Tools",
            "Garden",
            "Office",
        ][usize::try_from(number % 6).unwrap()]
        .to_owned(),
        brand: ["Acme", "Bolt", "Cork"][usize::try_from(number % 3).unwrap()].to_owned(),
        // Pairs share a price, so that something must break the tie.
        price: Money::krw((number / 2 + 1) * 2_000),
        in_stock: number % 4 != 0,
        listed_at: Timestamp::from_millis(number / 3),
        popularity: u32::try_from(number).unwrap(),
        ..product(&format!("Thing number {number}"))
    };
    (0..60).map(make).collect()
}

#[tokio::test]
async fn a_category_finds_what_is_beneath_it() {
    let shop = Shop::with(sixty()).await;
    let total = async |category: &str| {
        let query = SearchQuery {
            filters: Filters {
                category: Some(category.to_owned()),
                ..Filters::default()
            },
            ..SearchQuery::default()
        };
        shop.search(query).await.total
    };
    assert_eq!(total("Kitchen").await, 30);
    assert_eq!(total("Kitchen/Coffee").await, 10);
    assert_eq!(total("Kit").await, 0);
    assert_eq!(total("Office").await, 10);
}

#[tokio::test]
async fn facets_respect_every_filter_but_their_own() {
    let shop = Shop::with(sixty()).await;
    let query = SearchQuery {
        text: "thing".to_owned(),
        filters: Filters {
            category: Some("Kitchen".to_owned()),
            min_price: Some(10_000),
            max_price: Some(40_000),
            in_stock: Some(true),
            ..Filters::default()
        },
        ..SearchQuery::default()
    };
    let results = shop.search(query).await;
    let all = sixty();
    let within = |facet: &str| {
        let fits = move |entry: &&CatalogueEntry| {
            let category = facet == "category" || entry.category.starts_with("Kitchen");
            let price = facet == "price" || (10_000..=40_000).contains(&entry.price.amount);
            category && price && entry.in_stock
        };
        all.iter().filter(fits).collect::<Vec<_>>()
    };
    assert_eq!(results.total, within("").len() as u64);
    for FacetCount { value, count } in &results.facets.brand {
        let expected = within("brand").iter().filter(|entry| entry.brand == *value).count();
        assert_eq!(*count, expected as u64, "{value}");
    }
    for FacetCount { value, count } in &results.facets.category {
        let expected = within("category")
            .iter()
            .filter(|entry| entry.category.starts_with(value))
            .count();
        assert_eq!(*count, expected as u64, "{value}");
    }
    for PriceRange { from, to, count } in &results.facets.price {
        let inside =
            |entry: &&&CatalogueEntry| entry.price.amount >= *from && to.is_none_or(|to| entry.price.amount < to);
        assert_eq!(*count, within("price").iter().filter(inside).count() as u64, "{from}");
    }
    assert_eq!((results.facets.brand.len(), results.facets.category.len()), (3, 6));
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip() {
    let shop = Shop::with(sixty()).await;
    for sort in [
        Sort::Relevance,
        Sort::PriceAsc,
        Sort::PriceDesc,
        Sort::Newest,
        Sort::Popularity,
    ] {
        for text in ["", "thing"] {
            let query = SearchQuery {
                text: text.to_owned(),
                sort,
                size: 7,
                ..SearchQuery::default()
            };
            let mut seen = vec![];
            let mut after = None;
            loop {
                let page = shop.search(SearchQuery { after, ..query.clone() }).await;
                assert_eq!(page.total, 60);
                seen.extend(page.hits);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let ids: HashSet<_> = seen.iter().map(|hit| hit.id).collect();
            assert_eq!((seen.len(), ids.len()), (60, 60), "{sort:?} {text:?}");
            let prices: Vec<_> = seen.iter().map(|hit| hit.price.amount).collect();
            match sort {
                Sort::PriceAsc => assert!(prices.is_sorted()),
                Sort::PriceDesc => assert!(prices.iter().rev().is_sorted()),
                Sort::Popularity => assert!(seen[0].title.ends_with("59")),
                Sort::Relevance | Sort::Newest => {}
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_search_is_refused() {
    let shop = Shop::with(sixty()).await;
    let by_price = SearchQuery {
        sort: Sort::PriceAsc,
        size: 5,
        ..SearchQuery::default()
    };
    let cursor = shop.search(by_price.clone()).await.next;
    for after in [cursor, Some(vec![]), Some(b"nonsense".to_vec())] {
        let sort = Sort::PriceDesc;
        let refused = shop
            .finder
            .search(SearchQuery {
                sort,
                after,
                ..by_price.clone()
            })
            .await;
        assert!(matches!(refused, Err(SearchError::BadCursor)));
    }
}

#[tokio::test]
async fn newest_first_is_how_one_browses() {
    let shop = Shop::with(sixty()).await;
    let hits = shop.search(SearchQuery::default()).await.hits;
    assert!(hits[0].title.contains("57") || hits[0].title.contains("58") || hits[0].title.contains("59"));
    assert_eq!(hits[0].highlight, Highlight::default());
}

#[tokio::test]
async fn a_generation_is_built_beside_and_promoted() {
    let folder = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(folder.path()).unwrap();
    let found = async |index: &SearchIndex| browse(index, 1).await.unwrap().total;
    let live = index.generations(Catalogue::NAME).await.unwrap().live;
    let at = |position| Checkpoint {
        position,
        ..Checkpoint::default()
    };
    put(&index, live, [product("Old")], at(3)).await;
    let new = index.begin(Catalogue::NAME).await.unwrap();
    put(&index, new, sixty(), at(9)).await;
    assert_eq!(found(&index).await, 1);
    drop(index);

    let index = SearchIndex::open(folder.path()).unwrap();
    let generations = index.generations(Catalogue::NAME).await.unwrap();
    assert_eq!((generations.live, generations.building), (live, Some(new)));
    assert_eq!(index.checkpoint(new).await.unwrap(), at(9));
    index.promote(new).await.unwrap();
    assert_eq!(found(&index).await, 60);
    drop(index);

    let index = SearchIndex::open(folder.path()).unwrap();
    assert_eq!(found(&index).await, 60);
    assert_eq!(index.checkpoint(new).await.unwrap(), at(9));
    let folders = std::fs::read_dir(folder.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(folders.count(), 2, "the live one and the one before");

    index.promote(live).await.unwrap();
    assert_eq!(found(&index).await, 1, "rolled back");
    let generations = index.generations(Catalogue::NAME).await.unwrap();
    assert_eq!((generations.live, generations.previous), (live, Some(new)));
    let third = index.begin(Catalogue::NAME).await.unwrap();
    assert!(third != new && third != live);
    index.promote(third).await.unwrap();
    let generations = index.generations(Catalogue::NAME).await.unwrap();
    assert_eq!((generations.live, generations.previous), (third, Some(live)));
    index.discard(live).await.unwrap();
    assert!(index.discard(third).await.is_err());
    assert_eq!(index.generations(Catalogue::NAME).await.unwrap().previous, None);
}

#[tokio::test]
async fn what_was_not_committed_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(folder.path()).unwrap();
    let live = index.generations(Catalogue::NAME).await.unwrap().live;
    put(
        &index,
        live,
        [product("Kept")],
        Checkpoint {
            position: 5,
            ..Checkpoint::default()
        },
    )
    .await;
    let broken = Write {
        part: Part::Documents,
        key: vec![1; 16],
        value: Some(b"no entry".to_vec()),
    };
    let good = serde_json::to_vec(&product("Lost")).unwrap();
    let lost = Write {
        value: Some(good),
        ..broken.clone()
    };
    let refused = index
        .commit(
            live,
            vec![lost, broken],
            Checkpoint {
                position: 9,
                ..Checkpoint::default()
            },
        )
        .await;
    assert!(refused.is_err());
    put(
        &index,
        live,
        [product("After")],
        Checkpoint {
            position: 7,
            ..Checkpoint::default()
        },
    )
    .await;
    let titles = |results: SearchResults| results.hits.into_iter().map(|hit| hit.title).collect::<HashSet<_>>();
    let found = titles(browse(&index, 9).await.unwrap());
    assert_eq!(found, HashSet::from(["Kept".to_owned(), "After".to_owned()]));
    assert_eq!(index.checkpoint(live).await.unwrap().position, 7);
}

#[tokio::test]
async fn a_damaged_index_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(folder.path()).unwrap();
    let live = index.generations(Catalogue::NAME).await.unwrap().live;
    let at_five = Checkpoint {
        position: 5,
        ..Checkpoint::default()
    };
    put(&index, live, [product("Lost")], at_five).await;
    drop(index);
    std::fs::write(folder.path().join("catalogue.1").join("meta.json"), "{").unwrap();
    let index = SearchIndex::open(folder.path()).unwrap();
    assert_eq!(index.checkpoint(live).await.unwrap(), Checkpoint::default());
    put(&index, live, [product("Found")], at_five).await;
    assert_eq!(index.get(live, Part::Documents, &[1; 16]).await.unwrap(), None);
}

/// The live generation's newest products.
async fn browse(index: &SearchIndex, size: usize) -> Result<SearchResults, SearchError> {
    let live = index.generations(Catalogue::NAME).await.unwrap().live;
    let wanted = Wanted {
        size,
        ..Wanted::default()
    };
    index.search(live, &wanted).await
}

#[tokio::test]
async fn entries_are_listed_by_their_keys() {
    let shop = Shop::with(sixty()).await;
    let mut again = sixty();
    again.truncate(5);
    shop.put(again.clone()).await;
    again[0].title = "Written again".to_owned();
    shop.put(again).await;
    let live = shop.index.generations(Catalogue::NAME).await.unwrap().live;
    let list = async |scan| shop.index.scan(live, Part::Documents, scan).await.unwrap();
    let all = Scan {
        prefix: &[],
        after: None,
        backwards: false,
        limit: 1_000,
    };
    let listed = list(all).await;
    assert_eq!(listed.len(), 65);
    assert!(listed.is_sorted_by(|a, b| a.0 < b.0));
    for (key, bytes) in &listed {
        let entry: CatalogueEntry = serde_json::from_slice(bytes).unwrap();
        assert_eq!(entry.id.bytes(), *key);
    }
    let mut backwards = list(Scan { backwards: true, ..all }).await;
    backwards.reverse();
    assert_eq!(backwards, listed);
    let after = Some(listed[9].0.as_slice());
    assert_eq!(list(Scan { after, limit: 7, ..all }).await, listed[10..17]);
    let backwards = list(Scan {
        after,
        backwards: true,
        limit: 2,
        ..all
    });
    assert_eq!(backwards.await, [listed[8].clone(), listed[7].clone()]);
    let prefix = &listed[20].0[..16];
    assert_eq!(list(Scan { prefix, ..all }).await, listed[20..=20]);
    let none = [
        Scan {
            prefix,
            after: Some(prefix),
            ..all
        },
        Scan {
            prefix,
            after: Some(&[0]),
            backwards: true,
            ..all
        },
        Scan {
            prefix: &[255, 255],
            ..all
        },
        Scan { limit: 0, ..all },
    ];
    for scan in none {
        assert_eq!(list(scan).await, vec![], "{scan:?}");
    }
}

#[tokio::test]
async fn a_walk_whose_view_is_gone_goes_on_from_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(folder.path()).unwrap();
    let live = index.generations(Catalogue::NAME).await.unwrap().live;
    put(&index, live, sixty(), Checkpoint::default()).await;
    let by_price = |after| Wanted {
        sort: Sort::PriceAsc,
        size: 25,
        after,
        ..Wanted::default()
    };
    let first = index.search(live, &by_price(None)).await.unwrap();
    let cheap = CatalogueEntry {
        price: Money::krw(1),
        ..product("Cheapest of all")
    };
    let dear = CatalogueEntry {
        price: Money::krw(999_999),
        ..product("Dearest of all")
    };
    put(&index, live, [cheap, dear], Checkpoint::default()).await;
    // A restart lets go of all views.
    drop(index);
    let index = SearchIndex::open(folder.path()).unwrap();
    let (mut seen, mut after) = (first.hits, first.next);
    while after.is_some() {
        let page = index.search(live, &by_price(after)).await.unwrap();
        seen.extend(page.hits);
        after = page.next;
    }
    let ids: HashSet<_> = seen.iter().map(|hit| hit.id).collect();
    assert_eq!(
        (seen.len(), ids.len()),
        (61, 61),
        "what is before the place is not shown any more"
    );
    assert_eq!(seen.last().map(|hit| hit.title.as_str()), Some("Dearest of all"));
}
