//! Which generation of the index is what: a file beside their folders.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    catalogue::Catalogue,
    documents::{Generation, Generations, Model, StoreError},
};

const FILE: &str = "generations.json";

/// The generations by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pointer {
    pub(super) live: u32,
    pub(super) building: Option<u32>,
    #[serde(default)]
    pub(super) previous: Option<u32>,
}

impl Pointer {
    /// What the folder's file says; the first generation where there is none.
    pub(super) fn read(folder: &Path) -> Result<Self, StoreError> {
        match fs::read(folder.join(FILE)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| super::index::unreadable(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self {
                live: 1,
                building: None,
                previous: None,
            }),
            Err(error) => Err(StoreError::Unavailable(error.to_string())),
        }
    }

    /// Writes the file in one step: whoever reads it sees the old one or the new one.
    pub(super) fn write(self, folder: &Path) -> Result<(), StoreError> {
        let written = serde_json::to_vec(&self).map_err(|error| super::index::unreadable(&error))?;
        let beside = folder.join("generations.json.new");
        fs::write(&beside, written)
            .and_then(|()| fs::rename(&beside, folder.join(FILE)))
            .map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// With an empty generation being built, in place of one that was.
    pub(super) fn begun(self) -> (Self, u32) {
        let newest = self.kept().max().unwrap_or_default();
        let number = newest + 1;
        let building = Some(number);
        (Self { building, ..self }, number)
    }

    /// With that one live, and the one that was live to go back to.
    pub(super) fn promoted(self, number: u32) -> Self {
        if number == self.live {
            return self;
        }
        Self {
            live: number,
            building: self.building.filter(|building| *building != number),
            previous: Some(self.live),
        }
    }

    /// Without that one; nothing where it is live.
    pub(super) fn discarded(self, number: u32) -> Option<Self> {
        let other = |kept: &u32| *kept != number;
        (number != self.live).then_some(Self {
            live: self.live,
            building: self.building.filter(other),
            previous: self.previous.filter(other),
        })
    }

    /// All that are something.
    pub(super) fn kept(self) -> impl Iterator<Item = u32> {
        [Some(self.live), self.building, self.previous].into_iter().flatten()
    }
}

impl From<Pointer> for Generations {
    fn from(pointer: Pointer) -> Self {
        let generation = |number| Generation {
            model: Catalogue::NAME,
            number,
        };
        Self {
            live: generation(pointer.live),
            building: pointer.building.map(generation),
            previous: pointer.previous.map(generation),
        }
    }
}
