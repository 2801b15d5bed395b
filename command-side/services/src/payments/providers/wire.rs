//! How adapters call out.

use std::error::Error;

use event_schemas::order::Reason;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use resilience::{CallError, Failure, Outlet, Settings};
use serde_json::Value;

use super::{NoProvider, ProviderPlace};
use crate::payments::Outcome;

/// How often an attempt is made at most: the key makes repeating harmless, and the saga asks again anyway.
const ATTEMPTS: usize = 2;

/// The way to one provider.
pub(super) struct Wire {
    client: Client,
    outlet: Outlet,
    url: String,
}

/// An answer that stands.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

/// No answer, or one that does not stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum WireError {
    #[error("no connection: {0}")]
    NoConnection(String),
    #[error("the answer was lost: {0}")]
    Lost(String),
    #[error("the provider is in trouble: {0}")]
    Trouble(StatusCode),
    #[error("the provider wants fewer calls at a time")]
    TooMany,
}

impl CallError for WireError {
    fn may_pass(&self) -> bool {
        true
    }

    fn counts(&self) -> bool {
        // The same key is being worked on: the provider is well.
        *self != Self::Trouble(StatusCode::CONFLICT)
    }

    fn leaves_doubt(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Trouble(_))
    }
}

impl Wire {
    /// `name`: as operators and metrics call the outlet.
    pub(super) fn new(name: &'static str, place: &ProviderPlace) -> Result<Self, NoProvider> {
        let url = place.url.trim_end_matches('/').to_owned();
        let no_provider = |detail: String| NoProvider {
            url: url.clone(),
            detail,
        };
        let parsed = reqwest::Url::parse(&url).map_err(|error| no_provider(error.to_string()))?;
        let near = matches!(parsed.host_str(), Some("127.0.0.1" | "localhost"));
        let builder = Client::builder().connect_timeout(place.deadline);
        let builder = if near { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| no_provider(innermost(&error)))?;
        let settings = Settings::default().deadline(place.deadline).attempts(ATTEMPTS);
        Ok(Self {
            client,
            outlet: Outlet::new(name, settings),
            url,
        })
    }

    /// Calls, again where that may help: every call is safe to repeat, it reads or carries a key.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        prepare: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, Failure<WireError>> {
        let url = format!("{}{path}", self.url);
        let attempt = || {
            let request = prepare(self.client.request(method.clone(), &url));
            async move {
                let answered = request.send().await.map_err(|error| lost(&error))?;
                let status = answered.status();
                if status == StatusCode::TOO_MANY_REQUESTS {
                    return Err(WireError::TooMany);
                }
                if status.is_server_error() || status == StatusCode::CONFLICT {
                    return Err(WireError::Trouble(status));
                }
                let bytes = answered.bytes().await.map_err(|error| lost(&error))?;
                let body = serde_json::from_slice(&bytes);
                // A gateway's page in place of an answer says nothing about what was done.
                let body = body.map_err(|error| WireError::Lost(format!("not JSON: {error}")))?;
                Ok(Answer { status, body })
            }
        };
        self.outlet.call(attempt).await
    }
}

impl Answer {
    pub(super) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// A refusal, from where this provider writes code and message.
    pub(super) fn refusal(&self, code: &str, message: &str) -> Outcome {
        // Our key is wrong, or too old: that says nothing about the operation, and an operator can mend it. Some say "forbidden"
        // of a card, but then with a code.
        let shut_out = self.status == StatusCode::UNAUTHORIZED
            || (self.status == StatusCode::FORBIDDEN && self.text(code).is_empty());
        if shut_out {
            return Outcome::NotAsked {
                detail: format!("the provider does not accept the shop's key ({})", self.status),
            };
        }
        let (code, message) = (
            or(self.text(code), "refused"),
            or(self.text(message), "The provider refused."),
        );
        Outcome::Declined {
            reason: Reason::new(code, message),
        }
    }
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

/// What a call that brought nothing means for an operation.
pub(super) fn in_doubt(failure: &Failure<WireError>) -> Outcome {
    let detail = failure.to_string();
    if failure.leaves_doubt() {
        Outcome::Unknown { detail }
    } else {
        Outcome::NotAsked { detail }
    }
}

/// What a look-up that brought nothing means: no news.
pub(super) fn no_news(failure: &Failure<WireError>) -> Outcome {
    Outcome::Unknown {
        detail: format!("the provider could not be asked: {failure}"),
    }
}

fn lost(error: &reqwest::Error) -> WireError {
    if error.is_connect() {
        WireError::NoConnection(innermost(error))
    } else {
        WireError::Lost(innermost(error))
    }
}

fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
