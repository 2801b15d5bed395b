//! The simulated provider's books: what was asked under each key, each authorisation with what became of its money, and a
//! ledger of everything that was done, in order. They outlive our process, however sudden its end, but not the machine's:
//! nobody waits for their disk.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use event_schemas::{Money, Timestamp, payment::PaymentOperation};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::verdict::{Verdict, judge_card, refused};

/// The books.
pub(crate) struct Ledger {
    database: Database,
    /// What was asked under each key, and what became of it.
    operations: Keyspace,
    /// Each authorisation by its reference.
    authorisations: Keyspace,
    /// What was done, by its number.
    lines: Keyspace,
    /// The number of the last line. The books are read and then written: one at a time.
    teller: Mutex<u64>,
    slow: Duration,
}

/// What was asked, to notice a key that is used for something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Asked {
    Authorise { amount: Money, token: String },
    Capture { reference: String, amount: Money },
    Void { reference: String },
    Refund { reference: String, amount: Money },
}

/// An operation, decided.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Decided {
    pub(crate) asked: Asked,
    pub(crate) verdict: Verdict,
    /// Until then the provider is still at it.
    pub(crate) settled_at: Timestamp,
    /// What the caller wanted written beside it.
    #[serde(default, skip_serializing_if = "Notes::is_empty")]
    pub(crate) notes: Notes,
}

/// What callers write beside an operation: Stripe's metadata, Toss's reasons.
pub(crate) type Notes = BTreeMap<String, String>;

/// Money set aside, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Authorisation {
    pub(crate) amount: Money,
    /// What was done with it, oldest first; the authorisation itself is the first.
    #[serde(default)]
    pub(crate) done: Vec<Line>,
    /// How it was noted before money could be taken in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<WholeState>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum WholeState {
    SetAside,
    Taken,
    GivenBack,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) key: String,
    pub(crate) operation: PaymentOperation,
    pub(crate) amount: Money,
    pub(crate) reference: String,
    pub(crate) at: Timestamp,
    #[serde(default, skip_serializing_if = "Notes::is_empty")]
    pub(crate) notes: Notes,
}

impl Authorisation {
    fn sum(&self, operation: PaymentOperation) -> i64 {
        let of_kind = self.done.iter().filter(|line| line.operation == operation);
        of_kind.fold(0, |sum, line| sum.saturating_add(line.amount.amount))
    }

    pub(crate) fn captured(&self) -> i64 {
        match self.state {
            Some(WholeState::Taken) => self.amount.amount,
            _ => self.sum(PaymentOperation::Capture),
        }
    }

    pub(crate) fn refunded(&self) -> i64 {
        self.sum(PaymentOperation::Refund)
    }

    pub(crate) fn is_voided(&self) -> bool {
        self.state == Some(WholeState::GivenBack)
            || self.done.iter().any(|line| line.operation == PaymentOperation::Void)
    }

    /// What can still be taken.
    pub(crate) fn capturable(&self) -> i64 {
        if self.is_voided() {
            0
        } else {
            self.amount.amount - self.captured()
        }
    }

    fn judge(&self, asked: &Asked) -> Result<Money, Verdict> {
        let (wanted, left, code) = match asked {
            Asked::Capture { .. } | Asked::Void { .. } if self.capturable() == 0 => {
                return Err(refused("already_settled", "The money was taken or given back before."));
            }
            Asked::Capture { amount, .. } => (*amount, self.capturable(), "exceeds_authorisation"),
            Asked::Refund { amount, .. } => (*amount, self.captured() - self.refunded(), "exceeds_captured"),
            Asked::Void { .. } | Asked::Authorise { .. } => {
                return Ok(Money::new(self.capturable(), self.amount.currency));
            }
        };
        if wanted.currency == self.amount.currency && (1..=left).contains(&wanted.amount) {
            Ok(wanted)
        } else {
            Err(refused(code, "There is not so much money left for that."))
        }
    }
}

