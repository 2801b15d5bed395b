//! The operator's paths over the read models: where each is, and building one again.

use std::sync::Arc;

use edge::{Principal, Problem, RequestContext, Response, Role, Tokens, auth, reply, request_context};
use event_log::EventLog;
use projections::{Projections, RebuildError};
use read_models::ReadModels;
use warp::{Filter, filters::BoxedFilter};

use super::view::{ProjectionsView, RebuildAccepted};
use crate::audit::Audit;

/// The read models' projections, and who may look after them.
#[derive(Clone)]
pub struct ProjectionRoutes {
    /// The projections.
    pub projections: Arc<Projections>,
    /// The log they read.
    pub log: Arc<dyn EventLog>,
    /// Where rebuilds are written down.
    pub audit: Audit,
    /// Knows who is asking.
    pub tokens: Arc<Tokens>,
}

/// All of them.
pub fn projection_routes(routes: &ProjectionRoutes) -> BoxedFilter<(Response,)> {
    let base = || {
        warp::path("api")
            .and(warp::path("v1"))
            .and(warp::path("ops"))
            .and(warp::path("projections"))
    };
    let with_routes = {
        let routes = routes.clone();
        warp::any().map(move || routes.clone())
    };
    let list = base()
        .and(warp::path::end())
        .and(warp::get())
        .and(with_routes.clone())
        .and(auth::authenticated(Arc::clone(&routes.tokens)))
        .then(statuses);
    let rebuild = base()
        .and(warp::path!(String / "rebuilds"))
        .and(warp::post())
        .and(with_routes)
        .and(auth::authenticated(Arc::clone(&routes.tokens)))
        .and(request_context())
        .then(rebuild);
    list.or(rebuild).unify().map(reply::finish).boxed()
}

/// The read models: where each is, and how far a rebuild has come.
#[utoipa::path(get, path = "/api/v1/ops/projections", tag = "Operators", security(("bearer" = [])),
    responses((status = 200, description = "One for each read model.", body = ProjectionsView)))]
async fn statuses(routes: ProjectionRoutes, principal: Principal) -> Result<Response, Problem> {
    auth::require(&principal, &[Role::Operator])?;
    let head = routes.log.head().await.map_err(Problem::internal)?;
    let statuses = routes.projections.status().await.map_err(Problem::internal)?;
    Ok(reply::ok(&ProjectionsView {
        head: head.0,
        projections: statuses.into_iter().map(Into::into).collect(),
    }))
}

/// Builds a read model again from the log, beside the live one, and puts it in its place when it is done.
#[utoipa::path(post, path = "/api/v1/ops/projections/{name}/rebuilds", tag = "Operators", security(("bearer" = [])),
    params(("name" = String, Path, description = "The projection, such as my_page.")),
    responses((status = 202, description = "Under way: watch it in the list of projections.", body = RebuildAccepted),
        (status = 404, description = "There is no such projection.")))]
async fn rebuild(
    name: String,
    routes: ProjectionRoutes,
    principal: Principal,
    request: RequestContext,
) -> Result<Response, Problem> {
    auth::require(&principal, &[Role::Operator])?;
    if !ReadModels::NAMES.contains(&name.as_str()) {
        return Err(Problem::not_found(RebuildError::Unknown(name).to_string()));
    }
    // Written down first: what cannot be written down is not done.
    routes
        .audit
        .rebuild_requested(principal.account_id, &name, &request)
        .await?;
    match routes.projections.rebuild(&name).await {
        // Asked for twice, it is done once.
        Ok(()) | Err(RebuildError::UnderWay(_)) => {}
        Err(error @ RebuildError::Unknown(_)) => return Err(Problem::not_found(error.to_string())),
        Err(RebuildError::Failed(detail)) => return Err(Problem::unavailable(5, detail)),
    }
    Ok(reply::accepted(
        "/api/v1/ops/projections",
        &RebuildAccepted { projection: name },
    ))
}

/// These paths, described.
#[derive(utoipa::OpenApi)]
#[openapi(paths(statuses, rebuild))]
pub(crate) struct ProjectionApi;
