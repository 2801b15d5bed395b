//! The routes as the API's description lists them: which template a request's path fits, and how often that was so.

use std::{sync::OnceLock, time::Duration};

use metrics::{Counter, Histogram, Label};
use utoipa::openapi::{OpenApi, path::PathItem};
use warp::http::{Method, StatusCode};

/// The statuses counted one by one; any other is counted as `other`.
const STATUSES: [u16; 21] = [
    200, 201, 202, 204, 206, 302, 304, 400, 401, 403, 404, 405, 408, 409, 412, 413, 415, 422, 429, 500, 503,
];

/// Every path template with its methods.
#[derive(Default)]
pub struct RouteTable {
    templates: Vec<Template>,
    elsewhere: Measured,
}

struct Template {
    path: String,
    segments: Vec<Option<String>>,
    methods: Vec<(Method, Measured)>,
    allow: String,
}

/// Where a request goes.
pub(crate) enum Destination<'a> {
    /// A path and method of the API.
    Route(&'a str, &'a Measured),
    /// A path of the API, with the methods it has.
    WrongMethod(&'a str),
    /// Not in the description: a page, an asset, or nothing.
    Elsewhere,
}

impl RouteTable {
    /// The routes of that description.
    pub fn of(description: &OpenApi) -> Self {
        let paths = description.paths.paths.iter();
        let mut templates: Vec<_> = paths.map(|(path, item)| Template::new(path, item)).collect();
        // A literal segment is a better fit than a parameter.
        templates.sort_by_key(|template| template.segments.iter().filter(|segment| segment.is_none()).count());
        Self {
            templates,
            elsewhere: Measured::new("other", "other"),
        }
    }

    pub(crate) fn find(&self, method: &Method, path: &str) -> Destination<'_> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let Some(template) = self.templates.iter().find(|template| template.fits(path)) else {
            return Destination::Elsewhere;
        };
        match template.methods.iter().find(|(present, _)| present == method) {
            Some((_, measured)) => Destination::Route(&template.path, measured),
            None => Destination::WrongMethod(&template.allow),
        }
    }

    /// The counters of a destination.
    pub(crate) fn measured<'a>(&'a self, destination: &Destination<'a>) -> &'a Measured {
        match destination {
            Destination::Route(_, measured) => measured,
            Destination::WrongMethod(_) | Destination::Elsewhere => &self.elsewhere,
        }
    }
}

impl Template {
    fn new(path: &str, item: &PathItem) -> Self {
        let is_parameter = |segment: &str| segment.starts_with('{') && segment.ends_with('}');
        let segments = path.split('/').skip(1);
        let operations = [
            (Method::GET, &item.get),
            (Method::POST, &item.post),
            (Method::PUT, &item.put),
            (Method::PATCH, &item.patch),
            (Method::DELETE, &item.delete),
        ];
        let present = operations.into_iter().filter(|(_, operation)| operation.is_some());
        let methods: Vec<_> = present
            .map(|(method, _)| (method.clone(), Measured::new(path, method.as_str())))
            .collect();
        let mut allow: Vec<&str> = methods.iter().map(|(method, _)| method.as_str()).collect();
        if allow.contains(&"GET") {
            allow.push("HEAD");
        }
        Self {
            path: path.to_owned(),
            segments: segments
                .map(|segment| (!is_parameter(segment)).then(|| segment.to_owned()))
                .collect(),
            allow: allow.join(", "),
            methods,
        }
    }

    fn fits(&self, path: &str) -> bool {
        let Some(path) = path.strip_prefix('/') else {
            return false;
        };
        let mut given = path.split('/');
        let fits = self.segments.iter().all(|expected| match (expected, given.next()) {
            (Some(literal), Some(segment)) => literal == segment,
            (None, Some(segment)) => !segment.is_empty(),
            (_, None) => false,
        });
        fits && given.next().is_none()
    }
}

/// The metrics of one route, looked up once: a request costs two atomic additions.
pub(crate) struct Measured {
    route: String,
    method: String,
    counters: [OnceLock<Counter>; STATUSES.len() + 1],
    duration: OnceLock<Histogram>,
}

impl Default for Measured {
    fn default() -> Self {
        Self::new("other", "other")
    }
}

impl Measured {
    fn new(route: &str, method: &str) -> Self {
        Self {
            route: route.to_owned(),
            method: method.to_owned(),
            counters: std::array::from_fn(|_| OnceLock::new()),
            duration: OnceLock::new(),
        }
    }

    pub(crate) fn record(&self, status: StatusCode, took: Duration) {
        let at = STATUSES
            .iter()
            .position(|known| *known == status.as_u16())
            .unwrap_or(STATUSES.len());
        self.counters[at]
            .get_or_init(|| self.counter(STATUSES.get(at)))
            .increment(1);
        let histogram = self
            .duration
            .get_or_init(|| metrics::histogram!("http_request_duration_seconds", self.labels()));
        histogram.record(took.as_secs_f64());
    }

    fn counter(&self, status: Option<&u16>) -> Counter {
        let mut labels = self.labels();
        let status = status.map_or_else(|| "other".to_owned(), u16::to_string);
        labels.push(Label::new("status", status));
        metrics::counter!("http_requests_total", labels)
    }

    fn labels(&self) -> Vec<Label> {
        vec![
            Label::new("route", self.route.clone()),
            Label::new("method", self.method.clone()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::{HttpMethod, OpenApiBuilder, PathsBuilder, path::Operation};

    use super::*;

    fn table() -> RouteTable {
        let paths = PathsBuilder::new()
            .path("/a/{id}", PathItem::new(HttpMethod::Get, Operation::new()))
            .path(
                "/a/mine",
                PathItem::from_http_methods([HttpMethod::Post, HttpMethod::Get], Operation::new()),
            )
            .path("/a/{id}/b", PathItem::new(HttpMethod::Delete, Operation::new()));
        RouteTable::of(&OpenApiBuilder::new().paths(paths).build())
    }

    fn found(method: Method, path: &str) -> String {
        match table().find(&method, path) {
            Destination::Route(template, _) => template.to_owned(),
            Destination::WrongMethod(allow) => format!("allow {allow}"),
            Destination::Elsewhere => "elsewhere".to_owned(),
        }
    }

    #[test]
    fn a_path_finds_its_template_and_a_wrong_method_the_right_ones() {
        assert_eq!(found(Method::GET, "/a/7"), "/a/{id}");
        assert_eq!(found(Method::HEAD, "/a/7"), "/a/{id}");
        assert_eq!(found(Method::POST, "/a/mine"), "/a/mine");
        assert_eq!(found(Method::DELETE, "/a/7/b"), "/a/{id}/b");
        assert_eq!(found(Method::PUT, "/a/mine"), "allow GET, POST, HEAD");
        assert_eq!(found(Method::OPTIONS, "/a/7/b"), "allow DELETE");
        for path in ["/", "/a", "/a/", "/a/7/", "/a/7/c", "/a/7/b/c", "a/7", ""] {
            assert_eq!(found(Method::GET, path), "elsewhere", "{path}");
        }
    }
}
