//! A catalogue built beside the live one, read back and listed.

use super::shelf::{Shelf, product, titles, wanted};
use crate::{
    catalogue::{Catalogue, CatalogueEntry, SearchEngine},
    documents::{Checkpoint, Generation, Model, ModelKey, Part, Scan},
};

/// Generations, and the documents of one.
pub async fn generations(engine: &dyn SearchEngine) {
    one_is_built_beside_and_promoted(engine).await;
    entries_are_read_back(engine).await;
}

async fn browse(engine: &dyn SearchEngine, generation: Generation) -> Vec<String> {
    titles(engine.search(generation, &wanted("")).await.unwrap().hits)
}

async fn one_is_built_beside_and_promoted(engine: &dyn SearchEngine) {
    let first = Shelf::with(engine, [product("First")]).await;
    engine.promote(first.generation).await.unwrap();
    let second = Shelf::with(engine, [product("Second")]).await;
    let generations = engine.generations(Catalogue::NAME).await.unwrap();
    assert_eq!(
        (generations.live, generations.building),
        (first.generation, Some(second.generation))
    );
    assert_eq!(browse(engine, first.generation).await, ["First"]);
    assert_eq!(browse(engine, second.generation).await, ["Second"]);
    let at_one = Checkpoint {
        position: 1,
        ..Checkpoint::default()
    };
    assert_eq!(engine.checkpoint(second.generation).await.unwrap(), at_one);
    the_one_before_is_kept(engine, first, second).await;
}

async fn the_one_before_is_kept(engine: &dyn SearchEngine, first: Shelf<'_>, second: Shelf<'_>) {
    engine.promote(second.generation).await.unwrap();
    let generations = engine.generations(Catalogue::NAME).await.unwrap();
    assert_eq!((generations.live, generations.building), (second.generation, None));
    assert_eq!(generations.previous, Some(first.generation), "kept to go back to");
    first.put([product("Later")]).await;
    assert_eq!(browse(engine, first.generation).await.len(), 2, "and kept up to date");
    engine.promote(first.generation).await.unwrap();
    let generations = engine.generations(Catalogue::NAME).await.unwrap();
    assert_eq!(
        (generations.live, generations.previous),
        (first.generation, Some(second.generation))
    );
    assert_eq!(browse(engine, second.generation).await, ["Second"]);
    engine.discard(second.generation).await.unwrap();
    assert_eq!(engine.generations(Catalogue::NAME).await.unwrap().previous, None);
    assert!(
        engine.discard(first.generation).await.is_err(),
        "the live one is never given up"
    );
}

async fn entries_are_read_back(engine: &dyn SearchEngine) {
    let mut entries: Vec<_> = (0..25).map(|number| product(&format!("Thing {number}"))).collect();
    let shelf = Shelf::with(engine, entries.clone()).await;
    entries.sort_by_key(|entry| entry.id.bytes());
    let read = |bytes: &[u8]| serde_json::from_slice::<CatalogueEntry>(bytes).unwrap();
    let stored = engine
        .get(shelf.generation, Part::Documents, &entries[3].id.bytes())
        .await
        .unwrap();
    assert_eq!(stored.map(|bytes| read(&bytes)), Some(entries[3].clone()));
    assert_eq!(
        engine.get(shelf.generation, Part::Documents, &[1; 16]).await.unwrap(),
        None
    );
    let scanned = async |after: Option<&[u8]>, backwards: bool| -> Vec<CatalogueEntry> {
        let scan = Scan {
            prefix: &[],
            after,
            backwards,
            limit: 10,
        };
        let found = engine.scan(shelf.generation, Part::Documents, scan).await.unwrap();
        let checked = found.into_iter().map(|(key, bytes)| {
            let entry = read(&bytes);
            assert_eq!(key, entry.id.bytes());
            entry
        });
        checked.collect()
    };
    assert_eq!(scanned(None, false).await, entries[..10]);
    assert_eq!(scanned(Some(&entries[19].id.bytes()), false).await, entries[20..]);
    let mut backwards = scanned(Some(&entries[5].id.bytes()), true).await;
    backwards.reverse();
    assert_eq!(backwards, entries[..5]);
}
