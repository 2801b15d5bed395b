//! The operator's paths over the read models: where each is, building one again, and deciding what becomes of it.

use std::{str::FromStr, sync::Arc};

use edge::{Principal, Problem, RequestContext, Response, Role, Tokens, auth, reply, request_context};
use event_log::EventLog;
use projections::{CutOver, Decision, Projections, RebuildError};
use read_models::ReadModels;
use warp::{Filter, Rejection, filters::BoxedFilter};

use super::{
    comparison::ComparisonView,
    dead_letters::{DEFAULT_SIZE, DeadLettersView},
    query::{Query, query},
    view::{ProjectionsView, RebuildAccepted},
};
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

/// What every one of these is asked with.
struct Asked {
    routes: ProjectionRoutes,
    principal: Principal,
    query: Query,
    request: RequestContext,
}

/// All of them.
pub fn projection_routes(routes: &ProjectionRoutes) -> BoxedFilter<(Response,)> {
    let base = || warp::path("api").and(warp::path("v1")).and(warp::path("ops"));
    let base = move || base().and(warp::path("projections"));
    let list = base().and(warp::path::end()).and(warp::get());
    let compared = base().and(warp::path!(String / "comparison")).and(warp::get());
    let letters = base().and(warp::path!(String / "dead-letters")).and(warp::get());
    let rebuilds = base().and(warp::path!(String / "rebuilds")).and(warp::post());
    let approvals = base().and(warp::path!(String / "approvals")).and(warp::post());
    let rejections = base().and(warp::path!(String / "rejections")).and(warp::post());
    let rollbacks = base().and(warp::path!(String / "rollbacks")).and(warp::post());
    let list = list.and(asked(routes)).then(statuses);
    list.or(compared.and(asked(routes)).then(comparison))
        .unify()
        .or(letters.and(asked(routes)).then(dead_letters))
        .unify()
        .or(rebuilds.and(asked(routes)).then(rebuild))
        .unify()
        .or(approvals.and(asked(routes)).then(approve))
        .unify()
        .or(rejections.and(asked(routes)).then(reject))
        .unify()
        .or(rollbacks.and(asked(routes)).then(roll_back))
        .unify()
        .map(reply::finish)
        .boxed()
}

fn asked(routes: &ProjectionRoutes) -> impl Filter<Extract = (Asked,), Error = Rejection> + Clone + use<> {
    let routes = routes.clone();
    auth::authenticated(Arc::clone(&routes.tokens))
        .and(query())
        .and(request_context())
        .map(move |principal, query, request| Asked {
            routes: routes.clone(),
            principal,
            query,
            request,
        })
}

impl Asked {
    /// An operator asks, about a read model that there is, with these parameters and no others.
    fn by_operator(&self, name: Option<&str>, known: &[&str]) -> Result<(), Problem> {
        auth::require(&self.principal, &[Role::Operator])?;
        self.query.only(known)?;
        match name {
            Some(name) if !ReadModels::NAMES.contains(&name) => Err(problem(RebuildError::Unknown(name.to_owned()))),
            _ => Ok(()),
        }
    }

    async fn decide(self, name: String, decision: Decision) -> Result<Response, Problem> {
        self.by_operator(Some(&name), &[])?;
        let operator = self.principal.account_id;
        // Written down first: what cannot be written down is not done.
        let audit = &self.routes.audit;
        audit.rebuild_decided(operator, &name, decision, &self.request).await?;
        self.routes.projections.decide(&name, decision).await.map_err(problem)?;
        Ok(under_way(name))
    }
}

fn under_way(projection: String) -> Response {
    reply::accepted("/api/v1/ops/projections", &RebuildAccepted { projection })
}

fn problem(error: RebuildError) -> Problem {
    let said = error.to_string();
    match error {
        RebuildError::Unknown(_) => Problem::not_found(said),
        RebuildError::UnderWay(_)
        | RebuildError::NotReady(_)
        | RebuildError::NothingWaits(_)
        | RebuildError::NothingKept(_) => Problem::conflict(said),
        RebuildError::Failed(_) => Problem::unavailable(5, said),
    }
}

/// `cut_over`, as it is written.
struct When(CutOver);

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on_approval" => Ok(Self(CutOver::OnApproval)),
            "if_identical" => Ok(Self(CutOver::IfIdentical)),
            "always" => Ok(Self(CutOver::Always)),
            _ => Err("on_approval, if_identical or always"),
        }
    }
}

/// The read models: where each is, and how far a rebuild has come.
#[utoipa::path(get, path = "/api/v1/ops/projections", tag = "Operators", security(("bearer" = [])),
    responses((status = 200, description = "One for each read model.", body = ProjectionsView)))]
async fn statuses(asked: Asked) -> Result<Response, Problem> {
    asked.by_operator(None, &[])?;
    let head = asked.routes.log.head().await.map_err(Problem::internal)?;
    let statuses = asked.routes.projections.status().await.map_err(Problem::internal)?;
    Ok(reply::ok(&ProjectionsView {
        head: head.0,
        projections: statuses.into_iter().map(Into::into).collect(),
    }))
}

