//! What is asked of the query role's stores, as JSON. Nobody's contract: both processes are of one version.

use read_models::documents::{Checkpoint, Generation, Generations, Part, Scan, Write};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The path of the endpoint.
pub(super) const PATH: &str = "/internal/documents";
/// Problem types: what the caller must tell apart.
pub(super) const UNREADABLE: &str = "document-unreadable";
/// See [`UNREADABLE`].
pub(super) const LEASE_LOST: &str = "document-lease-lost";

/// What can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Asked {
    /// Answered by [`WireGenerations`].
    Generations { model: String },
    /// Answered by the generation's number.
    Begin { model: String },
    /// Answered by nothing.
    Promote(WireGeneration),
    /// Answered by nothing.
    Discard(WireGeneration),
    /// Answered by [`Leased`].
    Checkpoint(WireGeneration),
    /// Answered by [`Blob`] or null.
    Get {
        of: WireGeneration,
        part: WirePart,
        key: Blob,
    },
    /// Answered by pairs of [`Blob`].
    Scan {
        of: WireGeneration,
        part: WirePart,
        prefix: Blob,
        after: Option<Blob>,
        backwards: bool,
        limit: usize,
    },
    /// Answered by [`read_models::documents::Rejected`]s.
    Rejected { of: WireGeneration, limit: usize },
    /// Answered by nothing.
    Commit {
        of: WireGeneration,
        lease: Uuid,
        writes: Vec<WireWrite>,
        checkpoint: Checkpoint,
    },
    /// Answered by whether it is so.
    Shows {
        of: WireGeneration,
        committed: u64,
        position: u64,
    },
}

/// A generation by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireGeneration {
    pub(super) model: String,
    pub(super) number: u32,
}

/// See [`Generations`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireGenerations {
    pub(super) live: u32,
    pub(super) building: Option<u32>,
    pub(super) previous: Option<u32>,
}

/// A checkpoint, and the right to commit after it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Leased {
    pub(super) checkpoint: Checkpoint,
    pub(super) lease: Uuid,
}

/// See [`Part`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WirePart {
    Documents,
    Index,
}

/// See [`Write`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireWrite {
    part: WirePart,
    key: Blob,
    value: Option<Blob>,
}

/// Bytes, in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob(pub(super) Vec<u8>);

impl From<Generation> for WireGeneration {
    fn from(generation: Generation) -> Self {
        Self {
            model: generation.model.to_owned(),
            number: generation.number,
        }
    }
}

impl From<Generations> for WireGenerations {
    fn from(generations: Generations) -> Self {
        Self {
            live: generations.live.number,
            building: generations.building.map(|building| building.number),
            previous: generations.previous.map(|previous| previous.number),
        }
    }
}

impl From<Part> for WirePart {
    fn from(part: Part) -> Self {
        match part {
            Part::Documents => Self::Documents,
            Part::Index => Self::Index,
        }
    }
}

impl From<WirePart> for Part {
    fn from(part: WirePart) -> Self {
        match part {
            WirePart::Documents => Self::Documents,
            WirePart::Index => Self::Index,
        }
    }
}

impl From<Write> for WireWrite {
    fn from(write: Write) -> Self {
        Self {
            part: write.part.into(),
            key: Blob(write.key),
            value: write.value.map(Blob),
        }
    }
}

impl From<WireWrite> for Write {
    fn from(write: WireWrite) -> Self {
        Self {
            part: write.part.into(),
            key: write.key.0,
            value: write.value.map(|value| value.0),
        }
    }
}

impl Asked {
    /// A scan.
    pub(super) fn scan(generation: Generation, part: Part, scan: &Scan<'_>) -> Self {
        Self::Scan {
            of: generation.into(),
            part: part.into(),
            prefix: Blob(scan.prefix.to_vec()),
            after: scan.after.map(|key| Blob(key.to_vec())),
            backwards: scan.backwards,
            limit: scan.limit,
        }
    }
}

impl Serialize for Blob {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use base64::Engine as _;
        serializer.serialize_str(&base64::engine::general_purpose::STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use base64::Engine as _;
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let bytes = base64::engine::general_purpose::STANDARD.decode(text.as_bytes());
        bytes.map(Self).map_err(serde::de::Error::custom)
    }
}
