//! On a real node: where `JANGTEO_TEST_ELASTICSEARCH` names one.

mod faults;
mod forwarder;
mod scripted;

use std::sync::Arc;

use super::*;
use crate::documents::contract;

/// The node to test on.
fn address() -> Option<String> {
    std::env::var("JANGTEO_TEST_ELASTICSEARCH").ok()
}

/// What this test made there, gone with it.
pub(super) struct Place {
    pub(super) node: Arc<Node>,
}

impl Place {
    pub(super) async fn new() -> Option<Self> {
        let prefix = format!("test-{}", uuid::Uuid::now_v7().simple());
        let node = Node::connect(&ElasticSettings::new(address()?, prefix)).await.unwrap();
        Some(Self { node: Arc::new(node) })
    }

    pub(super) async fn clear(self) {
        self.node.clear().await.unwrap();
    }
}

#[tokio::test]
async fn the_store_keeps_the_contract() {
    let Some(place) = Place::new().await else { return };
    contract::all(Arc::new(ElasticDocuments::new(Arc::clone(&place.node), Plain))).await;
    place.clear().await;
}
