//! `POST /internal/directives`: a saga in another process asks the command services for something.
//!
//! Idempotent by the directive's id, as the services are: a saga asks again when it got no answer.

use std::sync::Arc;

use command_services::services::{ServiceError, Services};
use domain::commands::Directive;
use edge::{JsonBody, Principal, Problem, Response, Tokens, authenticated, json_body, reply};
use warp::{Filter, filters::BoxedFilter};

use super::internal::from_a_role;

/// The path.
pub(super) const PATH: &str = "/internal/directives";
/// The last part of the type of a refusal's problem.
pub(super) const REFUSED: &str = "directive-refused";
/// An order has at most some hundred lines.
const LIMIT: u64 = 1 << 20;

/// The route.
pub(crate) fn routes(services: &Arc<Services>, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    let services = Arc::clone(services);
    warp::path!("internal" / "directives")
        .and(warp::post())
        .and(authenticated(Arc::clone(tokens)))
        .and(json_body(LIMIT))
        .then(move |principal, body| execute(Arc::clone(&services), principal, body))
        .map(reply::finish)
        .boxed()
}

async fn execute(
    services: Arc<Services>,
    principal: Principal,
    body: JsonBody<Directive>,
) -> Result<Response, Problem> {
    from_a_role(&principal)?;
    match services.execute(&body.value).await {
        Ok(()) => Ok(reply::no_content()),
        Err(ServiceError::Refused(refusal)) => {
            let problem = Problem::conflict(refusal.to_string());
            Err(problem.of_type(REFUSED, "The service will not do it"))
        }
        Err(ServiceError::Fault(detail)) => Err(Problem::unavailable(1, detail)),
    }
}
