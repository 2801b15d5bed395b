//! Where a runner was: in a small database beside the log, or in memory for worlds that live no longer than a test.
//!
//! Position and open sagas are written as one batch, so that they always tell of the same moment. It is not synced: a lost
//! tail means an older moment, and the log's facts from there on are read again and change nothing.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use event_log::Position;
use event_schemas::Timestamp;
use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use uuid::Uuid;

use crate::roster::Open;

const POSITION: &str = "position";
/// After a failed write the database is opened again when the disk takes so many bytes.
const ROOM: usize = 1 << 20;

/// Keeps moments for a runner.
pub trait Checkpoint: Send + 'static {
    /// The stored moment; the beginning of the log and no saga when there is none, or when another version wrote it.
    ///
    /// # Errors
    /// When the store fails.
    fn load(&self) -> Result<(Position, Vec<(Uuid, Open)>), CheckpointError>;

    /// Forgets everything: the log is another one.
    ///
    /// # Errors
    /// When the store fails.
    fn clear(&self) -> Result<(), CheckpointError>;

    /// Keeps a moment: the position, and the sagas that changed since the last one that was kept. One that failed may be
    /// there after all: the next is written over it.
    ///
    /// # Errors
    /// When the store fails; a later call may succeed.
    fn save(&mut self, position: Position, changes: &HashMap<Uuid, Option<Open>>) -> Result<(), CheckpointError>;
}

/// The store of a checkpoint failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CheckpointError(pub String);

impl From<fjall::Error> for CheckpointError {
    fn from(error: fjall::Error) -> Self {
        Self(error.to_string())
    }
}

/// A checkpoint that lives as long as its last clone: a runner that is killed leaves it to the next.
#[derive(Debug, Clone, Default)]
pub struct MemoryCheckpoint(Arc<Mutex<(u64, BTreeMap<Uuid, Open>)>>);

impl Checkpoint for MemoryCheckpoint {
    fn load(&self) -> Result<(Position, Vec<(Uuid, Open)>), CheckpointError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((Position(kept.0), kept.1.iter().map(|(id, open)| (*id, *open)).collect()))
    }

    fn clear(&self) -> Result<(), CheckpointError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = <_>::default();
        Ok(())
    }

    fn save(&mut self, position: Position, changes: &HashMap<Uuid, Option<Open>>) -> Result<(), CheckpointError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0 = position.0;
        for (saga_id, open) in changes {
            match open {
                Some(open) => kept.1.insert(*saga_id, *open),
                None => kept.1.remove(saga_id),
            };
        }
        Ok(())
    }
}

/// The database, opened again by the next save after one that failed: fjall takes no further writes then.
pub(crate) struct FolderCheckpoint {
    folder: PathBuf,
    /// None when it could not be opened again.
    opened: Option<Opened>,
    failed: bool,
}

impl Checkpoint for FolderCheckpoint {
    fn load(&self) -> Result<(Position, Vec<(Uuid, Open)>), CheckpointError> {
        Ok(self.opened()?.load()?)
    }

    fn clear(&self) -> Result<(), CheckpointError> {
        Ok(self.opened()?.clear()?)
    }

    fn save(&mut self, position: Position, changes: &HashMap<Uuid, Option<Open>>) -> Result<(), CheckpointError> {
        if self.failed {
            self.reopen()?;
        }
        let saved = self.opened()?.save(position, changes);
        self.failed = saved.is_err();
        Ok(saved?)
    }
}

impl FolderCheckpoint {
    pub(crate) fn open(folder: &Path) -> fjall::Result<Self> {
        Ok(Self {
            opened: Some(Opened::open(folder)?),
            folder: folder.to_owned(),
            failed: false,
        })
    }

    fn opened(&self) -> fjall::Result<&Opened> {
        self.opened.as_ref().ok_or(fjall::Error::Poisoned)
    }

    fn reopen(&mut self) -> fjall::Result<()> {
        let probe = self.folder.join("probe");
        let written = std::fs::write(&probe, vec![1; ROOM]);
        let removed = std::fs::remove_file(&probe);
        written.and(removed)?;
        // Closed before it is opened again.
        self.opened = None;
        self.opened = Some(Opened::open(&self.folder)?);
        self.failed = false;
        Ok(())
    }
}

/// All handles: dropped together, they close it.
struct Opened {
    database: Database,
    marks: Keyspace,
    open: Keyspace,
}

impl Opened {
    fn open(folder: &Path) -> fjall::Result<Self> {
        let database = Database::builder(folder).cache_size(1 << 20).worker_threads(1).open()?;
        let marks = database.keyspace("marks", KeyspaceCreateOptions::default)?;
        let open = database.keyspace("open", KeyspaceCreateOptions::default)?;
        Ok(Self { database, marks, open })
    }

    fn load(&self) -> fjall::Result<(Position, Vec<(Uuid, Open)>)> {
        let stored = self.marks.get(POSITION)?;
        let Some(position) = stored.and_then(|bytes| Some(u64::from_be_bytes((*bytes).try_into().ok()?))) else {
            return Ok((Position::START, vec![]));
        };
        let mut sagas = vec![];
        for entry in self.open.iter() {
            let (key, value) = entry.into_inner()?;
            match (Uuid::from_slice(&key), decode(&value)) {
                (Ok(saga_id), Some(open)) => sagas.push((saga_id, open)),
                _ => return Ok((Position::START, vec![])),
            }
        }
        Ok((Position(position), sagas))
    }

