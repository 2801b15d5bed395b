//! Where imported history goes: straight into the log of a stopped shop, or over HTTP into a running one.

mod local;
mod remote;

use async_trait::async_trait;
use event_schemas::{NewEvent, StreamName};

pub use local::LocalSink;
pub use remote::RemoteSink;

/// The history of one stream, or a further piece of it, oldest first. Its events are written together or not at all.
///
/// Event ids must be derived from the imported data, so that the same import again writes nothing. Every event's metadata
/// must say `imported`.
#[derive(Debug, Clone)]
pub struct ImportedStream {
    /// The stream.
    pub stream: StreamName,
    /// At least one.
    pub events: Vec<NewEvent>,
}

/// What became of what was handed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Events appended now.
    pub appended: u64,
    /// Events that had been appended before.
    pub duplicates: u64,
    /// Streams that were refused, with the reason. The others are in the log.
    pub refused: Vec<Refused>,
}

/// A stream whose events were not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The stream.
    pub stream: StreamName,
    /// Why.
    pub reason: String,
}

impl Written {
    /// Adds another batch's counts.
    pub fn add(&mut self, other: Self) {
        self.appended += other.appended;
        self.duplicates += other.duplicates;
        self.refused.extend(other.refused);
    }
}

/// Why a batch could not be written at all. Handing it over again is safe.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The folder's log failed.
    #[error(transparent)]
    Log(#[from] event_log::LogError),
    /// The running shop did not take it.
    #[error("{0}")]
    Shop(String),
}

/// Takes imported history. Idempotent by event id.
#[async_trait]
pub trait ImportSink: Send {
    /// Writes a batch; when it returns, what it counts as appended is durable. Streams of one batch are written concurrently,
    /// pieces of the same stream in their order. A few hundred streams make a good batch.
    ///
    /// # Errors
    /// When the log or the shop is out of reach; some of the batch may have been written, so hand it over again.
    async fn write(&mut self, batch: Vec<ImportedStream>) -> Result<Written, SinkError>;
}
