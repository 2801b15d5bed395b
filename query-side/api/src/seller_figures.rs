//! `GET /api/v1/seller/sales` and `GET /api/v1/seller/stock-alerts`: a seller's own figures; admins see everybody's.

use std::sync::Arc;

use edge::{Principal, Problem, ProblemDocument, Response, Role, reply, require};
use event_schemas::SellerId;
use read_models::{
    calendar::Day,
    documents::Model,
    seller_sales::{SellerSales, SellerSalesView},
    stock_alerts::{StockAlerts, StockAlertsView, StockLevel},
};
use warp::{Filter, filters::BoxedFilter};

use crate::{
    Queries, cursor,
    description::{BadParameter, Behind, FreshnessHeaders, SignedOut},
    freshness::{Wish, wish},
    parameters::{self, Parameters},
    signed_in, unreadable, with,
};

/// Days where the seller does not say from when.
const DAYS: i32 = 30;

pub(crate) fn sales_route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "seller" / "sales")
        .and(warp::get())
        .and(with(queries))
        .and(signed_in(queries))
        .and(parameters::raw())
        .and(wish())
        .then(async |queries: Arc<Queries>, who: Principal, given, wish| sales(&queries, &who, given, wish).await)
        .map(reply::finish)
        .boxed()
}

pub(crate) fn alerts_route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "seller" / "stock-alerts")
        .and(warp::get())
        .and(with(queries))
        .and(signed_in(queries))
        .and(parameters::raw())
        .and(wish())
        .then(async |queries: Arc<Queries>, who: Principal, given, wish| alerts(&queries, &who, given, wish).await)
        .map(reply::finish)
        .boxed()
}

/// The seller's sales by day.
///
/// What was called off later is taken out of the day on which it was ordered. Days are Korea's.
#[utoipa::path(get, path = "/api/v1/seller/sales", tag = "Seller", operation_id = "sellerSales",
    security(("bearer" = [])),
    params(
        ("from" = Option<Day>, Query, description = "The first day; 30 days up to `to` unless said otherwise."),
        ("to" = Option<Day>, Query, description = "The last day; the newest unless said otherwise."),
        ("seller" = Option<SellerId>, Query, description = "For admins: only this seller; everybody unless said otherwise."),
        ("size" = Option<u32>, Query, description = "Days on a page, 1 to 100; 20 unless said otherwise."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before, with the same parameters."),
        FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "The days, oldest first.", body = SellerSalesView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        BadParameter, SignedOut,
        (status = 403, description = "Neither a seller nor an admin, or another seller's.", body = ProblemDocument,
            content_type = "application/problem+json"),
        Behind,
    ))]
async fn sales(
    queries: &Queries,
    who: &Principal,
    given: Vec<(String, String)>,
    wish: Wish,
) -> Result<Response, Problem> {
    let parameters = Parameters::of(given, &["from", "to", "seller", "size", "cursor"])?;
    let seller = whose(who, &parameters)?;
    let day = |name| parameters.parsed::<Day>(name, "a day such as 2026-11-21");
    let (from, to) = (day("from")?, day("to")?);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(Problem::bad_parameter("from", "later than `to`"));
    }
    let list = format!("seller_sales {seller:?} {from:?} {to:?}");
    let (size, after) = (parameters.size()?, parameters.cursor(&list)?);
    let shown = queries.shown(&[SellerSales::NAME], wish).await?;
    let sales = queries.models.seller_sales();
    let newest = match to {
        Some(to) => Some(to),
        None => sales.newest(seller).await.map_err(unreadable)?,
    };
    let view = match newest {
        Some(to) => {
            let from = from.unwrap_or_else(|| to.plus(1 - DAYS));
            let page = sales
                .days(seller, from..=to, after.as_deref(), size)
                .await
                .map_err(unreadable)?;
            SellerSalesView {
                next_cursor: page.next.as_deref().map(|place| cursor::write(&list, place)),
                days: page.items,
            }
        }
        None => SellerSalesView {
            days: vec![],
            next_cursor: None,
        },
    };
    Ok(shown.private(reply::ok(&view)))
}

/// What has run out of the seller's products, or soon will: five pieces or fewer.
#[utoipa::path(get, path = "/api/v1/seller/stock-alerts", tag = "Seller", operation_id = "stockAlerts",
    security(("bearer" = [])),
    params(
        ("level" = Option<StockLevel>, Query, description = "Only `out`, or only `low`."),
        ("seller" = Option<SellerId>, Query, description = "For admins: only this seller; everybody unless said otherwise."),
        ("size" = Option<u32>, Query, description = "Products on a page, 1 to 100; 20 unless said otherwise."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before, with the same parameters."),
        FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "What ran out first, then what is low, the longest first.", body = StockAlertsView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        BadParameter, SignedOut,
        (status = 403, description = "Neither a seller nor an admin, or another seller's.", body = ProblemDocument,
            content_type = "application/problem+json"),
        Behind,
    ))]
async fn alerts(
    queries: &Queries,
    who: &Principal,
    given: Vec<(String, String)>,
    wish: Wish,
) -> Result<Response, Problem> {
    let parameters = Parameters::of(given, &["level", "seller", "size", "cursor"])?;
    let seller = whose(who, &parameters)?;
    let level: Option<StockLevel> = parameters.word("level", "out, low")?;
    let list = format!("stock_alerts {seller:?} {level:?}");
    let (size, after) = (parameters.size()?, parameters.cursor(&list)?);
    let shown = queries.shown(&[StockAlerts::NAME], wish).await?;
    let alerts = queries.models.stock_alerts();
    let page = alerts
        .alerts(seller, level, after.as_deref(), size)
        .await
        .map_err(unreadable)?;
    let view = StockAlertsView {
        next_cursor: page.next.as_deref().map(|place| cursor::write(&list, place)),
        alerts: page.items,
    };
    Ok(shown.private(reply::ok(&view)))
}

/// Whose figures are asked for: one's own, or for admins whosever they name, everybody's if nobody's.
fn whose(who: &Principal, parameters: &Parameters) -> Result<Option<SellerId>, Problem> {
    require(who, &[Role::Seller, Role::Admin])?;
    let named: Option<SellerId> = parameters.parsed("seller", "an identifier")?;
    if who.has_any(&[Role::Admin]) {
        return Ok(named);
    }
    match named {
        Some(other) if other != who.account_id => Err(Problem::forbidden("these are another seller's figures")),
        _ => Ok(Some(who.account_id)),
    }
}
