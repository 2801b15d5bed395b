//! Over HTTP into a running shop: `POST ops/imports`.

use async_trait::async_trait;
use event_schemas::{NewEvent, StreamName};
use serde_json::value::RawValue;

use super::{ImportSink, ImportedStream, Refused, SinkError, Written};
use crate::{
    operations::{OperationError, RemoteShop},
    ops::view::{ImportAnswer, ImportEvent, ImportLine},
};

/// A request's size from which the next stream goes into another one. The shop takes up to 16 MiB.
const REQUEST_BYTES: usize = 4 << 20;

/// Posts to a running shop.
pub struct RemoteSink {
    shop: RemoteShop,
}

impl RemoteSink {
    /// A sink into the shop at the other end.
    pub fn new(shop: RemoteShop) -> Self {
        Self { shop }
    }

    async fn post(&self, streams: &[StreamName], body: Vec<u8>) -> Result<Written, SinkError> {
        let answer: ImportAnswer =
            self.shop
                .post_ndjson("/api/v1/ops/imports", body)
                .await
                .map_err(|error| match error {
                    OperationError::Log(error) => SinkError::Log(error),
                    other => SinkError::Shop(other.to_string()),
                })?;
        let refused = answer.refused.into_iter().filter_map(|refused| {
            let line = usize::try_from(refused.line).ok()?;
            Some(Refused {
                stream: streams.get(line.checked_sub(1)?)?.clone(),
                reason: refused.reason,
            })
        });
        Ok(Written {
            appended: answer.appended,
            duplicates: answer.duplicates,
            refused: refused.collect(),
        })
    }
}

#[async_trait]
impl ImportSink for RemoteSink {
    async fn write(&mut self, batch: Vec<ImportedStream>) -> Result<Written, SinkError> {
        let mut written = Written::default();
        let (mut streams, mut body) = (Vec::new(), Vec::new());
        for piece in batch {
            let (stream, line) = (piece.stream.clone(), line(piece)?);
            if !body.is_empty() && body.len() + line.len() > REQUEST_BYTES {
                written.add(self.post(&streams, std::mem::take(&mut body)).await?);
                streams.clear();
            }
            streams.push(stream);
            body.extend_from_slice(&line);
        }
        if !body.is_empty() {
            written.add(self.post(&streams, body).await?);
        }
        Ok(written)
    }
}

fn line(piece: ImportedStream) -> Result<Vec<u8>, SinkError> {
    let events: Result<Vec<_>, _> = piece.events.into_iter().map(wire_event).collect();
    let line = ImportLine {
        stream: piece.stream.to_string(),
        events: events?,
    };
    let mut bytes = serde_json::to_vec(&line).map_err(|error| SinkError::Shop(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn wire_event(event: NewEvent) -> Result<ImportEvent, SinkError> {
    let raw = |bytes: &[u8]| -> Result<Box<RawValue>, SinkError> {
        serde_json::from_slice(bytes).map_err(|error| SinkError::Shop(format!("{}: {error}", event.event_type)))
    };
    Ok(ImportEvent {
        id: event.id,
        metadata: raw(&event.metadata)?,
        data: raw(&event.data)?,
        event_type: event.event_type,
    })
}
