//! The operator's paths over the log. Those over sagas and customers are the query side's.

use std::{str::FromStr, sync::Arc, time::Duration};

use edge::{Principal, Problem, Response, Role, Tokens, auth, raw_body, reply};
use event_log::{Direction, EventFilter, EventLog, Position};
use event_schemas::StreamName;
use tokio::sync::watch;
use utoipa::IntoParams;
use warp::{Filter, Rejection, filters::BoxedFilter};

use super::{
    importing,
    query::{Query, query},
    reading,
    view::{ImportAnswer, LogPage, StatsView, StreamPage, StreamsPage},
};
use crate::sink::SinkError;

/// The largest import in one request.
pub const IMPORT_LIMIT: u64 = 16 << 20;
const DEFAULT_SIZE: usize = 100;
/// The longest a request waits for news; a proxy in between should not lose patience before.
const LONGEST_WAIT: u64 = 30;

/// The log, and who may look into it.
#[derive(Clone)]
pub struct LogRoutes {
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// Knows who is asking.
    pub tokens: Arc<Tokens>,
    /// Becomes true when the shop is told to stop.
    pub stopping: watch::Receiver<bool>,
}

/// `GET ops/streams`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the parameters; they are read by name")]
struct StreamsQuery {
    /// Only streams whose names start so, such as `order-`.
    prefix: Option<String>,
    /// Only streams that stand after this name: `next` of the page before.
    after: Option<String>,
    /// At most so many, up to 1000; 100 unless given.
    size: Option<usize>,
}

/// `GET ops/streams/{name}`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the parameters; they are read by name")]
struct StreamQuery {
    /// Start with this version: `next` of the page before.
    from: Option<u64>,
    /// `forwards` (unless given) or `backwards`.
    direction: Option<Way>,
    /// At most so many, up to 1000; 100 unless given.
    size: Option<usize>,
}

/// Oldest first or newest first.
#[derive(Debug, Clone, Copy, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
enum Way {
    Forwards,
    Backwards,
}

impl FromStr for Way {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "forwards" => Ok(Self::Forwards),
            "backwards" => Ok(Self::Backwards),
            _ => Err("expected forwards or backwards"),
        }
    }
}

/// `GET ops/events`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the parameters; they are read by name")]
struct EventsQuery {
    /// Only events after this position: `position` of the page before.
    after: Option<u64>,
    /// Only streams of these categories, separated by commas: `order,payment`.
    category: Option<String>,
    /// Only events of these types, separated by commas: `OrderPlaced,OrderShipped`.
    #[param(rename = "type")]
    types: Option<String>,
    /// At most so many, up to 1000; 100 unless given.
    size: Option<usize>,
    /// Where there is none yet, wait so many seconds for one, up to 30.
    wait: Option<u64>,
}

/// All of them.
pub fn log_routes(routes: &LogRoutes) -> BoxedFilter<(Response,)> {
    let ops = || warp::path("api").and(warp::path("v1")).and(warp::path("ops"));
    let asked = || {
        let routes = routes.clone();
        auth::authenticated(Arc::clone(&routes.tokens))
            .and(query())
            .map(move |principal, query| Asked {
                routes: routes.clone(),
                principal,
                query,
            })
    };
    let list = ops()
        .and(warp::path!("streams"))
        .and(warp::get())
        .and(asked())
        .then(streams);
    let read = ops()
        .and(warp::path!("streams" / String))
        .and(warp::get())
        .and(asked())
        .then(stream);
    let events = ops()
        .and(warp::path!("events"))
        .and(warp::get())
        .and(asked())
        .then(events);
    let stats = ops()
        .and(warp::path!("stats"))
        .and(warp::get())
        .and(asked())
        .then(stats);
    let imports = import_route(routes);
    let reads = list.or(read).unify().or(events).unify().or(stats).unify();
    reads.map(reply::finish).or(imports).unify().boxed()
}

/// What every one of these is asked with.
struct Asked {
    routes: LogRoutes,
    principal: Principal,
    query: Query,
}

impl Asked {
    /// The log, for an operator who sent these parameters and no others.
    fn by_operator(&self, known: &[&str]) -> Result<&Arc<dyn EventLog>, Problem> {
        auth::require(&self.principal, &[Role::Operator])?;
        self.query.only(known)?;
        Ok(&self.routes.log)
    }

    fn size(&self) -> Result<usize, Problem> {
        Ok(self.query.parsed("size")?.unwrap_or(DEFAULT_SIZE))
    }
}

fn import_route(routes: &LogRoutes) -> BoxedFilter<(Response,)> {
    let log = Arc::clone(&routes.log);
    let admin = auth::authenticated(Arc::clone(&routes.tokens)).and_then(|principal: Principal| {
        // Asked before the body is read: nobody else may make us read 16 MiB.
        let allowed = auth::require(&principal, &[Role::Admin]);
        std::future::ready(allowed.map_err(Rejection::from))
    });
    warp::path!("api" / "v1" / "ops" / "imports")
        .and(warp::post())
        .and(admin.untuple_one())
        .and(raw_body(IMPORT_LIMIT))
        .then(move |body: edge::body::RawBody| imports(Arc::clone(&log), body))
        .map(reply::finish)
        .boxed()
}

