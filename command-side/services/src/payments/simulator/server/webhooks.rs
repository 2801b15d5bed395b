//! Tells the shop what was done, signed as each provider signs.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use event_schemas::Timestamp;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::payments::webhooks::{OWN_SIGNATURE, STRIPE_SIGNATURE, TOSS_SIGNATURE, TOSS_TIME};

/// How often a message is sent at most.
const ATTEMPTS: u32 = 5;

/// Where the shop listens.
#[derive(Debug, Clone)]
pub struct WebhookTarget {
    /// The shop: `http://127.0.0.1:8080`.
    pub shop: String,
    /// The secret they share.
    pub secret: Vec<u8>,
}

/// What there is to tell.
pub(super) enum News {
    Own(Value),
    Stripe(Value),
    Toss(Value),
}

impl News {
    pub(super) fn own(key: &str) -> Self {
        Self::Own(json!({ "key": key }))
    }
}

pub(super) struct Webhooks {
    target: WebhookTarget,
    client: reqwest::Client,
}

impl Webhooks {
    pub(super) fn new(target: WebhookTarget) -> Self {
        // Invariant: a client without settings of its own can be made; if not, the messages fail and are logged.
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(5))
            .build();
        Self {
            target,
            client: client.unwrap_or_default(),
        }
    }

    /// Sends it in the background, again where it is not taken; then it is lost, as a provider's message may be.
    pub(super) fn tell(&self, news: News) {
        let (client, target) = (self.client.clone(), self.target.clone());
        tokio::spawn(async move {
            for attempt in 0..ATTEMPTS {
                match signed(&client, &target, &news).send().await {
                    Ok(answer) if answer.status().is_success() => return,
                    Ok(answer) => tracing::debug!(status = %answer.status(), "a webhook was not taken"),
                    Err(error) => tracing::debug!(%error, "a webhook did not arrive"),
                }
                sleep(Duration::from_millis(200 << attempt)).await;
            }
        });
    }
}

fn signed(client: &reqwest::Client, target: &WebhookTarget, news: &News) -> reqwest::RequestBuilder {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &target.secret);
    let now = Timestamp::now();
    let (name, body) = match news {
        News::Own(body) => ("http", body.to_string()),
        News::Stripe(object) => {
            let event = json!({ "id": format!("evt_{}", Uuid::now_v7().simple()), "object": "event",
                "type": "payment_intent.updated", "created": now.as_millis() / 1000, "data": { "object": object } });
            ("stripe", event.to_string())
        }
        News::Toss(payment) => {
            let event = json!({ "eventType": "PAYMENT_STATUS_CHANGED", "createdAt": now.to_string(), "data": payment });
            ("toss", event.to_string())
        }
    };
    let url = format!("{}/api/v1/payments/webhooks/{name}", target.shop);
    let request = client.post(url).header("content-type", "application/json");
    let request = match news {
        News::Toss(_) => {
            let signature = hmac::sign(&key, format!("{body}:{now}").as_bytes());
            let signature = format!("v1:{}", BASE64_STANDARD.encode(signature));
            request
                .header(TOSS_TIME, now.to_string())
                .header(TOSS_SIGNATURE, signature)
        }
        News::Own(_) | News::Stripe(_) => {
            let seconds = now.as_millis() / 1000;
            let signature = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
            let header = if name == "stripe" {
                STRIPE_SIGNATURE
            } else {
                OWN_SIGNATURE
            };
            request.header(
                header,
                format!("t={seconds},v1={}", crate::secret::hex(signature.as_ref())),
            )
        }
    };
    request.body(body)
}
