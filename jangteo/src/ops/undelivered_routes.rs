//! The operator's paths over dead letters.

use std::sync::Arc;

use edge::{JsonBody, Principal, Problem, Response, Role, Tokens, auth, json_body, reply};
use event_schemas::{Actor, DeadLetterId};
use serde::Deserialize;
use subscribers::DeadLetterError;
use utoipa::ToSchema;
use warp::{Filter, Rejection, filters::BoxedFilter};

use super::{
    query::{Query, query},
    undelivered::{LetterKind, LetterState, Undelivered, UndeliveredError, UndeliveredLetter, UndeliveredView},
};

/// A reason is no essay.
const LIMIT: u64 = 4 << 10;

/// Why a dead letter need not be taken in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "the customer was told by telephone"}))]
pub(crate) struct Discard {
    /// In a sentence.
    reason: String,
}

/// What every one of these is asked with.
struct Asked {
    undelivered: Undelivered,
    principal: Principal,
    query: Query,
}

impl Asked {
    fn by_operator(&self, known: &[&str]) -> Result<(), Problem> {
        auth::require(&self.principal, &[Role::Operator])?;
        self.query.only(known)
    }

    fn actor(&self) -> Actor {
        Actor::Account(self.principal.account_id)
    }
}

/// All of them.
pub(crate) fn undelivered_routes(undelivered: &Undelivered, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    // Dead letters are also a read model, which answers the lists under this path; deciding them is done here.
    let base = || warp::path!("api" / "v1" / "ops" / "dead-letters" / ..);
    let list = warp::path!("api" / "v1" / "ops" / "subscribers").and(warp::get());
    let retried = base().and(warp::path!(String / "retries")).and(warp::post());
    let discarded = base().and(warp::path!(String / "discards")).and(warp::post());
    list.and(asked(undelivered, tokens))
        .then(subscribers)
        .or(retried.and(asked(undelivered, tokens)).then(retry))
        .unify()
        .or(discarded
            .and(asked(undelivered, tokens))
            .and(json_body(LIMIT))
            .then(discard))
        .unify()
        .map(reply::finish)
        .boxed()
}

fn asked(
    undelivered: &Undelivered,
    tokens: &Arc<Tokens>,
) -> impl Filter<Extract = (Asked,), Error = Rejection> + Clone + use<> {
    let undelivered = undelivered.clone();
    auth::authenticated(Arc::clone(tokens))
        .and(query())
        .map(move |principal, query| Asked {
            undelivered: undelivered.clone(),
            principal,
            query,
        })
}

/// Where the subscribers stand, and all that could not be delivered: events that a subscriber could not take in, commands that a
/// service could not.
///
/// What this process knows right now, on one page. The history of the events, page by page, is in `ops/dead-letters`; commands are
/// no events, so only this list has them.
#[utoipa::path(get, path = "/api/v1/ops/subscribers", tag = "Operators", security(("bearer" = [])),
    params(("all" = Option<bool>, Query, description = "Those that were taken in or discarded since, too.")),
    responses((status = 200, description = "All of them.", body = UndeliveredView)))]
async fn subscribers(asked: Asked) -> Result<Response, Problem> {
    asked.by_operator(&["all"])?;
    let all = asked.query.parsed("all")?.unwrap_or(false);
    let view = asked.undelivered.view(all).await;
    Ok(reply::ok(&view.map_err(problem)?))
}

/// Has a dead letter tried again: an event at once, a command when its service comes to it.
#[utoipa::path(post, path = "/api/v1/ops/dead-letters/{id}/retries", tag = "Operators", security(("bearer" = [])),
    params(("id" = String, Path, description = "The dead letter.")),
    responses((status = 204, description = "It was taken in."),
        (status = 404, description = "There is no such dead letter."),
        (status = 409, description = "It is decided already, or it failed again; the detail says why.")))]
async fn retry(id: String, asked: Asked) -> Result<Response, Problem> {
    asked.by_operator(&[])?;
    let done = asked.undelivered.retry(named(&id)?, asked.actor()).await;
    done.map(|()| reply::no_content()).map_err(problem)
}

/// Puts a dead letter aside for good.
#[utoipa::path(post, path = "/api/v1/ops/dead-letters/{id}/discards", tag = "Operators", security(("bearer" = [])),
    params(("id" = String, Path, description = "The dead letter.")), request_body = Discard,
    responses((status = 204, description = "It is discarded."),
        (status = 404, description = "There is no such dead letter."),
        (status = 409, description = "It is decided already.")))]
async fn discard(id: String, asked: Asked, body: JsonBody<Discard>) -> Result<Response, Problem> {
    asked.by_operator(&[])?;
    let reason = body.value.reason.trim();
    if reason.is_empty() {
        return Err(Problem::bad_request("say why: {\"reason\": \"…\"}"));
    }
    let done = asked.undelivered.discard(named(&id)?, reason, asked.actor()).await;
    done.map(|()| reply::no_content()).map_err(problem)
}

fn named(id: &str) -> Result<DeadLetterId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found(format!("there is no dead letter {id}")))
}

fn problem(error: UndeliveredError) -> Problem {
    match error {
        UndeliveredError::Event(error @ DeadLetterError::Unknown(_)) => Problem::not_found(error.to_string()),
        UndeliveredError::Event(error @ (DeadLetterError::Decided(_) | DeadLetterError::FailedAgain(_))) => {
            Problem::conflict(error.to_string())
        }
        UndeliveredError::Event(DeadLetterError::Log(error)) => Problem::unavailable(5, error),
        UndeliveredError::Command(error) => Problem::unavailable(5, error.to_string()),
    }
}

/// These paths, described.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(subscribers, retry, discard),
    components(schemas(UndeliveredLetter, LetterKind, LetterState, Discard))
)]
pub(crate) struct UndeliveredApi;
