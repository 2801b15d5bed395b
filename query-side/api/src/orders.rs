//! `GET /api/v1/orders/{id}` and `GET /api/v1/orders/{id}/tracking`: how far an order has come, and where its parcels are.

use std::sync::Arc;

use edge::{Principal, Problem, ProblemDocument, Response, Role, reply};
use event_schemas::OrderId;
use read_models::{
    documents::Model,
    my_page::MyPage,
    order_view::OrderView,
    tracking::{Tracking, TrackingView},
};
use warp::{Filter, filters::BoxedFilter};

use crate::{
    Queries,
    description::{Behind, FreshnessHeaders, SignedOut},
    freshness::{Wish, wish},
    id_in_path, signed_in, unreadable, with,
};

pub(crate) fn order_route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "orders" / String)
        .and(warp::get())
        .and(with(queries))
        .and(signed_in(queries))
        .and(wish())
        .then(async |id: String, queries: Arc<Queries>, who: Principal, wish| order(&queries, &id, &who, wish).await)
        .map(reply::finish)
        .boxed()
}

pub(crate) fn tracking_route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "orders" / String / "tracking")
        .and(warp::get())
        .and(with(queries))
        .and(signed_in(queries))
        .and(wish())
        .then(async |id: String, queries: Arc<Queries>, who: Principal, wish| tracking(&queries, &id, &who, wish).await)
        .map(reply::finish)
        .boxed()
}

/// An order: status, items, parcels, payment, returns, history.
#[utoipa::path(get, path = "/api/v1/orders/{id}", tag = "Orders", operation_id = "getOrder", security(("bearer" = [])),
    params(
        ("id" = OrderId, Path, description = "The order."),
        FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "The order.", body = OrderView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        SignedOut,
        (status = 404, description = "There is none, or it is somebody else's.", body = ProblemDocument,
            content_type = "application/problem+json"),
        Behind,
    ))]
async fn order(queries: &Queries, id: &str, who: &Principal, wish: Wish) -> Result<Response, Problem> {
    let id = id_in_path(id)?;
    let shown = queries.shown(&[MyPage::NAME], wish).await?;
    let order = visible_order(queries, id, who).await?;
    Ok(shown.private(reply::ok(&order)))
}

/// Where an order's parcels are.
#[utoipa::path(get, path = "/api/v1/orders/{id}/tracking", tag = "Orders", operation_id = "trackOrder",
    security(("bearer" = [])),
    params(
        ("id" = OrderId, Path, description = "The order."),
        FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "The parcels; none before the first is booked.", body = TrackingView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        SignedOut,
        (status = 404, description = "There is no such order, or it is somebody else's.", body = ProblemDocument,
            content_type = "application/problem+json"),
        Behind,
    ))]
async fn tracking(queries: &Queries, id: &str, who: &Principal, wish: Wish) -> Result<Response, Problem> {
    let id = id_in_path(id)?;
    let shown = queries.shown(&[MyPage::NAME, Tracking::NAME], wish).await?;
    visible_order(queries, id, who).await?;
    let parcels = queries.models.tracking().of_order(id).await.map_err(unreadable)?;
    Ok(shown.private(reply::ok(&parcels.unwrap_or_default())))
}

/// An order, to its customer and to those who look after the shop. To anybody else it does not exist.
async fn visible_order(queries: &Queries, id: OrderId, who: &Principal) -> Result<OrderView, Problem> {
    let order = queries.models.my_page().order(id).await.map_err(unreadable)?;
    order
        .filter(|order| order.customer_id == who.account_id || who.has_any(&[Role::Admin, Role::Operator]))
        .ok_or_else(|| Problem::not_found(format!("there is no order {id} of yours")))
}
