//! Is the shop alive, is it ready?

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::OpenApi;
use warp::{Filter, filters::BoxedFilter, http::StatusCode};

use crate::{
    problem::{Problem, ProblemDocument},
    reply::{self, Response},
};

/// How long a part of the shop may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(2);

type Answer = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
type Question = Box<dyn Fn() -> Answer + Send + Sync>;

/// The parts of the shop that must be well for it to take requests.
#[derive(Default)]
pub struct Readiness {
    checks: Vec<(&'static str, Question)>,
}

/// How a part of the shop is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Check {
    /// Which part.
    pub name: &'static str,
    /// Whether it is ready.
    pub ready: bool,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How the shop is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReadinessReport {
    /// Whether all parts are ready.
    pub ready: bool,
    /// Each part.
    pub checks: Vec<Check>,
}

impl Readiness {
    /// Nothing to ask: ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, asking also `question`: `Err` says why that part is not ready.
    #[must_use]
    pub fn with<F, A>(mut self, name: &'static str, question: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.checks.push((name, Box::new(move || Box::pin(question()))));
        self
    }

    /// Asks every part, all at once.
    pub async fn report(&self) -> ReadinessReport {
        let checks = self.checks.iter().map(|(name, question)| async move {
            let answer = timeout(PATIENCE, question()).await;
            let reason = answer
                .unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
                .err();
            Check {
                name,
                ready: reason.is_none(),
                reason,
            }
        });
        let checks = join_all(checks).await;
        for check in &checks {
            let ready = if check.ready { 1.0 } else { 0.0 };
            metrics::gauge!("jangteo_ready", "part" => check.name).set(ready);
        }
        ReadinessReport {
            ready: checks.iter().all(|check| check.ready),
            checks,
        }
    }
}

/// `GET /healthz` and `GET /readyz`.
pub fn routes(readiness: Arc<Readiness>) -> BoxedFilter<(Response,)> {
    let alive = warp::path!("healthz").and(warp::get()).map(healthz);
    let ready = warp::path!("readyz")
        .and(warp::get())
        .then(move || {
            let readiness = Arc::clone(&readiness);
            async move { readyz(&readiness.report().await) }
        })
        .map(reply::finish);
    alive.or(ready).unify().boxed()
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "Operation", operation_id = "healthz",
    responses((status = 200, description = "The process is alive.")))]
fn healthz() -> Response {
    reply::ok(&serde_json::json!({ "alive": true }))
}

/// Every part of the shop is ready to serve requests.
#[utoipa::path(get, path = "/readyz", tag = "Operation", operation_id = "readyz",
    responses(
        (status = 200, description = "Ready.", body = ReadinessReport),
        (status = 503, description = "Not ready; `checks` says which parts and why.", body = ProblemDocument,
            content_type = "application/problem+json"),
    ))]
fn readyz(report: &ReadinessReport) -> Result<Response, Problem> {
    if report.ready {
        return Ok(reply::json(StatusCode::OK, report));
    }
    let waiting = report.checks.iter().filter(|check| !check.ready);
    let reasons: Vec<_> = waiting
        .map(|check| format!("{}: {}", check.name, check.reason.as_deref().unwrap_or_default()))
        .collect();
    Err(Problem::unavailable(1, reasons.join("; "))
        .of_type("not-ready", "The shop is not ready")
        .with("checks", &report.checks))
}

/// The two probes, described.
pub fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(paths(healthz, readyz))]
    struct Description;
    Description::openapi()
}
