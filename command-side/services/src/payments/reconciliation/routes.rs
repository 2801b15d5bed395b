//! `POST /api/v1/ops/repair-cases/{id}/resolution`: an operator has dealt with it.

use std::sync::Arc;

use edge::{
    ConsistencyToken, JsonBody, Principal, Problem, ProblemDocument, RequestContext, Response, Role, Tokens,
    authenticated, body::JSON_LIMIT, json_body, reply, request_context, require,
};
use event_schemas::RepairCaseId;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use warp::{Filter, filters::BoxedFilter};

use super::Repairs;
use crate::execution::CommandContext;

/// The route.
pub fn routes(cases: &Arc<Repairs>, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    let cases = Arc::clone(cases);
    warp::path!("api" / "v1" / "ops" / "repair-cases" / RepairCaseId / "resolution")
        .and(warp::post())
        .and(warp::any().map(move || Arc::clone(&cases)))
        .and(request_context())
        .and(authenticated(Arc::clone(tokens)))
        .and(json_body(JSON_LIMIT))
        .then(resolve_repair_case)
        .map(reply::finish)
        .boxed()
}

/// What OpenAPI says of it.
pub fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(
        paths(resolve_repair_case),
        components(schemas(RepairResolution, RepairResolved, ProblemDocument))
    )]
    struct Description;
    Description::openapi()
}

/// What was done about a repair case.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"note": "Paid back at the provider's desk, receipt 4711."}))]
pub struct RepairResolution {
    /// A few sentences, at most 2,000 characters.
    #[schema(min_length = 1, max_length = 2_000)]
    note: String,
}

/// The case that is closed.
#[derive(Debug, Serialize, ToSchema)]
pub struct RepairResolved {
    /// Which.
    id: RepairCaseId,
}

/// Close a repair case
///
/// The books are compared all the time: a case closes by itself when they agree again. This is for what was settled otherwise.
#[utoipa::path(
    post,
    path = "/api/v1/ops/repair-cases/{id}/resolution",
    tag = "Operators",
    operation_id = "resolveRepairCase",
    params(("id" = RepairCaseId, Path, description = "Which case")),
    request_body = RepairResolution,
    responses(
        (status = 200, description = "It is closed, now or before", body = RepairResolved,
         headers(("Consistency-Token" = String))),
        (status = 403, description = "Only operators", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 404, description = "No such case", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 422, description = "The note says nothing, or too much", body = ProblemDocument,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
async fn resolve_repair_case(
    id: RepairCaseId,
    cases: Arc<Repairs>,
    request: RequestContext,
    principal: Principal,
    body: JsonBody<RepairResolution>,
) -> Result<Response, Problem> {
    require(&principal, &[Role::Operator])?;
    let context = CommandContext::of_request(&request, &principal, body.fingerprint);
    let position = cases.resolve(id, body.value.note, &context).await?;
    let response = reply::ok(&RepairResolved { id });
    Ok(reply::with_token(response, ConsistencyToken::at(position.0)))
}
