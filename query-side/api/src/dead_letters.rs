//! `GET /api/v1/ops/dead-letters` and `GET /api/v1/ops/dead-letters/{id}`: the events that a subscriber could not take in.

use std::sync::Arc;

use edge::{Principal, Problem, ProblemDocument, Response, Role, reply, require};
use event_schemas::DeadLetterId;
use read_models::{
    dead_events::{DeadEventState, DeadEventView, DeadEvents, DeadEventsView},
    documents::Model,
};
use warp::{Filter, filters::BoxedFilter};

use crate::{
    Queries, cursor,
    freshness::{Wish, wish},
    id_in_path,
    parameters::{self, Parameters},
    signed_in, unreadable, with,
};

pub(crate) fn list_route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "ops" / "dead-letters")
        .and(warp::get())
        .and(with(queries))
        .and(signed_in(queries))
        .and(parameters::raw())
        .and(wish())
        .then(async |queries: Arc<Queries>, who: Principal, given, wish| {
            dead_letters(&queries, &who, given, wish).await
        })
        .map(reply::finish)
        .boxed()
}

pub(crate) fn dead_letter_route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "ops" / "dead-letters" / String)
        .and(warp::get())
        .and(with(queries))
        .and(signed_in(queries))
        .and(wish())
        .then(async |id: String, queries: Arc<Queries>, who: Principal, wish| {
            dead_letter(&queries, &id, &who, wish).await
        })
        .map(reply::finish)
        .boxed()
}

/// Events that a subscriber, such as the mails, could not take in after several tries; newest first.
#[utoipa::path(get, path = "/api/v1/ops/dead-letters", tag = "Operators", operation_id = "listDeadLetters",
    security(("bearer" = [])),
    params(
        ("state" = Option<DeadEventState>, Query, description = "Only those in this state."),
        ("size" = Option<u32>, Query, description = "How many on a page, 1 to 100; 20 unless said otherwise."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before, for the same state."),
        ("Consistency-Token" = Option<String>, Header, description = "See at least what this token stands for."),
        ("Prefer" = Option<String>, Header, description = "`return=stale`: rather an old answer than a 503."),
    ),
    responses(
        (status = 200, description = "The list.", body = DeadEventsView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        (status = 400, description = "A parameter is unknown or not valid; `errors` names it.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 401, description = "Sign in first.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "Not caught up with the token.", body = ProblemDocument,
            content_type = "application/problem+json"),
    ))]
async fn dead_letters(
    queries: &Queries,
    who: &Principal,
    given: Vec<(String, String)>,
    wish: Wish,
) -> Result<Response, Problem> {
    require(who, &[Role::Operator])?;
    let parameters = Parameters::of(given, &["state", "size", "cursor"])?;
    let state: Option<DeadEventState> = parameters.word("state", "open, retried, discarded")?;
    let list = format!("dead_letters {state:?}");
    let (size, after) = (parameters.size()?, parameters.cursor(&list)?);
    let shown = queries.shown(&[DeadEvents::NAME], wish).await?;
    let page = queries
        .models
        .dead_events()
        .list(state, after.as_deref(), size)
        .await
        .map_err(unreadable)?;
    let view = DeadEventsView {
        dead_letters: page.items,
        next_cursor: page.next.as_deref().map(|place| cursor::write(&list, place)),
    };
    Ok(shown.private(reply::ok(&view)))
}

/// A dead letter: which event, who could not take it in, and why.
#[utoipa::path(get, path = "/api/v1/ops/dead-letters/{id}", tag = "Operators", operation_id = "getDeadLetter",
    security(("bearer" = [])),
    params(
        ("id" = DeadLetterId, Path, description = "The dead letter."),
        ("Consistency-Token" = Option<String>, Header, description = "See at least what this token stands for."),
        ("Prefer" = Option<String>, Header, description = "`return=stale`: rather an old answer than a 503."),
    ),
    responses(
        (status = 200, description = "The dead letter.", body = DeadEventView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        (status = 401, description = "Sign in first.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is none.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "Not caught up with the token.", body = ProblemDocument,
            content_type = "application/problem+json"),
    ))]
async fn dead_letter(queries: &Queries, id: &str, who: &Principal, wish: Wish) -> Result<Response, Problem> {
    require(who, &[Role::Operator])?;
    let id: DeadLetterId = id_in_path(id)?;
    let shown = queries.shown(&[DeadEvents::NAME], wish).await?;
    let letter = queries.models.dead_events().letter(id).await.map_err(unreadable)?;
    let letter = letter.ok_or_else(|| Problem::not_found(format!("there is no dead letter {id}")))?;
    Ok(shown.private(reply::ok(&letter)))
}
