//! A provider that speaks the simulator's own JSON.

use async_trait::async_trait;
use event_schemas::{Money, order::PaymentMethod, payment::PaymentOperation};
use reqwest::{Method, StatusCode};

use super::{
    NoProvider, ProviderPlace,
    own::{OperationBody, OutcomeBody, PageBody},
    wire::{Wire, in_doubt, no_news},
};
use crate::payments::{
    OperationKey, Outcome, PaymentProvider,
    provider::{LedgerError, LedgerPage},
    simulator::ALL_OPERATIONS,
};

/// `jangteo simulate provider`, in its own words.
pub struct HttpProvider {
    wire: Wire,
    key: Option<String>,
}

impl HttpProvider {
    /// At that place.
    ///
    /// # Errors
    /// When its address makes no sense.
    pub fn new(place: &ProviderPlace) -> Result<Self, NoProvider> {
        let wire = Wire::new("payment provider", place)?;
        let key = place.key.clone();
        Ok(Self { wire, key })
    }

    fn signed(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    async fn ask(&self, body: OperationBody) -> Outcome {
        let call = self.wire.call(Method::POST, "/v1/operations", |request| {
            self.signed(request).json(&body)
        });
        match call.await {
            Ok(answer) if answer.status.is_success() => match serde_json::from_value::<OutcomeBody>(answer.body) {
                Ok(outcome) => outcome.into(),
                Err(error) => Outcome::Unknown {
                    detail: error.to_string(),
                },
            },
            Ok(answer) => answer.refusal("/code", "/error"),
            Err(failure) => in_doubt(&failure),
        }
    }

    async fn about(&self, key: &OperationKey, operation: PaymentOperation, reference: &str, amount: Money) -> Outcome {
        let reference = Some(reference.to_owned());
        let key = key.to_string();
        self.ask(OperationBody {
            key,
            operation,
            amount,
            reference,
            token: None,
        })
        .await
    }
}

#[async_trait]
impl PaymentProvider for HttpProvider {
    fn name(&self) -> &'static str {
        "http"
    }

    async fn authorise(&self, key: &OperationKey, amount: Money, method: &PaymentMethod) -> Outcome {
        self.ask(OperationBody {
            key: key.to_string(),
            operation: PaymentOperation::Authorise,
            amount,
            reference: None,
            token: Some(method.token.clone()),
        })
        .await
    }

    async fn capture(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        self.about(key, PaymentOperation::Capture, reference, amount).await
    }

    async fn void(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        self.about(key, PaymentOperation::Void, reference, amount).await
    }

    async fn refund(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        self.about(key, PaymentOperation::Refund, reference, amount).await
    }

    async fn look_up(&self, key: &OperationKey, _reference: Option<&str>) -> Option<Outcome> {
        let query = [("key", key.to_string())];
        let call = self.wire.call(Method::GET, "/v1/operations", |request| {
            self.signed(request).query(&query)
        });
        match call.await {
            Ok(answer) if answer.status == StatusCode::NOT_FOUND => None,
            Ok(answer) => Some(match serde_json::from_value::<OutcomeBody>(answer.body) {
                Ok(outcome) => outcome.into(),
                Err(error) => Outcome::Unknown {
                    detail: error.to_string(),
                },
            }),
            Err(failure) => Some(no_news(&failure)),
        }
    }

    fn ledger_tells(&self) -> &'static [PaymentOperation] {
        &ALL_OPERATIONS
    }

    async fn ledger(&self, after: Option<&str>) -> Result<LedgerPage, LedgerError> {
        let query: Vec<_> = after.map(|after| ("after", after)).into_iter().collect();
        let call = self
            .wire
            .call(Method::GET, "/v1/ledger", |request| self.signed(request).query(&query));
        let answer = call.await.map_err(|failure| LedgerError(failure.to_string()))?;
        let page = serde_json::from_value::<PageBody>(answer.body);
        page.map(LedgerPage::from)
            .map_err(|error| LedgerError(format!("{}: {error}", answer.status)))
    }
}
