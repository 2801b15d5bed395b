//! Where each projection stands, for operators.

use serde::Serialize;

use crate::{running::freshness::FreshnessStatus, tally::DriftStatus};

/// What a projection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectionState {
    /// Shows all of the log, but for what was appended this moment.
    Live,
    /// Some way behind the log.
    CatchingUp,
    /// Goes on showing the log while another generation is built beside it.
    Rebuilding,
    /// Goes on showing the log while a rebuilt generation waits to be approved.
    AwaitingApproval,
    /// Cannot read the log or write its documents; tries again by itself.
    Failed,
}

/// Where a projection stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProjectionStatus {
    /// Its name, and the name of its read model.
    pub name: &'static str,
    /// What it is doing.
    pub state: ProjectionState,
    /// Queries see the log up to here.
    pub position: u64,
    /// The log goes up to here.
    pub head: u64,
    /// How far it is behind.
    pub lag: u64,
    /// Which build of the read model answers queries.
    pub generation: u32,
    /// Documents in it.
    pub documents: u64,
    /// Events that could not be read or made no sense.
    pub skipped: u64,
    /// How soon after they are in the log queries see events, as measured of late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freshness: Option<FreshnessStatus>,
    /// What is known of its correctness.
    pub drift: DriftStatus,
    /// What went wrong last, while it is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The generation being built beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<RebuildStatus>,
}

impl ProjectionStatus {
    /// Whether a generation is being made ready beside the live one; not so while it waits to be approved.
    pub fn is_rebuilding(&self) -> bool {
        self.rebuild
            .is_some_and(|rebuild| rebuild.phase != RebuildPhase::AwaitingApproval)
    }
}

/// How far a rebuild has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RebuildStatus {
    /// The generation being built.
    pub generation: u32,
    /// What is being done with it.
    pub phase: RebuildPhase,
    /// Built up to here.
    pub position: u64,
    /// To be built up to here.
    pub head: u64,
    /// Positions a second since the rebuild began or was resumed.
    pub per_second: u64,
    /// Documents compared with the live ones.
    pub compared: u64,
}

/// What is being done with a generation beside the live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RebuildPhase {
    /// It takes in the log.
    Building,
    /// It is compared with the live one.
    Comparing,
    /// Somebody must say whether it takes the place of the live one.
    AwaitingApproval,
}
