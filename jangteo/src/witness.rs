//! Which log the folder's positions are of.
//!
//! Sagas and read models keep positions of the log. The same events have other positions in another log: a shop that moved
//! house would go on at the wrong place. So the folder remembers one event that the shop has seen, the witness, and where it
//! stood. At the next start the log is asked for it:
//!
//! - it stands there: the same log, all positions hold;
//! - it stands elsewhere: a copy. What keeps positions is thrown away and worked out again from the log;
//! - it is not there: an older log or another shop's. The shop does not start on that, or customers would lose orders that
//!   were confirmed.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use event_log::{Direction, EventFilter, EventLog, LogError, Position, RecordedEvent, StreamVersion};
use event_schemas::StreamName;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::folder::DataFolder;

const FILE: &str = "log-witness";
/// What in a data folder keeps positions of the log, and can be worked out again.
const POSITIONAL: [&str; 7] = [
    "sagas",
    "subscribers",
    "read-models",
    "search",
    "elasticsearch",
    "published",
    "reconciliation",
];
/// How far back a new witness is looked for.
const PAGES_BACK: usize = 64;
const PAGE: usize = 64;

/// An event that the shop has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Witness {
    stream: StreamName,
    version: StreamVersion,
    id: Uuid,
    position: Position,
    /// The end of the log when it was moved to: whoever has a position from before is shown at least this.
    #[serde(default)]
    floor: Position,
}

/// The log is the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Read models that show less than this show nothing a consistency token can be held against.
    pub floor: Position,
}

