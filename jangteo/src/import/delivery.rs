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
pub(super) struct Origin {
    pub(super) file: Arc<str>,
    pub(super) line: u64,
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

/// The reader's end. What others refer to goes [`Dispatch::ahead`]: a batch is written in any order, but all that goes
/// ahead is durable before the histories beside it are begun.
#[derive(Debug)]
pub(super) struct Dispatch {
    batches: mpsc::Sender<Batch>,
    ahead: Batch,
    histories: Batch,
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
    let dispatch = Dispatch {
        batches,
        ahead: vec![],
        histories: vec![],
    };
    (dispatch, Delivery(waiting))
}

impl Dispatch {
    /// Someone or something that histories refer to.
    pub(super) fn ahead(&mut self, stream: ImportedStream, origin: &Origin) {
        self.ahead.push((stream, origin.clone()));
    }

    /// A history.
    pub(super) fn push(&mut self, stream: ImportedStream, origin: &Origin) -> Result<(), Closed> {
        self.histories.push((stream, origin.clone()));
        if self.histories.len() >= BATCH {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Sends what is left. Blocks while the sink is behind.
    pub(super) fn flush(&mut self) -> Result<(), Closed> {
        for batch in [std::mem::take(&mut self.ahead), std::mem::take(&mut self.histories)] {
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
