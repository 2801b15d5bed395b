//! The operator's paths over the correctness of the read models: held against the log, and put right.

use std::sync::Arc;

use edge::{Principal, Problem, RequestContext, Response, Role, auth, reply, request_context};
use projections::{AuditError, AuditScope, AuditStatus, Drift};
use read_models::{ReadModels, documents::DocumentDifference};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use warp::{Filter, filters::BoxedFilter};

use super::{
    projections::ProjectionRoutes,
    query::{Query, query},
};

/// An audit of a read model: under way, or what it found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditView {
    /// Of which read model.
    pub projection: String,
    /// Of every document; otherwise of some hundreds, others each time.
    pub all: bool,
    /// What is wrong is put right.
    pub repair: bool,
    /// `running`, `done` or `failed`.
    pub state: String,
    /// The log is read up to here …
    pub position: u64,
    /// … of this; an audit of very many documents reads it more than once.
    pub target: u64,
    /// Documents looked at so far: those there are, and those there should be.
    pub checked: u64,
    /// Those that are not what the log tells.
    pub found: u64,
    /// Those that were put right.
    pub repaired: u64,
    /// The first twenty that were found.
    pub drifts: Vec<DriftView>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A document that is not what the log tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DriftView {
    /// What is wrong: it is `missing`, a `ghost`, `different`, `unreadable`, or `unlisted` (right, but lists do not show it).
    pub kind: String,
    /// Which document, and where it differs.
    #[serde(flatten)]
    pub document: DocumentDifference,
}

impl AuditView {
    /// How an audit of that projection stands.
    pub fn of(projection: &str, status: AuditStatus) -> Self {
        let AuditStatus { scope, findings, .. } = status;
        let state = match (status.done, &status.error) {
            (false, _) => "running",
            (true, None) => "done",
            (true, Some(_)) => "failed",
        };
        Self {
            projection: projection.to_owned(),
            all: scope.all,
            repair: scope.repair,
            state: state.to_owned(),
            position: status.position,
            target: status.head,
            checked: findings.checked,
            found: findings.found,
            repaired: findings.repaired,
            drifts: findings.drifts.into_iter().map(Into::into).collect(),
            error: status.error,
        }
    }
}

impl From<Drift> for DriftView {
    fn from(drift: Drift) -> Self {
        Self {
            kind: drift.kind.as_str().to_owned(),
            document: drift.document,
        }
    }
}

/// `POST ops/projections/{name}/audits`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the parameters; they are read by name")]
struct AuditQuery {
    /// `true` for every document; otherwise some hundreds are looked at, others each time.
    all: Option<bool>,
    /// `true` to put right what is wrong.
    repair: Option<bool>,
}

/// All of them.
pub fn audit_routes(routes: &ProjectionRoutes) -> BoxedFilter<(Response,)> {
    let asked = || {
        let routes = routes.clone();
        warp::path!("api" / "v1" / "ops" / "projections" / String / "audits")
            .and(warp::any().map(move || routes.clone()))
    };
    let begin = asked()
        .and(warp::post())
        .and(query())
        .and(auth::authenticated(Arc::clone(&routes.tokens)))
        .and(request_context())
        .then(begin);
    let last = asked()
        .and(warp::get())
        .and(auth::authenticated(Arc::clone(&routes.tokens)))
        .then(last);
    begin.or(last).unify().map(reply::finish).boxed()
}

/// Holds a read model against the log: its documents are derived again and compared.
#[utoipa::path(post, path = "/api/v1/ops/projections/{name}/audits", tag = "Operators", security(("bearer" = [])),
    params(("name" = String, Path, description = "The projection, such as my_page."), AuditQuery),
    responses((status = 202, description = "Under way: ask here again by GET.", body = AuditView),
        (status = 404, description = "There is no such projection."),
        (status = 409, description = "It is being audited already.")))]
async fn begin(
    name: String,
    routes: ProjectionRoutes,
    query: Query,
    principal: Principal,
    request: RequestContext,
) -> Result<Response, Problem> {
    auth::require(&principal, &[Role::Operator])?;
    query.only(&["all", "repair"])?;
    let scope = AuditScope {
        all: query.parsed("all")?.unwrap_or(false),
        repair: query.parsed("repair")?.unwrap_or(false),
    };
    if !ReadModels::NAMES.contains(&name.as_str()) {
        return Err(Problem::not_found(AuditError::Unknown(name).to_string()));
    }
    // Written down first: what is found may be a customer's.
    let written = routes
        .audit
        .audit_requested(principal.account_id, &name, scope, &request);
    written.await?;
    match routes.projections.audit(&name, scope) {
        Ok(()) => {}
        Err(error @ AuditError::Unknown(_)) => return Err(Problem::not_found(error.to_string())),
        Err(error @ AuditError::UnderWay(_)) => return Err(Problem::conflict(error.to_string())),
        Err(error @ AuditError::Failed(_)) => return Err(Problem::unavailable(5, error.to_string())),
    }
    let status = routes.projections.audited(&name).unwrap_or_default();
    Ok(reply::accepted(
        &format!("/api/v1/ops/projections/{name}/audits"),
        &AuditView::of(&name, status),
    ))
}

/// The last audit of a read model that was asked for since the shop started.
#[utoipa::path(get, path = "/api/v1/ops/projections/{name}/audits", tag = "Operators", security(("bearer" = [])),
    params(("name" = String, Path, description = "The projection, such as my_page.")),
    responses((status = 200, description = "How it stands, or what it found.", body = AuditView),
        (status = 404, description = "There is no such projection, or nobody asked.")))]
async fn last(name: String, routes: ProjectionRoutes, principal: Principal) -> Result<Response, Problem> {
    auth::require(&principal, &[Role::Operator])?;
    match routes.projections.audited(&name) {
        Some(status) => Ok(reply::ok(&AuditView::of(&name, status))),
        None => Err(Problem::not_found(format!("no audit of {name} was asked for"))),
    }
}

/// These paths, described.
#[derive(utoipa::OpenApi)]
#[openapi(paths(begin, last))]
pub(crate) struct AuditApi;
