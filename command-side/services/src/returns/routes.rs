//! Returns over HTTP: `POST /api/v1/orders/{id}/returns`, and below it `…/{return}/receipt` and `…/{return}/inspection`.

use std::sync::Arc;

use domain::returns::{Inspection, Stage, no_such_return};
use edge::{
    ConsistencyToken, JsonBody, Principal, Problem, ProblemDocument, RequestContext, Response, Role, Tokens,
    authenticated,
    body::{JSON_LIMIT, RawBody},
    json_body, raw_body, reply, request_context, require,
};
use event_schemas::{OrderId, ProductId, ReturnId, order::Reason, shipment::ParcelItem};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use warp::{Filter, filters::BoxedFilter};

use super::{Moved, RequestReturn, Returns};
use crate::{
    execution::CommandContext,
    orders::{Orders, no_such_order},
    services::{ServiceError, Services},
};

/// What changes returns.
pub fn routes(services: &Services, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    let (orders, returns) = (Arc::clone(&services.orders), Arc::clone(&services.returns));
    let with_orders = warp::any().map(move || Arc::clone(&orders));
    let with_returns = warp::any().map(move || Arc::clone(&returns));
    let request = warp::path!("api" / "v1" / "orders" / OrderId / "returns")
        .and(warp::post())
        .and(with_orders)
        .and(with_returns.clone())
        .and(request_context())
        .and(authenticated(Arc::clone(tokens)))
        .and(json_body(JSON_LIMIT))
        .then(request_return)
        .map(reply::finish);
    let receive = warp::path!("api" / "v1" / "orders" / OrderId / "returns" / ReturnId / "receipt")
        .and(warp::post())
        .and(with_returns.clone())
        .and(request_context())
        .and(authenticated(Arc::clone(tokens)))
        .and(raw_body(JSON_LIMIT))
        .then(receive_return)
        .map(reply::finish);
    let inspect = warp::path!("api" / "v1" / "orders" / OrderId / "returns" / ReturnId / "inspection")
        .and(warp::post())
        .and(with_returns)
        .and(request_context())
        .and(authenticated(Arc::clone(tokens)))
        .and(json_body(JSON_LIMIT))
        .then(inspect_return)
        .map(reply::finish);
    request.or(receive).unify().or(inspect).unify().boxed()
}

/// What OpenAPI says of them.
pub fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(
        paths(request_return, receive_return, inspect_return),
        components(schemas(ReturnRequest, InspectionReport, ReturnedPieces, ReturnStatus, ProblemDocument))
    )]
    struct Description;
    Description::openapi()
}

/// Goods to be sent back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "items": [{"product_id": "018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f", "quantity": 1}], "reason": "It is too small."
}))]
pub struct ReturnRequest {
    /// What comes back: one seller's goods.
    items: Vec<ReturnedPieces>,
    /// A sentence, at most 300 characters.
    #[serde(default)]
    #[schema(max_length = 300)]
    reason: Option<String>,
}

/// What somebody found who looked at the goods.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InspectionReport {
    /// The pieces that are paid back; none refuses the return.
    accepted: Vec<ReturnedPieces>,
    /// Of those, the pieces that can be sold again.
    #[serde(default)]
    resellable: Vec<ReturnedPieces>,
    /// What was found, for the customer; at most 1,000 characters.
    #[serde(default)]
    #[schema(max_length = 1000)]
    note: String,
}

/// So many pieces of a product.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnedPieces {
    /// The product.
    product_id: ProductId,
    /// 1 to 999.
    #[schema(minimum = 1, maximum = 999)]
    quantity: u32,
}

/// Where a return stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReturnStatus {
    /// The return.
    id: ReturnId,
    /// Of this order.
    order_id: OrderId,
    /// `requested`, `received`, `inspected`, `refused` or `completed`; what follows is at `GET /api/v1/orders/{id}`.
    status: &'static str,
}

fn items(pieces: Vec<ReturnedPieces>) -> Vec<ParcelItem> {
    let item = |pieces: ReturnedPieces| ParcelItem {
        product_id: pieces.product_id,
        quantity: pieces.quantity,
    };
    pieces.into_iter().map(item).collect()
}

