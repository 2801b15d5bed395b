//! Stripe, by its public API reference (payment intents, refunds, balance transactions).
//!
//! - **Authorise**: a payment intent with `capture_method=manual`, confirmed at once. The shop's token is a payment method's id.
//! - **Capture** of a parcel: `amount_to_capture` with `final_capture=false` (multicapture, which the account must be allowed:
//!   IC+ pricing, cards; otherwise Stripe refuses the second parcel and a repair case is opened).
//! - **Void**: the intent is cancelled, which releases what was not captured.
//! - **Look-up**: Stripe forgets idempotency keys after a day, so operations are found again by what was written beside them:
//!   `metadata`. Its search may lag for a minute; an intent that is not found is asked for again with the same key, which
//!   within that day answers with the first outcome.
//! - **Ledger**: the balance transactions, which tell of captures and refunds: the money that moved.

mod ledger;

use async_trait::async_trait;
use event_schemas::{
    Money,
    order::{PaymentMethod, Reason},
    payment::PaymentOperation,
};
use reqwest::{Method, RequestBuilder, StatusCode};
use resilience::Failure;
use serde_json::Value;

use super::{
    NoProvider, ProviderPlace,
    wire::{Answer, Wire, WireError, in_doubt, no_news},
};
use crate::payments::{
    OperationKey, Outcome, PaymentProvider,
    provider::{LedgerError, LedgerPage},
};

/// The metadata under which an intent or a refund keeps the operation's key.
const KEY: &str = "jangteo_key";

/// Stripe.
pub struct StripeProvider {
    wire: Wire,
    key: String,
}

type Form = Vec<(String, String)>;

