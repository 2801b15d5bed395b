//! Responses, named as the field names them.

use serde::Serialize;
use warp::{
    Reply,
    http::{HeaderValue, StatusCode, header},
};

use crate::{
    consistency::{CONSISTENCY_TOKEN, ConsistencyToken},
    problem::Problem,
};

/// What every route answers.
pub type Response = warp::reply::Response;

/// A handler's outcome as a response, for `.then(handler).map(reply::finish)`.
pub fn finish(outcome: Result<Response, Problem>) -> Response {
    outcome.into_response()
}

/// A body of JSON with a status.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => json_bytes(status, bytes),
        Err(error) => Problem::internal(format!("an answer could not be written as JSON: {error}")).into_response(),
    }
}

/// A body that is JSON already.
pub fn json_bytes(status: StatusCode, bytes: Vec<u8>) -> Response {
    let mut response = bytes.into_response();
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// 200 with a body.
pub fn ok(body: &impl Serialize) -> Response {
    json(StatusCode::OK, body)
}

/// 201 with where it is now and a body.
pub fn created(location: &str, body: &impl Serialize) -> Response {
    with_location(json(StatusCode::CREATED, body), location)
}

/// 202 with where to watch it and a body: it will be done, or refused, in a while.
pub fn accepted(location: &str, body: &impl Serialize) -> Response {
    with_location(json(StatusCode::ACCEPTED, body), location)
}

/// 204.
pub fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// The same with the `Consistency-Token` under which queries will see this command's effect, or which this query reflects.
#[must_use]
pub fn with_token(mut response: Response, token: ConsistencyToken) -> Response {
    response.headers_mut().insert(CONSISTENCY_TOKEN, token.header_value());
    response
}

/// The same with an `ETag`.
#[must_use]
pub fn with_etag(mut response: Response, version: u64) -> Response {
    response.headers_mut().insert(header::ETAG, crate::etag::etag(version));
    response
}

fn with_location(mut response: Response, location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => {
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
        Err(_) => Problem::internal(format!("{location:?} is not a location")).into_response(),
    }
}
