//! `POST /api/v1/seller/orders/{order}/parcels/{parcel}/cancellation`: a seller cannot send a parcel that was booked.

use std::sync::Arc;

use domain::{Refusal, shipment::Parcel};
use edge::{
    ConsistencyToken, JsonBody, Principal, Problem, ProblemDocument, RequestContext, Response, Role, Tokens,
    authenticated, body::JSON_LIMIT, json_body, reply, request_context, require,
};
use event_log::Position;
use event_schemas::{OrderId, ShipmentId, order::Reason, shipment::ParcelStatus};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use warp::{Filter, filters::BoxedFilter};

use super::Shipping;
use crate::{execution::CommandContext, services::ServiceError};

/// The route.
pub fn routes(shipping: &Arc<Shipping>, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    let shipping = Arc::clone(shipping);
    warp::path!("api" / "v1" / "seller" / "orders" / OrderId / "parcels" / ShipmentId / "cancellation")
        .and(warp::post())
        .and(warp::any().map(move || Arc::clone(&shipping)))
        .and(request_context())
        .and(authenticated(Arc::clone(tokens)))
        .and(json_body(JSON_LIMIT))
        .then(cancel_parcel)
        .map(reply::finish)
        .boxed()
}

/// What OpenAPI says of it.
pub fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(
        paths(cancel_parcel),
        components(schemas(ParcelCancellation, ParcelState, ParcelStatus, ProblemDocument))
    )]
    struct Description;
    Description::openapi()
}

/// Why a parcel will not be sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "The last jar broke when it was packed."}))]
pub struct ParcelCancellation {
    /// A sentence for the customer, at most 300 characters.
    #[schema(max_length = 300)]
    reason: String,
}

/// Where a parcel stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParcelState {
    /// The parcel.
    id: ShipmentId,
    /// Of this order.
    order_id: OrderId,
    /// `cancelled`.
    status: ParcelStatus,
}

/// Say that a parcel cannot be sent
///
/// Until the carrier has fetched it. Its goods are taken out of the order, its money is not taken; where it was the order's only
/// parcel, the order is cancelled.
#[utoipa::path(
    post,
    path = "/api/v1/seller/orders/{order}/parcels/{parcel}/cancellation",
    tag = "Orders",
    operation_id = "cancelParcel",
    params(
        ("order" = OrderId, Path, description = "Which order"),
        ("parcel" = ShipmentId, Path, description = "Which of its parcels"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body do nothing again"),
    ),
    request_body = ParcelCancellation,
    responses(
        (status = 200, description = "The carrier is called off", body = ParcelState,
         headers(("Consistency-Token" = String))),
        (status = 403, description = "Only sellers and admins", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 404, description = "No such parcel of your goods", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 409, description = "`parcel-under-way`: the carrier was faster", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 422, description = "Not a reason that is taken, or the key was used with another body",
         body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
async fn cancel_parcel(
    order_id: OrderId,
    id: ShipmentId,
    shipping: Arc<Shipping>,
    request: RequestContext,
    principal: Principal,
    body: JsonBody<ParcelCancellation>,
) -> Result<Response, Problem> {
    require(&principal, &[Role::Seller, Role::Admin])?;
    let context = CommandContext::of_request(&request, &principal, body.fingerprint);
    let is_theirs = |parcel: &Parcel| {
        let own = parcel.seller_id == Some(principal.account_id);
        parcel.order_id == order_id && (own || principal.has(Role::Admin))
    };
    let position = shipping.cannot_send(&context, id, body.value.reason, is_theirs).await?;
    let status = ParcelStatus::Cancelled;
    let response = reply::ok(&ParcelState { id, order_id, status });
    Ok(reply::with_token(response, ConsistencyToken::at(position.0)))
}

impl Shipping {
    /// Calls a booked parcel off because its seller cannot send it, if `is_theirs`.
    ///
    /// # Errors
    /// When there is no such parcel of theirs, the carrier was faster or fails, the reason is not acceptable, or the log fails.
    pub async fn cannot_send(
        &self,
        context: &CommandContext,
        id: ShipmentId,
        why: String,
        is_theirs: impl Fn(&Parcel) -> bool,
    ) -> Result<Position, ServiceError> {
        let known = self.execution.load(id.uuid()).await?;
        if !known.state.parcel().is_some_and(is_theirs) {
            return Err(no_such_parcel().into());
        }
        if let Some(done) = self.execution.executed(id.uuid(), context).await? {
            return Ok(done.position);
        }
        let now = self
            .call_off(id, Some(Reason::new("cannot_send", why)), context)
            .await?;
        match now.state.parcel().map(|parcel| parcel.status) {
            Some(ParcelStatus::Cancelled) => Ok(now.position),
            _ => Err(under_way().into()),
        }
    }
}

fn no_such_parcel() -> Refusal {
    Refusal::not_found(
        "parcel-not-found",
        "There is no such parcel of this order; check both ids.",
    )
}

fn under_way() -> Refusal {
    let message = "The carrier has fetched the parcel, or is fetching it; the customer can return it.";
    Refusal::conflict("parcel-under-way", message)
}
