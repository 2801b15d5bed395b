//! Straight into the log: for a stopped shop's folder, and for what a running shop receives.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use event_log::{Append, AppendError, EventLog, ExpectedVersion, LogError};
use event_schemas::StreamName;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{ImportSink, ImportedStream, Refused, SinkError, Written};

/// Appends under way at the same time: enough for the log to write many of them with one flush to disk.
const IN_FLIGHT: usize = 256;

/// Appends to a log.
pub struct LocalSink {
    log: Arc<dyn EventLog>,
}

impl LocalSink {
    /// A sink into `log`.
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self { log }
    }
}

#[async_trait]
impl ImportSink for LocalSink {
    async fn write(&mut self, batch: Vec<ImportedStream>) -> Result<Written, SinkError> {
        let appends = by_stream(batch)
            .into_iter()
            .map(|pieces| append_in_order(Arc::clone(&self.log), pieces));
        let written = stream::iter(appends)
            .buffer_unordered(IN_FLIGHT)
            .try_fold(Written::default(), |mut total, one| async move {
                total.add(one);
                Ok(total)
            })
            .await?;
        Ok(written)
    }
}

/// The pieces of each stream together, in the order in which they came.
fn by_stream(batch: Vec<ImportedStream>) -> Vec<Vec<ImportedStream>> {
    let mut places: HashMap<StreamName, usize> = HashMap::with_capacity(batch.len());
    let mut streams: Vec<Vec<ImportedStream>> = Vec::with_capacity(batch.len());
    for piece in batch {
        let place = *places.entry(piece.stream.clone()).or_insert(streams.len());
        match streams.get_mut(place) {
            Some(pieces) => pieces.push(piece),
            None => streams.push(vec![piece]),
        }
    }
    streams
}

async fn append_in_order(log: Arc<dyn EventLog>, pieces: Vec<ImportedStream>) -> Result<Written, LogError> {
    let mut written = Written::default();
    for piece in pieces {
        let (stream, count) = (piece.stream.clone(), piece.events.len() as u64);
        let append = Append {
            stream: piece.stream,
            expected: ExpectedVersion::Any,
            events: piece.events,
        };
        match log.append(append).await {
            Ok(appended) if appended.duplicate => written.duplicates += count,
            Ok(_) => written.appended += count,
            Err(AppendError::Log(error)) => return Err(error),
            Err(refusal) => written.refused.push(Refused {
                stream,
                reason: refusal.to_string(),
            }),
        }
    }
    Ok(written)
}
