//! Reconciliation: the provider's ledger against the payments in the log, both ways, all the time.
//!
//! Each look reads what is new on either side from where the last one stopped, strikes out what agrees ([`books`]), and turns
//! every difference that is older than a few minutes into a repair case: an event in the log, a line of alarm, a metric. When
//! the books agree again the case is resolved by itself. Where the look stopped, and what does not agree yet, is kept in a
//! file; without it, both sides and the cases are read from the beginning, to the same end.

pub mod books;
mod notebook;
pub mod routes;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc, time::Duration};

use domain::{
    RepairCase,
    repair::{RepairCommand, case_of},
};
use event_log::{EventFilter, EventLog, Position};
use event_schemas::{
    Category, RepairCaseId, ShopEvent, Timestamp,
    ids::derived_uuid,
    repair::{Discrepancy, RepairCaseEvent, RepairCaseOpened},
};
use tokio::time::sleep;

use self::books::{Difference, Finding};
pub use self::notebook::Notebook;
use super::{PaymentProvider, provider::LedgerError};
use crate::{
    execution::{CommandContext, Execution},
    services::ServiceError,
};

/// Events read at a time.
const PAGE: usize = 1_024;

/// How the books are compared.
#[derive(Debug, Clone)]
pub struct ReconciliationSettings {
    /// Between two looks.
    pub interval: Duration,
    /// How old a difference must be: before, the other side may be on its way.
    pub age: Duration,
    /// Where it is noted how far the last look came.
    pub file: PathBuf,
}

