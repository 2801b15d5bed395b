//! All routes of the shop as one filter, and all of them described.

use std::sync::Arc;

use command_services::{accounts, routes as commands, shipping};
use edge::{Response, openapi::merge, probes::Readiness, telemetry::Metrics};
use event_log::EventLog;
use projections::Projections;
use query_api::{DEFAULT_PATIENCE, Queries};
use tokio::sync::watch;
use utoipa::{OpenApi as _, openapi::OpenApi};
use warp::{Filter as _, filters::BoxedFilter};

use super::{StartError, command_side::CommandSide, query_side::QuerySide};
use crate::{
    audit::Audit,
    ops::{
        projections::{ProjectionApi, ProjectionRoutes, projection_routes},
        routes::{LogApi, LogRoutes, log_routes},
    },
};

/// The description of the whole HTTP interface.
pub fn openapi() -> OpenApi {
    merge(vec![
        accounts::openapi(),
        commands::openapi(),
        query_api::openapi(),
        shipping::openapi(),
        LogApi::openapi(),
        ProjectionApi::openapi(),
        edge::openapi::of_edge(),
    ])
}

/// Every route.
pub(super) fn routes(
    log: &Arc<dyn EventLog>,
    commands: &CommandSide,
    queries: &QuerySide,
    stopping: &watch::Receiver<bool>,
) -> Result<BoxedFilter<(Response,)>, StartError> {
    let tokens = &commands.tokens;
    let audit = Audit::new(Arc::clone(log));
    let command_routes = commands.routes();
    let query_routes = query_api::routes(Queries {
        models: Arc::clone(&queries.models),
        tokens: Arc::clone(tokens),
        audit: Arc::new(audit.clone()),
        patience: DEFAULT_PATIENCE,
    });
    let operators = log_routes(&LogRoutes {
        log: Arc::clone(log),
        tokens: Arc::clone(tokens),
        stopping: stopping.clone(),
    })
    .or(projection_routes(&ProjectionRoutes {
        projections: Arc::clone(&queries.projections),
        log: Arc::clone(log),
        audit,
        tokens: Arc::clone(tokens),
    }))
    .unify()
    .boxed();
    let all = query_routes.or(command_routes).unify().or(operators).unify().boxed();
    Ok(all.or(around(log, &queries.projections, stopping)?).unify().boxed())
}

/// Which projections cannot go on, and why.
async fn failed(projections: Arc<Projections>) -> Result<(), String> {
    let statuses = projections.status().await.map_err(|error| error.to_string())?;
    let failed: Vec<_> = statuses
        .iter()
        .filter_map(|projection| Some(format!("{}: {}", projection.name, projection.error.as_ref()?)))
        .collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join("; "))
    }
}

/// What is not the shop's business but keeps it going: probes, metrics, the description, the bundled pages.
fn around(
    log: &Arc<dyn EventLog>,
    projections: &Arc<Projections>,
    stopping: &watch::Receiver<bool>,
) -> Result<BoxedFilter<(Response,)>, StartError> {
    let asked = Arc::clone(log);
    let projections = Arc::clone(projections);
    let stopping = stopping.clone();
    let readiness = Readiness::new()
        .with("event-log", move || {
            let log = Arc::clone(&asked);
            async move { log.head().await.map(|_| ()).map_err(|error| error.to_string()) }
        })
        .with("read-models", move || failed(Arc::clone(&projections)))
        .with("shop", move || {
            let stopping = *stopping.borrow();
            async move {
                if stopping {
                    Err("it is stopping".to_owned())
                } else {
                    Ok(())
                }
            }
        });
    let metrics = metrics()?;
    Ok(edge::probes::routes(Arc::new(readiness))
        .or(metrics.route())
        .unify()
        .or(edge::openapi::route(&openapi()))
        .unify()
        .or(web::routes())
        .unify()
        .boxed())
}

/// The process has one collection of metrics, however many shops a test starts in it.
pub(super) fn metrics() -> Result<Metrics, StartError> {
    static METRICS: std::sync::OnceLock<Result<Metrics, String>> = std::sync::OnceLock::new();
    let installed = METRICS.get_or_init(Metrics::install);
    installed.clone().map_err(StartError::of("the metrics"))
}
