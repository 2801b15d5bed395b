//! The two books side by side: what the log says of each operation, what the provider's ledger says, and where they differ.
//! Pure: it is told what each side says and what time it is. It keeps only what does not agree (yet).

use std::collections::BTreeMap;

use event_schemas::{
    Money, OrderId, PaymentId, Timestamp,
    payment::{PaymentEvent, PaymentOperation},
    repair::{Discrepancy, RepairCaseOpened},
};
use serde::{Deserialize, Serialize};

use crate::payments::{OperationKey, provider::LedgerEntry};
use domain::payment::OperationId;

/// Everything that does not agree, by the operation's key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Books {
    items: BTreeMap<String, Item>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Item {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ours: Option<Ours>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    theirs: Option<Money>,
    /// When either side last said something.
    since: Timestamp,
    /// The case that is open about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    case: Option<Discrepancy>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Ours {
    payment_id: PaymentId,
    order_id: OrderId,
    amount: Option<Money>,
    state: State,
}

/// What the log says of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Asked for; its outcome is not known yet.
    Open,
    Happened,
    /// A card was declined: no money moved, and nothing is wrong.
    Declined,
    Refused,
}

/// What a look at the books brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// They differ.
    Differs(Difference),
    /// A case is over: they agree again, or differ otherwise.
    Over {
        /// The operation.
        key: String,
        /// What had been wrong.
        discrepancy: Discrepancy,
        /// What is wrong now instead, if anything.
        now: Option<Discrepancy>,
    },
}

/// Where the books differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The operation.
    pub key: String,
    /// How.
    pub discrepancy: Discrepancy,
    /// The payment, where the log knows it or the key names it.
    pub payment_id: Option<PaymentId>,
    /// Its order, where the log knows it.
    pub order_id: Option<OrderId>,
    /// What the log says.
    pub ours: Option<Money>,
    /// What the provider says.
    pub theirs: Option<Money>,
}

impl Books {
    /// How much does not agree, or not yet.
    pub fn open_items(&self) -> usize {
        self.items.len()
    }

    /// Takes in an event of the log. `told`: the operations of which the provider's ledger tells.
    pub fn take_in_ours(&mut self, event: &PaymentEvent, at: Timestamp, told: &[PaymentOperation]) {
        let (id, ours) = said(event);
        let key = OperationKey::new(ours.payment_id, id).to_string();
        // Of what the provider's ledger does not tell, only a refusal is news, until it was done after all.
        if !told.contains(&id.operation) && ours.state != State::Refused {
            if let Some(item) = self.items.get_mut(&key) {
                item.ours = None;
            }
            return;
        }
        let item = self.item(key, at);
        let amount = ours.amount.or_else(|| item.ours.and_then(|known| known.amount));
        item.ours = Some(Ours { amount, ..ours });
    }

    /// Takes in a line of the provider's ledger. A second line of the same operation adds to it.
    pub fn take_in_theirs(&mut self, entry: &LedgerEntry) {
        let item = self.item(entry.key.clone(), entry.at);
        let before = item.theirs.map_or(0, |theirs| theirs.amount);
        item.theirs = Some(Money::new(
            before.saturating_add(entry.amount.amount),
            entry.amount.currency,
        ));
    }

    /// Takes in a case that was opened, long enough ago to be believed. That one was resolved need not be told: resolving it
    /// again does nothing, and neither does opening it again for the same figures.
    pub fn take_in_case(&mut self, opened: &RepairCaseOpened) {
        self.item(opened.key.clone(), Timestamp::from_millis(0)).case = Some(opened.discrepancy);
    }

    fn item(&mut self, key: String, at: Timestamp) -> &mut Item {
        let item = self.items.entry(key).or_insert(Item {
            ours: None,
            theirs: None,
            since: at,
            case: None,
        });
        if at.as_millis() > item.since.as_millis() {
            item.since = at;
        }
        item
    }

