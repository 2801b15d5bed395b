//! `GET /api/v1/ops/repair-cases` and `GET /api/v1/ops/repair-cases/{id}`: what an operator must look into.

use std::sync::Arc;

use edge::{Problem, ProblemDocument, Response};
use event_schemas::RepairCaseId;
use read_models::repair_cases::{RepairCaseState, RepairCaseView, RepairCasesView};
use warp::filters::BoxedFilter;

use crate::{
    Queries,
    description::{BadParameter, Behind, FreshnessHeaders, NoOperator, SignedOut},
    id_in_path,
    worklists::{self, Asked, Given, WhichPage},
};

pub(crate) fn routes(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    worklists::routes(queries, "repair-cases", repair_cases, repair_case)
}

/// What an operator must look into, because the provider's books and the shop's disagree; newest first.
#[utoipa::path(get, path = "/api/v1/ops/repair-cases", tag = "Operators", operation_id = "listRepairCases",
    security(("bearer" = [])),
    params(
        ("state" = Option<RepairCaseState>, Query, description = "Only those in this state."),
        WhichPage, FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "The list.", body = RepairCasesView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        BadParameter, SignedOut, NoOperator, Behind,
    ))]
async fn repair_cases(asked: Asked, given: Given) -> Result<Response, Problem> {
    let states = "open, resolved";
    worklists::list(
        &asked,
        asked.queries.models.repair_cases(),
        states,
        given,
        |repair_cases, next_cursor| RepairCasesView {
            repair_cases,
            next_cursor,
        },
    )
    .await
}

/// A repair case: what is wrong, what each side says, what can be done.
#[utoipa::path(get, path = "/api/v1/ops/repair-cases/{id}", tag = "Operators", operation_id = "getRepairCase",
    security(("bearer" = [])),
    params(
        ("id" = RepairCaseId, Path, description = "The repair case."),
        FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "The repair case.", body = RepairCaseView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        (status = 404, description = "There is none.", body = ProblemDocument, content_type = "application/problem+json"),
        SignedOut, NoOperator, Behind,
    ))]
async fn repair_case(asked: Asked, id: String) -> Result<Response, Problem> {
    let missing = format!("repair case {id}");
    let key = || id_in_path(&id);
    worklists::entry(&asked, asked.queries.models.repair_cases(), key, &missing).await
}