impl Asked {
    fn reference(&self) -> Option<&str> {
        match self {
            Self::Authorise { .. } => None,
            Self::Capture { reference, .. } | Self::Void { reference } | Self::Refund { reference, .. } => {
                Some(reference)
            }
        }
    }

    const fn operation(&self) -> PaymentOperation {
        match self {
            Self::Authorise { .. } => PaymentOperation::Authorise,
            Self::Capture { .. } => PaymentOperation::Capture,
            Self::Void { .. } => PaymentOperation::Void,
            Self::Refund { .. } => PaymentOperation::Refund,
        }
    }
}

impl Ledger {
    /// Opens the books in `folder`, making them if they are not there. `slow`: how long `card_slow` takes.
    pub(super) fn open(folder: &Path, slow: Duration) -> Result<Self, fjall::Error> {
        let database = Database::builder(folder).cache_size(4 << 20).worker_threads(1).open()?;
        let keyspace = |name| database.keyspace(name, KeyspaceCreateOptions::default);
        let lines = keyspace("ledger")?;
        let last = match lines.last_key_value() {
            Some(line) => number(&line.key()?),
            None => 0,
        };
        let ledger = Self {
            operations: keyspace("operations")?,
            authorisations: keyspace("authorisations")?,
            lines,
            database,
            teller: Mutex::new(last),
            slow,
        };
        if last == 0 {
            ledger.write_up()?;
        }
        Ok(ledger)
    }

    /// Writes the lines of what was done before there was a ledger.
    fn write_up(&self) -> Result<(), fjall::Error> {
        let mut lines = vec![];
        for entry in self.operations.iter() {
            let (key, value) = entry.into_inner()?;
            let (Ok(key), Ok(decided)) = (str::from_utf8(&key), serde_json::from_slice::<Decided>(&value)) else {
                tracing::warn!("the provider's books hold an operation that cannot be read");
                continue;
            };
            let Verdict::Done { reference } = decided.verdict else {
                continue;
            };
            let Ok(Some(aside)) = self.authorisation(&reference) else {
                continue;
            };
            lines.push(Line {
                key: key.to_owned(),
                operation: decided.asked.operation(),
                amount: aside.amount,
                reference,
                at: decided.settled_at,
                notes: Notes::new(),
            });
        }
        lines.sort_by_key(|line| line.at.as_millis());
        let (mut last, mut batch) = (
            self.teller(),
            self.database.batch().durability(Some(PersistMode::Buffer)),
        );
        for line in &lines {
            *last += 1;
            batch.insert(&self.lines, last.to_be_bytes(), json(line));
        }
        batch.commit()
    }

