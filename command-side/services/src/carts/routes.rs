//! The cart over HTTP: `PUT` and `DELETE /api/v1/cart/items/{product}`.

use std::sync::Arc;

use edge::{
    ConsistencyToken, JsonBody, Principal, Problem, ProblemDocument, RequestContext, Response, Role, Tokens,
    authenticated,
    body::{JSON_LIMIT, fingerprint},
    json_body, reply, request_context, require,
};
use event_schemas::{Money, ProductId};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use warp::{Filter, filters::BoxedFilter};

use super::Carts;
use crate::execution::CommandContext;

/// Of `/api/v1/cart`, what changes it.
pub fn routes(carts: &Arc<Carts>, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    let carts = Arc::clone(carts);
    let with_carts = warp::any().map(move || Arc::clone(&carts));
    let set = warp::path!("api" / "v1" / "cart" / "items" / ProductId)
        .and(warp::put())
        .and(with_carts.clone())
        .and(request_context())
        .and(authenticated(Arc::clone(tokens)))
        .and(json_body(JSON_LIMIT))
        .then(set_item)
        .map(reply::finish);
    let remove = warp::path!("api" / "v1" / "cart" / "items" / ProductId)
        .and(warp::delete())
        .and(with_carts)
        .and(request_context())
        .and(authenticated(Arc::clone(tokens)))
        .then(remove_item)
        .map(reply::finish);
    set.or(remove).unify().boxed()
}

/// What OpenAPI says of them.
pub fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(
        paths(set_item, remove_item),
        components(schemas(WantedQuantity, CartItem, ProblemDocument))
    )]
    struct Description;
    Description::openapi()
}

/// How many pieces.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"quantity": 2}))]
pub struct WantedQuantity {
    /// 1 to 999.
    #[schema(minimum = 1, maximum = 999)]
    quantity: u32,
}

/// A line of the cart.
#[derive(Debug, Serialize, ToSchema)]
pub struct CartItem {
    /// The product.
    product_id: ProductId,
    /// Its title.
    title: String,
    /// Its price now, which the order will have.
    unit_price: Money,
    /// Pieces.
    quantity: u32,
    /// Price times pieces.
    line_total: Money,
}

/// Put a product in the cart
///
/// The cart then holds exactly so many pieces, at the price of now: putting it in again accepts a new price.
#[utoipa::path(
    put,
    path = "/api/v1/cart/items/{product}",
    tag = "Cart",
    operation_id = "setCartItem",
    params(("product" = ProductId, Path, description = "Which product")),
    request_body = WantedQuantity,
    responses(
        (status = 200, description = "The cart holds it", body = CartItem, headers(("Consistency-Token" = String))),
        (status = 403, description = "Only customers have carts", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 404, description = "No such product", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "No longer sold, or the cart is full", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 422, description = "Not a quantity that is taken", body = ProblemDocument,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
async fn set_item(
    product_id: ProductId,
    carts: Arc<Carts>,
    request: RequestContext,
    principal: Principal,
    body: JsonBody<WantedQuantity>,
) -> Result<Response, Problem> {
    require(&principal, &[Role::Customer])?;
    let context = CommandContext::of_request(&request, &principal, body.fingerprint);
    let quantity = body.value.quantity;
    let (line, position) = carts
        .set_item(&context, principal.account_id, product_id, quantity)
        .await?;
    let line_total = line.unit_price.times(line.quantity).map_err(Problem::internal)?;
    let item = CartItem {
        product_id,
        title: line.title,
        unit_price: line.unit_price,
        quantity: line.quantity,
        line_total,
    };
    Ok(reply::with_token(reply::ok(&item), ConsistencyToken::at(position.0)))
}

/// Take a product out of the cart
#[utoipa::path(
    delete,
    path = "/api/v1/cart/items/{product}",
    tag = "Cart",
    operation_id = "removeCartItem",
    params(("product" = ProductId, Path, description = "Which product")),
    responses(
        (status = 204, description = "The cart does not hold it", headers(("Consistency-Token" = String))),
        (status = 403, description = "Only customers have carts", body = ProblemDocument,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
async fn remove_item(
    product_id: ProductId,
    carts: Arc<Carts>,
    request: RequestContext,
    principal: Principal,
) -> Result<Response, Problem> {
    require(&principal, &[Role::Customer])?;
    let context = CommandContext::of_request(&request, &principal, fingerprint(b""));
    let position = carts.remove_item(&context, principal.account_id, product_id).await?;
    Ok(reply::with_token(reply::no_content(), ConsistencyToken::at(position.0)))
}
