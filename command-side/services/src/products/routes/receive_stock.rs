//! `POST /api/v1/products/{id}/stock-receipts`.

use std::sync::Arc;

use edge::{
    ConsistencyToken, JsonBody, Principal, Problem, ProblemDocument, RequestContext, Response, Tokens, authenticated,
    body::JSON_LIMIT, json_body, reply, request_context,
};
use event_schemas::ProductId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::{Filter, filters::BoxedFilter, http::StatusCode};

use super::{Products, is_theirs, with};
use crate::{execution::CommandContext, inventory::Inventory};

pub(super) fn routes(
    products: &Arc<Products>,
    inventory: &Arc<Inventory>,
    tokens: &Arc<Tokens>,
) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "products" / ProductId / "stock-receipts")
        .and(warp::post())
        .and(with(products))
        .and(with(inventory))
        .and(request_context())
        .and(authenticated(Arc::clone(tokens)))
        .and(json_body(JSON_LIMIT))
        .then(receive_stock)
        .map(reply::finish)
        .boxed()
}

/// Goods that came in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"quantity": 40}))]
pub(super) struct StockReceipt {
    /// Pieces, at least one.
    #[schema(minimum = 1)]
    quantity: u32,
}

/// What there is now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReceivedStock {
    /// Of this product.
    product_id: ProductId,
    /// Pieces that came in.
    quantity: u32,
    /// Pieces that could be sold right after.
    available: u64,
}

/// Say that goods came in
#[utoipa::path(
    post,
    path = "/api/v1/products/{id}/stock-receipts",
    tag = "Catalogue",
    operation_id = "receiveStock",
    params(
        ("id" = ProductId, Path, description = "Which product"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body are counted once"),
    ),
    request_body = StockReceipt,
    responses(
        (status = 201, description = "They can be sold", body = ReceivedStock, headers(("Consistency-Token" = String))),
        (status = 403, description = "Only its seller and admins may", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 404, description = "No such product", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "Not a quantity that is taken, or the key was used with another body",
         body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
pub(super) async fn receive_stock(
    id: ProductId,
    products: Arc<Products>,
    inventory: Arc<Inventory>,
    request: RequestContext,
    principal: Principal,
    body: JsonBody<StockReceipt>,
) -> Result<Response, Problem> {
    is_theirs(&principal, &*products.load(id).await?)?;
    let context = CommandContext::of_request(&request, &principal, body.fingerprint);
    let received = inventory.receive(id, body.value.quantity, &context).await?;
    let answer = ReceivedStock {
        product_id: id,
        quantity: received.event.quantity,
        available: received.event.available,
    };
    let response = reply::json(StatusCode::CREATED, &answer);
    Ok(match received.position {
        Some(position) => reply::with_token(response, ConsistencyToken::at(position.0)),
        None => response,
    })
}
