//! What may stand in the way of a saga.

use event_log::{AppendError, LogError};
use event_schemas::DecodeError;

use crate::UnknownState;

/// Why a fact was not taken in at the first attempt.
#[derive(Debug, thiserror::Error)]
pub(super) enum Obstacle {
    /// Somebody else advanced the saga, or this very fact was taken in before a crash.
    #[error("the saga has moved on")]
    Moved,
    /// It may heal.
    #[error(transparent)]
    Log(LogError),
    /// It will not.
    #[error("{0}")]
    Hopeless(String),
}

impl From<LogError> for Obstacle {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Unavailable(_) => Self::Log(error),
            LogError::Damaged { .. } => Self::Hopeless(error.to_string()),
        }
    }
}
impl From<AppendError> for Obstacle {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict { .. } => Self::Moved,
            AppendError::Refused(why) => Self::Hopeless(why),
            AppendError::Deleted { .. } => Self::Hopeless(error.to_string()),
            AppendError::Log(error) => error.into(),
        }
    }
}
impl From<DecodeError> for Obstacle {
    fn from(error: DecodeError) -> Self {
        Self::Hopeless(error.to_string())
    }
}
impl From<UnknownState> for Obstacle {
    fn from(error: UnknownState) -> Self {
        Self::Hopeless(error.to_string())
    }
}
