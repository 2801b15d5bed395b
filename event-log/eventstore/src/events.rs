//! Events in the client's words and in the port's.

use std::sync::Arc;

use event_log::{EventFilter, LogError, Position, Recorded, RecordedEvent};
use event_schemas::{ContentType, NewEvent, StreamName, Timestamp};
use eventstore::{EventData, ResolvedEvent, StreamPosition};
use serde_json::value::RawValue;

/// An event as it came.
pub(crate) type Foreign = eventstore::RecordedEvent;

/// The event itself: links are never resolved here, so this is what stands at its place in the log.
pub(crate) fn original(event: ResolvedEvent) -> Option<Foreign> {
    event.link.or(event.event)
}

pub(crate) fn position(event: &Foreign) -> Position {
    Position(event.position.commit)
}

/// What stands before the first dash of a stream's name, as the port counts categories.
pub(crate) fn category(stream: &str) -> &str {
    stream.split_once('-').map_or(stream, |(category, _)| category)
}

pub(crate) fn passes(filter: &EventFilter, event: &Foreign) -> bool {
    filter.passes(category(&event.stream_id), &event.event_type)
}

/// In the port's words.
///
/// # Errors
/// A name that the port has no room for: EventStoreDB takes longer ones, and control characters in them.
pub(crate) fn recorded(event: Foreign) -> Result<Arc<RecordedEvent>, LogError> {
    let stream: StreamName = event.stream_id.parse().map_err(|_| LogError::Damaged {
        place: format!("position {}", event.position.commit),
        detail: format!(
            "the stream's name {:?} is longer than 255 bytes, empty, or holds control characters",
            event.stream_id
        ),
    })?;
    let recorded_at = recorded_at(&event);
    Ok(Arc::new(RecordedEvent::new(Recorded {
        position: Position(event.position.commit),
        stream,
        version: event.revision,
        id: event.id,
        event_type: event.event_type.into(),
        recorded_at,
        content: if event.is_json {
            ContentType::Json
        } else {
            ContentType::Binary
        },
        metadata: event.custom_metadata,
        data: event.data,
    })))
}

/// `created` counts tenths of microseconds; the client's own reading of it drops all below a second.
fn recorded_at(event: &Foreign) -> Timestamp {
    let ticks = event
        .metadata
        .get("created")
        .and_then(|ticks| ticks.parse::<i64>().ok());
    Timestamp::from_millis(ticks.map_or_else(|| event.created.timestamp_millis(), |ticks| ticks / 10_000))
}

/// In the client's words.
///
/// # Errors
/// Says why the event cannot be sent: data that is said to be JSON and is not. White space around JSON is not kept.
pub(crate) fn proposed(event: &NewEvent) -> Result<EventData, String> {
    let data = match event.content {
        ContentType::Binary => EventData::binary(&event.event_type, event.data.clone()),
        // Written as it stands, not read and written again.
        ContentType::Json => serde_json::from_slice::<&RawValue>(&event.data)
            .and_then(|json| EventData::json(&event.event_type, &json))
            .map_err(|error| format!("the data of event {} is no JSON: {error}", event.id))?,
    };
    Ok(data.id(event.id).metadata(event.metadata.clone()))
}

/// From where to read $all. An event's place is its commit position; EventStoreDB: its prepare position is the same, save for events
/// of explicit transactions that clients before 2021 could write.
pub(crate) fn from(position: Position) -> StreamPosition<eventstore::Position> {
    match position {
        Position::START => StreamPosition::Start,
        Position(place) => StreamPosition::Position(eventstore::Position {
            commit: place,
            prepare: place,
        }),
    }
}
