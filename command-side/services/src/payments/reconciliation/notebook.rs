//! How far the last look came, in a file.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use super::books::Books;

/// Where both sides were read to, and what did not agree then. One is as old as the other, so that an older file only
/// compares again what agreed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Notebook {
    /// In the log.
    pub(super) position: u64,
    /// In the provider's ledger.
    pub(super) cursor: Option<String>,
    pub(super) books: Books,
}

impl Notebook {
    /// As it was left; from the beginning where there is none, or none that can be read.
    pub(super) fn open(file: &Path) -> Self {
        match fs::read(file) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!(file = %file.display(), %error, "the books are compared from the beginning");
                Self::default()
            }),
            Err(_) => Self::default(),
        }
    }

    /// Whole or not at all.
    pub(super) fn save(&self, file: &Path) -> io::Result<()> {
        let beside = file.with_extension("new");
        fs::write(&beside, serde_json::to_vec(self).map_err(io::Error::other)?)?;
        fs::rename(beside, file)
    }
}