/// The shop cannot go on with this log.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// It lacks what the shop has seen.
    #[error(
        "the event log does not hold version {version} of {stream} ({id}), which this shop has seen: it is older than the \
         shop's other books, or another shop's; name the right log with --log (`jangteo log copy` brings a copy up to date), \
         or, to go on with this one and do without what it lacks, remove {witness} and start again"
    )]
    Unknown {
        /// The stream of the event that is lacking.
        stream: StreamName,
        /// Its version.
        version: StreamVersion,
        /// Its id.
        id: Uuid,
        /// The file that remembers it.
        witness: PathBuf,
    },
    /// The log cannot be asked.
    #[error(transparent)]
    Log(#[from] LogError),
    /// What is to be thrown away stays.
    #[error("{path} cannot be renewed: {source}; check the folder and the disk")]
    Folder {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Finds out whether the folder's positions are of this log, and throws them away when they are not. To be called before
/// anything that keeps positions is opened.
///
/// # Errors
/// See [`WitnessError`].
pub async fn settle(folder: &DataFolder, log: &Arc<dyn EventLog>) -> Result<Settled, WitnessError> {
    let known = read(folder);
    let moved = match &known {
        Some(witness) => witness.has_moved(folder, log.as_ref()).await?,
        // Of an older program, or removed by an operator who wants it so.
        None => POSITIONAL.iter().any(|part| folder.place(part).exists()),
    };
    let floor = if moved {
        let head = log.head().await?;
        tracing::warn!(
            folder = %folder.path().display(), %head,
            "the event log is not the one that sagas and read models were at: they are worked out again from it"
        );
        head
    } else {
        known.map_or(Position::START, |witness| witness.floor)
    };
    renew(folder, moved).await?;
    if let Some(witness) = newest(log.as_ref(), floor).await? {
        write(folder, &witness).map_err(at(&folder.place(FILE)))?;
    }
    Ok(Settled { floor })
}

/// Remembers a newer witness; every now and then, and when the shop stops. Failing to is no loss: the old one still holds.
pub async fn keep(folder: &DataFolder, log: &Arc<dyn EventLog>) {
    let known = read(folder);
    let floor = known.as_ref().map_or(Position::START, |witness| witness.floor);
    let kept = match newest(log.as_ref(), floor).await {
        Ok(witness) if witness.is_none() || witness == known => return,
        Ok(witness) => witness.map_or(Ok(()), |witness| write(folder, &witness)),
        Err(error) => Err(io::Error::other(error)),
    };
    if let Err(error) = kept {
        tracing::warn!(%error, "which log this folder belongs to is not kept; trying again");
    }
}

impl Witness {
    async fn has_moved(&self, folder: &DataFolder, log: &dyn EventLog) -> Result<bool, WitnessError> {
        let found = log
            .read_stream(&self.stream, Some(self.version), Direction::Forwards, 1)
            .await?;
        match found.first().filter(|event| event.id == self.id) {
            Some(event) => Ok(event.position != self.position),
            None => Err(WitnessError::Unknown {
                stream: self.stream.clone(),
                version: self.version,
                id: self.id,
                witness: folder.place(FILE),
            }),
        }
    }
}

/// The newest event that stays: not of a system stream, which may be cut short at any time.
async fn newest(log: &dyn EventLog, floor: Position) -> Result<Option<Witness>, LogError> {
    let stays =
        |event: &&Arc<RecordedEvent>| !event.stream.as_str().starts_with('$') && !event.event_type.starts_with('$');
    let mut before = None;
    for _ in 0..PAGES_BACK {
        let (events, next) = log.read_all_backwards(before, &EventFilter::default(), PAGE).await?;
        if let Some(event) = events.iter().find(stays) {
            return Ok(Some(Witness {
                stream: event.stream.clone(),
                version: event.version,
                id: event.id,
                position: event.position,
                floor,
            }));
        }
        if next == Position::START {
            break;
        }
        before = Some(next);
    }
    Ok(None)
}

/// None when there is none, or none that can be read: all is worked out again then.
fn read(folder: &DataFolder) -> Option<Witness> {
    let text = fs::read_to_string(folder.place(FILE)).ok()?;
    serde_json::from_str(&text).ok()
}

fn write(folder: &DataFolder, witness: &Witness) -> io::Result<()> {
    let path = folder.place(FILE);
    let beside = path.with_extension("new");
    fs::write(&beside, serde_json::to_vec(witness)?)?;
    fs::rename(&beside, &path)
}

/// Puts what keeps positions aside when it is `moved`, and deletes what was put aside: a folder half deleted is never opened.
async fn renew(folder: &DataFolder, moved: bool) -> Result<(), WitnessError> {
    let folder = folder.clone();
    let renewed = tokio::task::spawn_blocking(move || {
        POSITIONAL.iter().try_for_each(|part| {
            let (place, aside) = (folder.place(part), folder.place(&format!("{part}.old")));
            remove(&aside).map_err(at(&aside))?;
            if moved && place.exists() {
                fs::rename(&place, &aside).map_err(at(&place))?;
                remove(&aside).map_err(at(&aside))?;
            }
            Ok(())
        })
    });
    renewed.await.unwrap_or_else(|cut| {
        Err(WitnessError::Folder {
            path: PathBuf::from(FILE),
            source: io::Error::other(cut),
        })
    })
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> WitnessError {
    let path = path.to_owned();
    move |source| WitnessError::Folder { path, source }
}

#[cfg(test)]
mod tests {
    use event_log::{Append, ExpectedVersion, copy, memory::MemoryLog};
    use event_schemas::NewEvent;

    use super::*;

    async fn append(log: &Arc<dyn EventLog>, stream: &str) {
        let event = NewEvent {
            id: Uuid::now_v7(),
            event_type: "Happened".to_owned(),
            content: event_schemas::ContentType::Json,
            metadata: "{}".into(),
            data: "{}".into(),
        };
        let append = Append {
            stream: stream.parse().unwrap(),
            expected: ExpectedVersion::Any,
            events: vec![event],
        };
        log.append(append).await.unwrap();
    }

    fn memory() -> Arc<dyn EventLog> {
        MemoryLog::new()
    }

    fn with_positions() -> (tempfile::TempDir, DataFolder) {
        let temp = tempfile::tempdir().unwrap();
        let folder = DataFolder::claim(temp.path()).unwrap();
        for part in POSITIONAL {
            fs::create_dir_all(folder.place(part)).unwrap();
            fs::write(folder.place(part).join("something"), "x").unwrap();
        }
        (temp, folder)
    }

    fn keeps_positions(folder: &DataFolder) -> bool {
        POSITIONAL
            .iter()
            .all(|part| folder.place(part).join("something").exists())
    }

    #[tokio::test]
    async fn the_same_log_keeps_its_positions_however_it_grew() {
        let (_temp, folder) = with_positions();
        let log = memory();
        append(&log, "order-1").await;
        keep(&folder, &log).await;
        append(&log, "order-1").await;
        assert_eq!(settle(&folder, &log).await.unwrap().floor, Position::START);
        append(&log, "$stats-x").await;
        keep(&folder, &log).await;
        assert_eq!(settle(&folder, &log).await.unwrap().floor, Position::START);
        assert!(keeps_positions(&folder));
    }

    #[tokio::test]
    async fn a_copy_at_other_positions_starts_positions_anew() {
        let (_temp, folder) = with_positions();
        let (log, other) = (memory(), memory());
        append(&log, "order-1").await;
        keep(&folder, &log).await;
        // The copy's server had something to say before.
        append(&other, "$users").await;
        copy::copy(Arc::clone(&log), Arc::clone(&other), copy::Settings::default())
            .await
            .unwrap();
        assert_eq!(settle(&folder, &other).await.unwrap().floor, Position(2));
        for part in POSITIONAL {
            assert!(!folder.place(part).exists() && !folder.place(&format!("{part}.old")).exists());
        }
        // From now on it is at home there, and not where it was before.
        append(&other, "order-1").await;
        keep(&folder, &other).await;
        assert_eq!(settle(&folder, &other).await.unwrap().floor, Position(2));
        let error = settle(&folder, &log).await.unwrap_err().to_string();
        assert!(
            error.contains("version 1 of order-1") && error.contains("log-witness"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_log_that_lacks_what_the_shop_has_seen_is_refused_until_the_operator_wants_it_so() {
        let (_temp, folder) = with_positions();
        let log = memory();
        append(&log, "order-1").await;
        settle(&folder, &log).await.unwrap();
        fs::create_dir_all(folder.place("sagas")).unwrap();
        let empty = memory();
        settle(&folder, &empty).await.unwrap_err();
        assert!(
            folder.place("sagas").exists(),
            "nothing is thrown away before it is clear what to do"
        );
        fs::remove_file(folder.place(FILE)).unwrap();
        settle(&folder, &empty).await.unwrap();
        assert!(!folder.place("sagas").exists());
    }
}
