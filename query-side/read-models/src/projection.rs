//! How events change documents: an event is about some documents, and does something to each.

use std::{sync::Arc, time::Duration};

use event_schemas::{Category, DecodeError, ShopEvent, StreamName, Timestamp};

use crate::documents::Model;

/// An event, as projections see it.
#[derive(Debug, Clone, Copy)]
pub struct Fact<'a> {
    /// What happened.
    pub event: &'a ShopEvent,
    /// When it happened; for imported history, long before it was recorded.
    pub at: Timestamp,
    /// Where.
    pub stream: &'a StreamName,
    /// As which event of its stream.
    pub version: u64,
    /// As which event of the log: what counts events remembers the last one it counted.
    pub position: u64,
}

/// An event that is not understood here: counted, logged and skipped, so that one bad event does not stop a shop.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Unexpected {
    /// It changes something that does not exist.
    #[error("it is about {0} that is not known")]
    NoSuch(&'static str),
    /// It makes no sense.
    #[error("{0}")]
    Nonsense(String),
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Arc<DecodeError>),
}

/// Fills one read model. Nothing in here reads a clock or a store, or could act on the world outside: the same events always
/// make the same documents, however often they are read.
pub trait Projection: Default + Send + Sync + 'static {
    /// What it fills.
    type Model: Model;

    /// The categories it needs; others are passed over without being decoded.
    const CATEGORIES: &'static [Category];

    /// How long a change may wait for others before all are written together.
    const LINGER: Duration = Duration::ZERO;

    /// So many changed documents are written at once when the log is far ahead. The more, the more events are written as one.
    const MOST_CHANGES: usize = 4_096;

    /// Which documents the event is about.
    ///
    /// # Errors
    /// When the event makes no sense here.
    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected>;

    /// What the event does to one of them. Says whether it changed. The same event again changes nothing more.
    ///
    /// # Errors
    /// When the event makes no sense here; the document is then as it was.
    fn apply(
        &mut self,
        fact: &Fact<'_>,
        key: &Key<Self>,
        document: &mut Option<Document<Self>>,
    ) -> Result<bool, Unexpected>;

    /// Which further documents the event is about, now that it was applied to all those named before: what a cancellation does
    /// not say, the cancelled order knows. Asked again until it names no more.
    fn follow_up(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) {
        let (_, _) = (fact, keys);
    }

    /// Whether [`Self::follow_up`] learns from this document what is to be done to others. Whoever builds only a share of the
    /// documents keeps these as well.
    fn is_source(key: &Key<Self>) -> bool {
        let _ = key;
        false
    }
}

/// What names a document of a projection's model.
pub type Key<P> = <<P as Projection>::Model as Model>::Key;
/// A document of a projection's model.
pub type Document<P> = <<P as Projection>::Model as Model>::Document;

/// The name of a projection, and of the read model it fills.
pub const fn name<P: Projection>() -> &'static str {
    <P::Model as Model>::NAME
}

/// The document, which must be there.
pub(crate) fn known<'d, D>(document: &'d mut Option<D>, what: &'static str) -> Result<&'d mut D, Unexpected> {
    document.as_mut().ok_or(Unexpected::NoSuch(what))
}
