//! Audits that operators ask for.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use event_log::LogError;
use read_models::{ReadModels, documents::StoreError};
use serde::Serialize;
use tokio::{runtime::Handle, sync::watch};

use super::{Audit, Findings, Manner, Sample};
use crate::running::report::Report;

/// An audit of a sample looks at about so many documents.
const SAMPLE: u64 = 500;
/// An audit of all documents holds so many in memory at once; for each so many, it reads the log once.
const AT_ONCE: usize = 100_000;

/// What is looked at, and what is done about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct AuditScope {
    /// Every document; otherwise some hundreds, others each time.
    pub all: bool,
    /// Puts right what is wrong.
    pub repair: bool,
}

/// There is no audit to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// There is no projection of that name.
    #[error("there is no projection {0:?}; there are {names}", names = ReadModels::NAMES.join(", "))]
    Unknown(String),
    /// It is being audited already.
    #[error("{0} is being audited already: wait until that is done")]
    UnderWay(&'static str),
    /// It could not be done.
    #[error("the audit could not be made: {0}")]
    Failed(String),
}

impl From<StoreError> for AuditError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<LogError> for AuditError {
    fn from(error: LogError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The audit of a projection that an operator asked for last.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AuditStatus {
    /// What was asked for.
    pub scope: AuditScope,
    /// The log is read up to here …
    pub position: u64,
    /// … of this.
    pub head: u64,
    /// It is over.
    pub done: bool,
    /// What was found so far.
    pub findings: Findings,
    /// Why it could not be made.
    pub error: Option<String>,
}

/// The audits of one projection that operators asked for.
pub(crate) struct Ordered {
    name: &'static str,
    audit: Arc<dyn Audit>,
    report: Arc<Report>,
    last: Arc<Mutex<Option<AuditStatus>>>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

impl Ordered {
    pub(crate) fn new(name: &'static str, audit: Arc<dyn Audit>, report: Arc<Report>) -> Self {
        Self {
            name,
            audit,
            report,
            last: Arc::default(),
            thread: Mutex::default(),
        }
    }

    /// How the last one stands.
    pub(crate) fn status(&self) -> Option<AuditStatus> {
        held(&self.last).clone()
    }

    /// The thread of the last one: after `stop` it must let go of the store before anybody opens it again.
    pub(crate) fn thread(&self) -> Option<thread::JoinHandle<()>> {
        held(&self.thread).take()
    }

    /// Begins one, on a thread of its own.
    pub(crate) fn begin(&self, scope: AuditScope, mut stop: watch::Receiver<bool>) -> Result<(), AuditError> {
        let mut last = held(&self.last);
        if last.as_ref().is_some_and(|last| !last.done) {
            return Err(AuditError::UnderWay(self.name));
        }
        let (audit, report) = (Arc::clone(&self.audit), Arc::clone(&self.report));
        let (status, handle) = (Arc::clone(&self.last), Handle::current());
        let body = move || {
            handle.block_on(async {
                let outcome = tokio::select! {
                    biased;
                    () = crate::running::stopped(&mut stop) => Err(AuditError::Failed("the shop is stopping".to_owned())),
                    outcome = carry_out(audit.as_ref(), scope, &report, &status) => outcome,
                };
                if let Some(status) = &mut *held(&status) {
                    status.error = outcome.err().map(|error| error.to_string());
                    status.done = true;
                }
            });
        };
        let spawned = thread::Builder::new().name(format!("{}-audit", self.name)).spawn(body);
        let spawned = spawned.map_err(|error| AuditError::Failed(format!("no thread to be had: {error}")))?;
        *held(&self.thread) = Some(spawned);
        *last = Some(AuditStatus {
            scope,
            ..AuditStatus::default()
        });
        Ok(())
    }
}

async fn carry_out(
    audit: &dyn Audit,
    scope: AuditScope,
    report: &Report,
    status: &Mutex<Option<AuditStatus>>,
) -> Result<(), AuditError> {
    let manner = Manner {
        repair: scope.repair,
        rest: 0,
    };
    let read = |position, head| {
        if let Some(status) = &mut *held(status) {
            (status.position, status.head) = (position, head);
        }
    };
    let mut after = Some(vec![]);
    while let Some(behind) = after {
        let sample;
        (sample, after) = if scope.all {
            let upto = audit.last_of(&behind, AT_ONCE).await?;
            let after = behind;
            (
                Sample::Between {
                    after,
                    upto: upto.clone(),
                },
                upto,
            )
        } else {
            let salt = event_schemas::Timestamp::now().as_millis().unsigned_abs();
            let of = report.documents().div_ceil(SAMPLE);
            (Sample::OneIn { of, salt }, None)
        };
        let found = audit.audit(sample, manner, &read).await?;
        report.tally.add(&found);
        if let Some(status) = &mut *held(status) {
            status.findings.join(found);
        }
    }
    Ok(())
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
