//! A payment provider that plays an outside party: it has a [`ledger`] of its own, which outlives our process, and
//! misbehaves on request. The card's token decides:
//!
//! | token | what happens |
//! |---|---|
//! | `card_approve` | approved |
//! | `card_decline` | declined, `card_declined` |
//! | `card_insufficient_funds` | declined, `insufficient_funds` |
//! | `card_slow` | approved after [`SimulatorSettings::slow`], longer than anybody waits |
//! | `card_answer_lost` | approved at once, but the answer never arrives |
//! | any other | declined, `unknown_card` |
//!
//! Here it is a provider within the process; [`server`] is the same over HTTP, with faults on request.

pub(crate) mod ledger;
pub mod server;
pub(crate) mod verdict;

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use event_schemas::{
    Money, Timestamp,
    order::{PaymentMethod, Reason},
    payment::PaymentOperation,
};
use tokio::time::sleep;

use self::{
    ledger::{Asked, Decided, Ledger, Line, Notes},
    verdict::Verdict,
};
use super::{
    OperationKey,
    provider::{LedgerEntry, LedgerError, LedgerPage, Outcome, PaymentProvider},
};

/// Lines of the ledger that are told at a time.
const PAGE: usize = 500;

/// How the simulator behaves.
#[derive(Debug, Clone, Copy)]
pub struct SimulatorSettings {
    /// How long `card_slow` takes.
    pub slow: Duration,
}

impl Default for SimulatorSettings {
    fn default() -> Self {
        Self {
            slow: Duration::from_secs(5),
        }
    }
}

/// The simulated provider, in the process.
pub struct ProviderSimulator {
    ledger: Arc<Ledger>,
}

impl ProviderSimulator {
    /// Opens the ledger in `folder`, making it if it is not there.
    ///
    /// # Errors
    /// When the ledger cannot be opened.
    pub fn open(folder: &Path, settings: SimulatorSettings) -> Result<Self, fjall::Error> {
        let ledger = Arc::new(Ledger::open(folder, settings.slow)?);
        Ok(Self { ledger })
    }

    /// How often money was set aside, taken and given back: for tests that count.
    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        let lines = self.ledger.lines(0, usize::MAX).unwrap();
        let count = |kind| lines.iter().filter(|(_, line)| line.operation == kind).count();
        let (taken, back) = (count(PaymentOperation::Capture), count(PaymentOperation::Void));
        (count(PaymentOperation::Authorise) - taken - back, taken, back)
    }

    #[cfg(test)]
    pub(super) fn ledger_itself(&self) -> &Ledger {
        &self.ledger
    }

    fn answer(&self, key: &OperationKey, asked: &Asked) -> Outcome {
        outcome(self.ledger.once(&key.to_string(), asked, &Notes::new()))
    }
}

#[async_trait]
impl PaymentProvider for ProviderSimulator {
    fn name(&self) -> &'static str {
        "simulator"
    }

    async fn authorise(&self, key: &OperationKey, amount: Money, method: &PaymentMethod) -> Outcome {
        let token = method.token.clone();
        let asked = Asked::Authorise { amount, token };
        let decided = match self.ledger.once(&key.to_string(), &asked, &Notes::new()) {
            Ok(decided) => decided,
            Err(detail) => return Outcome::Unknown { detail },
        };
        sleep(decided.left()).await;
        if decided.loses_its_answer() {
            let detail = "the connection broke before the answer came".to_owned();
            return Outcome::Unknown { detail };
        }
        decided.outcome()
    }

    async fn capture(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        let reference = reference.to_owned();
        self.answer(key, &Asked::Capture { reference, amount })
    }

    async fn void(&self, key: &OperationKey, reference: &str, _amount: Money) -> Outcome {
        let reference = reference.to_owned();
        self.answer(key, &Asked::Void { reference })
    }

    async fn refund(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        let reference = reference.to_owned();
        self.answer(key, &Asked::Refund { reference, amount })
    }

    async fn look_up(&self, key: &OperationKey, _reference: Option<&str>) -> Option<Outcome> {
        self.ledger.decided(&key.to_string()).transpose().map(outcome)
    }

    fn ledger_tells(&self) -> &'static [PaymentOperation] {
        &ALL_OPERATIONS
    }

    async fn ledger(&self, after: Option<&str>) -> Result<LedgerPage, LedgerError> {
        page(&self.ledger, after)
    }
}

/// The simulator writes a line for each operation.
pub(crate) const ALL_OPERATIONS: [PaymentOperation; 4] = [
    PaymentOperation::Authorise,
    PaymentOperation::Capture,
    PaymentOperation::Void,
    PaymentOperation::Refund,
];

/// A stretch of the ledger; the cursor is the number of the line.
pub(crate) fn page(ledger: &Ledger, after: Option<&str>) -> Result<LedgerPage, LedgerError> {
    let from = after.map_or(Ok(0), str::parse);
    let from = from.map_err(|_| LedgerError("this is no cursor of ours".to_owned()))?;
    let lines = ledger.lines(from, PAGE).map_err(LedgerError)?;
    Ok(LedgerPage {
        more: lines.len() == PAGE,
        cursor: lines
            .last()
            .map(|(number, _)| number.to_string())
            .or_else(|| after.map(str::to_owned)),
        entries: lines.into_iter().map(|(_, line)| line.into()).collect(),
    })
}

impl From<Line> for LedgerEntry {
    fn from(line: Line) -> Self {
        Self {
            key: line.key,
            operation: line.operation,
            amount: line.amount,
            at: line.at,
        }
    }
}

impl Decided {
    /// How long the provider is still at it.
    pub(crate) fn left(&self) -> Duration {
        let left = self.settled_at.as_millis() - Timestamp::now().as_millis();
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }

    /// The card whose answers never arrive.
    fn loses_its_answer(&self) -> bool {
        matches!(&self.asked, Asked::Authorise { token, .. } if token == "card_answer_lost")
    }

    pub(crate) fn outcome(self) -> Outcome {
        if self.settled_at > Timestamp::now() {
            let detail = "the provider has not decided yet".to_owned();
            return Outcome::Unknown { detail };
        }
        match self.verdict {
            Verdict::Done { reference } => Outcome::Happened { reference },
            Verdict::Refused { code, message } => Outcome::Declined {
                reason: Reason::new(&code, &message),
            },
        }
    }
}

fn outcome(decided: Result<Decided, String>) -> Outcome {
    decided.map_or_else(|detail| Outcome::Unknown { detail }, Decided::outcome)
}
