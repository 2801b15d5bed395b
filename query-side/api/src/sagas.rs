//! `GET /api/v1/ops/sagas` and `GET /api/v1/ops/sagas/{id}`: where each saga stands.

use std::sync::Arc;

use edge::{Problem, ProblemDocument, Response};
use event_schemas::saga::SagaStatus;
use read_models::sagas::{SagaView, SagasView};
use warp::filters::BoxedFilter;

use crate::{
    Queries,
    description::{BadParameter, Behind, FreshnessHeaders, NoOperator, SignedOut},
    id_in_path,
    worklists::{self, Asked, Given, WhichPage},
};

pub(crate) fn routes(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    worklists::routes(queries, "sagas", sagas, saga)
}

/// Sagas, newest first: all of them, or those in one state.
#[utoipa::path(get, path = "/api/v1/ops/sagas", tag = "Operators", operation_id = "listSagas",
    security(("bearer" = [])),
    params(
        ("state" = Option<SagaStatus>, Query, description = "Only sagas in this state."),
        WhichPage, FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "The sagas.", body = SagasView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        BadParameter, SignedOut, NoOperator, Behind,
    ))]
async fn sagas(asked: Asked, given: Given) -> Result<Response, Problem> {
    let states = "running, compensating, outcome_unknown, completed, compensated, stuck";
    worklists::list(
        &asked,
        asked.queries.models.sagas(),
        states,
        given,
        |sagas, next_cursor| SagasView { sagas, next_cursor },
    )
    .await
}

/// A saga: where it stands, what it waits for, when it wakes.
#[utoipa::path(get, path = "/api/v1/ops/sagas/{id}", tag = "Operators", operation_id = "getSaga",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "What the saga is about: the order, or the return."),
        FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "The saga.", body = SagaView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        (status = 404, description = "There is none.", body = ProblemDocument, content_type = "application/problem+json"),
        SignedOut, NoOperator, Behind,
    ))]
async fn saga(asked: Asked, id: String) -> Result<Response, Problem> {
    let missing = format!("saga about {id}");
    // An order's or a return's: an identifier either way.
    let key = || Ok(id_in_path::<()>(&id)?.uuid());
    worklists::entry(&asked, asked.queries.models.sagas(), key, &missing).await
}
