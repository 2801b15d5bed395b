//! What carriers report over HTTP, signed with the secret they share with the shop.

use std::{collections::HashMap, sync::Arc};

use edge::{
    ConsistencyToken, FieldError, Problem, ProblemDocument, RequestContext, Response,
    body::{JSON_LIMIT, JsonBody, RawBody, parse_json},
    raw_body, reply, request_context,
};
use event_schemas::{ShipmentId, Timestamp, shipment::ParcelStatus};
use serde::{Deserialize, Serialize};
use utoipa::OpenApi;
use warp::{Filter, filters::BoxedFilter};

use super::{Report, Shipping};
use crate::secret::{Secret, from_hex};

/// The header with the signature: `sha256=<hex of the HMAC-SHA256 of the body>`.
pub const SIGNATURE: &str = "carrier-signature";

/// The longest name of a report.
const LONGEST_EVENT_ID: usize = 100;
/// How far a carrier's clock may be ahead of ours.
const TOLERATED_AHEAD: i64 = 5 * 60 * 1000;

/// What a carrier saw. One of `shipment_id` and `tracking_number` says which parcel.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CarrierEvent {
    /// The shop's name for the parcel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment_id: Option<ShipmentId>,
    /// The carrier's name for the parcel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// Where it stands.
    pub status: ParcelStatus,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// When it was seen; now, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// The carrier's name for this event: the same again changes nothing.
    #[schema(min_length = 1, max_length = 100)]
    pub event_id: String,
}

/// Where the parcel stands now, as far as the shop knows.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CarrierEventTaken {
    /// The parcel.
    shipment_id: ShipmentId,
    /// Later than what was reported, where the report was overtaken.
    status: ParcelStatus,
}

/// The route. `secrets`: one for each carrier that may report, by its name.
pub fn routes(shipping: Arc<Shipping>, secrets: HashMap<String, Secret>) -> BoxedFilter<(Response,)> {
    let secrets = Arc::new(secrets);
    warp::path!("api" / "v1" / "carriers" / String / "events")
        .and(warp::post())
        .and(warp::any().map(move || (Arc::clone(&shipping), Arc::clone(&secrets))))
        .and(request_context())
        .and(warp::header::optional::<String>(SIGNATURE))
        .and(raw_body(JSON_LIMIT))
        .then(post_event)
        .map(reply::finish)
        .boxed()
}

/// The description of this route.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

#[derive(OpenApi)]
#[openapi(
    paths(post_event),
    components(schemas(CarrierEvent, CarrierEventTaken, ParcelStatus, ProblemDocument))
)]
struct Description;

/// Report where a parcel is
#[utoipa::path(
    post,
    path = "/api/v1/carriers/{name}/events",
    tag = "Carriers",
    operation_id = "reportCarrierEvent",
    params(
        ("name" = String, Path, description = "The carrier"),
        ("Carrier-Signature" = String, Header, description = "`sha256=` and the HMAC-SHA256 of the body in hexadecimal"),
    ),
    request_body = CarrierEvent,
    responses(
        (status = 200, description = "Taken in, now or before", body = CarrierEventTaken),
        (status = 401, description = "Not signed by that carrier", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 404, description = "No such parcel with that carrier", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 409, description = "The parcel had been called off", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 422, description = "Fields are not acceptable", body = ProblemDocument,
         content_type = "application/problem+json"),
    )
)]
async fn post_event(
    carrier: String,
    (shipping, secrets): (Arc<Shipping>, Arc<HashMap<String, Secret>>),
    context: RequestContext,
    signature: Option<String>,
    body: RawBody,
) -> Result<Response, Problem> {
    // The signature first: whoever is not a carrier learns nothing from the answer, not even which carriers there are.
    let signed = secrets
        .get(&carrier)
        .is_some_and(|secret| is_signed(secret, signature.as_deref(), &body.bytes));
    if !signed {
        return Err(not_signed());
    }
    let body: JsonBody<CarrierEvent> = parse_json(body)?;
    let report = read(&shipping, &carrier, body.value, context.received_at)?;
    let reported = shipping.report(&carrier, &report).await?;
    let taken = CarrierEventTaken {
        shipment_id: report.shipment_id,
        status: reported.status,
    };
    Ok(reply::with_token(
        reply::ok(&taken),
        ConsistencyToken::at(reported.position.0),
    ))
}

fn read(shipping: &Shipping, carrier: &str, event: CarrierEvent, now: Timestamp) -> Result<Report, Problem> {
    let mut errors = vec![];
    if !(1..=LONGEST_EVENT_ID).contains(&event.event_id.len()) || event.event_id.chars().any(char::is_control) {
        let detail = format!("expected 1 to {LONGEST_EVENT_ID} printable characters");
        errors.push(FieldError::new("event_id", detail));
    }
    if event.shipment_id.is_none() && event.tracking_number.is_none() {
        errors.push(FieldError::new("shipment_id", "expected this or tracking_number"));
    }
    if event
        .occurred_at
        .is_some_and(|at| at > now.plus_millis(TOLERATED_AHEAD))
    {
        errors.push(FieldError::new("occurred_at", "lies in the future"));
    }
    if !errors.is_empty() {
        return Err(Problem::validation(errors));
    }
    let numbered = event
        .tracking_number
        .map(|number| shipping.shipment_of(carrier, &number));
    let shipment_id = match (event.shipment_id, numbered) {
        (Some(id), Some(Some(numbered))) if id != numbered => None,
        (Some(id), _) => Some(id),
        (None, numbered) => numbered.flatten(),
    };
    Ok(Report {
        shipment_id: shipment_id.ok_or_else(|| Problem::not_found("this carrier has no such parcel of ours"))?,
        status: event.status,
        location: event.location.unwrap_or_default(),
        occurred_at: event.occurred_at.unwrap_or(now),
        event_id: event.event_id,
    })
}

fn is_signed(secret: &Secret, signature: Option<&str>, body: &[u8]) -> bool {
    let tag = signature
        .and_then(|signature| signature.strip_prefix("sha256="))
        .and_then(from_hex);
    tag.is_some_and(|tag| secret.fits(body, &tag))
}

/// The signature that a carrier sends with a body.
pub fn signature(secret: &Secret, body: &[u8]) -> String {
    format!("sha256={}", crate::secret::hex(&secret.derive(body)))
}

fn not_signed() -> Problem {
    Problem::unauthenticated(
        "send Carrier-Signature: sha256=<HMAC-SHA256 of the body, in hexadecimal>, made with your secret",
    )
    .of_type("carrier-signature-refused", "The report is not signed by that carrier")
}
