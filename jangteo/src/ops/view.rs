//! What operators see of the log and the read models: the same over HTTP, on a terminal and in `--json`.

use event_log::{LogStats, RecordedEvent, StreamSummary, TOMBSTONE};
use event_schemas::{StreamName, Timestamp};
use projections::{DriftStatus, FreshnessStatus, ProjectionState, ProjectionStatus, RebuildPhase, RebuildStatus};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;
use uuid::Uuid;

/// A stream, from afar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamView {
    /// Its name.
    #[schema(value_type = String, example = "order-018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f")]
    pub stream: StreamName,
    /// How many events it holds; 0 for one that was deleted for good.
    pub events: u64,
    /// The position of its last event.
    pub position: u64,
}

impl From<StreamSummary> for StreamView {
    fn from(summary: StreamSummary) -> Self {
        Self {
            stream: summary.stream,
            events: if summary.version == TOMBSTONE {
                0
            } else {
                summary.version + 1
            },
            position: summary.position.0,
        }
    }
}

/// Some streams, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamsPage {
    /// The streams.
    pub streams: Vec<StreamView>,
    /// Where the next page starts: hand it over as `after`. None at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An event as the log holds it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// Its place in the whole log.
    pub position: u64,
    /// Its stream.
    #[schema(value_type = String)]
    pub stream: StreamName,
    /// Its place in the stream; the first is 0.
    pub version: u64,
    /// Its id.
    pub id: Uuid,
    /// Its type's name.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When the log took it.
    pub recorded_at: Timestamp,
    /// Who, when, why.
    #[schema(value_type = Object)]
    pub metadata: Box<RawValue>,
    /// What happened.
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
}

impl From<&RecordedEvent> for EventView {
    fn from(event: &RecordedEvent) -> Self {
        Self {
            position: event.position.0,
            stream: event.stream.clone(),
            version: event.version,
            id: event.id,
            event_type: event.event_type.to_string(),
            recorded_at: event.recorded_at,
            metadata: json_or_text(&event.metadata),
            data: json_or_text(&event.data),
        }
    }
}

/// The stored JSON, byte for byte; what is not JSON is shown as a string, so that an operator can still look at it.
fn json_or_text(bytes: &[u8]) -> Box<RawValue> {
    serde_json::from_slice(bytes)
        .or_else(|_| to_raw_value(&String::from_utf8_lossy(bytes)))
        // Invariant: a string always has a JSON form.
        .unwrap_or_default()
}

/// Some events of one stream.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StreamPage {
    /// The events, in the direction asked for.
    pub events: Vec<EventView>,
    /// The version the next page starts with: hand it over as `from`. None at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Some events of the whole log.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogPage {
    /// The events, oldest first.
    pub events: Vec<EventView>,
    /// Everything up to here was looked at: hand it over as `after` to go on.
    pub position: u64,
    /// The position of the last event in the log.
    pub head: u64,
}

/// The whole log, from afar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatsView {
    /// Events in the log.
    pub events: u64,
    /// Streams in the log.
    pub streams: u64,
    /// The position of the last event.
    pub head: u64,
    /// Bytes on disk; absent where the shop cannot know: the log is on a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_on_disk: Option<u64>,
    /// Events by category, most first.
    pub categories: Vec<CategoryView>,
}

/// One category of streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CategoryView {
    /// Its name.
    pub category: String,
    /// How many events its streams hold.
    pub events: u64,
}

impl From<LogStats> for StatsView {
    fn from(stats: LogStats) -> Self {
        let categories = stats.categories.into_iter();
        Self {
            events: stats.events,
            streams: stats.streams,
            head: stats.head.0,
            bytes_on_disk: stats.bytes_on_disk,
            categories: categories
                .map(|(category, events)| CategoryView { category, events })
                .collect(),
        }
    }
}

/// One line of an import: a stream's history, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportLine {
    /// The stream's name.
    pub stream: String,
    /// Its events, written together or not at all.
    pub events: Vec<ImportEvent>,
}

/// One event of an import.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportEvent {
    /// Derived from what is imported, so that the same import again writes nothing.
    pub id: Uuid,
    /// Its type's name.
    #[serde(rename = "type")]
    pub event_type: String,
    /// As in the log; `imported` must be true.
    #[schema(value_type = Object)]
    pub metadata: Box<RawValue>,
    /// What happened.
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
}

/// What became of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportAnswer {
    /// Events appended now.
    pub appended: u64,
    /// Events that had been appended before.
    pub duplicates: u64,
    /// The lines that were refused; the others are in the log.
    pub refused: Vec<RefusedLine>,
}

