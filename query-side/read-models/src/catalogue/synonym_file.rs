//! The file of synonyms, read again whenever it changes: no restart.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant, SystemTime},
};

use super::wording::synonyms::Synonyms;

/// How often the file is looked at, at most.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);
/// A larger file is no file of synonyms.
const LARGEST: u64 = 8 << 20;

/// A file of synonyms. One that is not there means none; one with a mistake in it leaves those in force that were.
#[derive(Debug)]
pub struct SynonymFile {
    path: PathBuf,
    looked_at_every: Duration,
    in_force: RwLock<Arc<Synonyms>>,
    seen: Mutex<Seen>,
}

/// The file as it was when it was looked at.
#[derive(Debug)]
struct Seen {
    at: Instant,
    stamp: Option<Stamp>,
}

/// Changes whenever the file does.
type Stamp = (SystemTime, u64);

impl SynonymFile {
    /// The synonyms in that file.
    pub fn open(path: &Path) -> Self {
        Self::looked_at(path, LOOKED_AT_EVERY)
    }

    fn looked_at(path: &Path, looked_at_every: Duration) -> Self {
        let stamp = stamp(path);
        let file = Self {
            path: path.to_owned(),
            looked_at_every,
            in_force: RwLock::default(),
            seen: Mutex::new(Seen {
                at: Instant::now(),
                stamp,
            }),
        };
        file.load(stamp);
        file
    }

    /// The synonyms in force now.
    pub(super) fn synonyms(&self) -> Arc<Synonyms> {
        if let Some(stamp) = self.changed() {
            self.load(stamp);
        }
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks whether the file is another now.
    fn changed(&self) -> Option<Option<Stamp>> {
        // Whoever comes while another looks goes on with what is in force.
        let mut seen = self.seen.try_lock().ok()?;
        if seen.at.elapsed() < self.looked_at_every {
            return None;
        }
        let stamp = stamp(&self.path);
        let changed = stamp != seen.stamp;
        *seen = Seen {
            at: Instant::now(),
            stamp,
        };
        changed.then_some(stamp)
    }

    fn load(&self, stamp: Option<Stamp>) {
        let synonyms = match stamp {
            None => Synonyms::default(),
            Some((_, bytes)) => match read(&self.path, bytes) {
                Ok(synonyms) => synonyms,
                Err(problem) => {
                    let file = self.path.display();
                    tracing::warn!(%file, %problem, "synonyms not taken: those from before stay in force");
                    return;
                }
            },
        };
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(synonyms);
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH), metadata.len()))
}

fn read(path: &Path, bytes: u64) -> io::Result<Synonyms> {
    if bytes > LARGEST {
        return Err(io::Error::other("larger than 8 MB"));
    }
    let text = fs::read_to_string(path)?;
    Synonyms::read(&text).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn synonyms_of(file: &SynonymFile, word: &str) -> Vec<String> {
        file.synonyms().words(word).remove(0).synonyms
    }

    #[test]
    fn a_file_that_changes_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("synonyms.txt");
        let file = SynonymFile::looked_at(&path, Duration::ZERO);
        assert_eq!(synonyms_of(&file, "laptop"), [""; 0], "no file, no synonyms");
        fs::write(&path, "laptop, notebook").unwrap();
        assert_eq!(synonyms_of(&file, "laptop"), ["notebook"]);
        fs::write(&path, "laptop, notebook, 노트북").unwrap();
        assert_eq!(synonyms_of(&file, "laptop"), ["notebook", "노트북"]);
        fs::remove_file(&path).unwrap();
        assert_eq!(synonyms_of(&file, "laptop"), [""; 0]);
    }

    #[test]
    fn a_mistake_leaves_those_from_before_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("synonyms.txt");
        fs::write(&path, "laptop, notebook").unwrap();
        let file = SynonymFile::looked_at(&path, Duration::ZERO);
        fs::write(&path, "laptop, 노트북\nalone\n").unwrap();
        assert_eq!(synonyms_of(&file, "laptop"), ["notebook"]);
        fs::write(&path, b"laptop, \xff\xfe, x").unwrap();
        assert_eq!(synonyms_of(&file, "laptop"), ["notebook"]);
        fs::write(&path, "laptop, 노트북\n").unwrap();
        assert_eq!(synonyms_of(&file, "laptop"), ["노트북"]);
    }

    #[test]
    fn the_file_is_not_looked_at_for_every_search() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("synonyms.txt");
        let file = SynonymFile::looked_at(&path, Duration::from_secs(3_600));
        fs::write(&path, "laptop, notebook").unwrap();
        assert_eq!(synonyms_of(&file, "laptop"), [""; 0]);
    }
}
