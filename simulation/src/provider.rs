//! The payment provider: an outside party with a ledger of its own, which does each operation once for its key.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use command_services::payments::{
    OperationKey, Outcome, PaymentProvider,
    provider::{LedgerEntry, LedgerError, LedgerPage},
};
use event_schemas::{
    Money, Timestamp,
    order::{PaymentMethod, Reason},
    payment::PaymentOperation,
};

use crate::weather::Weather;

/// The card of a customer who has no money.
pub const EMPTY_CARD: &str = "card_decline";
/// The longest that a call which nobody waits for any more takes to arrive, in milliseconds.
const LATE: u64 = 300_000;

/// The provider.
pub struct Provider {
    books: Mutex<Books>,
    weather: Arc<Weather>,
    /// A planted bug: it does an operation again when it is asked again.
    forgets_keys: bool,
}

/// What the provider did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As it was asked.
    pub key: String,
    /// What it did.
    pub operation: PaymentOperation,
    /// The authorisation it belongs to.
    pub reference: String,
    /// How much.
    pub amount: i64,
    /// When, by its own clock.
    pub at: Timestamp,
}

#[derive(Default)]
struct Books {
    answers: BTreeMap<String, Outcome>,
    /// What it would not do, and never said why.
    refused: BTreeMap<String, Call>,
    held: BTreeMap<String, Held>,
    ledger: Vec<Entry>,
}

/// Money that was set aside.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    aside: i64,
    taken: i64,
}

/// A call, as it arrives.
#[derive(Debug, Clone)]
struct Call {
    key: String,
    operation: PaymentOperation,
    reference: String,
    amount: i64,
    token: String,
}

impl Provider {
    /// A provider in that weather.
    pub fn new(weather: &Arc<Weather>, forgets_keys: bool) -> Arc<Self> {
        Arc::new(Self {
            books: Mutex::default(),
            weather: Arc::clone(weather),
            forgets_keys,
        })
    }

