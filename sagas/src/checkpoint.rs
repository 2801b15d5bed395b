//! Where a runner was, in a small database beside the log.
//!
//! Position and open sagas are written as one batch, so that they always tell of the same moment. It is not synced: a lost
//! tail means an older moment, and the log's facts from there on are read again and change nothing.

use std::{collections::HashMap, path::Path};

use event_log::Position;
use event_schemas::Timestamp;
use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use uuid::Uuid;

use crate::roster::Open;

const POSITION: &str = "position";

/// The database.
pub(crate) struct Checkpoint {
    database: Database,
    marks: Keyspace,
    open: Keyspace,
}

impl Checkpoint {
    pub(crate) fn open(folder: &Path) -> fjall::Result<Self> {
        let database = Database::builder(folder).cache_size(1 << 20).worker_threads(1).open()?;
        let marks = database.keyspace("marks", KeyspaceCreateOptions::default)?;
        let open = database.keyspace("open", KeyspaceCreateOptions::default)?;
        Ok(Self { database, marks, open })
    }

    /// The stored moment; the beginning of the log and no saga when there is none, or when another version wrote it.
    pub(crate) fn load(&self) -> fjall::Result<(Position, Vec<(Uuid, Open)>)> {
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

    /// Forgets everything: the log is another one.
    pub(crate) fn clear(&self) -> fjall::Result<()> {
        self.marks.clear()?;
        self.open.clear()
    }

    /// Keeps a moment: the position, and the sagas that changed since the last one.
    pub(crate) fn save(&self, position: Position, changes: &HashMap<Uuid, Option<Open>>) -> fjall::Result<()> {
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
            let checkpoint = Checkpoint::open(folder.path()).unwrap();
            assert_eq!(checkpoint.load().unwrap(), (Position::START, vec![]));
            checkpoint
                .save(Position(5), &HashMap::from([(a, Some(waiting)), (b, Some(stuck))]))
                .unwrap();
        }
        let checkpoint = Checkpoint::open(folder.path()).unwrap();
        assert_eq!(
            checkpoint.load().unwrap(),
            (Position(5), vec![(a, waiting), (b, stuck)])
        );
        checkpoint.save(Position(6), &HashMap::from([(a, None)])).unwrap();
        assert_eq!(checkpoint.load().unwrap(), (Position(6), vec![(b, stuck)]));
        checkpoint.clear().unwrap();
        assert_eq!(checkpoint.load().unwrap(), (Position::START, vec![]));
    }
}
