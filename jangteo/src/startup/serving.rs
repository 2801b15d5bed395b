//! The routes of a process as one filter, and all of them described.

use std::sync::Arc;

use command_services::{accounts, payments, routes as commands, shipping};
use edge::{Response, openapi::merge, probes::Readiness, telemetry::Metrics};
use projections::Projections;
use query_api::{DEFAULT_PATIENCE, Queries};
use utoipa::{OpenApi as _, openapi::OpenApi};
use warp::{Filter as _, filters::BoxedFilter};

use super::{
    StartError,
    parts::{Ground, Parts},
};
use crate::{
    audit::Audit,
    ops::{
        auditing::{AuditApi, audit_routes},
        circuits::{CircuitApi, circuit_routes},
        projections::{ProjectionApi, ProjectionRoutes, projection_routes},
        routes::{LogApi, LogRoutes, log_routes},
        sagas::{SagaApi, saga_routes},
        undelivered::Undelivered,
        undelivered_routes::{UndeliveredApi, undelivered_routes},
    },
    roles::{Role, Roles, directives, documents},
};

/// The description of the whole HTTP interface.
pub fn openapi() -> OpenApi {
    description(Roles::All)
}

/// The description of what a process with these roles serves. The internal hops are nobody's interface.
pub(super) fn description(roles: Roles) -> OpenApi {
    let mut parts = Vec::new();
    if roles.has(Role::Command) {
        parts.extend([accounts::openapi(), commands::openapi()]);
    }
    if roles.has(Role::Query) {
        parts.push(query_api::openapi());
    }
    if roles.has(Role::Command) {
        parts.extend([
            shipping::openapi(),
            payments::webhooks::openapi(),
            payments::reconciliation::routes::openapi(),
        ]);
    }
    parts.push(LogApi::openapi());
    parts.push(CircuitApi::openapi());
    if roles.has(Role::Saga) {
        parts.push(UndeliveredApi::openapi());
    }
    parts.push(SagaApi::openapi());
    if roles.has(Role::Projection) {
        parts.push(ProjectionApi::openapi());
        parts.push(AuditApi::openapi());
    }
    parts.push(edge::openapi::of_edge());
    merge(parts)
}

/// Every route of a process.
pub(super) fn routes(ground: &Ground<'_>, parts: &Parts) -> Result<BoxedFilter<(Response,)>, StartError> {
    let tokens = &ground.keys.tokens;
    let log = ground.log.log();
    let audit = Audit::new(Arc::clone(&log));
    // The busiest first: they are tried in this order.
    let mut all = Vec::new();
    if let Some(models) = &parts.models {
        all.push(query_api::routes(Queries {
            models: Arc::clone(models),
            tokens: Arc::clone(tokens),
            audit: Arc::new(audit.clone()),
            patience: DEFAULT_PATIENCE,
        }));
    }
    if let Some(commands) = &parts.commands {
        all.push(commands.routes(tokens));
        if !ground.roles.has(Role::Saga) {
            all.push(directives::routes(&commands.services, tokens));
        }
    }
    if let Some(filling) = &parts.filling {
        all.push(documents::endpoint::routes(filling, tokens));
    }
    all.push(log_routes(&LogRoutes {
        log: Arc::clone(&log),
        tokens: Arc::clone(tokens),
        stopping: ground.stopped.clone(),
    }));
    all.push(saga_routes(&log, &audit, tokens));
    if let Some(projections) = &parts.projections {
        let routes = ProjectionRoutes {
            projections: Arc::clone(projections),
            log,
            audit,
            tokens: Arc::clone(tokens),
        };
        all.push(projection_routes(&routes));
        all.push(audit_routes(&routes));
    }
    if let Some(subscriptions) = &parts.subscriptions {
        let undelivered = Undelivered {
            subscriptions: Arc::clone(subscriptions),
            commands: parts.dead_commands.clone(),
        };
        all.push(undelivered_routes(&undelivered, tokens));
    }
    all.push(circuit_routes(tokens));
    all.extend(around(ground, parts)?);
    if ground.roles.has(Role::Query) {
        all.push(web::routes());
    }
    let joined = all.into_iter().reduce(|before, route| before.or(route).unify().boxed());
    joined.ok_or_else(|| StartError::of("the listener")("there is nothing to serve"))
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

/// What is not the shop's business but keeps it going: probes, metrics, the description.
fn around(ground: &Ground<'_>, parts: &Parts) -> Result<[BoxedFilter<(Response,)>; 3], StartError> {
    let log = ground.log.log();
    let stopping = ground.stopped.clone();
    let mut readiness = Readiness::new().with("event-log", move || {
        let log = Arc::clone(&log);
        async move { log.head().await.map(|_| ()).map_err(|error| error.to_string()) }
    });
    if let Some(projections) = &parts.projections {
        // Weak: a probe does not keep open what is stopping.
        let projections = Arc::downgrade(projections);
        readiness = readiness.with("read-models", move || {
            let projections = projections.upgrade();
            async move {
                match projections {
                    Some(projections) => failed(projections).await,
                    None => Err("they are stopping".to_owned()),
                }
            }
        });
    }
    let readiness = readiness.with("shop", move || {
        let stopping = *stopping.borrow();
        async move {
            if stopping {
                Err("it is stopping".to_owned())
            } else {
                Ok(())
            }
        }
    });
    Ok([
        edge::probes::routes(Arc::new(readiness)),
        metrics()?.route().boxed(),
        edge::openapi::route(&description(ground.roles)).boxed(),
    ])
}

/// The process has one collection of metrics, however many shops a test starts in it.
pub(super) fn metrics() -> Result<Metrics, StartError> {
    static METRICS: std::sync::OnceLock<Result<Metrics, String>> = std::sync::OnceLock::new();
    let installed = METRICS.get_or_init(Metrics::install);
    installed.clone().map_err(StartError::of("the metrics"))
}
