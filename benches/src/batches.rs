//! Appends through BatchAppend, one call for all of them: how the official Node client appends unless told otherwise, here by
//! the official Rust client. Nothing of ours is on this side of the wire.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use eventstore::{Client, EventData, ExpectedRevision};
use uuid::Uuid;

use crate::{
    Result,
    drive::{Throughput, drive},
    event_log::{METADATA, STREAM_EVENTS, json},
};

/// As [`crate::event_log::run`], to a server without TLS at `host:port`.
pub(crate) async fn run(address: &str, writers: usize, duration: Duration, event_bytes: usize) -> Result<Throughput> {
    let settings = format!("esdb://{address}?tls=false&discoveryInterval=1");
    let client = Client::new(settings.parse()?)?;
    let batches = Arc::new(client.batch_append(&Default::default()).await?);
    let data = json(event_bytes.saturating_sub(METADATA.len()));
    Ok(drive(writers, duration, |_| {
        let (batches, data) = (Arc::clone(&batches), data.clone());
        let mut stream = String::new();
        move |count| {
            let version = count % STREAM_EVENTS;
            if version == 0 {
                stream = format!("order-{}", Uuid::now_v7());
            }
            let expected = version
                .checked_sub(1)
                .map_or(ExpectedRevision::NoStream, ExpectedRevision::Exact);
            let event = EventData::binary("OrderPlaced", data.clone())
                .metadata(Bytes::from_static(METADATA))
                .id(Uuid::now_v7());
            let (batches, stream) = (Arc::clone(&batches), stream.clone());
            async move {
                let append = batches.append_to_stream(stream, expected, vec![event]);
                append.await.map(|_| ()).map_err(std::io::Error::other)
            }
        }
    })
    .await?)
}
