//! The drift sentinel: holds some documents after others against the log, all the time, and puts right what is wrong.
//!
//! It takes the read models in turn, and in each the documents in the order of their keys, so that all are looked at sooner
//! or later. Reading the log for a few hundred documents takes long; so it works a moment and rests many.

use std::{collections::HashMap, io, sync::Arc, thread, time::Duration};

use tokio::{runtime::Handle, sync::watch};

use crate::{
    auditing::{Audit, AuditError, Findings, Manner, Sample},
    running::report::Report,
};

/// How the sentinel works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentinel {
    /// So many documents are looked at in one pass.
    pub documents: usize,
    /// Between two passes.
    pub pause: Duration,
    /// It rests so many times as long as it works: 49 is a fiftieth of a core.
    pub rest: u32,
}

impl Default for Sentinel {
    fn default() -> Self {
        Self {
            documents: 500,
            pause: Duration::from_secs(1),
            rest: 49,
        }
    }
}

/// A read model it looks at.
pub(crate) struct Watched {
    pub(crate) name: &'static str,
    pub(crate) audit: Arc<dyn Audit>,
    pub(crate) report: Arc<Report>,
}

/// Sets it to work, on a thread of its own, until `stop`.
pub(crate) fn start(
    sentinel: Sentinel,
    watched: Vec<Watched>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<thread::JoinHandle<()>> {
    let handle = Handle::current();
    let body = move || {
        handle.block_on(async move {
            tokio::select! {
                biased;
                () = crate::running::stopped(&mut stop) => {}
                () = sentinel.watch(&watched) => {}
            }
        });
    };
    thread::Builder::new().name("sentinel".to_owned()).spawn(body)
}

impl Sentinel {
    async fn watch(self, watched: &[Watched]) {
        let mut places: HashMap<&str, Vec<u8>> = HashMap::new();
        loop {
            for one in watched {
                tokio::time::sleep(self.pause).await;
                // One that is in trouble has enough to do.
                if one.report.is_failed() {
                    continue;
                }
                let place = places.entry(one.name).or_default();
                match self.pass(one, place).await {
                    Ok(findings) => one.note(&findings),
                    Err(error) => {
                        tracing::debug!(projection = one.name, %error, "a pass of the sentinel came to nothing")
                    }
                }
            }
        }
    }

    /// Looks at the documents behind `place`, and moves on.
    async fn pass(self, watched: &Watched, place: &mut Vec<u8>) -> Result<Findings, AuditError> {
        let upto = watched.audit.last_of(place, self.documents).await?;
        // At the end it starts again at the first.
        let after = std::mem::replace(place, upto.clone().unwrap_or_default());
        let manner = Manner {
            repair: true,
            rest: self.rest,
        };
        watched
            .audit
            .audit(Sample::Between { after, upto }, manner, &|_, _| {})
            .await
    }
}

impl Watched {
    fn note(&self, findings: &Findings) {
        for drift in &findings.drifts {
            let key = drift.document.key.as_str();
            tracing::warn!(projection = self.name, key, kind = ?drift.kind, "a document was not what the log tells; put right");
        }
        self.report.tally.add(findings);
        self.report.tally.correctness(findings);
    }
}
