//! On a real node: where `JANGTEO_TEST_ELASTICSEARCH` names one.

use std::{collections::HashSet, sync::Arc};

use elasticsearch::http::Method;
use serde::de::IgnoredAny;
use serde_json::json;

use super::{mapping::Korean, walk::Place};
use crate::{
    catalogue::{
        Catalogue, SearchEngine, Sort, Wanted, Word, contract,
        tests::{product, put, relevance},
    },
    documents::{Checkpoint, DocumentStore, Model, ModelKey, Part, Write},
    elastic::{ElasticCatalogue, Request, tests},
};

/// One chapter of the contract, on a catalogue of its own.
async fn keeps(chapter: impl AsyncFnOnce(&ElasticCatalogue)) {
    let Some(place) = tests::Place::new().await else { return };
    let engine = ElasticCatalogue::open(Arc::clone(&place.node)).await.unwrap();
    chapter(&engine).await;
    place.clear().await;
}

#[tokio::test]
async fn products_are_found() {
    keeps(async |engine| contract::finding(engine).await).await;
}

#[tokio::test]
async fn the_best_comes_first() {
    keeps(async |engine| contract::ranking(engine).await).await;
}

#[tokio::test]
async fn filters_and_facets_count_right() {
    keeps(async |engine| contract::narrowing(engine).await).await;
}

#[tokio::test]
async fn walks_see_the_catalogue_as_it_was() {
    keeps(async |engine| contract::walking(engine).await).await;
}

#[tokio::test]
async fn words_found_are_marked() {
    keeps(async |engine| contract::highlighting(engine).await).await;
}

#[tokio::test]
async fn what_is_typed_goes_on() {
    keeps(async |engine| contract::completing(engine).await).await;
}

#[tokio::test]
async fn misspelt_words_are_known() {
    keeps(async |engine| contract::spelling(engine).await).await;
}

#[tokio::test]
async fn generations_stand_side_by_side() {
    keeps(async |engine| contract::generations(engine).await).await;
}

#[tokio::test]
async fn a_node_without_a_korean_dictionary_will_do() {
    let Some(place) = tests::Place::new().await else { return };
    let engine = ElasticCatalogue::reading(Arc::clone(&place.node), Korean::Pairs);
    contract::finding(&engine).await;
    contract::spelling(&engine).await;
    place.clear().await;
}

#[tokio::test]
async fn a_walk_goes_on_where_its_view_is_gone() {
    keeps(async |engine| {
        let generation = engine.generations(Catalogue::NAME).await.unwrap().live;
        let things = (0..230).map(|number| product(&format!("Thing {number}")));
        put(engine, generation, things, Checkpoint::default()).await;
        for sort in [Sort::Relevance, Sort::PriceAsc, Sort::Newest] {
            let mut wanted = Wanted {
                words: Word::each("thing").collect(),
                sort,
                size: 40,
                ..Wanted::default()
            };
            let mut seen = HashSet::new();
            loop {
                let page = engine.search(generation, &wanted).await.unwrap();
                seen.extend(page.hits.iter().map(|hit| hit.id));
                let Some(next) = page.next else { break };
                let view = Place::from_cursor(&next, sort).unwrap().view.unwrap();
                let close = Request::new(Method::Delete, "_pit").json(&json!({ "id": view }));
                engine.node.find::<IgnoredAny>(close).await.unwrap();
                wanted.after = Some(next);
            }
            assert_eq!(seen.len(), 230, "{sort:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_no_product_is_a_dead_letter() {
    keeps(async |engine| {
        let generation = engine.generations(Catalogue::NAME).await.unwrap().live;
        let kettle = product("Kettle");
        let write = |key: Vec<u8>, value: Vec<u8>| Write {
            part: Part::Documents,
            key,
            value: Some(value),
        };
        let writes = vec![
            write(vec![7; 16], b"{\"title\":3}".to_vec()),
            write(kettle.id.bytes(), serde_json::to_vec(&kettle).unwrap()),
        ];
        let at_nine = Checkpoint {
            position: 9,
            ..Checkpoint::default()
        };
        engine.commit(generation, writes, at_nine).await.unwrap();
        let found = engine
            .search(
                generation,
                &Wanted {
                    size: 5,
                    ..Wanted::default()
                },
            )
            .await
            .unwrap();
        assert_eq!(found.total, 1, "what cannot be read holds up nothing");
        let rejected = engine.rejected(generation, 10).await.unwrap();
        assert_eq!(rejected.len(), 1);
        assert_eq!((rejected[0].key.clone(), rejected[0].position), (vec![7; 16], 9));
        assert!(
            rejected[0].reason.contains("expected a string"),
            "{}",
            rejected[0].reason
        );
    })
    .await;
}

/// As good as the embedded engine, on the same judged queries.
#[tokio::test]
async fn judged_queries_are_answered_well() {
    if !relevance::is_there() {
        println!("skipped: no Icecat data");
        return;
    }
    keeps(async |engine| {
        let generation = engine.generations(Catalogue::NAME).await.unwrap().live;
        let mut entries = relevance::entries().peekable();
        let mut checkpoint = Checkpoint::default();
        while entries.peek().is_some() {
            checkpoint.position += 1;
            put(engine, generation, entries.by_ref().take(2_000), checkpoint).await;
        }
        let judged = relevance::judgments();
        let mut sum = 0.0;
        for (text, ratings) in &judged {
            let wanted = Wanted {
                words: Word::each(text).collect(),
                size: 10,
                ..Wanted::default()
            };
            let hits = engine.search(generation, &wanted).await.unwrap().hits;
            sum += relevance::ndcg(hits.iter().map(|hit| hit.id), ratings);
        }
        let mean = sum / f64::from(u32::try_from(judged.len()).unwrap());
        println!("NDCG@10 {mean:.4} over {} queries", judged.len());
        assert!(mean >= relevance::AT_LEAST, "NDCG@10 {mean:.3}");
    })
    .await;
}
