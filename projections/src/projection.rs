//! The step from what the log holds to what projections see.

use event_log::RecordedEvent;
pub(crate) use read_models::projection::{Fact, Key, Projection, Unexpected};

/// Whether a projection needs an event, without decoding it.
pub(crate) fn needs<P: Projection>(event: &RecordedEvent) -> bool {
    let category = event.stream.category();
    P::CATEGORIES.iter().any(|wanted| wanted.as_str() == category)
}

/// The event, decoded.
pub(crate) fn read(event: &RecordedEvent) -> Result<Fact<'_>, Unexpected> {
    let (metadata, shop_event) = event.shop_event()?;
    Ok(Fact {
        event: shop_event,
        at: metadata.occurred_at,
        stream: &event.stream,
        version: event.version,
        position: event.position.0,
    })
}
