//! Toss Payments, by its public API reference (core API: confirmation, look-up, cancellation, transactions).
//!
//! Toss knows no money set aside: it takes it when the payment is confirmed. So
//! - **authorise** confirms, and the customer has paid; the shop's token is the `paymentKey` of the checkout window, `orderId`
//!   the payment's id;
//! - **capture** moves nothing: it makes sure that the money is still there;
//! - **void** and **refund** are both a cancellation of that amount, whose reason carries the key, by which it is found again;
//! - the **ledger** (`/v1/transactions`) tells of confirmations and cancellations.
//!
//! What the log calls authorised is therefore taken already, and what it calls voided was paid back. That differs from a card
//! that was only blocked in what the customer sees on the statement, and in nothing the shop decides.

use std::time::Duration;

use async_trait::async_trait;
use event_schemas::{
    Money, Timestamp,
    order::{PaymentMethod, Reason},
    payment::PaymentOperation,
};
use reqwest::{Method, RequestBuilder, StatusCode};
use resilience::Failure;
use serde_json::{Value, json};

use super::{
    NoProvider, ProviderPlace,
    wire::{Answer, Wire, WireError, in_doubt, no_news},
};
use crate::payments::{
    OperationKey, Outcome, PaymentProvider,
    provider::{LedgerEntry, LedgerError, LedgerPage},
};

/// Transactions in one answer.
const PAGE: usize = 1_000;
/// How far back the first look at the ledger goes.
const FIRST_LOOK: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// Toss's clock is Korea's.
const KOREA: i64 = 9 * 60 * 60 * 1_000;

/// Toss Payments.
pub struct TossProvider {
    wire: Wire,
    key: String,
}

impl TossProvider {
    /// At that place; `https://api.tosspayments.com` in life.
    ///
    /// # Errors
    /// When its address makes no sense.
    pub fn new(place: &ProviderPlace) -> Result<Self, NoProvider> {
        let wire = Wire::new("toss", place)?;
        let key = place.key.clone().unwrap_or_default();
        Ok(Self { wire, key })
    }

    async fn post(&self, path: &str, key: &OperationKey, body: Value) -> Result<Answer, Failure<WireError>> {
        let prepare = |request: RequestBuilder| {
            let request = request.basic_auth(&self.key, Some(""));
            request.header("Idempotency-Key", key.to_string()).json(&body)
        };
        self.wire.call(Method::POST, path, prepare).await
    }

    async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Answer, Failure<WireError>> {
        let prepare = |request: RequestBuilder| request.basic_auth(&self.key, Some("")).query(query);
        self.wire.call(Method::GET, path, prepare).await
    }

    async fn cancel(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        let body = json!({ "cancelReason": reason(key), "cancelAmount": amount.amount });
        match self.post(&format!("/v1/payments/{reference}/cancel"), key, body).await {
            Ok(answer) if answer.status.is_success() => happened(reference),
            Ok(answer) => answer.refusal("/code", "/message"),
            Err(failure) => in_doubt(&failure),
        }
    }

    async fn entry(&self, transaction: &Value) -> Result<LedgerEntry, LedgerError> {
        let text = |name: &str| transaction[name].as_str().unwrap_or_default();
        let wrong = |what: &str| LedgerError(format!("{what} of transaction {} is none", text("transactionKey")));
        let (operation, key) = if text("status") == "DONE" {
            (PaymentOperation::Authorise, format!("{}/authorise", text("orderId")))
        } else {
            self.cancellation(transaction).await?
        };
        let currency = text("currency").parse().map_err(|_| wrong("the currency"))?;
        let amount = transaction["amount"].as_i64().ok_or_else(|| wrong("the amount"))?;
        Ok(LedgerEntry {
            key,
            operation,
            amount: Money::new(amount.saturating_abs(), currency),
            at: text("transactionAt").parse().map_err(|_| wrong("the time"))?,
        })
    }

    /// Which cancellation a transaction was: the payment tells.
    async fn cancellation(&self, transaction: &Value) -> Result<(PaymentOperation, String), LedgerError> {
        let text = |name: &str| transaction[name].as_str().unwrap_or_default();
        let path = format!("/v1/payments/{}", text("paymentKey"));
        let payment = self.get(&path, &[]).await;
        let payment = payment.map_err(|failure| LedgerError(failure.to_string()))?.body;
        let mut cancels = payment["cancels"].as_array().into_iter().flatten();
        let ours = cancels.find(|cancel| cancel["transactionKey"] == transaction["transactionKey"]);
        let key = ours.and_then(|cancel| key_in(cancel["cancelReason"].as_str()?));
        Ok(match key {
            Some(key) => (key.id.operation, key.to_string()),
            None => (PaymentOperation::Refund, format!("toss:{}", text("transactionKey"))),
        })
    }
}

