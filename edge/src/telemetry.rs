//! What the operator sees: log lines and metrics.

use std::{
    fs,
    io::{self, IsTerminal},
    str::FromStr,
    time::Duration,
};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use utoipa::OpenApi;
use warp::{
    Filter, Reply,
    filters::BoxedFilter,
    http::{HeaderValue, header},
};

use crate::reply::Response;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For a person.
    #[default]
    Text,
    /// One JSON object a line, for a collector.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("{text:?} is not a log format: expected text or json")),
        }
    }
}

/// Sends log lines to stderr from now on, those that pass `filter` (`info`, `warn,http=info`, …).
///
/// # Errors
/// When the filter cannot be read, or lines go somewhere already.
pub fn init_logs(format: LogFormat, filter: &str) -> Result<(), String> {
    let filter =
        EnvFilter::try_new(filter).map_err(|error| format!("the log filter {filter:?} cannot be read: {error}"))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    let started = match format {
        LogFormat::Text => lines.with_target(true).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
    };
    started.map_err(|error| error.to_string())
}

/// The bounds of the duration histograms, in seconds: from what a cached read takes to what a client will not wait for.
const BOUNDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// All metrics of the process.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Collects metrics from now on. Call it once, before anything is counted.
    ///
    /// # Errors
    /// When something collects already.
    pub fn install() -> Result<Self, String> {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BOUNDS)
            .and_then(PrometheusBuilder::install_recorder);
        let handle = builder.map_err(|error| error.to_string())?;
        metrics::describe_counter!("http_requests_total", "Requests answered, by route, method and status.");
        metrics::describe_histogram!("http_request_duration_seconds", "Time to answer, by route and method.");
        metrics::describe_gauge!("process_resident_memory_bytes", "Resident memory of the process.");
        Ok(Self(handle))
    }

    /// The text that Prometheus reads.
    pub fn render(&self) -> String {
        if let Some(bytes) = resident_memory() {
            metrics::gauge!("process_resident_memory_bytes").set(bytes);
        }
        self.0.render()
    }

    /// Folds samples into their histograms now and then, for ever: without it a shop that nobody scrapes would keep them all.
    pub async fn upkeep(self) {
        let mut tick = tokio::time::interval(Duration::from_secs(5));
        loop {
            tick.tick().await;
            self.0.run_upkeep();
        }
    }

    /// `GET /metrics`.
    pub fn route(&self) -> BoxedFilter<(Response,)> {
        let metrics = self.clone();
        warp::path!("metrics")
            .and(warp::get())
            .map(move || metrics_page(&metrics))
            .boxed()
    }
}

/// The metrics, in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "Operation", operation_id = "metrics",
    responses((status = 200, description = "Metrics of this process.", body = String, content_type = "text/plain")))]
fn metrics_page(metrics: &Metrics) -> Response {
    let mut response = metrics.render().into_response();
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

/// Linux says so in pages of 4 KiB; elsewhere the gauge is left out.
fn resident_memory() -> Option<f64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u32 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(f64::from(pages) * 4096.0)
}

/// The metrics page, described.
pub fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(paths(metrics_page))]
    struct Description;
    Description::openapi()
}
