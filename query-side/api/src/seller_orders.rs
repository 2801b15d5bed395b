//! `GET /api/v1/seller/orders`: what a seller has to send.

use std::sync::Arc;

use edge::{Principal, Problem, ProblemDocument, Response, Role, reply, require};
use read_models::{
    documents::Model,
    seller_orders::{SellerOrders, SellerOrdersView},
};
use warp::{Filter, filters::BoxedFilter};

use crate::{
    Queries, cursor,
    description::{BadParameter, Behind, FreshnessHeaders, SignedOut},
    freshness::{Wish, wish},
    parameters::{self, Parameters},
    signed_in, unreadable, with,
};

const LIST: &str = "seller_orders";
const RETURNING: &str = "seller_orders returning";

pub(crate) fn route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "seller" / "orders")
        .and(warp::get())
        .and(with(queries))
        .and(signed_in(queries))
        .and(parameters::raw())
        .and(wish())
        .then(async |queries: Arc<Queries>, who: Principal, given, wish| {
            seller_orders(&queries, &who, given, wish).await
        })
        .map(reply::finish)
        .boxed()
}

/// The seller's orders, newest first: of each order only the seller's own items, parcel and returns.
#[utoipa::path(get, path = "/api/v1/seller/orders", tag = "Seller", operation_id = "sellerOrders",
    security(("bearer" = [])),
    params(
        ("returns" = Option<String>, Query, description = "`open`: only orders of which goods come back that the seller has \
            to receive or to look at."),
        ("size" = Option<u32>, Query, description = "Orders on a page, 1 to 100; 20 unless said otherwise."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before."),
        FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "The orders.", body = SellerOrdersView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        BadParameter, SignedOut,
        (status = 403, description = "Not a seller.", body = ProblemDocument, content_type = "application/problem+json"),
        Behind,
    ))]
async fn seller_orders(
    queries: &Queries,
    who: &Principal,
    given: Vec<(String, String)>,
    wish: Wish,
) -> Result<Response, Problem> {
    require(who, &[Role::Seller])?;
    let parameters = Parameters::of(given, &["returns", "size", "cursor"])?;
    let returning = match parameters.text("returns") {
        None => false,
        Some("open") => true,
        Some(_) => return Err(Problem::bad_parameter("returns", "expected open")),
    };
    let list = if returning { RETURNING } else { LIST };
    let (size, after) = (parameters.size()?, parameters.cursor(list)?);
    let shown = queries.shown(&[SellerOrders::NAME], wish).await?;
    let orders = queries.models.seller_orders();
    let page = orders
        .of_seller(who.account_id, returning, after.as_deref(), size)
        .await
        .map_err(unreadable)?;
    let view = SellerOrdersView {
        orders: page.items,
        next_cursor: page.next.as_deref().map(|place| cursor::write(list, place)),
    };
    Ok(shown.private(reply::ok(&view)))
}