/// Why a look did not come to its end; the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum ReconciliationError {
    /// The provider's side.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The log's side.
    #[error("the log cannot be read: {0}")]
    Log(#[from] event_log::LogError),
    /// The notes.
    #[error("what was compared cannot be noted: {0}")]
    Notes(#[from] std::io::Error),
    /// The repair cases.
    #[error("a repair case cannot be written: {0}")]
    Cases(#[from] ServiceError),
}

/// Compares the books.
pub struct Reconciliation {
    log: Arc<dyn EventLog>,
    provider: Arc<dyn PaymentProvider>,
    cases: Arc<Repairs>,
    settings: ReconciliationSettings,
}

impl Reconciliation {
    /// Of that log with that provider.
    pub fn new(
        log: Arc<dyn EventLog>,
        provider: Arc<dyn PaymentProvider>,
        cases: Arc<Repairs>,
        settings: ReconciliationSettings,
    ) -> Self {
        Self {
            log,
            provider,
            cases,
            settings,
        }
    }

    /// Looks until dropped.
    pub async fn run(self) {
        count_from_zero();
        let mut notebook = Notebook::open(&self.settings.file);
        loop {
            if let Err(error) = self.look_and_note(&mut notebook).await {
                metrics::counter!("jangteo_reconciliation_failures_total").increment(1);
                tracing::warn!(provider = self.provider.name(), %error, "the books could not be compared; again soon");
            }
            sleep(self.settings.interval).await;
        }
    }

    async fn look_and_note(&self, notebook: &mut Notebook) -> Result<(), ReconciliationError> {
        self.look(notebook, Timestamp::now()).await?;
        Ok(notebook.save(&self.settings.file)?)
    }

    /// One look, as of `now`: [`Self::run`] does this again and again, and keeps the notebook in its file.
    ///
    /// # Errors
    /// See [`ReconciliationError`]. The notebook holds what was read until then: the next look goes on from there.
    pub async fn look(&self, notebook: &mut Notebook, now: Timestamp) -> Result<(), ReconciliationError> {
        // The log first: what the provider's ledger then tells more is younger than any difference that counts.
        // What was taken in is in memory with its cursor: where one fails, the next look goes on from there.
        self.read_log(notebook).await?;
        self.read_ledger(notebook).await?;
        let age = i64::try_from(self.settings.age.as_millis()).unwrap_or(i64::MAX);
        // On a copy: a case that cannot be written is found again by the next look.
        let mut compared = notebook.books.clone();
        for finding in compared.compare(now, age) {
            self.act_on(finding, now).await?;
        }
        notebook.books = compared;
        let count = u32::try_from(notebook.books.open_items()).unwrap_or(u32::MAX);
        metrics::gauge!("jangteo_reconciliation_unmatched").set(f64::from(count));
        metrics::counter!("jangteo_reconciliation_looks_total").increment(1);
        Ok(())
    }

    async fn read_log(&self, notebook: &mut Notebook) -> Result<(), ReconciliationError> {
        let filter = EventFilter::categories(&[Category::Payment, Category::RepairCase]);
        let end = self.log.head().await?;
        let told = self.provider.ledger_tells();
        while Position(notebook.position) < end {
            let (events, next) = self.log.read_all(Position(notebook.position), &filter, PAGE).await?;
            for event in &events {
                match event.shop_event() {
                    // What was imported happened elsewhere: this provider knows nothing of it.
                    Ok((metadata, _)) if metadata.imported => {}
                    Ok((_, ShopEvent::Payment(said))) => notebook.books.take_in_ours(said, event.recorded_at, told),
                    Ok((_, ShopEvent::RepairCase(RepairCaseEvent::RepairCaseOpened(case)))) => {
                        notebook.books.take_in_case(case);
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(position = %event.position, %error, "an event cannot be read")
                    }
                }
            }
            if next.0 == notebook.position {
                break;
            }
            notebook.position = next.0;
        }
        Ok(())
    }

    async fn read_ledger(&self, notebook: &mut Notebook) -> Result<(), ReconciliationError> {
        loop {
            let page = self.provider.ledger(notebook.cursor.as_deref()).await?;
            for entry in &page.entries {
                notebook.books.take_in_theirs(entry);
            }
            notebook.cursor = page.cursor;
            if !page.more {
                return Ok(());
            }
        }
    }

    async fn act_on(&self, finding: Finding, now: Timestamp) -> Result<(), ServiceError> {
        match finding {
            Finding::Differs(difference) => self.cases.open(self.provider.name(), difference, now).await,
            Finding::Over {
                key,
                discrepancy,
                now: wrong,
            } => {
                let resolution = match wrong {
                    None => "The books agree again.".to_owned(),
                    Some(other) => format!("It is another difference now, see the case about {}.", word(other)),
                };
                let case = case_of(&key, discrepancy);
                self.cases
                    .resolve(case, resolution, &within(case, now))
                    .await
                    .map(|_| ())
            }
        }
    }
}

/// A look is nobody's request: what it does about a case at one moment it does once.
fn within(case_id: RepairCaseId, now: Timestamp) -> CommandContext {
    let command_id = derived_uuid(case_id.uuid(), &format!("look of {}", now.as_millis()));
    CommandContext::within("reconciliation", command_id, now)
}

/// The repair cases.
pub struct Repairs {
    execution: Execution<RepairCase>,
}

impl Repairs {
    /// Over a log.
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self {
            execution: Execution::new(log),
        }
    }

    async fn open(&self, provider: &str, found: Difference, now: Timestamp) -> Result<(), ServiceError> {
        let detail = story(provider, &found);
        let Difference {
            key,
            discrepancy,
            payment_id,
            order_id,
            ours,
            theirs,
        } = found;
        let case_id = case_of(&key, discrepancy);
        let opened = RepairCaseOpened {
            case_id,
            discrepancy,
            payment_id,
            order_id,
            key,
            ours,
            theirs,
            detail,
        };
        let (told, command) = (opened.detail.clone(), RepairCommand::Open(opened));
        let executed = self
            .execution
            .execute(case_id.uuid(), &command, &within(case_id, now))
            .await?;
        if !executed.events.is_empty() {
            metrics::counter!("jangteo_repair_cases_opened_total", "discrepancy" => word(discrepancy)).increment(1);
            tracing::error!(case = %case_id, "ALERT: {told}");
        }
        Ok(())
    }

    /// Closes a case, with what was done. Gives the place in the log from which that is seen.
    ///
    /// # Errors
    /// When there is no such case, nothing is said about what was done, or the log fails.
    pub async fn resolve(
        &self,
        case_id: RepairCaseId,
        resolution: String,
        context: &CommandContext,
    ) -> Result<Position, ServiceError> {
        let command = RepairCommand::Resolve { resolution };
        let executed = self.execution.execute(case_id.uuid(), &command, context).await?;
        Ok(executed.position)
    }
}

/// From the start, so that an alarm sees the first of them.
fn count_from_zero() {
    metrics::counter!("jangteo_reconciliation_failures_total").increment(0);
    for discrepancy in [
        Discrepancy::UnknownToUs,
        Discrepancy::UnknownToProvider,
        Discrepancy::AmountDiffers,
        Discrepancy::OutcomeDiffers,
        Discrepancy::Refused,
    ] {
        metrics::counter!("jangteo_repair_cases_opened_total", "discrepancy" => word(discrepancy)).increment(0);
    }
}

const fn word(discrepancy: Discrepancy) -> &'static str {
    match discrepancy {
        Discrepancy::UnknownToUs => "unknown_to_us",
        Discrepancy::UnknownToProvider => "unknown_to_provider",
        Discrepancy::AmountDiffers => "amount_differs",
        Discrepancy::OutcomeDiffers => "outcome_differs",
        Discrepancy::Refused => "refused",
    }
}

/// The whole story in a sentence, and what can be done.
fn story(provider: &str, found: &Difference) -> String {
    let key = &found.key;
    let sum =
        |money: Option<event_schemas::Money>| money.map_or_else(|| "nothing".to_owned(), |money| money.to_string());
    let (ours, theirs) = (sum(found.ours), sum(found.theirs));
    match found.discrepancy {
        Discrepancy::UnknownToUs => format!(
            "{provider} did {key} for {theirs}, and the log asked for no such thing, or it was done twice: \
             find out who asked for it, and refund it at the provider's if nobody may keep it."
        ),
        Discrepancy::UnknownToProvider => format!(
            "The log says that {key} happened for {ours}, and {provider} knows nothing of it: \
             ask the provider, and do it there by hand if it was lost."
        ),
        Discrepancy::AmountDiffers => {
            format!("{key} is {ours} in the log and {theirs} at {provider}: correct the difference at the provider's.")
        }
        Discrepancy::OutcomeDiffers => format!(
            "{provider} did {key} for {theirs}, and the log does not know that it happened: \
             inquire about the payment, or undo it at the provider's."
        ),
        Discrepancy::Refused => format!(
            "{provider} refused {key}, though the money was there: settle it at the provider's, then retry the order's saga."
        ),
    }
}