    /// Strikes out what agrees, and says what differs and has not changed for `age_millis`: before, it may be on its way.
    pub fn compare(&mut self, now: Timestamp, age_millis: i64) -> Vec<Finding> {
        let mut findings = vec![];
        self.items.retain(|key, item| {
            let verdict = item.verdict();
            let is_old = now.as_millis() - item.since.as_millis() >= age_millis;
            let wrong = match verdict {
                Verdict::Agrees | Verdict::Waits => None,
                Verdict::Differs(discrepancy) => {
                    Some(discrepancy).filter(|_| is_old || discrepancy == Discrepancy::Refused)
                }
            };
            // What was refused stays the operator's case until the log knows of it, too: a case that is resolved tells the saga
            // that the money was settled by other means, and nobody would ask the provider any more.
            let is_over = |case: &mut Discrepancy| match verdict {
                Verdict::Agrees => true,
                _ => *case != Discrepancy::Refused && wrong.is_some_and(|wrong| wrong != *case),
            };
            if let Some(discrepancy) = item.case.take_if(is_over) {
                findings.push(Finding::Over {
                    key: key.clone(),
                    discrepancy,
                    now: wrong,
                });
            }
            if let Some(discrepancy) = wrong.filter(|_| item.case.is_none()) {
                item.case = Some(discrepancy);
                findings.push(Finding::Differs(item.difference(key, discrepancy)));
            }
            verdict != Verdict::Agrees
        });
        findings
    }
}

/// What an event says of an operation.
fn said(event: &PaymentEvent) -> (OperationId, Ours) {
    use PaymentEvent as E;
    let ours = |payment_id, order_id, amount, state| Ours {
        payment_id,
        order_id,
        amount,
        state,
    };
    match event {
        E::PaymentAuthorisationRequested(e) => (
            OperationId::AUTHORISE,
            ours(e.payment_id, e.order_id, Some(e.amount), State::Open),
        ),
        E::PaymentAuthorised(e) => (
            OperationId::AUTHORISE,
            ours(e.payment_id, e.order_id, Some(e.amount), State::Happened),
        ),
        E::PaymentDeclined(e) => (
            OperationId::AUTHORISE,
            ours(e.payment_id, e.order_id, None, State::Declined),
        ),
        E::PaymentCaptureRequested(e) => {
            let id = OperationId::capture(e.shipment_id);
            (id, ours(e.payment_id, e.order_id, Some(e.amount), State::Open))
        }
        E::PaymentCaptured(e) => {
            let id = OperationId::capture(e.shipment_id);
            (id, ours(e.payment_id, e.order_id, Some(e.amount), State::Happened))
        }
        E::PaymentVoidRequested(e) => (OperationId::VOID, ours(e.payment_id, e.order_id, None, State::Open)),
        E::PaymentVoided(e) => (
            OperationId::VOID,
            ours(e.payment_id, e.order_id, Some(e.amount), State::Happened),
        ),
        E::PaymentRefundRequested(e) => {
            let id = OperationId::refund(e.refund_id);
            (id, ours(e.payment_id, e.order_id, Some(e.amount), State::Open))
        }
        E::PaymentRefunded(e) => {
            let id = OperationId::refund(e.refund_id);
            (id, ours(e.payment_id, e.order_id, Some(e.amount), State::Happened))
        }
        E::PaymentOutcomeUnknown(e) => {
            let (operation, part) = (e.operation, e.part);
            (
                OperationId { operation, part },
                ours(e.payment_id, e.order_id, None, State::Open),
            )
        }
        E::PaymentOperationRefused(e) => {
            let (operation, part) = (e.operation, e.part);
            (
                OperationId { operation, part },
                ours(e.payment_id, e.order_id, None, State::Refused),
            )
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Agrees,
    Waits,
    Differs(Discrepancy),
}

impl Item {
    fn verdict(&self) -> Verdict {
        match (self.ours, self.theirs) {
            (Some(ours), Some(theirs)) if ours.state == State::Happened => {
                if ours.amount.is_none_or(|amount| amount == theirs) {
                    Verdict::Agrees
                } else {
                    Verdict::Differs(Discrepancy::AmountDiffers)
                }
            }
            (Some(_), Some(_)) => Verdict::Differs(Discrepancy::OutcomeDiffers),
            (None, Some(_)) => Verdict::Differs(Discrepancy::UnknownToUs),
            (Some(ours), None) => match ours.state {
                State::Open => Verdict::Waits,
                State::Happened => Verdict::Differs(Discrepancy::UnknownToProvider),
                State::Declined => Verdict::Agrees,
                State::Refused => Verdict::Differs(Discrepancy::Refused),
            },
            (None, None) => Verdict::Agrees,
        }
    }

    fn difference(&self, key: &str, discrepancy: Discrepancy) -> Difference {
        let named = key.parse::<OperationKey>().ok().map(|key| key.payment_id);
        Difference {
            key: key.to_owned(),
            discrepancy,
            payment_id: self.ours.map(|ours| ours.payment_id).or(named),
            order_id: self.ours.map(|ours| ours.order_id),
            ours: self.ours.and_then(|ours| ours.amount),
            theirs: self.theirs,
        }
    }
}
