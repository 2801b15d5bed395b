//! Stripe's balance transactions as a ledger.
//!
//! A refund carries its key. A capture's transaction names only its charge: which parcel it was, the intent's metadata tells,
//! and where several parcels cost the same, they are told apart by their order.

use event_schemas::{Money, Timestamp, payment::PaymentOperation};
use serde_json::Value;

use super::{KEY, StripeProvider};
use crate::payments::provider::{LedgerEntry, LedgerError, LedgerPage};

/// Transactions in one answer; the most that Stripe gives.
const PAGE: usize = 100;
/// Pages that are gone back at most to find the beginning.
const PAGES: usize = 1_000;

impl StripeProvider {
    /// The next page after a transaction. Stripe lists the newest first.
    pub(super) async fn transactions(&self, after: Option<&str>) -> Result<LedgerPage, LedgerError> {
        let (mut transactions, more) = match after {
            Some(after) => self.listed(&[("ending_before", after.to_owned())]).await?,
            None => (self.since_the_beginning().await?, false),
        };
        transactions.reverse();
        let mut entries = Vec::with_capacity(transactions.len());
        for transaction in &transactions {
            entries.extend(self.entry(transaction).await?);
        }
        let last = transactions
            .last()
            .map(|transaction| text(transaction, "/id").to_owned());
        Ok(LedgerPage {
            entries,
            cursor: last.or_else(|| after.map(str::to_owned)),
            more,
        })
    }

    async fn listed(&self, query: &[(&str, String)]) -> Result<(Vec<Value>, bool), LedgerError> {
        let mut all = vec![("limit", PAGE.to_string()), ("expand[]", "data.source".to_owned())];
        all.extend(query.iter().map(|(name, value)| (*name, value.clone())));
        let answer = self.get("/v1/balance_transactions", &all).await;
        let answer = answer.map_err(|failure| LedgerError(failure.to_string()))?;
        match answer.body["data"].as_array() {
            Some(transactions) => Ok((transactions.clone(), answer.body["has_more"] == true)),
            None => Err(LedgerError(format!(
                "{}: {}",
                answer.status,
                answer.text("/error/message")
            ))),
        }
    }

    async fn since_the_beginning(&self) -> Result<Vec<Value>, LedgerError> {
        let mut all: Vec<Value> = vec![];
        for _ in 0..PAGES {
            let older = all
                .last()
                .map(|oldest| ("starting_after", text(oldest, "/id").to_owned()));
            let (page, more) = self.listed(older.as_slice()).await?;
            all.extend(page);
            if !more {
                return Ok(all);
            }
        }
        Err(LedgerError(format!("more than {} transactions", PAGE * PAGES)))
    }

    /// Fees, payouts and the like are none of the shop's payments.
    async fn entry(&self, transaction: &Value) -> Result<Option<LedgerEntry>, LedgerError> {
        let (operation, key) = match text(transaction, "/type") {
            "charge" | "payment" => (PaymentOperation::Capture, self.capture_key(transaction).await?),
            "refund" | "payment_refund" => {
                let pointer = format!("/source/metadata/{KEY}");
                (PaymentOperation::Refund, Some(text(transaction, &pointer).to_owned()))
            }
            _ => return Ok(None),
        };
        let currency = text(transaction, "/currency").to_uppercase().parse();
        let currency = currency.map_err(|_| LedgerError("a currency that is none".to_owned()))?;
        let amount = transaction["amount"].as_i64().unwrap_or_default().saturating_abs();
        let unnamed = || format!("stripe:{}", text(transaction, "/id"));
        Ok(Some(LedgerEntry {
            key: key.filter(|key| !key.is_empty()).unwrap_or_else(unnamed),
            operation,
            amount: Money::new(amount, currency),
            at: Timestamp::from_millis(transaction["created"].as_i64().unwrap_or_default() * 1_000),
        }))
    }

    async fn capture_key(&self, transaction: &Value) -> Result<Option<String>, LedgerError> {
        let intent = self.intent(text(transaction, "/source/payment_intent")).await;
        let intent = intent.map_err(|failure| LedgerError(failure.to_string()))?.body;
        let Some(payment) = text(&intent, &format!("/metadata/{KEY}")).strip_suffix("/authorise") else {
            return Ok(None);
        };
        let amount = transaction["amount"].as_i64().unwrap_or_default();
        let metadata = intent["metadata"].as_object().into_iter().flatten();
        let mut parcels: Vec<&str> = metadata
            .filter(|(_, value)| value.as_str() == Some(&amount.to_string()))
            .filter_map(|(name, _)| name.strip_prefix("capture"))
            .collect();
        parcels.sort_unstable();
        let place = if parcels.len() > 1 {
            self.place_among_equals(transaction).await?
        } else {
            0
        };
        Ok(parcels.get(place).and_then(|parcel| match parcel.strip_prefix('_') {
            Some(part) => Some(format!("{payment}/capture/{}", uuid::Uuid::try_parse(part).ok()?)),
            None => Some(format!("{payment}/capture")),
        }))
    }

    /// How many captures of this amount its charge had before.
    async fn place_among_equals(&self, transaction: &Value) -> Result<usize, LedgerError> {
        let charge = text(transaction, "/source/id").to_owned();
        let (mut of_charge, _) = self.listed(&[("source", charge)]).await?;
        of_charge.reverse();
        let equals = of_charge
            .iter()
            .filter(|other| other["amount"] == transaction["amount"]);
        Ok(equals.take_while(|other| other["id"] != transaction["id"]).count())
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