    /// Everything it did, in order.
    pub fn ledger(&self) -> Vec<Entry> {
        self.books().ledger.clone()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn called(self: &Arc<Self>, call: Call) -> Outcome {
        self.weather.takes(|storm| storm.provider_takes).await;
        let unknown = |detail: &str| Outcome::Unknown {
            detail: detail.to_owned(),
        };
        if !self.weather.provider_is_up() {
            let detail = "no connection".to_owned();
            return Outcome::NotAsked { detail };
        }
        if self.weather.hits(|storm| storm.provider_silent) {
            return unknown("no answer, and nothing was done");
        }
        if self.weather.hits(|storm| storm.provider_late) {
            let provider = Arc::clone(self);
            tokio::spawn(async move {
                provider.weather.takes(|_| LATE).await;
                provider.act(&call);
            });
            return unknown("no answer, and it is done later");
        }
        let outcome = self.act(&call);
        // Whoever is killed here never learns of it.
        self.weather.takes(|storm| storm.provider_takes).await;
        if self.weather.hits(|storm| storm.provider_forgotten) {
            return unknown("it was done, and the answer was lost");
        }
        outcome
    }

    /// Once for each key.
    fn act(&self, call: &Call) -> Outcome {
        let mut books = self.books();
        if let Some(answer) = books.answers.get(&call.key).filter(|_| !self.forgets_keys) {
            return answer.clone();
        }
        let refuses =
            call.operation != PaymentOperation::Authorise && self.weather.hits(|storm| storm.provider_refuses);
        let answer = if refuses {
            books.refused.insert(call.key.clone(), call.clone());
            declined("refused", "We will not.")
        } else {
            books.settle(call, self.weather.time())
        };
        books.answers.insert(call.key.clone(), answer.clone());
        answer
    }

    /// Somebody calls, and has it done by hand what was refused. False where that is not possible.
    pub fn persuaded(&self, key: &str) -> bool {
        let mut books = self.books();
        let Some(call) = books.refused.remove(key) else {
            return false;
        };
        let answer = books.settle(&call, self.weather.time());
        let done = matches!(answer, Outcome::Happened { .. });
        if done {
            books.answers.insert(call.key, answer);
        }
        done
    }

    fn page(&self, after: usize) -> LedgerPage {
        let books = self.books();
        let entries = books.ledger.iter().skip(after).map(|entry| LedgerEntry {
            key: entry.key.clone(),
            operation: entry.operation,
            amount: Money::krw(entry.amount),
            at: entry.at,
        });
        LedgerPage {
            entries: entries.collect(),
            cursor: Some(books.ledger.len().to_string()),
            more: false,
        }
    }

    async fn answer_to(&self, key: &str) -> Option<Outcome> {
        self.weather.takes(|storm| storm.provider_takes).await;
        if !self.weather.provider_is_up() || self.weather.hits(|storm| storm.provider_silent) {
            let detail = "no answer to the question".to_owned();
            return Some(Outcome::Unknown { detail });
        }
        self.books().answers.get(key).cloned()
    }
}

impl Books {
    fn settle(&mut self, call: &Call, at: Timestamp) -> Outcome {
        match call.operation {
            PaymentOperation::Authorise if call.token == EMPTY_CARD => {
                return declined("card_declined", "The card was declined.");
            }
            PaymentOperation::Authorise => {
                self.held.entry(call.reference.clone()).or_default().aside += call.amount;
            }
            operation => {
                let held = self.held.get_mut(&call.reference);
                if !held.is_some_and(|held| held.moves(operation, call.amount)) {
                    return declined("not_there", "There is not so much money to move.");
                }
            }
        }
        self.ledger.push(Entry {
            key: call.key.clone(),
            operation: call.operation,
            reference: call.reference.clone(),
            amount: call.amount,
            at,
        });
        Outcome::Happened {
            reference: call.reference.clone(),
        }
    }
}

impl Held {
    /// Moves money, if there is so much.
    const fn moves(&mut self, operation: PaymentOperation, amount: i64) -> bool {
        let there = match operation {
            PaymentOperation::Refund => self.taken,
            _ => self.aside,
        };
        if amount > there || amount < 1 {
            return false;
        }
        match operation {
            PaymentOperation::Authorise => {}
            PaymentOperation::Capture => {
                self.aside -= amount;
                self.taken += amount;
            }
            PaymentOperation::Void => self.aside -= amount,
            PaymentOperation::Refund => self.taken -= amount,
        }
        true
    }
}

fn declined(code: &str, message: &str) -> Outcome {
    Outcome::Declined {
        reason: Reason::new(code, message),
    }
}

/// The provider as the shop reaches it.
#[derive(Clone)]
pub struct ProviderLine(pub Arc<Provider>);

#[async_trait]
impl PaymentProvider for ProviderLine {
    fn name(&self) -> &'static str {
        "played"
    }

    async fn authorise(&self, key: &OperationKey, amount: Money, method: &PaymentMethod) -> Outcome {
        let call = Call {
            token: method.token.clone(),
            ..call(PaymentOperation::Authorise, key, &format!("of {key}"), amount)
        };
        self.0.called(call).await
    }

    async fn capture(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        self.0
            .called(call(PaymentOperation::Capture, key, reference, amount))
            .await
    }

    async fn void(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        self.0
            .called(call(PaymentOperation::Void, key, reference, amount))
            .await
    }

    async fn refund(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        self.0
            .called(call(PaymentOperation::Refund, key, reference, amount))
            .await
    }

    async fn look_up(&self, key: &OperationKey, _: Option<&str>) -> Option<Outcome> {
        self.0.answer_to(&key.to_string()).await
    }

    fn ledger_tells(&self) -> &'static [PaymentOperation] {
        use PaymentOperation as Asked;
        &[Asked::Authorise, Asked::Capture, Asked::Void, Asked::Refund]
    }

    async fn ledger(&self, after: Option<&str>) -> Result<LedgerPage, LedgerError> {
        let weather = &self.0.weather;
        weather.takes(|storm| storm.provider_takes).await;
        if !weather.provider_is_up() || weather.hits(|storm| storm.provider_silent) {
            return Err(LedgerError("no answer".to_owned()));
        }
        let after = after.and_then(|after| after.parse().ok()).unwrap_or(0);
        Ok(self.0.page(after))
    }
}

fn call(operation: PaymentOperation, key: &OperationKey, reference: &str, amount: Money) -> Call {
    Call {
        key: key.to_string(),
        operation,
        reference: reference.to_owned(),
        amount: amount.amount,
        token: String::new(),
    }
}
