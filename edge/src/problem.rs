//! Errors as RFC 9457 problem details.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use warp::{
    Reply,
    http::{HeaderValue, StatusCode, header},
    reject::Reject,
};

use crate::{context, reply::Response};

/// Where the stable `type` of every problem begins.
pub const TYPE_ROOT: &str = "https://jangteo.shop/problems/";

/// What went wrong, for a person and for a program: becomes `application/problem+json`.
///
/// Begin with the constructor for the status; [`Self::of_type`] gives it a more telling `type`, [`Self::with`] adds members.
#[derive(Clone)]
pub struct Problem(Box<Details>);

#[derive(Clone)]
struct Details {
    status: StatusCode,
    slug: &'static str,
    title: &'static str,
    detail: String,
    extensions: Map<String, Value>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

/// One thing wrong with one field of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// Where, as `items[0].quantity`.
    pub field: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl FieldError {
    /// `detail` is wrong with `field`.
    pub fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            detail: detail.into(),
        }
    }
}

impl Problem {
    fn new(status: StatusCode, slug: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Details {
            status,
            slug,
            title,
            detail: detail.into(),
            extensions: Map::new(),
            headers: vec![],
        }))
    }

    /// 400: the request cannot be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-request",
            "The request cannot be read",
            detail,
        )
    }

    /// 400: a query parameter or header is not what it should be.
    pub fn bad_parameter(name: &str, detail: impl Into<String>) -> Self {
        let error = FieldError::new(name, detail);
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid-parameter",
            "A parameter is not valid",
            format!("{name}: {}", error.detail),
        )
        .with("errors", [error])
    }

    /// 422: the body can be read, but fields of it are not what they should be.
    pub fn validation(errors: Vec<FieldError>) -> Self {
        let named: Vec<_> = errors
            .iter()
            .map(|error| format!("{}: {}", error.field, error.detail))
            .collect();
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "validation",
            "The request has fields that are not valid",
            named.join("; "),
        )
        .with("errors", errors)
    }

    /// 401: nobody in particular is asking. Sends the `WWW-Authenticate` challenge along.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Sign in first", detail);
        problem.header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"jangteo\""),
        );
        problem
    }

    /// 403: this account may not.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "This account may not do that",
            detail,
        )
    }

    /// 404: there is none; also said where somebody else's would be given away otherwise.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here", detail)
    }

    /// 409: not as things stand now.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "conflict",
            "That cannot be done as things stand",
            detail,
        )
    }

    /// 412: somebody else changed it since.
    pub fn precondition_failed(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition-failed",
            "It was changed in the meantime",
            detail,
        )
    }

    /// 422: understood, and not possible.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "unprocessable",
            "The request makes no sense as it is",
            detail,
        )
    }

    /// 422: the `Idempotency-Key` was used before with another body.
    pub fn idempotency_key_reused() -> Self {
        Self::unprocessable(
            "this Idempotency-Key was used before for a request with another body; repeat that body or take a new key",
        )
        .of_type(
            "idempotency-key-reused",
            "The Idempotency-Key belongs to another request",
        )
    }

    /// 413: more than `limit` bytes.
    pub fn payload_too_large(limit: u64) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload-too-large",
            "The body is too large",
            format!("at most {limit} bytes are taken here"),
        )
        .with("limit", limit)
    }

    /// 415: a body of another media type than `expected`.
    pub fn unsupported_media_type(expected: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "The body is of another type than expected",
            format!("send it with Content-Type: {expected}"),
        )
    }

    /// 405, with the `Allow` header where the allowed methods are known.
    pub fn method_not_allowed(allowed: Option<&str>) -> Self {
        let detail = match allowed {
            Some(allowed) => format!("allowed here: {allowed}"),
            None => "the reference of the API is at /".to_owned(),
        };
        let mut problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "That method is not for this path",
            detail,
        );
        if let Some(allow) = allowed.and_then(|allowed| HeaderValue::from_str(allowed).ok()) {
            problem.header(header::ALLOW, allow);
        }
        problem
    }

    /// 408: the body came too slowly.
    pub fn request_timeout(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "request-timeout",
            "The request came too slowly",
            detail,
        )
    }

    /// 429: come back in `retry_after` seconds.
    pub fn too_many_requests(retry_after: u32, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Slow down", detail);
        problem.header(header::RETRY_AFTER, HeaderValue::from(retry_after));
        problem
    }

    /// 503: not now; come back in `retry_after` seconds.
    pub fn unavailable(retry_after: u32, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The shop cannot do that right now",
            detail,
        );
        problem.header(header::RETRY_AFTER, HeaderValue::from(retry_after));
        problem
    }

    /// 500: a fault of ours. `detail` goes to the log; the client learns the request id to report.
    pub fn internal(detail: impl fmt::Display) -> Self {
        let request_id = context::current_request_id();
        tracing::error!(request_id = request_id.as_deref().unwrap_or("-"), %detail, "internal error");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on our side",
            "the fault is in the shop's log under the request id given as `instance`",
        )
    }

    /// The same with a more telling `type` and title.
    #[must_use]
    pub fn of_type(mut self, slug: &'static str, title: &'static str) -> Self {
        self.0.slug = slug;
        self.0.title = title;
        self
    }

    /// The same with one more member. The members of RFC 9457 itself cannot be replaced.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Serialize) -> Self {
        let reserved = ["type", "title", "status", "detail", "instance"].contains(&member);
        if let (false, Ok(value)) = (reserved, serde_json::to_value(value)) {
            self.0.extensions.insert(member.to_owned(), value);
        }
        self
    }

    /// The same with one more response header.
    #[must_use]
    pub fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.header(name, value);
        self
    }

    fn header(&mut self, name: header::HeaderName, value: HeaderValue) {
        self.0.headers.retain(|(present, _)| *present != name);
        self.0.headers.push((name, value));
    }

    /// The response's status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The last part of the `type`, such as `not-found`.
    pub fn slug(&self) -> &'static str {
        self.0.slug
    }

    /// What is wrong this time.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The document that is sent.
    pub fn document(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap_or_default()
    }

    /// The same as text, the members of RFC 9457 first.
    fn text(&self) -> String {
        #[derive(Serialize)]
        struct Document<'a> {
            r#type: String,
            title: &'static str,
            status: u16,
            detail: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            instance: Option<&'a str>,
            #[serde(flatten)]
            extensions: &'a Map<String, Value>,
        }
        let request_id = context::current_request_id();
        let document = Document {
            r#type: format!("{TYPE_ROOT}{}", self.0.slug),
            title: self.0.title,
            status: self.0.status.as_u16(),
            detail: &self.0.detail,
            instance: request_id.as_deref(),
            extensions: &self.0.extensions,
        };
        // Invariant: texts, numbers and JSON values can always be written.
        serde_json::to_string(&document).unwrap_or_default()
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.0.status.as_u16(), self.0.slug, self.0.detail)
    }
}
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.title, self.0.detail)
    }
}
impl std::error::Error for Problem {}
impl Reject for Problem {}

impl Reply for Problem {
    fn into_response(self) -> Response {
        let mut response = self.text().into_response();
        *response.status_mut() = self.0.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.0.headers {
            headers.insert(name, value);
        }
        response
    }
}

/// How a problem looks, for the description of the API.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// Names the kind of problem, for good: `https://jangteo.shop/problems/…`.
    #[schema(example = "https://jangteo.shop/problems/not-found")]
    pub r#type: String,
    /// The kind of problem, for a person.
    pub title: String,
    /// The response's status again.
    pub status: u16,
    /// What is wrong this time, and what to do.
    pub detail: String,
    /// The request's id: quote it when you report a fault.
    pub instance: String,
    /// Every field that is wrong, where fields are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<FieldError>>,
}
