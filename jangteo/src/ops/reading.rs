//! Pages of the log. The routes and the CLI on a stopped shop's folder read through these same functions.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use event_log::{Direction, EventFilter, EventLog, LogError, Position};
use event_schemas::StreamName;

use super::view::{EventView, LogPage, StatsView, StreamPage, StreamsPage};

/// The largest page.
pub const MAX_SIZE: usize = 1000;

/// How long a search for rare events may go on within one page.
const LONGEST_SCAN: Duration = Duration::from_secs(2);

/// The streams whose names start with `prefix` and stand after `after`.
///
/// # Errors
/// When the log fails.
pub async fn streams(
    log: &dyn EventLog,
    prefix: &str,
    after: Option<&str>,
    size: usize,
) -> Result<StreamsPage, LogError> {
    let size = size.clamp(1, MAX_SIZE);
    let mut streams = log.streams(prefix, after, size + 1).await?;
    let more = streams.len() > size;
    streams.truncate(size);
    let next = streams.last().filter(|_| more).map(|last| last.stream.to_string());
    Ok(StreamsPage {
        streams: streams.into_iter().map(Into::into).collect(),
        next,
    })
}

/// Events of one stream; `None` for a stream that holds none at all.
///
/// # Errors
/// When the log fails.
pub async fn stream(
    log: &dyn EventLog,
    name: &StreamName,
    from: Option<u64>,
    direction: Direction,
    size: usize,
) -> Result<Option<StreamPage>, LogError> {
    let size = size.clamp(1, MAX_SIZE);
    let mut events = log.read_stream(name, from, direction, size + 1).await?;
    if events.is_empty() && log.read_stream(name, None, Direction::Backwards, 1).await?.is_empty() {
        return Ok(None);
    }
    let next = events.get(size).map(|event| event.version);
    events.truncate(size);
    Ok(Some(StreamPage {
        events: events.iter().map(|event| EventView::from(event.as_ref())).collect(),
        next,
    }))
}

/// Events of the whole log after a position. Where there is none, waits up to `wait` for one.
///
/// # Errors
/// When the log fails.
pub async fn events(
    log: &Arc<dyn EventLog>,
    after: Position,
    filter: &EventFilter,
    size: usize,
    wait: Duration,
) -> Result<LogPage, LogError> {
    let size = size.clamp(1, MAX_SIZE);
    let scan_until = Instant::now() + LONGEST_SCAN;
    let (mut found, mut at) = log.read_all(after, filter, size).await?;
    while found.is_empty() && Instant::now() < scan_until {
        let (next, moved) = log.read_all(at, filter, size).await?;
        if moved == at {
            break;
        }
        (found, at) = (next, moved);
    }
    if found.is_empty() && !wait.is_zero() {
        (found, at) = awaited(log, at, filter, size, wait).await?;
    }
    Ok(LogPage {
        events: found.iter().map(|event| EventView::from(event.as_ref())).collect(),
        position: at.0,
        head: log.head().await?.0,
    })
}

type Found = (Vec<Arc<event_log::RecordedEvent>>, Position);

async fn awaited(
    log: &Arc<dyn EventLog>,
    after: Position,
    filter: &EventFilter,
    size: usize,
    wait: Duration,
) -> Result<Found, LogError> {
    let deadline = tokio::time::Instant::now() + wait;
    let mut subscription = Arc::clone(log).subscribe(after, filter.clone()).await?;
    let mut at = after;
    loop {
        match tokio::time::timeout_at(deadline, subscription.next(size)).await {
            Err(_) => return Ok((vec![], at)),
            Ok(Err(error)) => return Err(error),
            Ok(Ok((events, moved))) if events.is_empty() => at = moved,
            Ok(Ok(found)) => return Ok(found),
        }
    }
}

/// Counts.
///
/// # Errors
/// When the log fails.
pub async fn stats(log: &dyn EventLog) -> Result<StatsView, LogError> {
    Ok(log.stats().await?.into())
}
