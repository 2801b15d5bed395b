//! What was found.

use read_models::documents::DocumentDifference;
use serde::{Deserialize, Serialize};

/// So many documents are described; the rest is only counted.
const DESCRIBED: usize = 20;

/// What an audit found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// Documents looked at: those there are, and those there should be.
    pub checked: u64,
    /// How many of them are not what the log tells.
    pub found: u64,
    /// How many of those were put right.
    pub repaired: u64,
    /// The first of them.
    pub drifts: Vec<Drift>,
}

/// A document that is not what the log tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// What is wrong with it.
    pub kind: DriftKind,
    /// Which document, and where it differs.
    #[serde(flatten)]
    pub document: DocumentDifference,
}

/// What is wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// It should be there and is not.
    Missing,
    /// It is there and should not be.
    Ghost,
    /// It says something else.
    Different,
    /// It cannot be read.
    Unreadable,
    /// It is right, but lists do not show it.
    Unlisted,
}

impl DriftKind {
    /// Its name, as it is serialized.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Ghost => "ghost",
            Self::Different => "different",
            Self::Unreadable => "unreadable",
            Self::Unlisted => "unlisted",
        }
    }
}

impl Findings {
    /// One more that is wrong.
    pub(super) fn add(&mut self, drift: Drift) {
        self.found += 1;
        if self.drifts.len() < DESCRIBED {
            self.drifts.push(drift);
        }
    }

    /// These as well.
    pub(super) fn join(&mut self, more: Self) {
        self.checked += more.checked;
        self.found += more.found;
        self.repaired += more.repaired;
        let room = DESCRIBED.saturating_sub(self.drifts.len());
        self.drifts.extend(more.drifts.into_iter().take(room));
    }
}
