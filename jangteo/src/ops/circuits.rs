//! The ways out of this process to other servers, as operators see them.

use std::sync::Arc;

use edge::{Principal, Problem, Response, Role, Tokens, auth, reply};
use resilience::{Circuit, Condition};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::{Filter as _, filters::BoxedFilter};

use super::query::{Query, query};

/// The ways out of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CircuitsView {
    /// One for each server that this process calls, by name.
    pub circuits: Vec<CircuitView>,
}

/// The way to a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CircuitView {
    /// The server's name.
    pub outlet: String,
    /// Whether calls pass.
    pub state: CircuitState,
    /// For how long it has been so, in seconds.
    pub for_seconds: u64,
    /// Attempts that failed since the last that succeeded.
    pub failures_in_a_row: u64,
    /// Calls under way.
    pub in_use: usize,
    /// How many there may be at a time.
    pub places: usize,
    /// Calls since the process started.
    pub calls: u64,
    /// Those that brought nothing.
    pub failed_calls: u64,
    /// Attempts beyond the first.
    pub repeats: u64,
    /// What the last failed attempt said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// Whether calls pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CircuitState {
    /// They do.
    Closed,
    /// One at a time, to see whether the server is back.
    HalfOpen,
    /// The server failed lately and is given a rest: calls are told so at once.
    Open,
}

impl CircuitsView {
    /// Those of this process, now.
    #[must_use]
    pub fn now() -> Self {
        let circuits = resilience::outlets().into_iter().map(Into::into).collect();
        Self { circuits }
    }
}

impl From<Condition> for CircuitView {
    fn from(condition: Condition) -> Self {
        Self {
            outlet: condition.outlet,
            state: match condition.circuit {
                Circuit::Closed => CircuitState::Closed,
                Circuit::HalfOpen => CircuitState::HalfOpen,
                Circuit::Open => CircuitState::Open,
            },
            for_seconds: condition.for_seconds,
            failures_in_a_row: condition.failures_in_a_row,
            in_use: condition.in_use,
            places: condition.places,
            calls: condition.calls,
            failed_calls: condition.failed_calls,
            repeats: condition.repeats,
            last_error: condition.last_error,
        }
    }
}

/// `GET ops/circuits`.
pub(crate) fn circuit_routes(tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "ops" / "circuits")
        .and(warp::get())
        .and(auth::authenticated(Arc::clone(tokens)))
        .and(query())
        .map(circuits)
        .map(reply::finish)
        .boxed()
}

/// The circuit breakers of this process, one for each server that it calls. Each process of a shop has its own.
#[utoipa::path(get, path = "/api/v1/ops/circuits", tag = "Operators", security(("bearer" = [])),
    responses((status = 200, description = "All of them; empty where this process calls nobody.", body = CircuitsView)))]
#[expect(clippy::needless_pass_by_value, reason = "a filter gives what it extracts")]
fn circuits(principal: Principal, query: Query) -> Result<Response, Problem> {
    auth::require(&principal, &[Role::Operator])?;
    query.only(&[])?;
    Ok(reply::ok(&CircuitsView::now()))
}

/// This path, described.
#[derive(utoipa::OpenApi)]
#[openapi(paths(circuits), components(schemas(CircuitView, CircuitState)))]
pub(crate) struct CircuitApi;
