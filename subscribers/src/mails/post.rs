//! The port: who takes mails.

use async_trait::async_trait;

use super::{Letter, Sender};
use crate::NotTaken;

/// Takes mails.
#[async_trait]
pub trait Post: Send + Sync + 'static {
    /// Takes a mail. When this returns, the mail is the other side's.
    ///
    /// # Errors
    /// See [`PostError`].
    async fn hand_over(&self, letter: &Letter, sender: &Sender) -> Result<(), PostError>;
}

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// Nobody there takes mails now: not this one, and no other.
    #[error("the mail server is away: {0}")]
    Away(String),
    /// This mail is not taken.
    #[error("the mail was refused: {0}")]
    Refused(String),
}

impl From<PostError> for NotTaken {
    fn from(error: PostError) -> Self {
        match error {
            PostError::Away(_) => Self::Away(error.to_string()),
            PostError::Refused(_) => Self::Failed(error.to_string()),
        }
    }
}
