//! `GET /api/v1/ops/repair-cases` and `GET /api/v1/ops/repair-cases/{id}`: what an operator must look into.

use std::sync::Arc;

use edge::{Principal, Problem, ProblemDocument, Response, Role, reply, require};
use event_schemas::RepairCaseId;
use read_models::{
    documents::Model,
    repair_cases::{RepairCaseState, RepairCaseView, RepairCases, RepairCasesView},
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
    warp::path!("api" / "v1" / "ops" / "repair-cases")
        .and(warp::get())
        .and(with(queries))
        .and(signed_in(queries))
        .and(parameters::raw())
        .and(wish())
        .then(async |queries: Arc<Queries>, who: Principal, given, wish| {
            repair_cases(&queries, &who, given, wish).await
        })
        .map(reply::finish)
        .boxed()
}

pub(crate) fn repair_case_route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "ops" / "repair-cases" / String)
        .and(warp::get())
        .and(with(queries))
        .and(signed_in(queries))
        .and(wish())
        .then(async |id: String, queries: Arc<Queries>, who: Principal, wish| {
            repair_case(&queries, &id, &who, wish).await
        })
        .map(reply::finish)
        .boxed()
}

/// What an operator must look into, because the provider's books and the shop's disagree; newest first.
#[utoipa::path(get, path = "/api/v1/ops/repair-cases", tag = "Operators", operation_id = "listRepairCases",
    security(("bearer" = [])),
    params(
        ("state" = Option<RepairCaseState>, Query, description = "Only those in this state."),
        ("size" = Option<u32>, Query, description = "How many on a page, 1 to 100; 20 unless said otherwise."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before, for the same state."),
        ("Consistency-Token" = Option<String>, Header, description = "See at least what this token stands for."),
        ("Prefer" = Option<String>, Header, description = "`return=stale`: rather an old answer than a 503."),
    ),
    responses(
        (status = 200, description = "The list.", body = RepairCasesView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        (status = 400, description = "A parameter is unknown or not valid; `errors` names it.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 401, description = "Sign in first.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "Not caught up with the token.", body = ProblemDocument,
            content_type = "application/problem+json"),
    ))]
async fn repair_cases(
    queries: &Queries,
    who: &Principal,
    given: Vec<(String, String)>,
    wish: Wish,
) -> Result<Response, Problem> {
    require(who, &[Role::Operator])?;
    let parameters = Parameters::of(given, &["state", "size", "cursor"])?;
    let state: Option<RepairCaseState> = parameters.word("state", "open, resolved")?;
    let list = format!("repair_cases {state:?}");
    let (size, after) = (parameters.size()?, parameters.cursor(&list)?);
    let shown = queries.shown(&[RepairCases::NAME], wish).await?;
    let page = queries
        .models
        .repair_cases()
        .list(state, after.as_deref(), size)
        .await
        .map_err(unreadable)?;
    let view = RepairCasesView {
        repair_cases: page.items,
        next_cursor: page.next.as_deref().map(|place| cursor::write(&list, place)),
    };
    Ok(shown.private(reply::ok(&view)))
}

/// A repair case: what is wrong, what each side says, what can be done.
#[utoipa::path(get, path = "/api/v1/ops/repair-cases/{id}", tag = "Operators", operation_id = "getRepairCase",
    security(("bearer" = [])),
    params(
        ("id" = RepairCaseId, Path, description = "The repair case."),
        ("Consistency-Token" = Option<String>, Header, description = "See at least what this token stands for."),
        ("Prefer" = Option<String>, Header, description = "`return=stale`: rather an old answer than a 503."),
    ),
    responses(
        (status = 200, description = "The repair case.", body = RepairCaseView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        (status = 401, description = "Sign in first.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is none.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "Not caught up with the token.", body = ProblemDocument,
            content_type = "application/problem+json"),
    ))]
async fn repair_case(queries: &Queries, id: &str, who: &Principal, wish: Wish) -> Result<Response, Problem> {
    require(who, &[Role::Operator])?;
    let id: RepairCaseId = id_in_path(id)?;
    let shown = queries.shown(&[RepairCases::NAME], wish).await?;
    let case = queries.models.repair_cases().case(id).await.map_err(unreadable)?;
    let case = case.ok_or_else(|| Problem::not_found(format!("there is no repair case {id}")))?;
    Ok(shown.private(reply::ok(&case)))
}
