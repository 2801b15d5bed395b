//! The one task that changes inventory: many commands, one transaction, one fsync.

use std::sync::Arc;

use domain::Refusal;
use event_schemas::stock::StockReceived;
use tokio::sync::{mpsc, oneshot};

use super::books::{Books, Request};
use crate::{
    outbox::{Outbox, Seq},
    relational::{Database, DatabaseError},
    services::ServiceError,
};

/// The most commands in one transaction: a batch ends while its first caller is still patient.
const BATCH: usize = 512;

/// A command and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) request: Request,
    pub(super) answer: oneshot::Sender<Result<Done, ServiceError>>,
}

/// The command was done, now or before; it is durable.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) received: Option<StockReceived>,
    /// The batch's last event in the outbox; none where the batch had nothing to tell.
    pub(super) seq: Option<Seq>,
}

type Decided = Result<Option<StockReceived>, Refusal>;

pub(super) struct Writer {
    pub(super) database: Arc<Database>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) jobs: mpsc::Receiver<Job>,
}

impl Writer {
    /// Runs until nobody can send any more, and everything sent is done.
    pub(super) async fn run(mut self) {
        let mut jobs = Vec::with_capacity(BATCH);
        while self.jobs.recv_many(&mut jobs, BATCH).await > 0 {
            let (requests, answers): (Vec<_>, Vec<_>) = jobs.drain(..).map(|job| (job.request, job.answer)).unzip();
            metrics::histogram!("jangteo_inventory_batch_commands").record(requests.len() as f64);
            match self.batch(&requests).await {
                Ok((decided, seq)) => {
                    for (answer, decided) in answers.into_iter().zip(decided) {
                        // Whoever stopped waiting finds it done when they ask again.
                        let _ = answer.send(done(decided, seq));
                    }
                }
                Err(error) => {
                    tracing::error!(%error, commands = requests.len(), "inventory could not write; nothing changed");
                    for answer in answers {
                        let _ = answer.send(Err(ServiceError::Fault(error.to_string())));
                    }
                }
            }
        }
    }

    /// All that was decided is durable together, or nothing of it happened.
    async fn batch(&self, requests: &[Request]) -> Result<(Vec<Decided>, Option<Seq>), DatabaseError> {
        let mut transaction = self.database.begin().await?;
        let mut books = Books::load(&mut transaction, requests).await?;
        let decided = requests.iter().map(|request| books.apply(request)).collect();
        books.store(&mut transaction).await?;
        let seq = self.outbox.write(&mut transaction, &books.outgoing).await?;
        transaction.commit().await?;
        self.outbox.committed(seq);
        Ok((decided, seq))
    }
}

fn done(decided: Decided, seq: Option<Seq>) -> Result<Done, ServiceError> {
    match decided {
        Ok(received) => Ok(Done { received, seq }),
        Err(refusal) => Err(ServiceError::Refused(refusal)),
    }
}
