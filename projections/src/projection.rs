//! What all projections have in common: an event is about some documents, and does something to each.

use std::time::Duration;

use event_log::RecordedEvent;
use event_schemas::{Category, ShopEvent, StreamName, Timestamp};
use read_models::documents::Model;

/// An event, as projections see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fact<'a> {
    /// What happened.
    pub(crate) event: &'a ShopEvent,
    /// When it happened; for imported history, long before it was recorded.
    pub(crate) at: Timestamp,
    /// Where.
    pub(crate) stream: &'a StreamName,
    /// As which event of its stream.
    pub(crate) version: u64,
}

/// An event that is not understood here: counted, logged and skipped, so that one bad event does not stop a shop.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Unexpected {
    /// It changes something that does not exist.
    #[error("it is about {0} that is not known")]
    NoSuch(&'static str),
    /// It makes no sense.
    #[error("{0}")]
    Nonsense(String),
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] std::sync::Arc<event_schemas::DecodeError>),
}

/// Fills one read model. Nothing in here reads a clock or a store: the same events always make the same documents.
pub(crate) trait Projection: Default + Send + 'static {
    /// What it fills.
    type Model: Model;

    /// The categories it needs; others are passed over without being decoded.
    const CATEGORIES: &'static [Category];

    /// How long a change may wait for others before all are written together.
    const LINGER: Duration = Duration::ZERO;

    /// So many changed documents are written at once when the log is far ahead. The more, the more events are written as one.
    const MOST_CHANGES: usize = 4_096;

    /// Which documents the event is about.
    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected>;

    /// What the event does to one of them. Says whether it changed. The same event again changes nothing more.
    fn apply(
        &mut self,
        fact: &Fact<'_>,
        key: &Key<Self>,
        document: &mut Option<Document<Self>>,
    ) -> Result<bool, Unexpected>;
}

/// What names a document of a projection's model.
pub(crate) type Key<P> = <<P as Projection>::Model as Model>::Key;
/// A document of a projection's model.
pub(crate) type Document<P> = <<P as Projection>::Model as Model>::Document;

/// Whether a projection needs an event, without decoding it.
pub(crate) fn needs<P: Projection>(event: &RecordedEvent) -> bool {
    let category = event.stream.category();
    P::CATEGORIES.iter().any(|wanted| wanted.as_str() == category)
}

impl<'a> Fact<'a> {
    /// The event, decoded.
    pub(crate) fn read(event: &'a RecordedEvent) -> Result<Self, Unexpected> {
        let (metadata, shop_event) = event.shop_event()?;
        Ok(Self {
            event: shop_event,
            at: metadata.occurred_at,
            stream: &event.stream,
            version: event.version,
        })
    }
}

/// The document, which must be there.
pub(crate) fn known<'d, D>(document: &'d mut Option<D>, what: &'static str) -> Result<&'d mut D, Unexpected> {
    document.as_mut().ok_or(Unexpected::NoSuch(what))
}
