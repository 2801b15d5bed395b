//! `GET /api/v1/ops/dead-letters` and `GET /api/v1/ops/dead-letters/{id}`: the events that a subscriber could not take in.

use std::sync::Arc;

use edge::{Problem, ProblemDocument, Response};
use event_schemas::DeadLetterId;
use read_models::dead_events::{DeadEventState, DeadEventView, DeadEventsView};
use warp::filters::BoxedFilter;

use crate::{
    Queries,
    description::{BadParameter, Behind, FreshnessHeaders, NoOperator, SignedOut},
    id_in_path,
    worklists::{self, Asked, Given, WhichPage},
};

pub(crate) fn routes(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    worklists::routes(queries, "dead-letters", dead_letters, dead_letter)
}

/// Events that a subscriber, such as the mails, could not take in after several tries; newest first.
///
/// The history, page by page, as the log tells it, the decided ones too. What waits for a decision now, commands among it, is in
/// `ops/subscribers`.
#[utoipa::path(get, path = "/api/v1/ops/dead-letters", tag = "Operators", operation_id = "listDeadLetters",
    security(("bearer" = [])),
    params(
        ("state" = Option<DeadEventState>, Query, description = "Only those in this state."),
        WhichPage, FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "The list.", body = DeadEventsView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        BadParameter, SignedOut, NoOperator, Behind,
    ))]
async fn dead_letters(asked: Asked, given: Given) -> Result<Response, Problem> {
    let states = "open, retried, discarded";
    worklists::list(
        &asked,
        asked.queries.models.dead_events(),
        states,
        given,
        |dead_letters, next_cursor| DeadEventsView {
            dead_letters,
            next_cursor,
        },
    )
    .await
}

/// A dead letter: which event, who could not take it in, and why.
#[utoipa::path(get, path = "/api/v1/ops/dead-letters/{id}", tag = "Operators", operation_id = "getDeadLetter",
    security(("bearer" = [])),
    params(
        ("id" = DeadLetterId, Path, description = "The dead letter."),
        FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "The dead letter.", body = DeadEventView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        (status = 404, description = "There is none.", body = ProblemDocument, content_type = "application/problem+json"),
        SignedOut, NoOperator, Behind,
    ))]
async fn dead_letter(asked: Asked, id: String) -> Result<Response, Problem> {
    let missing = format!("dead letter {id}");
    let key = || id_in_path(&id);
    worklists::entry(&asked, asked.queries.models.dead_events(), key, &missing).await
}