/// A line that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedLine {
    /// Its number; the first is 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// The read models, as the projections keep them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectionsView {
    /// The position of the last event in the log.
    pub head: u64,
    /// One for each read model.
    pub projections: Vec<ProjectionView>,
}

/// One read model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectionView {
    /// Its name.
    pub name: String,
    /// `live`, `catching_up`, `rebuilding` (and live beside it), `awaiting_approval` (rebuilt, and live beside it), or `failed`
    /// (it tries again by itself).
    pub state: String,
    /// It shows every event up to here.
    pub position: u64,
    /// How far that is behind the last event.
    pub behind: u64,
    /// Which build of it answers queries.
    pub generation: u32,
    /// Documents in it.
    pub documents: u64,
    /// Events that could not be read or made no sense, and were passed over.
    pub skipped: u64,
    /// How soon after they are in the log queries see events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness: Option<FreshnessView>,
    /// What is known of its correctness.
    #[serde(default)]
    pub drift: DriftCounts,
    /// Why it does not get on, where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The rebuild under way beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<RebuildView>,
}

impl From<ProjectionStatus> for ProjectionView {
    fn from(status: ProjectionStatus) -> Self {
        let state = match status.state {
            ProjectionState::Live => "live",
            ProjectionState::CatchingUp => "catching_up",
            ProjectionState::Rebuilding => "rebuilding",
            ProjectionState::AwaitingApproval => "awaiting_approval",
            ProjectionState::Failed => "failed",
        };
        Self {
            name: status.name.to_owned(),
            state: state.to_owned(),
            position: status.position,
            behind: status.lag,
            generation: status.generation,
            documents: status.documents,
            skipped: status.skipped,
            freshness: status
                .freshness
                .map(|FreshnessStatus { p50_ms, p99_ms }| FreshnessView { p50_ms, p99_ms }),
            drift: status.drift.into(),
            error: status.error,
            rebuild: status.rebuild.map(Into::into),
        }
    }
}

/// How soon after they are in the log queries see events, as measured of late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FreshnessView {
    /// In half of the cases within so many milliseconds.
    pub p50_ms: u64,
    /// In all but one of a hundred cases.
    pub p99_ms: u64,
}

/// What is known of a read model's correctness since the shop started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DriftCounts {
    /// Documents that were held against the log.
    pub checked: u64,
    /// Those that were not what it tells.
    pub found: u64,
    /// Those that were put right.
    pub repaired: u64,
    /// How many in a million were right when the sentinel last looked; absent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right_ppm: Option<u64>,
}

impl From<DriftStatus> for DriftCounts {
    fn from(status: DriftStatus) -> Self {
        let DriftStatus {
            checked,
            found,
            repaired,
            right_ppm,
        } = status;
        Self {
            checked,
            found,
            repaired,
            right_ppm,
        }
    }
}

/// A rebuild under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RebuildView {
    /// The build that is being made.
    pub generation: u32,
    /// `building`, `comparing` (with the live one), or `awaiting_approval`.
    pub phase: String,
    /// How far it has come.
    pub position: u64,
    /// Where the log ends.
    pub target: u64,
    /// Positions a second since it began.
    pub per_second: u64,
    /// How long it will take, where that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
    /// Documents compared with the live ones.
    pub compared: u64,
}

impl From<RebuildStatus> for RebuildView {
    fn from(status: RebuildStatus) -> Self {
        let phase = match status.phase {
            RebuildPhase::Building => "building",
            RebuildPhase::Comparing => "comparing",
            RebuildPhase::AwaitingApproval => "awaiting_approval",
        };
        Self {
            generation: status.generation,
            phase: phase.to_owned(),
            position: status.position,
            target: status.head,
            per_second: status.per_second,
            seconds_left: status
                .head
                .saturating_sub(status.position)
                .checked_div(status.per_second),
            compared: status.compared,
        }
    }
}

impl ProjectionView {
    /// Whether one is being made ready beside the live one; not so while it waits to be approved.
    pub fn is_rebuilding(&self) -> bool {
        self.rebuild.is_some() && !self.awaits_approval()
    }

    /// Whether a rebuilt one waits to be approved.
    pub fn awaits_approval(&self) -> bool {
        let phase = self.rebuild.as_ref().map(|rebuild| rebuild.phase.as_str());
        phase == Some("awaiting_approval")
    }
}

/// A rebuild or a decision was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RebuildAccepted {
    /// Of which read model.
    pub projection: String,
}
