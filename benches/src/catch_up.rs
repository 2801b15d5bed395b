//! A subscription that starts at the beginning of a long log: in process, and over the wire.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use event_log::{Append, EventFilter, EventLog, ExpectedVersion, Position, embedded::EmbeddedLog};
use event_schemas::{Category, ContentType, NewEvent};
use uuid::Uuid;

use crate::{
    Result, event_log as log_driver,
    log_marks::EVENT_BYTES,
    report::{Mark, Report, short},
    served::Server,
    wire,
};

/// Events of one append while the log is filled.
const APPEND: usize = 64;
/// Appends under way at once while the log is filled.
const WRITERS: usize = 32;
/// Events asked for at a time.
const BATCH: usize = 512;
/// A subscription that brings nothing for so long has failed.
const STALL: Duration = Duration::from_secs(20);

pub(crate) async fn measure(folder: &Path, events: usize, report: &mut Report) -> Result<()> {
    let data = folder.join("catch-up");
    // The role makes the folder its own; then its log is filled from here.
    Server::our_log(&data).await?.stop().await?;
    let kept = data.join("log");
    let log = EmbeddedLog::open(&kept)?;
    fill(&log, events).await?;
    log.close();
    drop(log);
    report.line(&format!(
        "a catch-up subscription to {events} events of {EVENT_BYTES} bytes, from the first"
    ));

    let log = EmbeddedLog::open(&kept)?;
    let in_process = pace(log.clone(), events).await?;
    log.close();
    drop(log);
    report.mark("in process", in_process, "events/s", Mark::AtLeast(200_000.0));

    let server = Server::our_log(&data).await?;
    let over_the_wire = pace(wire::adapter(&server.address).await?, events).await?;
    server.stop().await?;
    report.mark("over the wire", over_the_wire, "events/s", Mark::AtLeast(50_000.0));
    report.figure(
        "over the wire, of the same in process",
        &format!("{} x", short(over_the_wire / in_process)),
    );
    Ok(())
}

async fn fill(log: &Arc<EmbeddedLog>, events: usize) -> Result<()> {
    let data = log_driver::json(EVENT_BYTES);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (log, data) = (Arc::clone(log), data.clone());
            tokio::spawn(async move {
                for start in (writer * APPEND..events).step_by(WRITERS * APPEND) {
                    let events = (start..events.min(start + APPEND)).map(|_| NewEvent {
                        id: Uuid::now_v7(),
                        event_type: "OrderPlaced".to_owned(),
                        content: ContentType::Json,
                        metadata: Bytes::new(),
                        data: data.clone(),
                    });
                    let append = Append {
                        stream: Category::Order.stream(Uuid::now_v7()),
                        expected: ExpectedVersion::None,
                        events: events.collect(),
                    };
                    log.append(append).await?;
                }
                Ok::<_, event_log::AppendError>(())
            })
        })
        .collect();
    for writer in writers {
        writer.await??;
    }
    Ok(())
}

/// Events a second, from the first to the last.
async fn pace(log: Arc<dyn EventLog>, events: usize) -> Result<f64> {
    let began = Instant::now();
    let mut subscription = log.subscribe(Position::START, EventFilter::default()).await?;
    let mut seen = 0;
    while seen < events {
        let next = tokio::time::timeout(STALL, subscription.next(BATCH)).await;
        let (batch, _) =
            next.map_err(|_| format!("the subscription stands still after {seen} of {events} events"))??;
        seen += batch.len();
    }
    Ok(seen as f64 / began.elapsed().as_secs_f64())
}
