use std::time::Duration;

use utoipa::openapi::{HttpMethod, OpenApiBuilder, PathItem, PathsBuilder, path::Operation};
use warp::http::{Method, StatusCode};

use crate::{
    RouteTable,
    telemetry::{LogFormat, Metrics, init_logs},
};

#[test]
fn requests_are_counted_by_route_method_and_status() {
    let metrics = Metrics::install().unwrap();
    let item = PathItem::new(HttpMethod::Get, Operation::new());
    let paths = PathsBuilder::new().path("/counted/{id}", item);
    let table = RouteTable::of(&OpenApiBuilder::new().paths(paths).build());
    for (path, status) in [
        ("/counted/1", 200),
        ("/counted/2", 200),
        ("/counted/3", 404),
        ("/elsewhere/4", 404),
        ("/counted/5", 418),
    ] {
        let destination = table.find(&Method::GET, path);
        let status = StatusCode::from_u16(status).unwrap();
        table.measured(&destination).record(status, Duration::from_millis(3));
    }
    let text = metrics.render();
    for (line, count) in [
        (
            "http_requests_total{route=\"/counted/{id}\",method=\"GET\",status=\"200\"} ",
            "2",
        ),
        (
            "http_requests_total{route=\"/counted/{id}\",method=\"GET\",status=\"404\"} ",
            "1",
        ),
        (
            "http_requests_total{route=\"/counted/{id}\",method=\"GET\",status=\"other\"} ",
            "1",
        ),
        (
            "http_request_duration_seconds_bucket{route=\"/counted/{id}\",method=\"GET\",le=\"0.005\"} ",
            "4",
        ),
        (
            "http_request_duration_seconds_count{route=\"/counted/{id}\",method=\"GET\"} ",
            "4",
        ),
    ] {
        assert!(
            text.contains(&format!("{line}{count}\n")),
            "{line} is not {count} in\n{text}"
        );
    }
    assert!(text.contains("process_resident_memory_bytes"));
}

#[test]
fn a_filter_that_cannot_be_read_is_refused() {
    let refused = init_logs(LogFormat::Text, "jangteo=loud").unwrap_err();
    assert!(refused.contains("jangteo=loud"), "{refused}");
    assert!("xml".parse::<LogFormat>().is_err());
    assert_eq!("json".parse(), Ok(LogFormat::Json));
}
