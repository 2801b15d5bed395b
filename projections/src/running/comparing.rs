//! A rebuilt generation is compared with the live one: every document by field, and what customers lately searched for.
//!
//! The walk over all documents takes its time while both go on. What it finds different may only be a moment behind, and what
//! changes meanwhile may differ afterwards. So the documents that changed since the walk began are noted; when both
//! generations stand at the same place in the log, those and the suspects are looked at once more. That is short enough for
//! the live one to wait, and makes the whole comparison one of that place.

use std::collections::BTreeSet;

use event_schemas::ProductId;
use read_models::{
    ReadModels,
    documents::{Collection, Generation, Model, ModelKey as _, StoreError},
};

use super::{
    generation::Building,
    rebuilding::{Failure, Workplace},
};
use crate::{
    comparison::{Comparison, SearchDifference},
    projection::Projection,
};

/// So many documents are looked at while the live generation waits.
const FEW: usize = 1_000;
/// So often the suspects are looked at again while both go on, until they are few.
const ROUNDS: usize = 4;
/// So many recent searches are repeated.
const SEARCHES: usize = 100;

/// What was found while both went on.
#[derive(Debug, Default)]
pub(super) struct Findings {
    documents: u64,
    /// Documents that differ beyond the suspects: too many to look at again.
    beyond: u64,
    /// Keys of documents that may differ.
    suspects: BTreeSet<Vec<u8>>,
    searches: u64,
    changed_searches: Vec<String>,
    failed: Option<String>,
}

impl Findings {
    /// It could not be found out.
    pub(super) fn failed(reason: String) -> Self {
        Self {
            failed: Some(reason),
            ..Self::default()
        }
    }
}

/// Compares while both go on. None when told to stop.
pub(super) async fn look<P: Projection>(
    building: &mut Building<P>,
    place: &Workplace<P>,
) -> Result<Option<Findings>, Failure> {
    let rebuilt = building.generation();
    building.noted();
    let watch = |documents| {
        place.report.compared(documents);
        !place.is_over()
    };
    let Some(walked) = place.collection.walk_beside(rebuilt, watch).await? else {
        return Ok(None);
    };
    let mut findings = Findings {
        documents: walked.documents,
        beyond: walked.differing - walked.keys.len() as u64,
        suspects: walked.keys.into_iter().collect(),
        ..Findings::default()
    };
    for _ in 0..ROUNDS {
        if !place.catch_up(building).await? {
            return Ok(None);
        }
        findings.suspects.extend(building.noted().iter().map(|key| key.bytes()));
        if findings.suspects.len() <= FEW {
            break;
        }
        findings.suspects = still_different(&place.collection, rebuilt, findings.suspects).await?;
    }
    if P::Model::NAME == read_models::catalogue::Catalogue::NAME {
        let texts = place.read_models.recent_searches(SEARCHES);
        findings.searches = texts.len() as u64;
        let changed = changed_searches(&place.read_models, place.collection.live_now().await, rebuilt, &texts).await?;
        findings.changed_searches = changed.into_iter().map(|change| change.text).collect();
    }
    Ok(Some(findings))
}

async fn still_different<M: Model>(
    collection: &Collection<M>,
    rebuilt: Generation,
    suspects: BTreeSet<Vec<u8>>,
) -> Result<BTreeSet<Vec<u8>>, StoreError> {
    let mut different = BTreeSet::new();
    for key in suspects {
        if collection.difference(rebuilt, &key).await?.is_some() {
            different.insert(key);
        }
    }
    Ok(different)
}

/// The comparison, now that both stand at `position` and nothing is written.
pub(super) async fn settle<P: Projection>(
    findings: &mut Findings,
    building: &mut Building<P>,
    collection: &Collection<P::Model>,
    read_models: &ReadModels,
) -> Result<Comparison, Failure> {
    let (rebuilt, live) = (building.generation(), collection.live_now().await);
    // Kept with the suspects: should anything here fail, they are looked at in the next try.
    findings.suspects.extend(building.noted().iter().map(|key| key.bytes()));
    let mut comparison = Comparison {
        generation: rebuilt.number,
        live: live.number,
        position: building.position(),
        documents: findings.documents,
        differing: findings.beyond + findings.suspects.len().saturating_sub(FEW) as u64,
        differences: vec![],
        searches: findings.searches,
        changed_searches: vec![],
        failed: findings.failed.clone(),
    };
    for key in findings.suspects.iter().take(FEW) {
        if let Some(difference) = collection.difference(rebuilt, key).await? {
            comparison.differing += 1;
            if comparison.differences.len() < Comparison::SHOWN {
                comparison.differences.push(difference);
            }
        }
    }
    comparison.changed_searches = changed_searches(read_models, live, rebuilt, &findings.changed_searches).await?;
    Ok(comparison)
}

async fn changed_searches(
    read_models: &ReadModels,
    live: Generation,
    rebuilt: Generation,
    texts: &[String],
) -> Result<Vec<SearchDifference>, Failure> {
    let mut changed = vec![];
    for text in texts {
        let (shown, derived) = (
            read_models.top_ten(live, text).await?,
            read_models.top_ten(rebuilt, text).await?,
        );
        if shown != derived {
            let ids = |products: Vec<ProductId>| products.iter().map(ToString::to_string).collect();
            changed.push(SearchDifference {
                text: text.clone(),
                live: ids(shown),
                rebuilt: ids(derived),
            });
        }
    }
    Ok(changed)
}
