//! The documents that a read model's store could not take, as operators see them.

#[cfg(test)]
mod tests;

use command_services::secret::hex;
use projections::{Projections, RebuildError};
use read_models::documents::Rejected;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reading::MAX_SIZE;

/// How many are shown to whoever does not say.
pub const DEFAULT_SIZE: usize = 100;

/// The dead letters of a read model, as queries see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLettersView {
    /// Of which read model.
    pub projection: String,
    /// Them, in the order of their keys.
    pub dead_letters: Vec<DeadLetterView>,
    /// There are more than these.
    pub more: bool,
}

/// A document that the store could not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetterView {
    /// The document's key, in hexadecimal.
    pub key: String,
    /// With the events up to here it was to be written.
    pub position: u64,
    /// Why it was not taken, in the store's words.
    pub reason: String,
}

impl DeadLettersView {
    /// The first `size` of that read model.
    ///
    /// # Errors
    /// When there is no such read model, or its store cannot say.
    pub async fn read(projections: &Projections, name: &str, size: usize) -> Result<Self, RebuildError> {
        let size = size.clamp(1, MAX_SIZE);
        // One more than is shown tells whether there are more.
        let found = projections.dead_letters(name, size + 1).await?;
        Ok(Self {
            projection: name.to_owned(),
            more: found.len() > size,
            dead_letters: found.into_iter().take(size).map(Into::into).collect(),
        })
    }
}

impl From<Rejected> for DeadLetterView {
    fn from(rejected: Rejected) -> Self {
        Self {
            key: hex(&rejected.key),
            position: rejected.position,
            reason: rejected.reason,
        }
    }
}