    /// Does the operation once, and says what is in the books.
    pub(crate) fn once(&self, key: &str, asked: &Asked, notes: &Notes) -> Result<Decided, String> {
        let mut last = self.teller();
        if let Some(decided) = self.decided(key)? {
            return Ok(if decided.asked == *asked {
                decided
            } else {
                let verdict = refused("idempotency_key_reused", "This key was used for another operation.");
                Decided { verdict, ..decided }
            });
        }
        let (now, slow) = (
            Timestamp::now(),
            matches!(asked, Asked::Authorise { token, .. } if token == "card_slow"),
        );
        let wait = if slow { self.slow } else { Duration::ZERO };
        let settled_at = now.plus_millis(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        let mut batch = self.database.batch().durability(Some(PersistMode::Buffer));
        let verdict = match self.prepare(asked)? {
            Err(verdict) => verdict,
            Ok((reference, mut aside, amount)) => {
                let line = Line {
                    key: key.to_owned(),
                    operation: asked.operation(),
                    amount,
                    reference: reference.clone(),
                    at: settled_at,
                    notes: notes.clone(),
                };
                *last += 1;
                batch.insert(&self.lines, last.to_be_bytes(), json(&line));
                aside.done.push(line);
                batch.insert(&self.authorisations, reference.as_str(), json(&aside));
                Verdict::Done { reference }
            }
        };
        let decided = Decided {
            asked: asked.clone(),
            verdict,
            settled_at,
            notes: notes.clone(),
        };
        self.keep(batch, key, &decided)?;
        Ok(decided)
    }

    /// The authorisation it is about, and how much, if it may be done.
    fn prepare(&self, asked: &Asked) -> Result<Result<(String, Authorisation, Money), Verdict>, String> {
        if let Asked::Authorise { amount, token } = asked {
            return Ok(judge_card(token).map_or_else(
                || {
                    let aside = Authorisation {
                        amount: *amount,
                        done: vec![],
                        state: None,
                    };
                    Ok((format!("sim_{}", Uuid::now_v7().simple()), aside, *amount))
                },
                Err,
            ));
        }
        let reference = asked.reference().unwrap_or_default();
        Ok(match self.authorisation(reference)? {
            None => Err(refused("unknown_authorisation", "There is no such authorisation.")),
            Some(aside) => aside.judge(asked).map(|amount| (reference.to_owned(), aside, amount)),
        })
    }

    fn keep(&self, mut batch: OwnedWriteBatch, key: &str, decided: &Decided) -> Result<(), String> {
        batch.insert(&self.operations, key, json(decided));
        batch.commit().map_err(|error| failed(&error))
    }

    /// What was decided under a key.
    pub(crate) fn decided(&self, key: &str) -> Result<Option<Decided>, String> {
        read(&self.operations, key)
    }

    /// An authorisation by its reference.
    pub(crate) fn authorisation(&self, reference: &str) -> Result<Option<Authorisation>, String> {
        read(&self.authorisations, reference)
    }

    /// At most `limit` lines after the `after`th, with their numbers. What is not settled yet, and all after it, comes later.
    pub(crate) fn lines(&self, after: u64, limit: usize) -> Result<Vec<(u64, Line)>, String> {
        let now = Timestamp::now();
        let mut found = vec![];
        for entry in self.lines.range(after.saturating_add(1).to_be_bytes()..).take(limit) {
            let (key, value) = entry.into_inner().map_err(|error| failed(&error))?;
            let line: Line = serde_json::from_slice(&value).map_err(|error| failed(&error))?;
            if line.at > now {
                break;
            }
            found.push((number(&key), line));
        }
        Ok(found)
    }

    /// Writes a line that nobody asked for, or forgets one: for trying what reconciliation finds.
    #[cfg(test)]
    pub(crate) fn falsify(&self, change: impl FnOnce(&mut Vec<(u64, Line)>)) {
        let mut last = self.teller();
        let mut lines = self.lines(0, usize::MAX).unwrap();
        let before: Vec<u64> = lines.iter().map(|(number, _)| *number).collect();
        change(&mut lines);
        for number in before {
            self.lines.remove(number.to_be_bytes()).unwrap();
        }
        for (number, line) in lines {
            *last = number.max(*last);
            self.lines.insert(number.to_be_bytes(), json(&line)).unwrap();
        }
    }

    fn teller(&self) -> MutexGuard<'_, u64> {
        self.teller.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn number(key: &[u8]) -> u64 {
    key.try_into().map_or(0, u64::from_be_bytes)
}

fn failed(error: &dyn std::fmt::Display) -> String {
    format!("the provider's ledger failed: {error}")
}

fn read<T: DeserializeOwned>(keyspace: &Keyspace, key: &str) -> Result<Option<T>, String> {
    let bytes = keyspace.get(key).map_err(|error| failed(&error))?;
    bytes
        .map(|bytes| serde_json::from_slice(&bytes).map_err(|error| failed(&error)))
        .transpose()
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    // Invariant: plain structs with string keys can always be written.
    serde_json::to_vec(value).unwrap_or_default()
}
