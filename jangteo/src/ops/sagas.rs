//! Sagas as the log tells of them, and an operator's word to one of them.

use std::{collections::HashSet, sync::Arc};

use edge::{Principal, Problem, RequestContext, Response, Role, Tokens, auth, reply, request_context};
use event_log::{Direction, EventFilter, EventLog, LogError, Position, RecordedEvent};
use event_schemas::{
    Category, ShopEvent, Timestamp,
    saga::{PlaceOrderEvent, ReturnGoodsEvent, SagaAdvanced, SagaStatus},
};
use read_models::sagas::{SagaView, SagasView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::{Filter as _, filters::BoxedFilter};

use super::query::{Query, query};
use crate::audit::Audit;

/// Where sagas are.
const CATEGORIES: [Category; 2] = [Category::PlaceOrder, Category::ReturnGoods];
/// Events read at a time.
const PAGE: usize = 512;

/// The answer to a retry.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RetryAccepted {
    /// What the saga is about.
    pub id: Uuid,
    /// Which saga, such as `place_order`.
    pub saga: String,
}

/// A saga as its own stream tells; none where there is none of that id.
///
/// # Errors
/// When the log fails.
pub async fn saga(log: &dyn EventLog, id: Uuid) -> Result<Option<SagaView>, LogError> {
    for category in CATEGORIES {
        let stream = category.stream(id);
        let last = log.read_stream(&stream, None, Direction::Backwards, 1).await?;
        let Some(mut view) = last.first().and_then(|event| view(event)) else {
            continue;
        };
        let first = log.read_stream(&stream, None, Direction::Forwards, 1).await?;
        view.started_at = first
            .first()
            .and_then(|event| told_at(event))
            .unwrap_or(view.started_at);
        return Ok(Some(view));
    }
    Ok(None)
}

/// The sagas that moved last, in one state or in any, at most `size`. For a shop that does not run: a running one has a read
/// model for this.
///
/// # Errors
/// When the log fails.
pub async fn list(log: &dyn EventLog, status: Option<SagaStatus>, size: usize) -> Result<SagasView, LogError> {
    let filter = EventFilter::categories(&CATEGORIES);
    let (mut seen, mut sagas, mut before) = (HashSet::new(), vec![], None);
    loop {
        let (events, at) = log.read_all_backwards(before, &filter, PAGE).await?;
        for event in &events {
            if !seen.insert(event.stream.clone()) {
                continue;
            }
            let known = view(event).filter(|view| status.is_none_or(|status| status == view.status));
            if let Some(known) = known {
                sagas.extend(saga(log, known.id).await?);
            }
            if sagas.len() >= size {
                break;
            }
        }
        if sagas.len() >= size || at == Position::START {
            return Ok(SagasView {
                sagas,
                next_cursor: None,
            });
        }
        before = Some(at);
    }
}

fn told_at(event: &RecordedEvent) -> Option<Timestamp> {
    event.metadata().ok().map(|metadata| metadata.occurred_at)
}

/// None for what is no saga's advance.
fn view(event: &RecordedEvent) -> Option<SagaView> {
    let (metadata, told) = event.shop_event().ok()?;
    let advanced: &SagaAdvanced = match told {
        ShopEvent::PlaceOrder(PlaceOrderEvent::SagaAdvanced(advanced))
        | ShopEvent::ReturnGoods(ReturnGoodsEvent::SagaAdvanced(advanced)) => advanced,
        _ => return None,
    };
    Some(SagaView {
        id: event.stream.id().parse().ok()?,
        saga: event.stream.category().to_owned(),
        status: advanced.status,
        step: advanced.step.clone(),
        reason: advanced.reason.clone(),
        last_fact: advanced.fact_type.clone(),
        started_at: metadata.occurred_at,
        updated_at: metadata.occurred_at,
        wake_at: advanced.wake_at,
        version: event.version,
    })
}

/// What the route works with.
#[derive(Clone)]
struct Desk {
    log: Arc<dyn EventLog>,
    audit: Audit,
}

/// `POST ops/sagas/{id}/retry`.
pub(crate) fn saga_routes(log: &Arc<dyn EventLog>, audit: &Audit, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    let desk = Desk {
        log: Arc::clone(log),
        audit: audit.clone(),
    };
    warp::path!("api" / "v1" / "ops" / "sagas" / String / "retry")
        .and(warp::post())
        .and(auth::authenticated(Arc::clone(tokens)))
        .and(query())
        .and(request_context())
        .then(move |id, principal, query, request| {
            let desk = desk.clone();
            async move { retry(id, &desk, &principal, &query, &request).await }
        })
        .map(reply::finish)
        .boxed()
}

/// Tells a saga to try again now: what it waits for is asked for once more, and its patience starts anew. About what the
/// provider refused it is asked whether that was done after all. Written down in the audit trail, which is where the saga
/// reads it.
#[utoipa::path(post, path = "/api/v1/ops/sagas/{id}/retry", tag = "Operators", operation_id = "retrySaga",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "What the saga is about: the order, or the return.")),
    responses((status = 202, description = "It will.", body = RetryAccepted),
        (status = 404, description = "There is no such saga."),
        (status = 409, description = "It is over.")))]
async fn retry(
    id: String,
    desk: &Desk,
    principal: &Principal,
    query: &Query,
    request: &RequestContext,
) -> Result<Response, Problem> {
    auth::require(principal, &[Role::Operator])?;
    query.only(&[])?;
    let none = || Problem::not_found(format!("there is no saga {id}"));
    let uuid = id.parse().map_err(|_| none())?;
    let known = saga(desk.log.as_ref(), uuid).await.map_err(Problem::internal)?;
    let known = known.ok_or_else(none)?;
    if is_over(known.status) {
        return Err(Problem::conflict(format!(
            "the saga {id} is over: there is nothing to try again"
        )));
    }
    let audit = &desk.audit;
    audit
        .saga_retried(principal.account_id, &known.saga, uuid, request)
        .await?;
    let accepted = RetryAccepted {
        id: uuid,
        saga: known.saga,
    };
    Ok(reply::accepted(&format!("/api/v1/ops/sagas/{id}"), &accepted))
}

/// Whether nothing can come of it any more.
pub const fn is_over(status: SagaStatus) -> bool {
    matches!(status, SagaStatus::Completed | SagaStatus::Compensated)
}

/// This path, described.
#[derive(utoipa::OpenApi)]
#[openapi(paths(retry), components(schemas(RetryAccepted)))]
pub(crate) struct SagaApi;
