//! The queries: what clients read. One operation per file; none of them knows the log, all read the read models.
//!
//! A query waits until the read model it shows has come as far as the client's `Consistency-Token` asks, see [`freshness`].

mod audit;
mod cart;
mod cursor;
mod dead_letters;
mod description;
pub mod freshness;
mod last_answers;
mod my_page;
mod orders;
mod parameters;
mod product;
mod rankings;
mod repair_cases;
mod sagas;
mod search;
mod seller_figures;
mod seller_orders;
mod suggest;
#[cfg(test)]
mod tests;
mod worklists;

use std::{convert::Infallible, sync::Arc, time::Duration};

use edge::{Problem, Response, Tokens};
use event_schemas::Id;
use read_models::{ReadModels, documents::StoreError};
use utoipa::OpenApi;
use warp::{Filter, filters::BoxedFilter};

pub use audit::AuditTrail;

/// How long a query waits for its read model to catch up, unless configured otherwise.
pub const DEFAULT_PATIENCE: Duration = Duration::from_secs(2);

/// What the queries need.
pub struct Queries {
    /// What they show.
    pub models: Arc<ReadModels>,
    /// Who may see it.
    pub tokens: Arc<Tokens>,
    /// Where it is written down that an operator looked at a customer's page.
    pub audit: Arc<dyn AuditTrail>,
    /// How long they wait for a read model to catch up.
    pub patience: Duration,
}

/// All queries.
pub fn routes(queries: Queries) -> BoxedFilter<(Response,)> {
    let queries = Arc::new(queries);
    // The busiest first: they are tried in this order.
    orders::order_route(&queries)
        .or(search::route(&queries))
        .unify()
        .or(product::route(&queries))
        .unify()
        .or(suggest::route(&queries))
        .unify()
        .or(cart::route(&queries))
        .unify()
        .or(my_page::own_route(&queries))
        .unify()
        .or(orders::tracking_route(&queries))
        .unify()
        .or(seller_orders::route(&queries))
        .unify()
        .or(rankings::best_sellers_route(&queries))
        .unify()
        .or(rankings::trending_route(&queries))
        .unify()
        .or(seller_figures::sales_route(&queries))
        .unify()
        .or(seller_figures::alerts_route(&queries))
        .unify()
        .or(my_page::operators_route(&queries))
        .unify()
        .or(sagas::routes(&queries))
        .unify()
        .or(repair_cases::routes(&queries))
        .unify()
        .or(dead_letters::routes(&queries))
        .unify()
        .boxed()
}

/// All queries, described.
pub fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(
        paths(
            search::search,
            suggest::suggest,
            product::product,
            cart::cart,
            orders::order,
            orders::tracking,
            my_page::my_page,
            my_page::customers_page,
            seller_orders::seller_orders,
            rankings::best_sellers,
            rankings::trending,
            seller_figures::sales,
            seller_figures::alerts,
            sagas::sagas,
            sagas::saga,
            repair_cases::repair_cases,
            repair_cases::repair_case,
            dead_letters::dead_letters,
            dead_letters::dead_letter,
        ),
        components(schemas(read_models::catalogue::Sort, read_models::best_sellers::Window))
    )]
    struct Description;
    Description::openapi()
}

/// Hands the queries to a handler.
fn with(queries: &Arc<Queries>) -> impl Filter<Extract = (Arc<Queries>,), Error = Infallible> + Clone + use<> {
    let queries = Arc::clone(queries);
    warp::any().map(move || Arc::clone(&queries))
}

/// Who is asking.
fn signed_in(
    queries: &Arc<Queries>,
) -> impl Filter<Extract = (edge::Principal,), Error = warp::Rejection> + Clone + use<> {
    edge::authenticated(Arc::clone(&queries.tokens))
}

/// An id out of a path. One that cannot be any thing's id names nothing: 404, and why.
fn id_in_path<K>(text: &str) -> Result<Id<K>, Problem> {
    text.parse()
        .map_err(|wrong: event_schemas::ids::NotAnId| Problem::not_found(wrong.to_string()))
}

/// The store failed: what that means to a client.
fn unreadable(error: StoreError) -> Problem {
    match error {
        StoreError::Unavailable(_) => {
            tracing::error!(%error, "the read models cannot be read");
            Problem::unavailable(2, "the read models cannot be read right now: ask again")
        }
        StoreError::Unreadable { .. } => Problem::internal(error),
    }
}
