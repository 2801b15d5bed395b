//! What every request brings along.

use std::{future::Future, sync::Arc};

use event_schemas::{AccountId, Timestamp, ids::derived_uuid};
use uuid::Uuid;
use warp::{Filter, Rejection, http::Method, path::FullPath};

use crate::problem::Problem;

/// The header that names a request, taken from the client when it is sane, and on every response.
pub const REQUEST_ID: &str = "x-request-id";
/// The longest `Idempotency-Key` and `X-Request-Id`.
pub const LONGEST_KEY: usize = 200;

tokio::task_local! {
    /// The id of the request this task is answering, so that a problem can name it wherever it is made.
    static CURRENT_REQUEST: Arc<str>;
}

/// The id of the request being answered by this task, if any.
pub(crate) fn current_request_id() -> Option<Arc<str>> {
    CURRENT_REQUEST.try_with(Arc::clone).ok()
}

/// Runs `work` as part of answering the request of that id.
pub(crate) fn within_request<F: Future>(id: Arc<str>, work: F) -> impl Future<Output = F::Output> {
    CURRENT_REQUEST.scope(id, work)
}

/// What a request brings along, whatever it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestContext {
    /// Names the request in logs and problems.
    pub request_id: String,
    /// Shared by everything that this request sets in motion. The request id where that is a UUID.
    pub correlation_id: Uuid,
    /// W3C trace context, passed on to events.
    pub traceparent: Option<String>,
    /// The client's promise that the same key means the same request.
    pub idempotency_key: Option<String>,
    /// When it arrived.
    pub received_at: Timestamp,
    /// `METHOD /path`.
    pub operation: String,
    fresh: Uuid,
}

impl RequestContext {
    /// A request that came over no wire, for commands given by the shop itself and for tests.
    pub fn internal(operation: &str) -> Self {
        let fresh = Uuid::now_v7();
        Self {
            request_id: fresh.to_string(),
            correlation_id: fresh,
            traceparent: None,
            idempotency_key: None,
            received_at: Timestamp::now(),
            operation: operation.to_owned(),
            fresh,
        }
    }

    /// The id of the command that this request is. With an `Idempotency-Key` it is derived from actor, method, path and key,
    /// so that a repeated request is the same command, also after a restart; without one it is this request's own.
    pub fn command_id(&self, actor: Option<AccountId>) -> Uuid {
        match &self.idempotency_key {
            Some(key) => derived_uuid(
                actor.map_or(Uuid::nil(), AccountId::uuid),
                &format!("{} {key}", self.operation),
            ),
            None => self.fresh,
        }
    }
}

/// Extracts the [`RequestContext`]. Refuses an `Idempotency-Key` that is empty, too long or not printable.
pub fn request_context() -> impl Filter<Extract = (RequestContext,), Error = Rejection> + Clone {
    warp::method()
        .and(warp::path::full())
        .and(warp::header::optional::<String>(REQUEST_ID))
        .and(warp::header::optional::<String>("traceparent"))
        .and(warp::header::optional::<String>("idempotency-key"))
        .and_then(|method: Method, path: FullPath, id, trace, key: Option<String>| {
            // Reading is idempotent by itself; a key on it must not make two looks at an audited page one.
            let key = key.filter(|_| !method.is_safe());
            std::future::ready(read(format!("{method} {}", path.as_str()), id, trace, key).map_err(Rejection::from))
        })
}

fn read(
    operation: String,
    id: Option<String>,
    trace: Option<String>,
    key: Option<String>,
) -> Result<RequestContext, Problem> {
    if let Some(key) = &key
        && !is_sane_key(key)
    {
        return Err(Problem::bad_parameter(
            "Idempotency-Key",
            format!("expected 1 to {LONGEST_KEY} printable ASCII characters"),
        ));
    }
    let fresh = Uuid::now_v7();
    let request_id = match id.filter(|id| is_sane_request_id(id)) {
        Some(id) => id,
        None => current_request_id().map_or_else(|| fresh.to_string(), |id| id.to_string()),
    };
    Ok(RequestContext {
        correlation_id: correlation_of(&request_id),
        request_id,
        traceparent: trace.filter(|trace| is_traceparent(trace)),
        idempotency_key: key,
        received_at: Timestamp::now(),
        operation,
        fresh,
    })
}

/// A request id that is a UUID is the correlation id; any other text stands for the same one each time.
fn correlation_of(request_id: &str) -> Uuid {
    Uuid::try_parse(request_id).unwrap_or_else(|_| derived_uuid(Uuid::nil(), request_id))
}

/// Harmless in a log line, in a header and in a URI.
pub(crate) fn is_sane_request_id(id: &str) -> bool {
    (1..=LONGEST_KEY).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
}

fn is_sane_key(key: &str) -> bool {
    (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// `00-<32 hex>-<16 hex>-<2 hex>`; anything else is no trace and is left out rather than passed on.
fn is_traceparent(text: &str) -> bool {
    let lengths = [2, 32, 16, 2];
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == lengths.len()
        && parts.iter().zip(lengths).all(|(part, length)| {
            part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        })
}
