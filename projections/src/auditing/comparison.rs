//! The second look: by the projection itself, which stands still meanwhile.

use event_log::LogError;
use read_models::{
    documents::{DocumentDifference, StoreError, Workspace, read},
    projection::Document,
};
use serde::Serialize;
use tokio::sync::oneshot;

use super::{AuditError, Drift, DriftKind, Findings, Sample, rederivation::Rederivation};
use crate::{
    projection::Projection,
    running::{generation::Building, pages::Pages},
};

/// Documents that are suspected to be wrong, as the log tells them.
pub(crate) struct Comparison<P: Projection> {
    derived: Rederivation<P>,
    repair: bool,
    answer: oneshot::Sender<Result<Findings, AuditError>>,
}

/// The log or the store failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotCompared {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<P: Projection> Comparison<P> {
    pub(super) const fn new(
        derived: Rederivation<P>,
        repair: bool,
        answer: oneshot::Sender<Result<Findings, AuditError>>,
    ) -> Self {
        Self {
            derived,
            repair,
            answer,
        }
    }

    /// Brings the suspects to where the live generation stands, compares, and puts right what is wrong.
    pub(crate) async fn carry_out(mut self, live: &mut Building<P>, pages: &Pages) -> Result<(), NotCompared> {
        while self.derived.position() < live.position() {
            match pages.aside(self.derived.position()).await? {
                Some(page) => self.derived.take_in(&page, live.position()),
                None => break,
            }
        }
        if self.derived.position() > live.position() {
            // It failed meanwhile, and has gone back to its checkpoint.
            let behind = AuditError::Failed("the projection is behind; try again when it has caught up".to_owned());
            let _gone = self.answer.send(Err(behind));
            return Ok(());
        }
        let workspace = live.written().await?;
        let (mut findings, right) = self.look(workspace).await?;
        if self.repair && !right.is_empty() {
            findings.repaired = right.len() as u64;
            workspace.restore(right).await?;
            live.unlearn();
        }
        // Whoever asked may have gone; what was wrong is put right all the same.
        let _gone = self.answer.send(Ok(findings));
        Ok(())
    }

    /// What is wrong, and what would be right.
    async fn look(&self, workspace: &Workspace<P::Model>) -> Result<(Findings, Restored<P>), StoreError> {
        let (mut findings, mut right) = (Findings::default(), vec![]);
        let Sample::Keys(suspects) = self.derived.sample() else {
            return Ok((findings, right));
        };
        let dead_letters = workspace.rejected().await?;
        for key in suspects.iter().filter(|key| !dead_letters.contains(*key)) {
            let derived = self.derived.document(key);
            let stored = workspace.stored(key).await?;
            let listed = match derived {
                Some(derived) => workspace.lists(key, derived).await?,
                None => true,
            };
            if let Some(kind) = judge::<P>(stored.as_deref(), derived, listed) {
                findings.add(Drift {
                    kind,
                    document: difference(key, stored.as_deref(), derived)?,
                });
                right.push((key.clone(), derived.cloned()));
            }
        }
        Ok((findings, right))
    }
}

/// Documents by key, as they should be.
type Restored<P> = Vec<(Vec<u8>, Option<Document<P>>)>;

/// What is wrong with a document.
fn judge<P: Projection>(stored: Option<&[u8]>, derived: Option<&Document<P>>, listed: bool) -> Option<DriftKind> {
    let (stored, derived) = match (stored, derived) {
        (None, None) => return None,
        (None, Some(_)) => return Some(DriftKind::Missing),
        (Some(_), None) => return Some(DriftKind::Ghost),
        (Some(stored), Some(derived)) => (stored, derived),
    };
    match read::<P::Model>(stored) {
        Err(_) => Some(DriftKind::Unreadable),
        Ok(document) if document != *derived => Some(DriftKind::Different),
        Ok(_) if !listed => Some(DriftKind::Unlisted),
        Ok(_) => None,
    }
}

fn difference<D: Serialize>(
    key: &[u8],
    stored: Option<&[u8]>,
    derived: Option<&D>,
) -> Result<DocumentDifference, StoreError> {
    let derived = derived.map(serde_json::to_vec).transpose();
    let derived = derived.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let difference = DocumentDifference::between(key, stored, derived.as_deref());
    Ok(difference.unwrap_or_else(|| DocumentDifference::without_fields(key)))
}
