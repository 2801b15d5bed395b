//! From the thread that reads to the sink that writes: batches over a short channel.

use std::{collections::HashMap, sync::Arc};

use event_schemas::StreamName;
use tokio::sync::mpsc;

use super::{
    ImportError,
    summary::{BadLine, RefusedLines},
};
use crate::sink::{ImportSink, ImportedStream, Written};

/// Streams in a batch: enough to share a disk flush, few enough to keep memory small.
const BATCH: usize = 512;
/// Batches that may wait for the sink.
const WAITING: usize = 4;

/// Where a record stands in its source.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) file: Arc<str>,
    pub(crate) line: u64,
}

impl Origin {
    pub(super) fn bad(&self, reason: impl Into<String>) -> BadLine {
        BadLine {
            file: self.file.to_string(),
            line: self.line,
            reason: reason.into(),
        }
    }
}

type Batch = Vec<(ImportedStream, Origin)>;

/// The sink is gone: nobody waits for further records.
#[derive(Debug)]
pub(super) struct Closed;

/// When a piece is written. The sink writes a batch in any order, so each wave is a batch of its own, durable before the next
/// begins: who and what others refer to comes first, and an order is paid after it is placed and before it is shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wave {
    /// Customers, sellers, and the products of orders.
    Newcomers,
    /// Catalogues, orders placed.
    Beginnings,
    /// Payments and parcels.
    Doings,
    /// What became of orders.
    Outcomes,
}

/// The reader's end.
#[derive(Debug)]
pub(super) struct Dispatch {
    batches: mpsc::Sender<Batch>,
    waves: [Batch; 4],
}

/// The sink's end.
#[derive(Debug)]
pub(super) struct Delivery(mpsc::Receiver<Batch>);

/// What the sink made of everything.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    pub(super) written: Written,
    pub(super) refused: RefusedLines,
}

pub(super) fn channel() -> (Dispatch, Delivery) {
    let (batches, waiting) = mpsc::channel(WAITING);
    let waves = Default::default();
    (Dispatch { batches, waves }, Delivery(waiting))
}

impl Dispatch {
    /// A piece of history. Blocks while the sink is behind.
    pub(super) fn push(&mut self, wave: Wave, piece: ImportedStream, origin: &Origin) -> Result<(), Closed> {
        let [newcomers, beginnings, doings, outcomes] = &mut self.waves;
        let batch = match wave {
            Wave::Newcomers => newcomers,
            Wave::Beginnings => beginnings,
            Wave::Doings => doings,
            Wave::Outcomes => outcomes,
        };
        batch.push((piece, origin.clone()));
        if batch.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    /// Sends what is left.
    pub(super) fn flush(&mut self) -> Result<(), Closed> {
        for batch in std::mem::take(&mut self.waves) {
            if !batch.is_empty() {
                self.batches.blocking_send(batch).map_err(|_| Closed)?;
            }
        }
        Ok(())
    }
}

impl Delivery {
    /// Writes every batch, until the reader is done.
    pub(super) async fn run(mut self, sink: &mut dyn ImportSink) -> Result<Delivered, ImportError> {
        let mut delivered = Delivered::default();
        while let Some(batch) = self.0.recv().await {
            let origins: HashMap<StreamName, Origin> = batch
                .iter()
                .map(|(stream, origin)| (stream.stream.clone(), origin.clone()))
                .collect();
            let written = sink
                .write(batch.into_iter().map(|(stream, _)| stream).collect())
                .await?;
            for refused in &written.refused {
                if let Some(origin) = origins.get(&refused.stream) {
                    delivered
                        .refused
                        .add(origin.bad(format!("{}: {}", refused.stream, refused.reason)));
                }
            }
            delivered.written.appended += written.appended;
            delivered.written.duplicates += written.duplicates;
        }
        Ok(delivered)
    }
}
