//! How far a reader of the log has come.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::Position;

/// Where a reader of the log keeps how far it has come.
///
/// It may lose its newest value, never invent one: for its reader, events taken in twice do no harm, events passed over do.
pub trait Bookmark: Send + Sync + 'static {
    /// How far it has read; the beginning of the log where nobody knows.
    ///
    /// # Errors
    /// When it cannot be read.
    fn load(&self) -> io::Result<Position>;

    /// Remembers it.
    ///
    /// # Errors
    /// When it cannot be written.
    fn save(&self, position: Position) -> io::Result<()>;
}

/// A file with a number, replaced as a whole. It is not synced: what a power cut takes is read again.
#[derive(Debug)]
pub struct FileBookmark {
    file: PathBuf,
}

impl FileBookmark {
    /// The bookmark in the file of that name in a folder, which is made where it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path, name: &str) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            file: folder.join(name),
        })
    }
}

impl Bookmark for FileBookmark {
    fn load(&self) -> io::Result<Position> {
        match fs::read_to_string(&self.file) {
            // A file that holds no number was cut off: from the beginning is always right.
            Ok(text) => Ok(text.trim().parse().map_or(Position::START, Position)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Position::START),
            Err(error) => Err(error),
        }
    }

    fn save(&self, position: Position) -> io::Result<()> {
        let beside = self.file.with_extension("new");
        fs::write(&beside, format!("{position}\n"))?;
        fs::rename(&beside, &self.file)
    }
}

/// In memory, for tests and simulations.
#[derive(Debug, Default)]
pub struct MemoryBookmark(Mutex<Position>);

impl Bookmark for MemoryBookmark {
    fn load(&self) -> io::Result<Position> {
        Ok(*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn save(&self, position: Position) -> io::Result<()> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = position;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bookmark_is_kept_and_one_that_was_cut_off_is_the_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let bookmark = FileBookmark::open(&folder.path().join("made"), "mails.position").unwrap();
        assert_eq!(bookmark.load().unwrap(), Position::START);
        bookmark.save(Position(512)).unwrap();
        bookmark.save(Position(513)).unwrap();
        let again = FileBookmark::open(&folder.path().join("made"), "mails.position").unwrap();
        assert_eq!(again.load().unwrap(), Position(513));
        fs::write(&again.file, "").unwrap();
        assert_eq!(again.load().unwrap(), Position::START);
        // As the publisher of events wrote it before.
        fs::write(&again.file, "514").unwrap();
        assert_eq!(again.load().unwrap(), Position(514));
    }
}
