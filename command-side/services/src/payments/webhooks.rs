//! What providers tell over HTTP: that something about a payment has changed. The signature and its age are checked, and the
//! message is believed in nothing but the payment's name: the provider is asked what became of it. So a message that is
//! replayed, late or invented does no harm.

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use edge::{
    Problem, ProblemDocument, RequestContext, Response,
    body::{JSON_LIMIT, RawBody},
    raw_body, reply, request_context,
};
use event_schemas::{PaymentId, Timestamp, ids::derived_uuid};
use serde_json::Value;
use utoipa::OpenApi;
use uuid::Uuid;
use warp::{Filter, filters::BoxedFilter, http::HeaderMap};

use super::{OperationKey, Payments};
use crate::{execution::CommandContext, secret::from_hex, services::ServiceError};

/// Stripe's header: `t=<seconds>,v1=<hex of the HMAC-SHA256 of "<seconds>.<body>">`.
pub const STRIPE_SIGNATURE: &str = "stripe-signature";
/// The simulator's header, made like Stripe's.
pub const OWN_SIGNATURE: &str = "provider-signature";
/// Toss's header: `v1:<base64 of the HMAC-SHA256 of "<body>:<time>">`, several separated by commas.
pub const TOSS_SIGNATURE: &str = "tosspayments-webhook-signature";
/// Toss's header with the time.
pub const TOSS_TIME: &str = "tosspayments-webhook-transmission-time";

/// How old a message may be, and how far the provider's clock ahead of ours.
const TOLERANCE: i64 = 5 * 60 * 1_000;

/// Who may tell, and how it proves who it is.
#[derive(Clone)]
pub struct WebhookSource {
    /// `http`, `stripe` or `toss`; `simulator`, which tells nothing.
    pub provider: &'static str,
    /// The secret they share. Toss does not sign messages about payments: without a secret its messages are hints.
    pub secret: Option<Vec<u8>>,
}

/// The route.
pub fn routes(payments: Arc<Payments>, source: WebhookSource) -> BoxedFilter<(Response,)> {
    let shared = Arc::new(source);
    warp::path!("api" / "v1" / "payments" / "webhooks" / String)
        .and(warp::post())
        .and(warp::any().map(move || (Arc::clone(&payments), Arc::clone(&shared))))
        .and(request_context())
        .and(warp::header::headers_cloned())
        .and(raw_body(JSON_LIMIT))
        .then(post_webhook)
        .map(reply::finish)
        .boxed()
}

/// The description of this route.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

#[derive(OpenApi)]
#[openapi(paths(post_webhook), components(schemas(ProblemDocument)))]
struct Description;

/// Tell that a payment has changed
#[utoipa::path(
    post,
    path = "/api/v1/payments/webhooks/{provider}",
    tag = "Payments",
    operation_id = "reportPaymentChange",
    params(("provider" = String, Path, description = "`http`, `stripe` or `toss`: the one that is configured")),
    request_body(content = Object, description = "The provider's own form"),
    responses(
        (status = 204, description = "Taken in; the provider was asked where something was in doubt"),
        (status = 401, description = "Not signed by that provider, or long ago", body = ProblemDocument,
         content_type = "application/problem+json"),
    )
)]
async fn post_webhook(
    provider: String,
    (payments, source): (Arc<Payments>, Arc<WebhookSource>),
    context: RequestContext,
    headers: HeaderMap,
    body: RawBody,
) -> Result<Response, Problem> {
    if provider != source.provider || !is_signed(&source, &headers, &body.bytes, context.received_at) {
        return Err(not_signed());
    }
    let Some(payment_id) = payment_in(&provider, &body.bytes) else {
        // About something else than a payment of ours: nothing to do, and no reason to send it again.
        return Ok(reply::no_content());
    };
    let command_id = derived_uuid(payment_id.uuid(), &format!("webhook {}", Uuid::now_v7()));
    let told = CommandContext::within(format!("provider {provider}"), command_id, context.received_at);
    match payments.look_into(payment_id, &told).await {
        // A payment that we do not know is the reconciliation's business.
        Ok(()) | Err(ServiceError::Refused(_)) => Ok(reply::no_content()),
        Err(fault) => Err(fault.into()),
    }
}

fn not_signed() -> Problem {
    Problem::unauthenticated("send the provider's signature, made with the shared secret less than five minutes ago")
        .of_type(
            "payment-signature-refused",
            "The message is not signed by that provider",
        )
}

fn is_signed(source: &WebhookSource, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(secret) = &source.secret else {
        return source.provider == "toss";
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    match source.provider {
        "toss" => {
            let (Some(time), Some(signatures)) = (header(TOSS_TIME), header(TOSS_SIGNATURE)) else {
                return false;
            };
            let signed = [body, b":", time.as_bytes()].concat();
            let mut tags = signatures.split(',').filter_map(|tag| {
                let tag = tag.trim();
                BASE64_STANDARD.decode(tag.strip_prefix("v1:").unwrap_or(tag)).ok()
            });
            let fresh = time.parse::<Timestamp>().is_ok_and(|sent| is_fresh(sent, now));
            fresh && tags.any(|tag| hmac::verify(&key, &signed, &tag).is_ok())
        }
        provider => {
            let name = if provider == "stripe" {
                STRIPE_SIGNATURE
            } else {
                OWN_SIGNATURE
            };
            let Some(signature) = header(name) else { return false };
            let parts = || signature.split(',').filter_map(|part| part.trim().split_once('='));
            let Some((_, seconds)) = parts().find(|(part, _)| *part == "t") else {
                return false;
            };
            let signed = [seconds.as_bytes(), b".", body].concat();
            let mut tags = parts()
                .filter(|(part, _)| *part == "v1")
                .filter_map(|(_, tag)| from_hex(tag));
            let sent = seconds
                .parse::<i64>()
                .ok()
                .and_then(|seconds| seconds.checked_mul(1_000));
            let fresh = sent.is_some_and(|sent| is_fresh(Timestamp::from_millis(sent), now));
            fresh && tags.any(|tag| hmac::verify(&key, &signed, &tag).is_ok())
        }
    }
}

fn is_fresh(sent: Timestamp, now: Timestamp) -> bool {
    now.as_millis().abs_diff(sent.as_millis()) <= TOLERANCE.unsigned_abs()
}

/// Whose payment a message is about.
fn payment_in(provider: &str, body: &[u8]) -> Option<PaymentId> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    match provider {
        "toss" => Uuid::try_parse(text("/data/orderId")?).ok().map(PaymentId::from_uuid),
        "stripe" => Some(
            text("/data/object/metadata/jangteo_key")?
                .parse::<OperationKey>()
                .ok()?
                .payment_id,
        ),
        _ => Some(text("/key")?.parse::<OperationKey>().ok()?.payment_id),
    }
}
