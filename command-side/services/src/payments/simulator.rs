//! A payment provider that plays an outside party: it has a ledger of its own, which outlives our process, and misbehaves
//! on request. The card's token decides:
//!
//! | token | what happens |
//! |---|---|
//! | `card_approve` | approved |
//! | `card_decline` | declined, `card_declined` |
//! | `card_insufficient_funds` | declined, `insufficient_funds` |
//! | `card_slow` | approved after [`SimulatorSettings::slow`], longer than anybody waits |
//! | `card_answer_lost` | approved at once, but the answer never arrives |
//! | any other | declined, `unknown_card` |

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use event_schemas::{
    Money, Timestamp,
    order::{PaymentMethod, Reason},
};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::sleep;
use uuid::Uuid;

use super::provider::{Outcome, PaymentProvider};

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

/// The simulated provider.
pub struct ProviderSimulator {
    database: Database,
    /// What was asked under each key, and what became of it.
    operations: Keyspace,
    /// Each authorisation by its reference.
    authorisations: Keyspace,
    /// The ledger is read and then written: one at a time.
    teller: Mutex<()>,
    settings: SimulatorSettings,
}

/// An operation in the ledger.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    asked: Asked,
    verdict: Verdict,
    /// Until then the provider is still at it.
    settled_at: Timestamp,
}

/// What was asked, to notice a key that is used for something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Asked {
    Authorise { amount: Money, token: String },
    Capture { reference: String, amount: Money },
    Void { reference: String },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Verdict {
    Done { reference: String },
    Refused { code: String, message: String },
}

/// Money set aside, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Authorisation {
    amount: Money,
    state: MoneyState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum MoneyState {
    SetAside,
    Taken,
    GivenBack,
}

impl ProviderSimulator {
    /// Opens the ledger in `folder`, making it if it is not there. It survives the end of our process, however sudden, but
    /// not the machine's: nobody waits for its disk.
    ///
    /// # Errors
    /// When the ledger cannot be opened.
    pub fn open(folder: &Path, settings: SimulatorSettings) -> Result<Self, fjall::Error> {
        let database = Database::builder(folder).cache_size(4 << 20).worker_threads(1).open()?;
        Ok(Self {
            operations: database.keyspace("operations", KeyspaceCreateOptions::default)?,
            authorisations: database.keyspace("authorisations", KeyspaceCreateOptions::default)?,
            database,
            teller: Mutex::new(()),
            settings,
        })
    }

    /// Does the operation once, and says what is in the ledger.
    fn once(&self, key: &str, asked: &Asked) -> Result<Entry, String> {
        let _teller = self.teller.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = self.entry(key)? {
            return if entry.asked == *asked {
                Ok(entry)
            } else {
                let refused = refused("idempotency_key_reused", "This key was used for another operation.");
                Ok(Entry {
                    verdict: refused,
                    ..entry
                })
            };
        }
        let now = Timestamp::now();
        let slow = matches!(asked, Asked::Authorise { token, .. } if token == "card_slow");
        let wait = if slow { self.settings.slow } else { Duration::ZERO };
        let mut batch = self.database.batch().durability(Some(PersistMode::Buffer));
        let verdict = match asked {
            Asked::Authorise { amount, token } => match decline(token) {
                Some(refused) => refused,
                None => {
                    let reference = format!("sim_{}", Uuid::now_v7().simple());
                    let aside = Authorisation {
                        amount: *amount,
                        state: MoneyState::SetAside,
                    };
                    batch.insert(&self.authorisations, reference.as_str(), json(&aside));
                    Verdict::Done { reference }
                }
            },
            Asked::Capture { reference, amount } => {
                self.move_money(&mut batch, reference, Some(*amount), MoneyState::Taken)?
            }
            Asked::Void { reference } => self.move_money(&mut batch, reference, None, MoneyState::GivenBack)?,
        };
        let entry = Entry {
            asked: asked.clone(),
            verdict,
            settled_at: now.plus_millis(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)),
        };
        batch.insert(&self.operations, key, json(&entry));
        batch
            .commit()
            .map_err(|error| format!("the provider's ledger failed: {error}"))?;
        Ok(entry)
    }

    fn move_money(
        &self,
        batch: &mut fjall::OwnedWriteBatch,
        reference: &str,
        amount: Option<Money>,
        to: MoneyState,
    ) -> Result<Verdict, String> {
        let Some(mut aside) = read::<Authorisation>(&self.authorisations, reference)? else {
            return Ok(refused("unknown_authorisation", "There is no such authorisation."));
        };
        if aside.state != MoneyState::SetAside {
            return Ok(refused("already_settled", "The money was taken or given back before."));
        }
        if amount.is_some_and(|amount| amount != aside.amount) {
            return Ok(refused("amount_differs", "Only the authorised amount can be captured."));
        }
        aside.state = to;
        batch.insert(&self.authorisations, reference, json(&aside));
        Ok(Verdict::Done {
            reference: reference.to_owned(),
        })
    }

    fn entry(&self, key: &str) -> Result<Option<Entry>, String> {
        read(&self.operations, key)
    }

    /// How often money was set aside, taken and given back: for tests that count.
    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        let states: Vec<Authorisation> = self
            .authorisations
            .iter()
            .map(|entry| serde_json::from_slice(&entry.value().unwrap()).unwrap())
            .collect();
        let count = |state| states.iter().filter(|aside| aside.state == state).count();
        (
            count(MoneyState::SetAside),
            count(MoneyState::Taken),
            count(MoneyState::GivenBack),
        )
    }
}

