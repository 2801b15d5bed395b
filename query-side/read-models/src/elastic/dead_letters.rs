//! Changes that the node does not take: kept, named, and in nobody's way.

use serde_json::json;

use super::{ElasticDocuments, Item, Outcome, Shape, documents::Hit, entries, journal::unreadable};
use crate::documents::{Generation, Rejected, StoreError, Write};

impl<S: Shape> ElasticDocuments<S> {
    /// Makes changes; those that the node does not take become dead letters.
    pub(super) async fn apply(
        &self,
        generation: Generation,
        position: u64,
        writes: &[Write],
    ) -> Result<(), StoreError> {
        let mut refused: Vec<(&Write, String)> = vec![];
        let mut sent = Vec::with_capacity(writes.len());
        let mut items = Vec::with_capacity(writes.len());
        for write in writes {
            match entries::item(write, position, self.shape()) {
                Ok(item) => {
                    sent.push(write);
                    items.push(item);
                }
                Err(reason) => refused.push((write, reason)),
            }
        }
        let alias = self.node().written(generation);
        let outcomes = self.node().bulk(&alias, &items).await?;
        drop(items);
        refused.extend(
            sent.into_iter()
                .zip(outcomes)
                .filter_map(|(write, outcome)| match outcome {
                    Outcome::Refused(reason) => Some((write, reason)),
                    Outcome::Done | Outcome::Overtaken => None,
                }),
        );
        // With the document if it can be kept so, and if not even that without it.
        for whole in [true, false] {
            if refused.is_empty() {
                break;
            }
            let letters: Result<Vec<Item>, String> = refused
                .iter()
                .map(|(write, reason)| entries::rejected(write, position, reason, whole))
                .collect();
            let letters = letters.map_err(|error| unreadable(generation, &error))?;
            let outcomes = self.node().bulk(&alias, &letters).await?;
            let kept = outcomes.iter().map(|outcome| !matches!(outcome, Outcome::Refused(_)));
            let mut kept = kept.collect::<Vec<_>>().into_iter();
            refused.retain(|(write, reason)| {
                tracing::warn!(%generation, key = entries::hex(&write.key), position, reason, "a document cannot be indexed");
                !kept.next().unwrap_or(true)
            });
        }
        Ok(())
    }

    /// What was not taken, and is not put right since.
    pub(super) async fn dead_letters(&self, generation: Generation, limit: usize) -> Result<Vec<Rejected>, StoreError> {
        let body = json!({
            "query": { "exists": { "field": "rejected" } },
            "sort": [{ "key": "asc" }],
            "size": limit.min(10_000),
            "version": true,
            "_source": ["part", "key", "rejected"],
        });
        let hits = self.entries(generation, &body).await?;
        let rejected = hits.into_iter().map(|Hit { version, source }| Rejected {
            key: entries::unhex(&source.key).unwrap_or_default(),
            position: version,
            reason: source.rejected.unwrap_or_default(),
        });
        Ok(rejected.collect())
    }
}