fn field(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

/// The metadata that marks a parcel's capture on its intent. Names there have at most 40 letters.
fn capture_mark(key: &OperationKey) -> String {
    let part = key.id.part.map(|part| part.simple().to_string());
    part.map_or_else(|| "capture".to_owned(), |part| format!("capture_{part}"))
}

impl StripeProvider {
    /// At that place; `https://api.stripe.com` in life.
    ///
    /// # Errors
    /// When its address makes no sense.
    pub fn new(place: &ProviderPlace) -> Result<Self, NoProvider> {
        let wire = Wire::new("stripe", place)?;
        let key = place.key.clone().unwrap_or_default();
        Ok(Self { wire, key })
    }

    async fn post(&self, path: &str, key: &OperationKey, form: Form) -> Result<Answer, Failure<WireError>> {
        let prepare = |request: RequestBuilder| {
            let request = request
                .bearer_auth(&self.key)
                .header("Idempotency-Key", key.to_string());
            request.form(&form)
        };
        self.wire.call(Method::POST, path, prepare).await
    }

    async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Answer, Failure<WireError>> {
        let prepare = |request: RequestBuilder| request.bearer_auth(&self.key).query(query);
        self.wire.call(Method::GET, path, prepare).await
    }

    /// The intent of that reference.
    async fn intent(&self, reference: &str) -> Result<Answer, Failure<WireError>> {
        self.get(&format!("/v1/payment_intents/{reference}"), &[]).await
    }

    async fn find_authorisation(&self, key: &OperationKey) -> Option<Outcome> {
        let query = [("query", format!("metadata['{KEY}']:'{key}'"))];
        match self.get("/v1/payment_intents/search", &query).await {
            Ok(answer) => answer.body["data"].get(0).map(authorisation),
            Err(failure) => Some(no_news(&failure)),
        }
    }

    async fn find_refund(&self, key: &OperationKey, reference: &str) -> Option<Outcome> {
        let query = [("payment_intent", reference.to_owned()), ("limit", "100".to_owned())];
        let answer = match self.get("/v1/refunds", &query).await {
            Ok(answer) => answer,
            Err(failure) => return Some(no_news(&failure)),
        };
        let refunds = answer.body["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ours = refunds.iter().find(|refund| refund["metadata"][KEY] == key.to_string());
        ours.map(|refund| refunded(refund, reference))
    }
}

/// What a call about an intent came to.
fn outcome(called: Result<Answer, Failure<WireError>>, happened: impl FnOnce(&Answer) -> Outcome) -> Outcome {
    match called {
        Ok(answer) if answer.status.is_success() => happened(&answer),
        Ok(answer) => answer.refusal("/error/code", "/error/message"),
        Err(failure) => in_doubt(&failure),
    }
}

fn happened(reference: &str) -> Outcome {
    Outcome::Happened {
        reference: reference.to_owned(),
    }
}

fn authorisation(intent: &Value) -> Outcome {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match intent["status"].as_str().unwrap_or_default() {
        "requires_capture" | "succeeded" | "canceled" => happened(&text(&intent["id"])),
        "requires_payment_method" => {
            let error = &intent["last_payment_error"];
            Outcome::Declined {
                reason: Reason::new(&text(&error["code"]), text(&error["message"])),
            }
        }
        other => Outcome::Unknown {
            detail: format!("the payment intent is {other}"),
        },
    }
}

fn refunded(refund: &Value, reference: &str) -> Outcome {
    match refund["status"].as_str().unwrap_or_default() {
        "succeeded" => happened(reference),
        "failed" | "canceled" => Outcome::Declined {
            reason: Reason::new("refund_failed", "The card's bank did not take the refund."),
        },
        other => Outcome::Unknown {
            detail: format!("the refund is {other}"),
        },
    }
}

fn is_released(intent: &Value) -> bool {
    let part = intent["amount_received"].as_i64() < intent["amount"].as_i64();
    intent["status"] == "canceled" || (intent["status"] == "succeeded" && part)
}

#[async_trait]
impl PaymentProvider for StripeProvider {
    fn name(&self) -> &'static str {
        "stripe"
    }

    async fn authorise(&self, key: &OperationKey, amount: Money, method: &PaymentMethod) -> Outcome {
        let form = vec![
            field("amount", amount.amount),
            field("currency", amount.currency.to_string().to_lowercase()),
            field("payment_method", &method.token),
            field("payment_method_types[]", "card"),
            field("payment_method_options[card][request_multicapture]", "if_available"),
            field("capture_method", "manual"),
            field("confirm", "true"),
            field(&format!("metadata[{KEY}]"), key),
        ];
        let created = self.post("/v1/payment_intents", key, form).await;
        outcome(created, |answer| authorisation(&answer.body))
    }

    async fn capture(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        let form = vec![
            field("amount_to_capture", amount.amount),
            field("final_capture", "false"),
            field(&format!("metadata[{}]", capture_mark(key)), amount.amount),
        ];
        let path = format!("/v1/payment_intents/{reference}/capture");
        outcome(self.post(&path, key, form).await, |_| happened(reference))
    }

    async fn void(&self, key: &OperationKey, reference: &str, _amount: Money) -> Outcome {
        let path = format!("/v1/payment_intents/{reference}/cancel");
        let form = vec![field("cancellation_reason", "requested_by_customer")];
        outcome(self.post(&path, key, form).await, |_| happened(reference))
    }

    async fn refund(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        let form = vec![
            field("payment_intent", reference),
            field("amount", amount.amount),
            field("reason", "requested_by_customer"),
            field(&format!("metadata[{KEY}]"), key),
        ];
        outcome(self.post("/v1/refunds", key, form).await, |answer| {
            refunded(&answer.body, reference)
        })
    }

    async fn look_up(&self, key: &OperationKey, reference: Option<&str>) -> Option<Outcome> {
        let reference = match (key.id.operation, reference) {
            (PaymentOperation::Authorise, _) => return self.find_authorisation(key).await,
            (PaymentOperation::Refund, Some(reference)) => return self.find_refund(key, reference).await,
            (_, Some(reference)) => reference,
            (_, None) => return None,
        };
        let intent = match self.intent(reference).await {
            Ok(answer) if answer.status == StatusCode::NOT_FOUND => return None,
            Ok(answer) => answer.body,
            Err(failure) => return Some(no_news(&failure)),
        };
        let done = match key.id.operation {
            PaymentOperation::Capture => intent["metadata"].get(capture_mark(key)).is_some(),
            _ => is_released(&intent),
        };
        done.then(|| happened(reference))
    }

    fn ledger_tells(&self) -> &'static [PaymentOperation] {
        &[PaymentOperation::Capture, PaymentOperation::Refund]
    }

    async fn ledger(&self, after: Option<&str>) -> Result<LedgerPage, LedgerError> {
        self.transactions(after).await
    }
}
