//! Which messages belong to the same consumer.

use std::hash::{DefaultHasher, Hash, Hasher};

use event_log::RecordedEvent;
use serde::Deserialize;

use super::settings::Strategy;
use crate::reading::Resolved;

/// The member that EventStoreDB's clients use, or the shop's own.
#[derive(Deserialize)]
struct Correlated {
    #[serde(rename = "$correlationId", alias = "correlation_id")]
    correlation_id: String,
}

/// Equal for messages that the strategy keeps together.
pub(super) fn pin(strategy: Strategy, message: &Resolved) -> u64 {
    let Some(event) = message.event.as_ref().or(message.link.as_ref()) else {
        return 0;
    };
    match strategy {
        Strategy::DispatchToSingle | Strategy::RoundRobin => 0,
        Strategy::Pinned => hash(event.stream.as_str()),
        Strategy::PinnedByCorrelation => correlation(event).map_or_else(|| hash(event.stream.as_str()), |id| hash(&id)),
    }
}

fn correlation(event: &RecordedEvent) -> Option<String> {
    serde_json::from_slice::<Correlated>(&event.metadata)
        .ok()
        .map(|found| found.correlation_id)
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
