//! Derives a sample again beside what is live, and finds the suspects.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use read_models::documents::{Collection, Scan, read};
use tokio::sync::{mpsc, oneshot};

use super::{AuditError, Comparison, Findings, Sample, rederivation::Rederivation};
use crate::{
    projection::Projection,
    running::{pages::Pages, report::Report},
};

/// Stored documents read at once.
const SCANNED: usize = 500;

/// How an audit is made.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// What is wrong is put right.
    pub(crate) repair: bool,
    /// After each piece of work, it rests so many times as long as that took. 0 for full speed.
    pub(crate) rest: u32,
}

/// Looks at samples of one read model.
#[async_trait]
pub(crate) trait Audit: Send + Sync {
    /// The key of the last of so many documents that stand behind `after`; none where so many do not.
    async fn last_of(&self, after: &[u8], size: usize) -> Result<Option<Vec<u8>>, AuditError>;

    /// Holds a sample against the log; `read` is told up to which position of which it has been read.
    async fn audit(
        &self,
        sample: Sample,
        manner: Manner,
        read: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Findings, AuditError>;
}

/// Looks at samples of a projection's read model.
pub(crate) struct Auditor<P: Projection> {
    collection: Collection<P::Model>,
    pages: Arc<Pages>,
    report: Arc<Report>,
    comparisons: mpsc::Sender<Comparison<P>>,
}

/// An auditor of a running projection, and what the projection is asked to compare.
pub(crate) fn auditor<P: Projection>(
    collection: Collection<P::Model>,
    pages: Arc<Pages>,
    report: Arc<Report>,
) -> (Arc<dyn Audit>, mpsc::Receiver<Comparison<P>>) {
    let (comparisons, asked) = mpsc::channel(1);
    let auditor = Auditor {
        collection,
        pages,
        report,
        comparisons,
    };
    (Arc::new(auditor), asked)
}

#[async_trait]
impl<P: Projection> Audit for Auditor<P> {
    async fn last_of(&self, after: &[u8], size: usize) -> Result<Option<Vec<u8>>, AuditError> {
        let (mut last, mut left) = (after.to_vec(), size);
        while left > 0 {
            let scanned = self.scan(Some(&last), left.min(SCANNED)).await?;
            let Some((key, _)) = scanned.last() else {
                return Ok(None);
            };
            last.clone_from(key);
            left -= scanned.len().min(left);
        }
        Ok(Some(last))
    }

    async fn audit(
        &self,
        sample: Sample,
        manner: Manner,
        read: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Findings, AuditError> {
        let mut derived = Rederivation::<P>::new(sample);
        self.derive(&mut derived, manner, read).await?;
        let (suspects, checked) = self.suspects(&derived, manner).await?;
        let mut findings = Findings {
            checked,
            ..Findings::default()
        };
        if !suspects.is_empty() {
            derived.narrow(suspects);
            // The rest of the way is the projection's, and it should be short.
            self.derive(&mut derived, Manner::default(), read).await?;
            findings.join(self.compare(derived, manner.repair).await?);
        }
        Ok(findings)
    }
}

impl<P: Projection> Auditor<P> {
    async fn scan(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<(Vec<u8>, bytes::Bytes)>, AuditError> {
        let scan = Scan {
            prefix: &[],
            after: after.filter(|after| !after.is_empty()),
            backwards: false,
            limit,
        };
        Ok(self.collection.stored(scan).await?)
    }

    /// Reads the log up to where the projection shows it.
    async fn derive(
        &self,
        derived: &mut Rederivation<P>,
        manner: Manner,
        read: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<(), AuditError> {
        let upto = self.report.position();
        while derived.position() < upto {
            let started = Instant::now();
            let Some(page) = self.pages.aside(derived.position()).await? else {
                break;
            };
            derived.take_in(&page, upto);
            read(derived.position(), upto);
            manner.pause(started).await;
        }
        Ok(())
    }

    /// The keys of the documents that are not stored as they were derived, and how many documents were looked at.
    async fn suspects(
        &self,
        derived: &Rederivation<P>,
        manner: Manner,
    ) -> Result<(BTreeSet<Vec<u8>>, u64), AuditError> {
        let mut not_seen: BTreeSet<&[u8]> = derived.keys().collect();
        let mut suspects = BTreeSet::new();
        let mut checked = not_seen.len();
        let sample = derived.sample();
        let mut after = sample.after().map(<[u8]>::to_vec);
        loop {
            let started = Instant::now();
            let stored = self.scan(after.as_deref(), SCANNED).await?;
            let Some((last, _)) = stored.last() else { break };
            after = Some(last.clone());
            for (key, bytes) in stored.iter().filter(|(key, _)| sample.has(key)) {
                checked += usize::from(!not_seen.remove(key.as_slice()));
                if !self.is_right(derived, key, bytes).await? {
                    suspects.insert(key.clone());
                }
            }
            if stored.len() < SCANNED || after.as_ref().is_some_and(|last| sample.ends_before(last)) {
                break;
            }
            manner.pause(started).await;
        }
        suspects.extend(not_seen.into_iter().map(<[u8]>::to_vec));
        Ok((suspects, checked as u64))
    }

    async fn is_right(&self, derived: &Rederivation<P>, key: &[u8], bytes: &[u8]) -> Result<bool, AuditError> {
        let Some(derived) = derived.document(key) else {
            return Ok(false);
        };
        let same = read::<P::Model>(bytes).is_ok_and(|stored| stored == *derived);
        Ok(same && self.collection.lists(key, derived).await?)
    }

    /// Asks the projection to look once more.
    async fn compare(&self, derived: Rederivation<P>, repair: bool) -> Result<Findings, AuditError> {
        let stopped = || AuditError::Failed("the projection has stopped, or failed meanwhile".to_owned());
        let (answer, answered) = oneshot::channel();
        let comparison = Comparison::new(derived, repair, answer);
        self.comparisons.send(comparison).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

impl Manner {
    async fn pause(self, since: Instant) {
        // A moment's work may be too short to be seen on the clock.
        let worked = since.elapsed().max(Duration::from_micros(50));
        if self.rest > 0 {
            tokio::time::sleep(worked * self.rest).await;
        }
    }
}