/// Send goods back
///
/// Of an order that was delivered, one seller's goods at a time, and no piece twice. When they have arrived and were looked at,
/// their price is paid back.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/returns",
    tag = "Returns",
    operation_id = "requestReturn",
    params(
        ("id" = OrderId, Path, description = "Which order"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body are one return, however often sent"),
    ),
    request_body = ReturnRequest,
    responses(
        (status = 202, description = "Expected; watch it at Location", body = ReturnStatus,
         headers(("Location" = String), ("Consistency-Token" = String))),
        (status = 404, description = "No such order of yours", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 409, description = "The order is not delivered", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 422, description = "`several-sellers`: ask for one return for each; or more pieces than can still come back, or \
         the key was used with another body", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
async fn request_return(
    order_id: OrderId,
    orders: Arc<Orders>,
    returns: Arc<Returns>,
    request: RequestContext,
    principal: Principal,
    body: JsonBody<ReturnRequest>,
) -> Result<Response, Problem> {
    require(&principal, &[Role::Customer])?;
    let order = orders.load(order_id).await?;
    let customer = order.state.placed().map(|placed| placed.customer_id);
    if customer != Some(principal.account_id) {
        return Err(ServiceError::from(no_such_order()).into());
    }
    let context = CommandContext::of_request(&request, &principal, body.fingerprint);
    let said = body
        .value
        .reason
        .unwrap_or_else(|| "The customer sends it back.".to_owned());
    let wish = RequestReturn {
        order_id,
        items: items(body.value.items),
        reason: Reason::new("returned_by_customer", said),
    };
    let requested = returns.request(&context, wish).await?;
    let status = ReturnStatus {
        id: requested.return_id,
        order_id,
        status: "requested",
    };
    let response = reply::accepted(&format!("/api/v1/orders/{order_id}"), &status);
    Ok(reply::with_token(response, ConsistencyToken::at(requested.position.0)))
}

/// Say that returned goods arrived
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/returns/{return}/receipt",
    tag = "Returns",
    operation_id = "receiveReturn",
    params(
        ("id" = OrderId, Path, description = "Which order"),
        ("return" = ReturnId, Path, description = "Which return"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key does nothing again"),
    ),
    responses(
        (status = 200, description = "In the house; inspect them next", body = ReturnStatus,
         headers(("Consistency-Token" = String))),
        (status = 403, description = "Only sellers and admins", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 404, description = "No such return of your goods", body = ProblemDocument,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
async fn receive_return(
    order_id: OrderId,
    return_id: ReturnId,
    returns: Arc<Returns>,
    request: RequestContext,
    principal: Principal,
    body: RawBody,
) -> Result<Response, Problem> {
    is_theirs(&returns, &principal, order_id, return_id).await?;
    let context = CommandContext::of_request(&request, &principal, body.fingerprint);
    let moved = returns.receive(&context, order_id, return_id).await?;
    Ok(answer(order_id, return_id, moved))
}

/// Say what was found
///
/// What is accepted is paid back at the price it was sold for; what is resellable is on sale again. Where nothing is accepted the
/// return is refused.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/returns/{return}/inspection",
    tag = "Returns",
    operation_id = "inspectReturn",
    params(
        ("id" = OrderId, Path, description = "Which order"),
        ("return" = ReturnId, Path, description = "Which return"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body do nothing again"),
    ),
    request_body = InspectionReport,
    responses(
        (status = 200, description = "`inspected`: it is being paid back; or `refused`", body = ReturnStatus,
         headers(("Consistency-Token" = String))),
        (status = 403, description = "Only sellers and admins", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 404, description = "No such return of your goods", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 409, description = "The goods are not there yet, or were inspected before", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 422, description = "More pieces than came back, or the key was used with another body", body = ProblemDocument,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
async fn inspect_return(
    order_id: OrderId,
    return_id: ReturnId,
    returns: Arc<Returns>,
    request: RequestContext,
    principal: Principal,
    body: JsonBody<InspectionReport>,
) -> Result<Response, Problem> {
    is_theirs(&returns, &principal, order_id, return_id).await?;
    let context = CommandContext::of_request(&request, &principal, body.fingerprint);
    let inspection = Inspection {
        accepted: items(body.value.accepted),
        resellable: items(body.value.resellable),
        note: body.value.note,
    };
    let moved = returns.inspect(&context, order_id, return_id, inspection).await?;
    Ok(answer(order_id, return_id, moved))
}

/// The goods' seller and admins; for other sellers there is no such return.
async fn is_theirs(
    returns: &Returns,
    principal: &Principal,
    order_id: OrderId,
    return_id: ReturnId,
) -> Result<(), Problem> {
    require(principal, &[Role::Seller, Role::Admin])?;
    let seller = returns.seller_of(order_id, return_id).await?;
    if seller.is_some_and(|seller| principal.has(Role::Admin) || seller == principal.account_id) {
        return Ok(());
    }
    Err(ServiceError::from(no_such_return()).into())
}

fn answer(order_id: OrderId, id: ReturnId, moved: Moved) -> Response {
    let status = match moved.stage {
        Stage::Requested => "requested",
        Stage::Received => "received",
        Stage::Inspected => "inspected",
        Stage::Completed => "completed",
        Stage::Refused => "refused",
    };
    let response = reply::ok(&ReturnStatus { id, order_id, status });
    reply::with_token(response, ConsistencyToken::at(moved.position.0))
}