#[async_trait]
impl PaymentProvider for ProviderSimulator {
    async fn authorise(&self, key: &str, amount: Money, method: &PaymentMethod) -> Outcome {
        let asked = Asked::Authorise {
            amount,
            token: method.token.clone(),
        };
        let entry = match self.once(key, &asked) {
            Ok(entry) => entry,
            Err(detail) => return Outcome::Unknown { detail },
        };
        let left = entry.settled_at.as_millis() - Timestamp::now().as_millis();
        sleep(Duration::from_millis(u64::try_from(left).unwrap_or(0))).await;
        if method.token == "card_answer_lost" {
            let detail = "the connection broke before the answer came".to_owned();
            return Outcome::Unknown { detail };
        }
        entry.outcome()
    }

    async fn capture(&self, key: &str, reference: &str, amount: Money) -> Outcome {
        let reference = reference.to_owned();
        answer(self.once(key, &Asked::Capture { reference, amount }))
    }

    async fn void(&self, key: &str, reference: &str) -> Outcome {
        let reference = reference.to_owned();
        answer(self.once(key, &Asked::Void { reference }))
    }

    async fn look_up(&self, key: &str) -> Option<Outcome> {
        match self.entry(key) {
            Ok(entry) => entry.map(|entry| entry.outcome()),
            Err(detail) => Some(Outcome::Unknown { detail }),
        }
    }
}

impl Entry {
    fn outcome(&self) -> Outcome {
        if self.settled_at > Timestamp::now() {
            let detail = "the provider has not decided yet".to_owned();
            return Outcome::Unknown { detail };
        }
        match &self.verdict {
            Verdict::Done { reference } => Outcome::Happened {
                reference: reference.clone(),
            },
            Verdict::Refused { code, message } => Outcome::Declined {
                reason: Reason::new(code, message),
            },
        }
    }
}

fn answer(entry: Result<Entry, String>) -> Outcome {
    match entry {
        Ok(entry) => entry.outcome(),
        Err(detail) => Outcome::Unknown { detail },
    }
}

fn decline(token: &str) -> Option<Verdict> {
    match token {
        "card_approve" | "card_slow" | "card_answer_lost" => None,
        "card_decline" => Some(refused("card_declined", "The card was declined.")),
        "card_insufficient_funds" => Some(refused("insufficient_funds", "There is not enough money on the card.")),
        _ => Some(refused("unknown_card", "The payment provider does not know this card.")),
    }
}

fn refused(code: &str, message: &str) -> Verdict {
    Verdict::Refused {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

fn read<T: DeserializeOwned>(keyspace: &Keyspace, key: &str) -> Result<Option<T>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("the provider's ledger failed: {error}");
    let bytes = keyspace.get(key).map_err(|error| failed(&error))?;
    bytes
        .map(|bytes| serde_json::from_slice(&bytes).map_err(|error| failed(&error)))
        .transpose()
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    // Invariant: plain structs with string keys can always be written.
    serde_json::to_vec(value).unwrap_or_default()
}
