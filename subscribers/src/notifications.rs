//! Notifications: a webhook that hears what happens to orders, as signed CloudEvents.
//!
//! The simplest way to tell another program: it needs no NATS, only an address. Signed as <https://www.standardwebhooks.com> says,
//! so that receivers find a library for it. What arrives twice (its answer was lost) has the same `webhook-id`.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use event_schemas::{Timestamp, published};
use reqwest::{Client, StatusCode, Url};
use resilience::{CallError, Failure, Outlet, Settings};

use crate::{Fact, NotTaken, Subscriber};

/// How long the other side may take to say that it has it.
const DEADLINE: Duration = Duration::from_secs(10);

/// What is told, by type.
pub const EVENTS: &[&str] = &[
    "OrderPlaced",
    "OrderConfirmed",
    "OrderShipped",
    "OrderDelivered",
    "OrderRejected",
    "OrderCancelled",
    "OrderItemsCancelled",
    "ShipmentBooked",
    "PaymentCaptured",
    "PaymentRefunded",
    "ReturnCompleted",
];

/// Where notifications go, and how the receiver knows that they are ours.
#[derive(Clone)]
pub struct Webhook {
    url: Url,
    key: Arc<hmac::Key>,
}

/// The webhook is described wrongly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoWebhook {
    /// Not where one could be.
    #[error("{0:?} is no address of a webhook: expected https://…")]
    Url(String),
    /// Anybody could sign with that.
    #[error("the webhook's secret is too short: expected 24 characters or more, or whsec_ and Base64")]
    Secret,
}

/// The shortest secret, in bytes.
const SHORTEST: usize = 24;

impl Webhook {
    /// At `url`, signed with `secret`: text, or `whsec_` and Base64.
    ///
    /// # Errors
    /// See [`NoWebhook`].
    pub fn new(url: &str, secret: &str) -> Result<Self, NoWebhook> {
        let parsed = Url::parse(url).ok();
        let parsed = parsed.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let parsed = parsed.ok_or_else(|| NoWebhook::Url(url.to_owned()))?;
        let key = match secret.strip_prefix("whsec_") {
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| NoWebhook::Secret)?,
            None => secret.as_bytes().to_vec(),
        };
        if key.len() < SHORTEST {
            return Err(NoWebhook::Secret);
        }
        Ok(Self {
            url: parsed,
            key: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &key)),
        })
    }

    /// `v1,…` over id, moment and body.
    fn signature(&self, id: &str, seconds: i64, body: &str) -> String {
        let signed = hmac::sign(&self.key, format!("{id}.{seconds}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(signed))
    }
}

/// Tells a webhook.
pub struct Notifications {
    webhook: Webhook,
    client: Client,
    outlet: Outlet,
}

impl Notifications {
    /// To this one.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(webhook: Webhook) -> reqwest::Result<Self> {
        let client = Client::builder()
            .connect_timeout(DEADLINE)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            webhook,
            client,
            outlet: Outlet::new("webhook", Settings::default().places(4).deadline(DEADLINE)),
        })
    }

    async fn tell(&self, id: &str, body: &str) -> Result<(), Unheard> {
        let seconds = Timestamp::now().as_millis() / 1_000;
        let request = self.client.post(self.webhook.url.clone());
        let request = request
            .header("content-type", "application/cloudevents+json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", self.webhook.signature(id, seconds, body))
            .body(body.to_owned());
        let answer = request.send().await.map_err(|error| Unheard::Away(innermost(&error)))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(Unheard::Said(status)),
        }
    }
}

/// The webhook did not say that it has it.
#[derive(Debug, thiserror::Error)]
enum Unheard {
    #[error("{0}")]
    Away(String),
    #[error("it answers {0}")]
    Said(StatusCode),
}

impl CallError for Unheard {
    fn may_pass(&self) -> bool {
        match self {
            Self::Away(_) => true,
            // 500 is what it makes of this event; these are about the server.
            Self::Said(status) => matches!(status.as_u16(), 408 | 425 | 429 | 502..=504),
        }
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[async_trait]
impl Subscriber for Notifications {
    fn name(&self) -> &'static str {
        "notifications"
    }

    fn event_types(&self) -> &'static [&'static str] {
        EVENTS
    }

    async fn take_in(&self, fact: &Fact<'_>) -> Result<(), NotTaken> {
        let (recorded, occurred_at) = (fact.recorded, fact.metadata.occurred_at);
        let failed = |error: &dyn std::fmt::Display| NotTaken::Failed(error.to_string());
        let public = published::cloud_event(recorded.id, &recorded.stream, occurred_at, fact.event);
        let Some(public) = public.map_err(|error| failed(&error))? else {
            return Ok(());
        };
        let body = serde_json::to_string(&public).map_err(|error| failed(&error))?;
        let id = recorded.id.to_string();
        let told = self.outlet.call(|| self.tell(&id, &body)).await;
        told.map_err(|failure| match failure {
            Failure::Failed(error) if !error.may_pass() => NotTaken::Failed(format!("the webhook: {error}")),
            failure => NotTaken::Away(format!("the webhook is away: {failure}")),
        })
    }
}
