//! A folder that stands for a mail server: a file per mail, which any mail program opens.

use std::{
    io,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use tokio::fs;

use super::{Letter, Post, PostError, Sender};

/// Puts mails into a folder. Files are named by their event: the same mail again is the same file.
///
/// They are not synced, as a power cut is not what they are for.
#[derive(Debug)]
pub struct FolderPost {
    folder: PathBuf,
}

impl FolderPost {
    /// Into this folder, which is made where it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let folder = folder.to_owned();
        Ok(Self { folder })
    }
}

#[async_trait]
impl Post for FolderPost {
    async fn hand_over(&self, letter: &Letter, sender: &Sender) -> Result<(), PostError> {
        let message = letter.message(sender)?.formatted();
        let name = format!(
            "{}-{}-{}",
            letter.written_at.as_millis(),
            letter.kind.as_str(),
            letter.id
        );
        let beside = self.folder.join(format!("{name}.new"));
        let written = async {
            fs::write(&beside, message).await?;
            fs::rename(&beside, self.folder.join(format!("{name}.eml"))).await
        };
        let away = |error: io::Error| PostError::Away(format!("{}: {error}", self.folder.display()));
        written.await.map_err(away)
    }
}
