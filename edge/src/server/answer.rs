//! One request: answered, counted, written down.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use hyper::{Request, body::Body, body::Incoming, service::Service};
use hyper_util::service::TowerToHyperService;
use uuid::Uuid;
use warp::{
    Reply,
    filters::BoxedFilter,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};

use super::Guarded;
use crate::{
    context::{REQUEST_ID, is_sane_request_id, within_request},
    problem::Problem,
    rejection::{NoRoute, no_such_path},
    reply::Response,
    route_table::{Destination, RouteTable},
};

const REQUEST_ID_NAME: HeaderName = HeaderName::from_static(REQUEST_ID);
/// An answer of the API is data: a browser that is made to open it as a page may do nothing with it.
const DATA_ONLY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// The routes as a service, with what surrounds each request.
pub(super) struct Answering {
    routes: BoxedFilter<(Response,)>,
    table: Arc<RouteTable>,
    body_timeout: Duration,
    body_bytes: u64,
}

impl Answering {
    pub(super) fn new(
        routes: BoxedFilter<(Response,)>,
        table: Arc<RouteTable>,
        body_timeout: Duration,
        body_bytes: u64,
    ) -> Self {
        Self {
            routes,
            table,
            body_timeout,
            body_bytes,
        }
    }

    pub(super) async fn answer(&self, mut request: Request<Incoming>) -> Response {
        let began = Instant::now();
        let id = request_id(request.headers());
        let method = request.method().clone();
        if method == Method::HEAD {
            // Routes answer GET; a HEAD is one whose body stays here.
            *request.method_mut() = Method::GET;
        }
        let path = request.uri().clone();
        let mut response = within_request(Arc::clone(&id), self.routed(request)).await;
        let destination = self.table.find(&method, path.path());
        if response.extensions_mut().remove::<NoRoute>().is_some() {
            response = within_request(Arc::clone(&id), async { unrouted(&destination) }).await;
        }
        if method == Method::HEAD {
            response = without_body(response);
        }
        put_headers(response.headers_mut(), &id);
        let took = began.elapsed();
        self.table.measured(&destination).record(response.status(), took);
        write_down(&method, path.path(), &destination, &response, took, &id);
        response
    }

    async fn routed(&self, request: Request<Incoming>) -> Response {
        let request = request.map(|body| Guarded::new(body, self.body_bytes, self.body_timeout));
        let service = TowerToHyperService::new(warp::service(self.routes.clone()));
        match AssertUnwindSafe(service.call(request)).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => Problem::internal("a handler panicked; the backtrace is on stderr").into_response(),
        }
    }
}

fn request_id(headers: &HeaderMap) -> Arc<str> {
    let given = headers.get(REQUEST_ID_NAME).and_then(|value| value.to_str().ok());
    match given.filter(|id| is_sane_request_id(id)) {
        Some(id) => id.into(),
        None => Uuid::now_v7()
            .hyphenated()
            .encode_lower(&mut Uuid::encode_buffer())
            .to_owned()
            .into(),
    }
}

/// What is wrong with a request that no route took.
fn unrouted(destination: &Destination<'_>) -> Response {
    match destination {
        Destination::WrongMethod(allow) => Problem::method_not_allowed(Some(allow)).into_response(),
        Destination::Route(..) | Destination::Elsewhere => no_such_path().into_response(),
    }
}

fn without_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(parts, Response::default().into_body())
}

fn put_headers(headers: &mut HeaderMap, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID_NAME, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(DATA_ONLY);
}

/// One line. Never a body, a query string or a header: passwords and tokens travel there.
fn write_down(
    method: &Method,
    path: &str,
    destination: &Destination<'_>,
    response: &Response,
    took: Duration,
    id: &str,
) {
    let path = match destination {
        Destination::Route(template, _) => template,
        Destination::WrongMethod(_) | Destination::Elsewhere => path.get(..200).unwrap_or(path),
    };
    let ms = f64::from(u32::try_from(took.as_micros()).unwrap_or(u32::MAX)) / 1000.0;
    let (method, status) = (method.as_str(), response.status());
    if is_small_talk(path, status) {
        tracing::debug!(target: "http", method, path, status = status.as_u16(), ms, request_id = id, "request");
    } else {
        tracing::info!(target: "http", method, path, status = status.as_u16(), ms, request_id = id, "request");
    }
}

/// One of the shop's own roles asked another, many times a second, and was answered.
fn is_small_talk(path: &str, status: StatusCode) -> bool {
    path.starts_with("/internal/") && status.is_success()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_roles_say_to_each_other_is_written_down_only_where_it_fails() {
        assert!(is_small_talk("/internal/documents", StatusCode::OK));
        assert!(is_small_talk("/internal/directives", StatusCode::NO_CONTENT));
        assert!(!is_small_talk("/internal/documents", StatusCode::UNAUTHORIZED));
        assert!(!is_small_talk("/internal/documents", StatusCode::SERVICE_UNAVAILABLE));
        assert!(!is_small_talk("/api/v1/search", StatusCode::OK));
    }
}
