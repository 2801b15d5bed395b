//! No error leaves as plain text: what warp rejects becomes a problem too.

use warp::{
    Filter, Rejection, Reply,
    filters::BoxedFilter,
    http::StatusCode,
    reject::{
        InvalidHeader, InvalidQuery, LengthRequired, MethodNotAllowed, MissingHeader, PayloadTooLarge,
        UnsupportedMediaType,
    },
};

use crate::{problem::Problem, reply::Response};

/// Marks a response that no route made: the server, which knows every route of the API, can then say more exactly whether
/// the path or the method was wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoRoute;

/// All routes, with every rejection turned into a problem. The last thing to be wrapped around them.
pub fn recovered<F>(routes: F) -> BoxedFilter<(Response,)>
where
    F: Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static,
{
    routes
        .recover(|rejection: Rejection| std::future::ready(Ok::<_, std::convert::Infallible>(answer(&rejection))))
        .unify()
        .boxed()
}

fn answer(rejection: &Rejection) -> Response {
    let mut response = problem_of(rejection).into_response();
    let no_route = matches!(
        response.status(),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
    ) && rejection.find::<Problem>().is_none();
    if no_route {
        response.extensions_mut().insert(NoRoute);
    }
    response
}

/// The problem that a rejection is.
pub fn problem_of(rejection: &Rejection) -> Problem {
    if let Some(problem) = rejection.find::<Problem>() {
        return problem.clone();
    }
    if let Some(header) = rejection.find::<InvalidHeader>() {
        return Problem::bad_parameter(header.name(), "the header's value cannot be read");
    }
    if let Some(header) = rejection.find::<MissingHeader>() {
        return Problem::bad_parameter(header.name(), "the header is missing");
    }
    if rejection.find::<InvalidQuery>().is_some() {
        return Problem::bad_request("the query string cannot be read: expected name=value pairs joined by &");
    }
    if rejection.find::<PayloadTooLarge>().is_some() {
        return Problem::payload_too_large(crate::body::JSON_LIMIT);
    }
    if rejection.find::<UnsupportedMediaType>().is_some() {
        return Problem::unsupported_media_type("application/json");
    }
    if rejection.find::<LengthRequired>().is_some() {
        return Problem::bad_request("send the body with a Content-Length");
    }
    if rejection.is_not_found() {
        return no_such_path();
    }
    if rejection.find::<MethodNotAllowed>().is_some() {
        return Problem::method_not_allowed(None);
    }
    Problem::internal(format!("a rejection nobody thought of: {rejection:?}"))
}

/// 404 for a path that the API does not have.
pub(crate) fn no_such_path() -> Problem {
    Problem::not_found("there is no such path; the reference of the API is at /, its description at /openapi.json")
        .with("reference", "/")
        .of_type("no-such-path", "There is no such path")
}
