//! What is copied, and when two events are the same.

use event_schemas::StreamName;

use crate::port::{RecordedEvent, TOMBSTONE};

/// What an EventStoreDB server writes about itself, or derives from the other streams: the target's server has its own.
const OF_THE_SERVER: &[&str] = &[
    "$stats-",
    "$users",
    "$user-",
    "$scavenges",
    "$settings",
    "$epoch-information",
    "$projections-",
    "$projections",
    "$streams",
    "$stream-",
    "$ce-",
    "$et-",
    "$et",
    "$bc-",
    "$category-",
    "$mem-",
    "$authorization-",
    "$telemetry",
];

/// Whether a stream, or the stream it holds the metadata of, is a server's own. Names that end with a dash stand for all
/// that begin so, the others for themselves.
pub(super) fn is_of_the_server(stream: &StreamName) -> bool {
    let name = stream.as_str();
    let name = name.strip_prefix("$$").unwrap_or(name);
    OF_THE_SERVER.iter().any(|own| match own.strip_suffix('-') {
        Some(_) => name.starts_with(own),
        None => name == *own,
    })
}

/// Whether the event is the last one of a deleted stream.
pub(super) fn is_tombstone(event: &RecordedEvent) -> bool {
    event.version == TOMBSTONE
}

/// In what two events differ; none when they are the same. A tombstone is the log's own work: only its place counts.
pub(super) fn differs(ours: &RecordedEvent, theirs: &RecordedEvent) -> Option<&'static str> {
    let own_work = is_tombstone(ours);
    [
        ("stream", ours.stream == theirs.stream),
        ("version", ours.version == theirs.version),
        ("type", ours.event_type == theirs.event_type),
        ("id", own_work || ours.id == theirs.id),
        ("content type", own_work || ours.content == theirs.content),
        ("metadata", own_work || ours.metadata == theirs.metadata),
        ("data", own_work || ours.data == theirs.data),
    ]
    .into_iter()
    .find_map(|(what, same)| (!same).then_some(what))
}