    fn clear(&self) -> fjall::Result<()> {
        self.marks.clear()?;
        self.open.clear()
    }

    fn save(&self, position: Position, changes: &HashMap<Uuid, Option<Open>>) -> fjall::Result<()> {
        let mut batch = self.database.batch();
        for (saga_id, open) in changes {
            match open {
                Some(open) => batch.insert(&self.open, *saga_id.as_bytes(), encode(open)),
                None => batch.remove(&self.open, *saga_id.as_bytes()),
            }
        }
        batch.insert(&self.marks, POSITION, position.0.to_be_bytes());
        batch.commit()
    }
}

const ASKS: u8 = 1;
const STUCK: u8 = 2;

/// A byte of flags, then the moment in milliseconds or none.
fn encode(open: &Open) -> Vec<u8> {
    let mut bytes = vec![(u8::from(open.asks) * ASKS) | (u8::from(open.stuck) * STUCK)];
    if let Some(moment) = open.wake_at {
        bytes.extend(moment.as_millis().to_be_bytes());
    }
    bytes
}

/// None for what this runner would not write.
fn decode(bytes: &[u8]) -> Option<Open> {
    let (flags, moment) = bytes.split_first()?;
    let wake_at = match moment {
        [] => None,
        moment => Some(Timestamp::from_millis(i64::from_be_bytes(moment.try_into().ok()?))),
    };
    Some(Open {
        wake_at,
        asks: flags & ASKS != 0,
        stuck: flags & STUCK != 0,
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_moment_is_kept_whole_and_forgotten_whole() {
        let folder = tempfile::tempdir().unwrap();
        let waiting = Open {
            wake_at: Some(Timestamp::from_millis(7)),
            asks: true,
            stuck: false,
        };
        let stuck = Open {
            wake_at: None,
            asks: false,
            stuck: true,
        };
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        {
            let mut checkpoint = FolderCheckpoint::open(folder.path()).unwrap();
            assert_eq!(checkpoint.load().unwrap(), (Position::START, vec![]));
            checkpoint
                .save(Position(5), &HashMap::from([(a, Some(waiting)), (b, Some(stuck))]))
                .unwrap();
        }
        let mut checkpoint = FolderCheckpoint::open(folder.path()).unwrap();
        assert_eq!(
            checkpoint.load().unwrap(),
            (Position(5), vec![(a, waiting), (b, stuck)])
        );
        checkpoint.save(Position(6), &HashMap::from([(a, None)])).unwrap();
        assert_eq!(checkpoint.load().unwrap(), (Position(6), vec![(b, stuck)]));
        checkpoint.clear().unwrap();
        assert_eq!(checkpoint.load().unwrap(), (Position::START, vec![]));
    }

    const CHILD_FOLDER: &str = "SAGAS_CHILD_FOLDER";

    /// Lets this process write files of so many bytes only. False where there is no `prlimit`.
    fn limit_files(limit: &str) -> bool {
        let pid = std::process::id().to_string();
        let limit = format!("--fsize={limit}:unlimited");
        Command::new("prlimit")
            .args(["--pid", &pid, &limit])
            .status()
            .is_ok_and(|status| status.success())
    }

    fn stuck() -> Option<Open> {
        Some(Open {
            wake_at: None,
            asks: false,
            stuck: true,
        })
    }

    /// Runs as a child only, where no other test writes. The limit stands in for a full disk.
    #[test]
    fn full_disk_child() {
        let Some(folder) = std::env::var_os(CHILD_FOLDER).map(PathBuf::from) else {
            return;
        };
        let mut checkpoint = FolderCheckpoint::open(&folder).unwrap();
        let first = HashMap::from([(Uuid::from_u128(1), stuck())]);
        checkpoint.save(Position(5), &first).unwrap();
        if !limit_files("64") {
            let line = "the sagas' checkpoint on a full disk: no prlimit here\n";
            print!("SKIPPED {line}");
            if let Some(file) = std::env::var_os("JANGTEO_SKIPPED") {
                use std::io::Write;
                let file = std::fs::OpenOptions::new().append(true).create(true).open(file);
                file.unwrap().write_all(line.as_bytes()).unwrap();
            }
            return;
        }
        let second = HashMap::from([(Uuid::from_u128(2), stuck())]);
        for _ in 0..3 {
            checkpoint.save(Position(6), &second).unwrap_err();
        }
        assert!(limit_files("unlimited"));
        checkpoint.save(Position(7), &second).unwrap();
        println!("moments are kept again");
    }

    #[test]
    fn after_a_full_disk_moments_are_kept_again() {
        let folder = tempfile::tempdir().unwrap();
        // Without the trap the limit would kill instead of failing the write.
        let output = Command::new("sh")
            .args(["-c", r#"trap "" XFSZ; exec "$0" "$@""#])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "checkpoint::tests::full_disk_child", "--nocapture"])
            .env(CHILD_FOLDER, folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let erred = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{erred}");
        if said.contains("SKIPPED") {
            return;
        }
        assert!(said.contains("moments are kept again"), "{said}");
        let checkpoint = FolderCheckpoint::open(folder.path()).unwrap();
        let sagas = [1, 2].map(|id| (Uuid::from_u128(id), stuck().unwrap()));
        assert_eq!(checkpoint.load().unwrap(), (Position(7), sagas.to_vec()));
    }
}
