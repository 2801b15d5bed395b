//! `GET /api/v1/cart`: what the customer is about to order.

use std::sync::Arc;

use edge::{Principal, Problem, ProblemDocument, Response, Role, reply, require};
use read_models::{
    carts::{CartView, Carts},
    documents::Model,
};
use warp::{Filter, filters::BoxedFilter};

use crate::{
    Queries,
    description::{Behind, FreshnessHeaders, SignedOut},
    freshness::{Wish, wish},
    signed_in, unreadable, with,
};

pub(crate) fn route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "cart")
        .and(warp::get())
        .and(with(queries))
        .and(signed_in(queries))
        .and(wish())
        .then(async |queries: Arc<Queries>, who: Principal, wish| cart(&queries, &who, wish).await)
        .map(reply::finish)
        .boxed()
}

/// The customer's cart.
///
/// Titles and prices are as the customer saw them when they put the product in; an order whose prices moved since is refused.
#[utoipa::path(get, path = "/api/v1/cart", tag = "Cart", operation_id = "getCart", security(("bearer" = [])),
    params(
        FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "The cart; an empty one for who never put anything in.", body = CartView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        SignedOut,
        (status = 403, description = "Not a customer.", body = ProblemDocument, content_type = "application/problem+json"),
        Behind,
    ))]
async fn cart(queries: &Queries, who: &Principal, wish: Wish) -> Result<Response, Problem> {
    require(who, &[Role::Customer])?;
    let shown = queries.shown(&[Carts::NAME], wish).await?;
    let cart = queries
        .models
        .carts()
        .of_customer(who.account_id)
        .await
        .map_err(unreadable)?;
    Ok(shown.private(reply::ok(&cart)))
}
