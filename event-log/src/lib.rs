//! The event log: one append-only sequence of events, seen as streams or as a whole.
//!
//! [`EventLog`] is the port. Its adapters all pass [`contract`]: [`embedded`] (fjall, group commit) and [`memory`]
//! (tests).
//!
//! Whoever reads on from where it was keeps its place in a [`Bookmark`].

mod bookmark;
mod clock;
pub mod contract;
pub mod copy;
pub mod embedded;
mod intercept;
pub mod memory;
mod port;

pub use bookmark::{Bookmark, FileBookmark, MemoryBookmark};
pub use clock::{Clock, SystemClock};
pub use intercept::Intercept;
pub use port::{
    Append, AppendError, Appended, Direction, EventFilter, EventLog, ExpectedVersion, Follow, LogError, LogStats,
    Position, Recorded, RecordedEvent, STREAM_DELETED, StreamSummary, StreamVersion, Subscription, TOMBSTONE,
};
