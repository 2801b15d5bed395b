//! Durable appends to an event log, driven as the raw file is.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use event_log::{Append, EventLog, ExpectedVersion};
use event_schemas::{Category, ContentType, NewEvent, StreamName};
use uuid::Uuid;

use crate::drive::{Throughput, drive};

/// After so many events a writer starts a new stream: an order's life.
pub(crate) const STREAM_EVENTS: u64 = 8;
pub(crate) const METADATA: &[u8] = br#"{"schema_version":1,"occurred_at":"2026-11-21T06:51:34.120Z","correlation_id":"01936f5e-7c1a-7d30-8000-000000000000","actor":"system:bench"}"#;

/// `writers` tasks append one event of `event_bytes` (data and metadata) each, one after the other, for `duration`.
///
/// # Errors
/// When an append fails.
pub(crate) async fn run(
    log: Arc<dyn EventLog>,
    writers: usize,
    duration: Duration,
    event_bytes: usize,
) -> std::io::Result<Throughput> {
    let data = json(event_bytes.saturating_sub(METADATA.len()));
    drive(writers, duration, |_| {
        let log = Arc::clone(&log);
        let data = data.clone();
        let mut stream = new_stream();
        move |count| {
            let version = count % STREAM_EVENTS;
            if version == 0 {
                stream = new_stream();
            }
            let append = Append {
                stream: stream.clone(),
                expected: version
                    .checked_sub(1)
                    .map_or(ExpectedVersion::None, ExpectedVersion::Exact),
                events: vec![NewEvent {
                    id: Uuid::now_v7(),
                    event_type: "OrderPlaced".to_owned(),
                    content: ContentType::Json,
                    metadata: Bytes::from_static(METADATA),
                    data: data.clone(),
                }],
            };
            let log = Arc::clone(&log);
            async move { log.append(append).await.map(|_| ()).map_err(std::io::Error::other) }
        }
    })
    .await
}

/// JSON of so many bytes.
pub(crate) fn json(bytes: usize) -> Bytes {
    let frame = r#"{"note":""}"#;
    Bytes::from(format!(
        r#"{{"note":"{}"}}"#,
        "x".repeat(bytes.saturating_sub(frame.len()))
    ))
}

fn new_stream() -> StreamName {
    Category::Order.stream(Uuid::now_v7())
}