/// Streams in the order of their names.
#[utoipa::path(get, path = "/api/v1/ops/streams", tag = "Operators", params(StreamsQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of streams.", body = StreamsPage)))]
async fn streams(asked: Asked) -> Result<Response, Problem> {
    let log = asked.by_operator(&["prefix", "after", "size"])?;
    let (prefix, after) = (
        asked.query.text("prefix").unwrap_or_default(),
        asked.query.text("after"),
    );
    let page = reading::streams(log.as_ref(), prefix, after, asked.size()?).await;
    Ok(reply::ok(&page.map_err(Problem::internal)?))
}

/// One stream's events.
#[utoipa::path(get, path = "/api/v1/ops/streams/{name}", tag = "Operators", security(("bearer" = [])),
    params(("name" = String, Path, description = "Such as order-018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f."), StreamQuery),
    responses((status = 200, description = "A page of its events.", body = StreamPage),
        (status = 404, description = "There is no such stream.")))]
async fn stream(name: String, asked: Asked) -> Result<Response, Problem> {
    let log = asked.by_operator(&["from", "direction", "size"])?;
    let name = StreamName::from_str(&name).map_err(|error| Problem::bad_parameter("name", error.to_string()))?;
    let direction = match asked.query.parsed("direction")?.unwrap_or(Way::Forwards) {
        Way::Forwards => Direction::Forwards,
        Way::Backwards => Direction::Backwards,
    };
    let page = reading::stream(
        log.as_ref(),
        &name,
        asked.query.parsed("from")?,
        direction,
        asked.size()?,
    )
    .await;
    match page.map_err(Problem::internal)? {
        Some(page) => Ok(reply::ok(&page)),
        None => Err(Problem::not_found(format!("there is no stream {name}"))),
    }
}

/// The whole log in order.
#[utoipa::path(get, path = "/api/v1/ops/events", tag = "Operators", params(EventsQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of events; go on with its `position` as `after`.", body = LogPage)))]
async fn events(asked: Asked) -> Result<Response, Problem> {
    let log = asked.by_operator(&["after", "category", "type", "size", "wait"])?;
    let filter = EventFilter {
        categories: comma_separated(asked.query.text("category")),
        types: comma_separated(asked.query.text("type")),
    };
    let (after, size) = (
        Position(asked.query.parsed("after")?.unwrap_or_default()),
        asked.size()?,
    );
    let wait = Duration::from_secs(asked.query.parsed("wait")?.unwrap_or(0).min(LONGEST_WAIT));
    let mut stopping = asked.routes.stopping.clone();
    let stopped = async move { stopping.wait_for(|stopping| *stopping).await.is_ok() };
    let page = tokio::select! {
        page = reading::events(log, after, &filter, size, wait) => page,
        // Whoever waits for news must not hold up a stop: they get what there is, and ask again.
        _ = stopped => {
            reading::events(log, after, &filter, size, Duration::ZERO).await
        }
    };
    Ok(reply::ok(&page.map_err(Problem::internal)?))
}

fn comma_separated(text: Option<&str>) -> Vec<String> {
    let parts = text
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// Counts of events and streams.
#[utoipa::path(get, path = "/api/v1/ops/stats", tag = "Operators", security(("bearer" = [])),
    responses((status = 200, description = "The log from afar", body = StatsView)))]
async fn stats(asked: Asked) -> Result<Response, Problem> {
    let log = asked.by_operator(&[])?;
    let stats = reading::stats(log.as_ref()).await;
    Ok(reply::ok(&stats.map_err(Problem::internal)?))
}

/// History from elsewhere: one stream's events per line. The same lines again change nothing.
#[utoipa::path(post, path = "/api/v1/ops/imports", tag = "Operators", security(("bearer" = [])),
    request_body(content = super::view::ImportLine, content_type = "application/x-ndjson",
        description = "One such object per line, up to 16 MiB; the metadata of every event must say imported"),
    responses((status = 200, description = "What became of it", body = ImportAnswer)))]
async fn imports(log: Arc<dyn EventLog>, body: edge::body::RawBody) -> Result<Response, Problem> {
    match importing::import(&log, &body.bytes).await {
        Ok(answer) => Ok(reply::ok(&answer)),
        Err(SinkError::Log(error)) => Err(Problem::unavailable(5, format!("{error}; send the same lines again"))),
        Err(error) => Err(Problem::internal(error)),
    }
}

/// These paths, described.
#[derive(utoipa::OpenApi)]
#[openapi(paths(streams, stream, events, stats, imports), components(schemas(Way)))]
pub(crate) struct LogApi;
