//! On a real node: where `JANGTEO_TEST_ELASTICSEARCH` names one.

use std::sync::Arc;

use crate::{
    catalogue::{
        Catalogue, SearchEngine, Wanted, Word, contract,
        tests::{put, relevance},
    },
    documents::{Checkpoint, DocumentStore, Model},
    elastic::{ElasticCatalogue, tests::Place},
};

/// One chapter of the contract, on a catalogue of its own.
async fn keeps(chapter: impl AsyncFnOnce(&ElasticCatalogue)) {
    let Some(place) = Place::new().await else { return };
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