/// How the read model that was last rebuilt differs from the live one: every document by field, and the recent searches.
#[utoipa::path(get, path = "/api/v1/ops/projections/{name}/comparison", tag = "Operators", security(("bearer" = [])),
    params(("name" = String, Path, description = "The projection, such as my_page.")),
    responses((status = 200, description = "What differs.", body = ComparisonView),
        (status = 404, description = "There is no such projection, or none was compared since the start.")))]
async fn comparison(name: String, asked: Asked) -> Result<Response, Problem> {
    asked.by_operator(Some(&name), &[])?;
    match asked.routes.projections.comparison(&name).map_err(problem)? {
        Some(comparison) => Ok(reply::ok(&ComparisonView::from(comparison.as_ref()))),
        None => Err(Problem::not_found(format!(
            "no rebuilt {name} was compared with the live one since the shop started"
        ))),
    }
}

/// The dead letters of a read model as queries see it: documents that its store could not take, and did not take since. A later
/// write of the document that the store takes heals it, and so does a rebuild once the reason is gone.
#[utoipa::path(get, path = "/api/v1/ops/projections/{name}/dead-letters", tag = "Operators", security(("bearer" = [])),
    params(("name" = String, Path, description = "The projection, such as my_page."),
        ("size" = Option<usize>, Query, description = "At most so many, up to 1000; 100 unless given.")),
    responses((status = 200, description = "The dead letters; an empty list where there are none.", body = DeadLettersView),
        (status = 404, description = "There is no such projection; those that there are are named.")))]
async fn dead_letters(name: String, asked: Asked) -> Result<Response, Problem> {
    asked.by_operator(Some(&name), &["size"])?;
    let size = asked.query.parsed("size")?.unwrap_or(DEFAULT_SIZE);
    let read = DeadLettersView::read(&asked.routes.projections, &name, size).await;
    Ok(reply::ok(&read.map_err(problem)?))
}

/// Builds a read model again from the log, beside the live one, and compares the two. It then waits to be approved, unless
/// asked otherwise.
#[utoipa::path(post, path = "/api/v1/ops/projections/{name}/rebuilds", tag = "Operators", security(("bearer" = [])),
    params(("name" = String, Path, description = "The projection, such as my_page."),
        ("cut_over" = Option<String>, Query, description = "When it takes the place of the live one: `on_approval` (unless \
            given), `if_identical` (by itself where nothing differs), `always`.")),
    responses((status = 202, description = "Under way: watch it in the list of projections.", body = RebuildAccepted),
        (status = 404, description = "There is no such projection.")))]
async fn rebuild(name: String, asked: Asked) -> Result<Response, Problem> {
    asked.by_operator(Some(&name), &["cut_over"])?;
    let cut_over = asked.query.parsed::<When>("cut_over")?;
    let cut_over = cut_over.map_or(CutOver::default(), |when| when.0);
    // Written down first: what cannot be written down is not done.
    let operator = asked.principal.account_id;
    let audit = &asked.routes.audit;
    audit.rebuild_requested(operator, &name, &asked.request).await?;
    match asked.routes.projections.rebuild(&name, cut_over).await {
        // Asked for twice, it is done once.
        Ok(()) | Err(RebuildError::UnderWay(_)) => Ok(under_way(name)),
        Err(error) => Err(problem(error)),
    }
}

/// Approves a rebuilt read model: it takes the place of the live one, which is kept to go back to.
#[utoipa::path(post, path = "/api/v1/ops/projections/{name}/approvals", tag = "Operators", security(("bearer" = [])),
    params(("name" = String, Path, description = "The projection, such as my_page.")),
    responses((status = 202, description = "Under way: it catches up with the log first.", body = RebuildAccepted),
        (status = 404, description = "There is no such projection."),
        (status = 409, description = "None waits to be approved.")))]
async fn approve(name: String, asked: Asked) -> Result<Response, Problem> {
    asked.decide(name, Decision::Approve).await
}

/// Rejects a rebuilt read model, or one that is being built: it is dropped.
#[utoipa::path(post, path = "/api/v1/ops/projections/{name}/rejections", tag = "Operators", security(("bearer" = [])),
    params(("name" = String, Path, description = "The projection, such as my_page.")),
    responses((status = 202, description = "It is dropped.", body = RebuildAccepted),
        (status = 404, description = "There is no such projection."),
        (status = 409, description = "There is none.")))]
async fn reject(name: String, asked: Asked) -> Result<Response, Problem> {
    asked.decide(name, Decision::Reject).await
}

/// Goes back to the read model that was live before the last swap. It catches up with the log first.
#[utoipa::path(post, path = "/api/v1/ops/projections/{name}/rollbacks", tag = "Operators", security(("bearer" = [])),
    params(("name" = String, Path, description = "The projection, such as my_page.")),
    responses((status = 202, description = "Under way: it catches up with the log first.", body = RebuildAccepted),
        (status = 404, description = "There is no such projection."),
        (status = 409, description = "None is kept, or a rebuild is under way.")))]
async fn roll_back(name: String, asked: Asked) -> Result<Response, Problem> {
    asked.decide(name, Decision::RollBack).await
}

/// These paths, described.
#[derive(utoipa::OpenApi)]
#[openapi(paths(statuses, comparison, dead_letters, rebuild, approve, reject, roll_back))]
pub(crate) struct ProjectionApi;
