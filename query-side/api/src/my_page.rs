//! `GET /api/v1/my-page` for the customer, `GET /api/v1/ops/customers/{id}/my-page` for operators, written down each time.

use std::sync::Arc;

use edge::{Principal, Problem, ProblemDocument, RequestContext, Response, Role, reply, request_context, require};
use event_schemas::CustomerId;
use read_models::{
    documents::Model,
    my_page::{CustomerView, MyPage, MyPageView},
};
use warp::{Filter, filters::BoxedFilter};

use crate::{
    Queries, cursor,
    description::{BadParameter, Behind, FreshnessHeaders, NoOperator, SignedOut},
    freshness::{Wish, wish},
    id_in_path,
    parameters::{self, Parameters},
    signed_in, unreadable, with,
};

pub(crate) fn own_route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "my-page")
        .and(warp::get())
        .and(with(queries))
        .and(signed_in(queries))
        .and(parameters::raw())
        .and(wish())
        .then(async |queries: Arc<Queries>, who: Principal, given, wish| my_page(&queries, &who, given, wish).await)
        .map(reply::finish)
        .boxed()
}

pub(crate) fn operators_route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "ops" / "customers" / String / "my-page")
        .and(warp::get())
        .and(with(queries))
        .and(signed_in(queries))
        .and(parameters::raw())
        .and(wish())
        .and(request_context())
        .then(
            async |id: String, queries: Arc<Queries>, who: Principal, given, wish, request: RequestContext| {
                customers_page(&queries, &id, &who, given, wish, &request).await
            },
        )
        .map(reply::finish)
        .boxed()
}

/// The customer's orders, newest first, with their parcels, money and returns; and their points.
#[utoipa::path(get, path = "/api/v1/my-page", tag = "My page", operation_id = "myPage", security(("bearer" = [])),
    params(
        ("size" = Option<u32>, Query, description = "Orders on a page, 1 to 100; 20 unless said otherwise."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before."),
        FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "The page.", body = MyPageView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        BadParameter, SignedOut, Behind,
    ))]
async fn my_page(
    queries: &Queries,
    who: &Principal,
    given: Vec<(String, String)>,
    wish: Wish,
) -> Result<Response, Problem> {
    let paging = Paging::of(given)?;
    let shown = queries.shown(&[MyPage::NAME], wish).await?;
    let page = page_of(queries, who.account_id, &paging).await?;
    Ok(shown.private(reply::ok(&page)))
}

/// A customer's page, as an operator sees it.
///
/// Who looked at whose page is written to the log before the page is read.
#[utoipa::path(get, path = "/api/v1/ops/customers/{id}/my-page", tag = "Operators", operation_id = "customerPage",
    security(("bearer" = [])),
    params(
        ("id" = CustomerId, Path, description = "The customer."),
        ("size" = Option<u32>, Query, description = "Orders on a page, 1 to 100; 20 unless said otherwise."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before."),
        FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "The page.", body = MyPageView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        BadParameter, SignedOut, NoOperator,
        (status = 404, description = "There is no such customer.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 503, description = "Not caught up with the token, or the look cannot be written down.",
            body = ProblemDocument, content_type = "application/problem+json"),
    ))]
async fn customers_page(
    queries: &Queries,
    id: &str,
    who: &Principal,
    given: Vec<(String, String)>,
    wish: Wish,
    request: &RequestContext,
) -> Result<Response, Problem> {
    require(who, &[Role::Operator])?;
    let id: CustomerId = id_in_path(id)?;
    let paging = Paging::of(given)?;
    let shown = queries.shown(&[MyPage::NAME], wish).await?;
    queries.audit.customer_page_viewed(who.account_id, id, request).await?;
    let page = page_of(queries, id, &paging).await?;
    if page.orders.is_empty() && page.customer.name.is_empty() && paging.after.is_none() {
        return Err(Problem::not_found(format!("there is no customer {id}")));
    }
    Ok(shown.private(reply::ok(&page)))
}

/// Cursors of my page lead through this list, whoever's it is: the customer is named by the request, never by the cursor.
const LIST: &str = "my_page";

struct Paging {
    size: usize,
    after: Option<Vec<u8>>,
}

impl Paging {
    fn of(given: Vec<(String, String)>) -> Result<Self, Problem> {
        let parameters = Parameters::of(given, &["size", "cursor"])?;
        Ok(Self {
            size: parameters.size()?,
            after: parameters.cursor(LIST)?,
        })
    }
}

async fn page_of(queries: &Queries, id: CustomerId, paging: &Paging) -> Result<MyPageView, Problem> {
    let pages = queries.models.my_page();
    let customer = pages.customer(id).await.map_err(unreadable)?;
    let orders = pages
        .orders_of(id, paging.after.as_deref(), paging.size)
        .await
        .map_err(unreadable)?;
    Ok(MyPageView {
        customer: customer.unwrap_or_else(|| CustomerView::unknown(id)),
        orders: orders.items,
        next_cursor: orders.next.as_deref().map(|place| cursor::write(LIST, place)),
    })
}
