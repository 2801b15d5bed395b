//! What a provider tells: believed in nothing but the payment's name, and only if it is signed.

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use edge::recovered;
use serde_json::json;

use super::{
    super::webhooks::{OWN_SIGNATURE, STRIPE_SIGNATURE, TOSS_SIGNATURE, TOSS_TIME, WebhookSource, routes},
    *,
};

const SECRET: &[u8] = b"whsec_test";

/// A shop whose authorisation lost its answer.
async fn in_doubt() -> (Arc<Payments>, Fixture) {
    let shop = Fixture::new();
    shop.ask(authorise("card_answer_lost")).await.unwrap();
    let payments = Payments::new(shop.log.clone(), shop.provider.clone(), Duration::from_secs(1));
    (Arc::new(payments), shop)
}

fn sign(message: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
}

/// A message about the payment as each provider writes it, with its headers, sent at a time.
fn message(provider: &str, sent: Timestamp) -> (String, Vec<(&'static str, String)>) {
    let key = OperationKey::new(payment(), OperationId::AUTHORISE).to_string();
    let body = match provider {
        "toss" => {
            json!({ "eventType": "PAYMENT_STATUS_CHANGED", "data": { "orderId": payment(), "status": "CANCELED" } })
        }
        "stripe" => json!({ "type": "charge.captured", "data": { "object": { "metadata": { "jangteo_key": key } } } }),
        _ => json!({ "key": key }),
    };
    let body = body.to_string();
    let seconds = sent.as_millis() / 1_000;
    let hex = |tag: Vec<u8>| crate::secret::hex(&tag);
    let headers = match provider {
        "toss" => {
            let tag = BASE64_STANDARD.encode(sign(&format!("{body}:{sent}")));
            vec![
                (TOSS_TIME, sent.to_string()),
                (TOSS_SIGNATURE, format!("v1:AAAA,v1:{tag}")),
            ]
        }
        other => {
            let name = if other == "stripe" {
                STRIPE_SIGNATURE
            } else {
                OWN_SIGNATURE
            };
            vec![(
                name,
                format!("t={seconds},v1={}", hex(sign(&format!("{seconds}.{body}")))),
            )]
        }
    };
    (body, headers)
}

async fn tell(payments: &Arc<Payments>, source: WebhookSource, provider: &str, sent: Timestamp, tampered: bool) -> u16 {
    let routes = recovered(routes(Arc::clone(payments), source));
    let (body, headers) = message(provider, sent);
    let body = if tampered { format!("{body} ") } else { body };
    let mut request = warp::test::request()
        .method("POST")
        .path(&format!("/api/v1/payments/webhooks/{provider}"))
        .header("content-type", "application/json")
        .body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.reply(&routes).await.status().as_u16()
}

fn source(provider: &'static str) -> WebhookSource {
    let secret = Some(SECRET.to_vec());
    WebhookSource { provider, secret }
}

#[tokio::test]
async fn a_signed_message_makes_the_shop_ask_and_again_changes_nothing() {
    for provider in ["http", "stripe", "toss"] {
        let (payments, shop) = in_doubt().await;
        assert_eq!(
            tell(&payments, source(provider), provider, Timestamp::now(), false).await,
            204
        );
        // Its body said cancelled, or nothing: the provider itself says what became of it.
        let settled = [
            "PaymentAuthorisationRequested",
            "PaymentOutcomeUnknown",
            "PaymentAuthorised",
        ];
        assert_eq!(shop.events().await, settled, "{provider}");
        assert_eq!(
            tell(&payments, source(provider), provider, Timestamp::now(), false).await,
            204
        );
        assert_eq!(shop.events().await, settled, "{provider}");
    }
}

#[tokio::test]
async fn what_is_not_signed_changed_old_or_of_another_provider_is_refused() {
    for provider in ["http", "stripe", "toss"] {
        let (payments, shop) = in_doubt().await;
        let now = Timestamp::now();
        let other = WebhookSource {
            provider: source(provider).provider,
            secret: Some(b"another".to_vec()),
        };
        assert_eq!(tell(&payments, other, provider, now, false).await, 401);
        assert_eq!(tell(&payments, source(provider), provider, now, true).await, 401);
        let old = now.plus_millis(-6 * 60 * 1_000);
        assert_eq!(tell(&payments, source(provider), provider, old, false).await, 401);
        let elsewhere = if provider == "http" { "stripe" } else { "http" };
        assert_eq!(tell(&payments, source(elsewhere), provider, now, false).await, 401);
        assert_eq!(shop.events().await.len(), 2, "{provider}");
    }
}

#[tokio::test]
async fn toss_does_not_sign_what_it_tells_of_payments_so_it_is_a_hint() {
    let (payments, shop) = in_doubt().await;
    let unsigned = |provider| WebhookSource { provider, secret: None };
    assert_eq!(
        tell(&payments, unsigned("stripe"), "stripe", Timestamp::now(), false).await,
        401
    );
    assert_eq!(
        tell(&payments, unsigned("toss"), "toss", Timestamp::now(), true).await,
        204
    );
    assert_eq!(shop.events().await.last().unwrap(), "PaymentAuthorised");
}
