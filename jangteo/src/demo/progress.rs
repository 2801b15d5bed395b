//! How far the demo is set up: a word in a file of the data folder. Losing the file costs nothing but the demo's completion.

use std::{fs, io, path::PathBuf};

use super::DemoError;
use crate::folder::DataFolder;

/// The file's name.
pub(super) const FILE: &str = "demo";

const BEGUN: &str = "begun\n";
const STOCKED: &str = "stocked\n";
const PICTURED: &str = "pictured\n";

/// The file.
#[derive(Debug, Clone)]
pub(super) struct Progress(PathBuf);

impl Progress {
    pub(super) fn of(folder: &DataFolder) -> Self {
        Self(folder.place(FILE))
    }

    /// This shop is a demo.
    pub(super) fn has_begun(&self) -> bool {
        self.0.exists()
    }

    /// Accounts, products and stock are there.
    pub(super) fn is_stocked(&self) -> bool {
        [STOCKED, PICTURED].contains(&self.word().as_str())
    }

    /// Everything is there.
    pub(super) fn is_pictured(&self) -> bool {
        self.word() == PICTURED
    }

    pub(super) fn begin(&self) -> Result<(), DemoError> {
        self.write(BEGUN)
    }

    pub(super) fn stocked(&self) -> Result<(), DemoError> {
        self.write(STOCKED)
    }

    pub(super) fn pictured(&self) -> Result<(), DemoError> {
        self.write(PICTURED)
    }

    /// What cannot be read counts as just begun: then all is done again, which does nothing twice.
    fn word(&self) -> String {
        fs::read_to_string(&self.0).unwrap_or_default()
    }

    fn write(&self, word: &str) -> Result<(), DemoError> {
        let written = fs::File::create(&self.0).and_then(|mut file| {
            io::Write::write_all(&mut file, word.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|source| DemoError::Progress { source })
    }
}
