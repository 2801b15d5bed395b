//! The port: what every document store can do.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// One build of a read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation {
    /// The read model's name.
    pub model: &'static str,
    /// Counts up with each rebuild; the first is 1.
    pub number: u32,
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.model, self.number)
    }
}

/// A model's generations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generations {
    /// Answers queries.
    pub live: Generation,
    /// Being built, to become live.
    pub building: Option<Generation>,
    /// Was live before, and is kept to go back to.
    pub previous: Option<Generation>,
}

/// How much of the log a generation holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Every event up to here was considered.
    pub position: u64,
    /// Documents it holds.
    pub documents: u64,
    /// Events that could not be read or made no sense.
    pub skipped: u64,
}

/// The two halves of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Key to document.
    Documents,
    /// Index key to the key of a document.
    Index,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// In which half.
    pub part: Part,
    /// Which entry.
    pub key: Vec<u8>,
    /// What it is from now on; nothing to remove it.
    pub value: Option<Vec<u8>>,
}

/// Which entries to read.
#[derive(Debug, Clone, Copy)]
pub struct Scan<'a> {
    /// Only keys that start so.
    pub prefix: &'a [u8],
    /// Only keys behind this one, in the direction of reading.
    pub after: Option<&'a [u8]>,
    /// From the last key to the first.
    pub backwards: bool,
    /// At most so many.
    pub limit: usize,
}

/// A dead letter: a change that the store could not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The document's key.
    pub key: Vec<u8>,
    /// The checkpoint's position of the commit it was in.
    pub position: u64,
    /// Why, in the store's words.
    pub reason: String,
}

/// The store could not do it: a fault, never the caller's mistake.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Cannot be read or written now: disk full, server away.
    #[error("the document store is unavailable: {0}")]
    Unavailable(String),
    /// What is stored is not a document of this model: rebuild it.
    #[error(
        "{model} holds a document that cannot be read ({detail}): rebuild it with `jangteo projection rebuild {model}`"
    )]
    Unreadable {
        /// The read model's name.
        model: &'static str,
        /// What does not fit.
        detail: String,
    },
}

/// A store of documents.
#[async_trait]
pub trait DocumentStore: Send + Sync + 'static {
    /// A model's generations; the first, empty one is made where there is none.
    ///
    /// # Errors
    /// When the store fails; so for all that follow.
    async fn generations(&self, model: &'static str) -> Result<Generations, StoreError>;

    /// Begins an empty generation beside the live one, in place of one that was being built.
    async fn begin(&self, model: &'static str) -> Result<Generation, StoreError>;

    /// Makes the generation that was built, or the previous one, the live one in one step. The one that was live is the
    /// previous one from now on; the one that was previous before is dropped, unless it is live now. Said of the live one, it
    /// changes nothing; said of one that is not there any more, it is refused.
    async fn promote(&self, generation: Generation) -> Result<(), StoreError>;

    /// Drops a generation that was being built, or the previous one.
    async fn discard(&self, generation: Generation) -> Result<(), StoreError>;

    /// How much of the log a generation holds. Whoever failed to commit reads it before the next commit: what failed may be
    /// there after all, and a store in trouble recovers here.
    async fn checkpoint(&self, generation: Generation) -> Result<Checkpoint, StoreError>;

    /// One entry.
    async fn get(&self, generation: Generation, part: Part, key: &[u8]) -> Result<Option<Bytes>, StoreError>;

    /// Entries in the order of their keys.
    async fn scan(
        &self,
        generation: Generation,
        part: Part,
        scan: Scan<'_>,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError>;

    /// Makes all changes and moves the checkpoint, together or not at all. A change that the store can never take (a document
    /// that cannot be indexed) holds up nothing: it is listed in [`Self::rejected`].
    async fn commit(
        &self,
        generation: Generation,
        writes: Vec<Write>,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError>;

    /// The dead letters of a generation, at most `limit`: documents that the store could not take. Empty for stores that take
    /// everything.
    async fn rejected(&self, generation: Generation, limit: usize) -> Result<Vec<Rejected>, StoreError> {
        let _ = (generation, limit);
        Ok(vec![])
    }
}
