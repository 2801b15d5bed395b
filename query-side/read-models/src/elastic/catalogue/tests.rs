//! On a real node: where `JANGTEO_TEST_ELASTICSEARCH` names one.

use std::sync::Arc;

use crate::{
    catalogue::contract,
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
