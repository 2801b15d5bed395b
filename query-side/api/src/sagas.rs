//! `GET /api/v1/ops/sagas` and `GET /api/v1/ops/sagas/{id}`: where each saga stands.

use std::sync::Arc;

use edge::{Principal, Problem, ProblemDocument, Response, Role, reply, require};
use event_schemas::saga::SagaStatus;
use read_models::{
    documents::Model,
    sagas::{SagaView, Sagas, SagasView},
};
use warp::{Filter, filters::BoxedFilter};

use crate::{
    Queries, cursor,
    freshness::{Wish, wish},
    id_in_path,
    parameters::{self, Parameters},
    signed_in, unreadable, with,
};

pub(crate) fn list_route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "ops" / "sagas")
        .and(warp::get())
        .and(with(queries))
        .and(signed_in(queries))
        .and(parameters::raw())
        .and(wish())
        .then(async |queries: Arc<Queries>, who: Principal, given, wish| sagas(&queries, &who, given, wish).await)
        .map(reply::finish)
        .boxed()
}

pub(crate) fn saga_route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "ops" / "sagas" / String)
        .and(warp::get())
        .and(with(queries))
        .and(signed_in(queries))
        .and(wish())
        .then(async |id: String, queries: Arc<Queries>, who: Principal, wish| saga(&queries, &id, &who, wish).await)
        .map(reply::finish)
        .boxed()
}

/// Sagas, newest first: all of them, or those in one state.
#[utoipa::path(get, path = "/api/v1/ops/sagas", tag = "Operators", operation_id = "listSagas", security(("bearer" = [])),
    params(
        ("state" = Option<SagaStatus>, Query, description = "Only sagas in this state."),
        ("size" = Option<u32>, Query, description = "Sagas on a page, 1 to 100; 20 unless said otherwise."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before, for the same state."),
        ("Consistency-Token" = Option<String>, Header, description = "See at least what this token stands for."),
        ("Prefer" = Option<String>, Header, description = "`return=stale`: rather an old answer than a 503."),
    ),
    responses(
        (status = 200, description = "The sagas.", body = SagasView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        (status = 400, description = "A parameter is unknown or not valid; `errors` names it.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 401, description = "Sign in first.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "Not caught up with the token.", body = ProblemDocument,
            content_type = "application/problem+json"),
    ))]
async fn sagas(
    queries: &Queries,
    who: &Principal,
    given: Vec<(String, String)>,
    wish: Wish,
) -> Result<Response, Problem> {
    require(who, &[Role::Operator])?;
    let parameters = Parameters::of(given, &["state", "size", "cursor"])?;
    let expected = "running, compensating, outcome_unknown, completed, compensated, stuck";
    let state: Option<SagaStatus> = parameters.word("state", expected)?;
    let list = format!("sagas {state:?}");
    let (size, after) = (parameters.size()?, parameters.cursor(&list)?);
    let shown = queries.shown(&[Sagas::NAME], wish).await?;
    let page = queries
        .models
        .sagas()
        .list(state, after.as_deref(), size)
        .await
        .map_err(unreadable)?;
    let view = SagasView {
        sagas: page.items,
        next_cursor: page.next.as_deref().map(|place| cursor::write(&list, place)),
    };
    Ok(shown.private(reply::ok(&view)))
}

/// A saga: where it stands, what it waits for, when it wakes.
#[utoipa::path(get, path = "/api/v1/ops/sagas/{id}", tag = "Operators", operation_id = "getSaga",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "What the saga is about: the order, or the return."),
        ("Consistency-Token" = Option<String>, Header, description = "See at least what this token stands for."),
        ("Prefer" = Option<String>, Header, description = "`return=stale`: rather an old answer than a 503."),
    ),
    responses(
        (status = 200, description = "The saga.", body = SagaView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        (status = 401, description = "Sign in first.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is none.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "Not caught up with the token.", body = ProblemDocument,
            content_type = "application/problem+json"),
    ))]
async fn saga(queries: &Queries, id: &str, who: &Principal, wish: Wish) -> Result<Response, Problem> {
    require(who, &[Role::Operator])?;
    // An order's or a return's: an identifier either way.
    let id = id_in_path::<()>(id)?.uuid();
    let shown = queries.shown(&[Sagas::NAME], wish).await?;
    let saga = queries.models.sagas().saga(id).await.map_err(unreadable)?;
    let saga = saga.ok_or_else(|| Problem::not_found(format!("there is no saga about {id}")))?;
    Ok(shown.private(reply::ok(&saga)))
}
