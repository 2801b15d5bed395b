//! What a rebuilt read model has different from the one that is shown.

use read_models::documents::DocumentDifference;
use serde::{Deserialize, Serialize};

/// When a rebuilt generation takes the place of the live one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutOver {
    /// When somebody has seen what differs, and approved. Unless said otherwise.
    #[default]
    OnApproval,
    /// By itself if nothing differs; otherwise when somebody approved.
    IfIdentical,
    /// By itself, whatever differs.
    Always,
}

/// What is to become of a rebuilt generation, or of the one that was live before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The rebuilt one takes the place of the live one.
    Approve,
    /// The rebuilt one is dropped.
    Reject,
    /// The one that was live before is brought up to date, and takes the place of the live one.
    RollBack,
}

/// A rebuilt generation beside the live one, both at the same place in the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The rebuilt generation.
    pub generation: u32,
    /// The one that was live.
    pub live: u32,
    /// Both held the log up to here.
    pub position: u64,
    /// Documents compared, every field of each.
    pub documents: u64,
    /// Documents that differ.
    pub differing: u64,
    /// The first of those, at most [`Comparison::SHOWN`].
    pub differences: Vec<DocumentDifference>,
    /// Recent searches repeated on both.
    pub searches: u64,
    /// Those whose best ten products differ.
    pub changed_searches: Vec<SearchDifference>,
    /// Why they could not be compared; the rest then says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// A search that does not find the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SearchDifference {
    /// What is searched for.
    pub text: String,
    /// The best products of the live generation, by id.
    pub live: Vec<String>,
    /// The best products of the rebuilt one.
    pub rebuilt: Vec<String>,
}

impl Comparison {
    /// So many differing documents are shown.
    pub const SHOWN: usize = 20;

    /// Whether nobody would notice which of them is live.
    pub const fn is_identical(&self) -> bool {
        self.failed.is_none() && self.differing == 0 && self.changed_searches.is_empty()
    }
}

impl CutOver {
    /// Whether the rebuilt generation takes the place of the live one without anybody being asked.
    pub(crate) const fn goes_ahead(self, comparison: &Comparison) -> bool {
        match self {
            Self::OnApproval => false,
            Self::IfIdentical => comparison.is_identical(),
            Self::Always => true,
        }
    }
}
