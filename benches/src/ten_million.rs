//! `jangteo-bench ten-million`: a log of ten million events: how soon it is ready, how fast it is read, how much memory it takes.
//!
//! The log is filled here and opened in a process of its own ([`reopened`]), so that its memory is what the start and the reading took.

use std::{
    path::Path,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use event_log::{Append, Direction, EventFilter, EventLog, ExpectedVersion, Position, embedded::EmbeddedLog};
use event_schemas::{Category, ContentType, NewEvent};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Result, event_log as log_driver,
    log_marks::EVENT_BYTES,
    machine,
    report::{Mark, Report, short},
};

const EVENTS: u64 = 10_000_000;
/// Events of a stream, appended at once: an order's life.
const STREAM_EVENTS: u64 = 8;
const WRITERS: u64 = 64;
/// Events asked for at a time.
const PAGE: usize = 1024;
/// How long one writer appends after the start.
const ALONE: Duration = Duration::from_secs(3);
/// Streams read one by one.
const STREAMS: usize = 2000;

/// What the process of its own found.
#[derive(Serialize, Deserialize)]
struct Reopened {
    start_ms: f64,
    started_mb: u64,
    events_a_second: f64,
    read_mb: u64,
    stream_ms: f64,
    alone_a_second: f64,
    highest_mb: u64,
}

/// Fills a log in `folder`, starts it again in another process and reports.
pub(crate) async fn measure(folder: &Path, report: &mut Report) -> Result<()> {
    let data = folder.join("ten-million");
    let began = Instant::now();
    fill(&data).await?;
    let paced = EVENTS as f64 / began.elapsed().as_secs_f64();
    report.line(&format!(
        "a log of {EVENTS} events of {EVENT_BYTES} bytes, {STREAM_EVENTS} to a stream"
    ));
    report.figure(
        "filled, 64 appends of 8 events at a time",
        &format!("{} events/s", short(paced)),
    );
    report.figure(
        "resident at most while it was filled",
        &format!("{} MB", machine::resident_mb(std::process::id()).1),
    );

    let output = tokio::process::Command::new(std::env::current_exe()?)
        .args(["reopened", "--folder"])
        .arg(&data)
        .stderr(Stdio::inherit())
        .output()
        .await?;
    let found: Reopened = serde_json::from_slice(&output.stdout)?;
    report.mark("ready after a start", found.start_ms / 1000.0, "s", Mark::AtMost(2.0));
    report.figure("resident after the start", &format!("{} MB", found.started_mb));
    report.mark(
        "read from the first event on",
        found.events_a_second,
        "events/s",
        Mark::AtLeast(200_000.0),
    );
    report.figure("resident at most by then", &format!("{} MB", found.read_mb));
    report.figure(
        "a stream of 8, anywhere in the log",
        &format!("{} ms", short(found.stream_ms)),
    );
    report.figure(
        "appends of one writer after the start",
        &format!("{} events/s", short(found.alone_a_second)),
    );
    report.figure("resident at most", &format!("{} MB", found.highest_mb));
    Ok(())
}

/// In the process of its own: opens the log in `data`, reads all of it, some streams, and appends. Prints one line of JSON.
pub(crate) async fn reopened(data: &Path) -> Result<()> {
    let resident = || machine::resident_mb(std::process::id());
    let began = Instant::now();
    let log = EmbeddedLog::open(data)?;
    let start_ms = began.elapsed().as_secs_f64() * 1000.0;
    let started_mb = resident().1;

    let (mut at, mut seen, mut streams) = (Position::START, 0_u64, vec![]);
    let began = Instant::now();
    let mut subscription = Arc::clone(&log).subscribe(at, EventFilter::default()).await?;
    let head = log.head().await?;
    while at < head {
        let (events, next) = subscription.next(PAGE).await?;
        (seen, at) = (seen + events.len() as u64, next);
        let some = events.iter().find(|event| event.version == 0);
        streams.extend(
            some.filter(|event| event.position.0 % 5 == 0)
                .map(|event| event.stream.clone()),
        );
    }
    let events_a_second = seen as f64 / began.elapsed().as_secs_f64();
    let read_mb = resident().1;
    if seen != EVENTS {
        return Err(format!("{seen} events were read").into());
    }

    streams.truncate(STREAMS);
    let began = Instant::now();
    for stream in streams.iter().rev() {
        log.read_stream(stream, None, Direction::Forwards, 100).await?;
    }
    let stream_ms = began.elapsed().as_secs_f64() * 1000.0 / streams.len().max(1) as f64;
    let alone = log_driver::run(log.clone(), 1, ALONE, EVENT_BYTES).await?;
    let found = Reopened {
        start_ms,
        started_mb,
        events_a_second,
        read_mb,
        stream_ms,
        alone_a_second: alone.per_second,
        highest_mb: resident().1,
    };
    serde_json::to_writer(std::io::stdout(), &found)?;
    Ok(())
}

async fn fill(data: &Path) -> Result<()> {
    let log = EmbeddedLog::open(data)?;
    let body = log_driver::json(EVENT_BYTES);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (log, body) = (Arc::clone(&log), body.clone());
            tokio::spawn(async move {
                let mut next = writer * STREAM_EVENTS;
                while next < EVENTS {
                    let events = (0..STREAM_EVENTS).map(|_| NewEvent {
                        id: Uuid::now_v7(),
                        event_type: "OrderPlaced".to_owned(),
                        content: ContentType::Json,
                        metadata: Bytes::new(),
                        data: body.clone(),
                    });
                    let append = Append {
                        stream: Category::Order.stream(Uuid::now_v7()),
                        expected: ExpectedVersion::None,
                        events: events.collect(),
                    };
                    log.append(append).await?;
                    next += WRITERS * STREAM_EVENTS;
                }
                Ok::<_, event_log::AppendError>(())
            })
        })
        .collect();
    for writer in writers {
        writer.await??;
    }
    log.close();
    Ok(())
}