fn happened(reference: &str) -> Outcome {
    Outcome::Happened {
        reference: reference.to_owned(),
    }
}

/// For the customer's eyes, and for finding it again.
fn reason(key: &OperationKey) -> String {
    format!("주문 취소 [{key}]")
}

fn key_in(reason: &str) -> Option<OperationKey> {
    reason.strip_suffix(']')?.rsplit_once('[')?.1.parse().ok()
}

fn confirmed(payment: &Answer) -> Outcome {
    match payment.text("/status") {
        "DONE" | "PARTIAL_CANCELED" | "CANCELED" => happened(payment.text("/paymentKey")),
        "ABORTED" | "EXPIRED" => Outcome::Declined {
            reason: Reason::new("payment_aborted", "The payment was not completed."),
        },
        other => Outcome::Unknown {
            detail: format!("the payment is {other}"),
        },
    }
}

#[async_trait]
impl PaymentProvider for TossProvider {
    fn name(&self) -> &'static str {
        "toss"
    }

    async fn authorise(&self, key: &OperationKey, amount: Money, method: &PaymentMethod) -> Outcome {
        let body = json!({ "paymentKey": method.token, "orderId": key.payment_id, "amount": amount.amount });
        match self.post("/v1/payments/confirm", key, body).await {
            Ok(answer) if answer.status.is_success() => confirmed(&answer),
            Ok(answer) => answer.refusal("/code", "/message"),
            Err(failure) => in_doubt(&failure),
        }
    }

    async fn capture(&self, _key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        match self.get(&format!("/v1/payments/{reference}"), &[]).await {
            Ok(answer)
                if answer.body["balanceAmount"]
                    .as_i64()
                    .is_some_and(|left| left >= amount.amount) =>
            {
                happened(reference)
            }
            Ok(answer) if answer.status.is_success() => Outcome::Declined {
                reason: Reason::new("already_cancelled", "The money was given back before."),
            },
            Ok(answer) => answer.refusal("/code", "/message"),
            // It only reads: nothing can have happened.
            Err(failure) => Outcome::NotAsked {
                detail: failure.to_string(),
            },
        }
    }

    async fn void(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        self.cancel(key, reference, amount).await
    }

    async fn refund(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        self.cancel(key, reference, amount).await
    }

    async fn look_up(&self, key: &OperationKey, reference: Option<&str>) -> Option<Outcome> {
        let path = match (key.id.operation, reference) {
            (PaymentOperation::Authorise, _) => format!("/v1/payments/orders/{}", key.payment_id),
            // It moves nothing, so there is nothing to be found: it is asked again.
            (PaymentOperation::Capture, _) | (_, None) => return None,
            (_, Some(reference)) => format!("/v1/payments/{reference}"),
        };
        let payment = match self.get(&path, &[]).await {
            Ok(answer) if answer.status == StatusCode::NOT_FOUND => return None,
            Ok(answer) => answer,
            Err(failure) => return Some(no_news(&failure)),
        };
        if key.id.operation == PaymentOperation::Authorise {
            return Some(confirmed(&payment));
        }
        let mut cancels = payment.body["cancels"].as_array().into_iter().flatten();
        let done = cancels.any(|cancel| cancel["cancelReason"] == reason(key));
        done.then(|| happened(payment.text("/paymentKey")))
    }

    fn ledger_tells(&self) -> &'static [PaymentOperation] {
        &[
            PaymentOperation::Authorise,
            PaymentOperation::Void,
            PaymentOperation::Refund,
        ]
    }

    async fn ledger(&self, after: Option<&str>) -> Result<LedgerPage, LedgerError> {
        let now = Timestamp::now();
        let local = |at: Timestamp| at.plus_millis(KOREA).to_string().chars().take(19).collect::<String>();
        let year = i64::try_from(FIRST_LOOK.as_millis()).unwrap_or_default();
        let mut query = vec![
            ("startDate", local(now.plus_millis(-year))),
            ("endDate", local(now.plus_millis(60_000))),
            ("limit", PAGE.to_string()),
        ];
        query.extend(after.map(|after| ("startingAfter", after.to_owned())));
        let answer = self.get("/v1/transactions", &query).await;
        let answer = answer.map_err(|failure| LedgerError(failure.to_string()))?;
        let Some(transactions) = answer.body.as_array() else {
            return Err(LedgerError(format!("{}: {}", answer.status, answer.text("/message"))));
        };
        let mut entries = Vec::with_capacity(transactions.len());
        for transaction in transactions {
            entries.push(self.entry(transaction).await?);
        }
        let last = transactions
            .last()
            .and_then(|transaction| transaction["transactionKey"].as_str());
        Ok(LedgerPage {
            more: transactions.len() >= PAGE,
            cursor: last.or(after).map(str::to_owned),
            entries,
        })
    }
}
