//! Which databases the shop has had.
//!
//! The log alone is not the shop: how many pieces there are, who may sign in and what is still to be told to the log stand in the
//! relational databases. Started on others (`--database` named for the first time, a wrong prefix, an old backup), a shop would
//! sell what it does not have and know nobody. So a database has an id, which goes along with a copy, and the folder remembers
//! it and how many events it had told. At the next start each is looked at:
//!
//! - the same id, and not fewer events: the same one, or a copy that is up to date;
//! - another id, or fewer events: another shop's, or an older state. The shop does not start on it;
//! - empty, where the folder remembers one that was not, or, in a folder that remembers nothing, where the log tells of what only
//!   such a database could have told: the shop does not start on it either.
//!
//! An operator who wants it so says `jangteo database accept`.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use command_services::relational::{DatabaseError, Layout, Mark};
use event_log::{EventFilter, EventLog, LogError, Position, RecordedEvent};
use event_schemas::Category;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Databases;
use crate::folder::DataFolder;

const FILE: &str = "database-witness";
const PAGE: usize = 256;

/// A database as it was when the shop saw it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    id: Uuid,
    last_event: i64,
    empty: bool,
    /// Where it was, without a password.
    place: String,
}

/// What a folder remembers, by the names of the layouts.
type Memory = BTreeMap<String, Seen>;

/// How a database does not fit to the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// It holds nothing, and should.
    Empty,
    /// It is another one.
    Another,
    /// It lacks what was told last.
    Older,
}

/// The shop cannot go on with these databases.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeenError {
    /// One of them does not fit.
    #[error(
        "{place} {is}: orders would find no stock and customers no account. Name the right database with --database, bring \
         along what was at {before} with `jangteo database copy` (its --help shows how), or restore a backup; to go on with \
         this one all the same and do without what it lacks: `jangteo database accept`",
        is = says(*.misfit)
    )]
    Misfit {
        place: String,
        misfit: Misfit,
        before: String,
    },
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("{path} cannot be written: {source}; check the folder and the disk")]
    Folder { path: PathBuf, source: io::Error },
}

const fn says(misfit: Misfit) -> &'static str {
    match misfit {
        Misfit::Empty => "is empty, and this shop is not",
        Misfit::Another => "is not the database that this shop has had",
        Misfit::Older => "is an older state of the database that this shop has had",
    }
}

/// Finds out whether the databases are the shop's, and remembers them. To be called before anything is written there or told
/// to the log from there.
///
/// # Errors
/// See [`SeenError`].
pub(crate) async fn settle(folder: &DataFolder, log: &dyn EventLog, databases: &Databases) -> Result<(), SeenError> {
    let memory = read(folder);
    for (layout, database) in databases.each() {
        let (mark, seen) = (database.mark(layout).await?, memory.get(layout.name));
        let misfit = match seen {
            Some(seen) => match misfit(seen, &mark) {
                // Killed soon after its first start, the folder does not know yet that its own is empty no more.
                None if mark.empty && mark.id != Some(seen.id) && tells_of(log, layout).await? => Some(Misfit::Empty),
                misfit => misfit,
            },
            // The folder remembers nothing and the database was never begun with: only the log can tell.
            None if mark.empty && mark.id.is_none() && tells_of(log, layout).await? => Some(Misfit::Empty),
            None => None,
        };
        if let Some(misfit) = misfit {
            let file = folder.place(&format!("{}.db", layout.name));
            return Err(SeenError::Misfit {
                place: database.place().to_string(),
                misfit,
                before: seen.map_or_else(|| file.display().to_string(), |seen| seen.place.clone()),
            });
        }
    }
    accept(folder, databases).await
}

/// These are the shop's databases from now on, whatever they hold.
///
/// # Errors
/// When a database or the folder fails.
pub(crate) async fn accept(folder: &DataFolder, databases: &Databases) -> Result<(), SeenError> {
    for (layout, database) in databases.each() {
        if database.mark(layout).await?.id.is_none() {
            database.begin_house().await?;
        }
    }
    remember(folder, databases).await
}

/// Remembers how far they have come; every now and then, and when the shop stops.
///
/// # Errors
/// As [`accept`].
pub(crate) async fn remember(folder: &DataFolder, databases: &Databases) -> Result<(), SeenError> {
    let mut memory = Memory::new();
    for (layout, database) in databases.each() {
        let Mark { id, last_event, empty } = database.mark(layout).await?;
        let Some(id) = id else { continue };
        let place = database.place().to_string();
        let seen = Seen {
            id,
            last_event,
            empty,
            place,
        };
        memory.insert(layout.name.to_owned(), seen);
    }
    if memory == read(folder) {
        return Ok(());
    }
    let path = folder.place(FILE);
    let write = || {
        let beside = path.with_extension("new");
        fs::write(&beside, serde_json::to_vec(&memory)?)?;
        fs::rename(&beside, &path)
    };
    write().map_err(|source| SeenError::Folder {
        path: path.clone(),
        source,
    })
}

/// How a database looks to a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Looks {
    /// The shop's folder remembers none.
    Unseen,
    /// It is the shop's.
    Own,
    /// See [`Misfit`].
    Empty,
    /// See [`Misfit`].
    Another,
    /// See [`Misfit`].
    Older,
}

/// How a database of that mark looks to the shop of this folder.
pub(crate) fn look(folder: &DataFolder, layout: &Layout, mark: &Mark) -> Looks {
    match read(folder).get(layout.name).map(|seen| misfit(seen, mark)) {
        None => Looks::Unseen,
        Some(None) => Looks::Own,
        Some(Some(Misfit::Empty)) => Looks::Empty,
        Some(Some(Misfit::Another)) => Looks::Another,
        Some(Some(Misfit::Older)) => Looks::Older,
    }
}

fn misfit(seen: &Seen, found: &Mark) -> Option<Misfit> {
    // What was never used can be changed for another that was not.
    if found.empty {
        return (!seen.empty).then_some(Misfit::Empty);
    }
    if found.id != Some(seen.id) {
        return Some(Misfit::Another);
    }
    (found.last_event < seen.last_event).then_some(Misfit::Older)
}

/// Whether the log holds what only a database of this layout can have told: imports write about customers and sellers, too.
async fn tells_of(log: &dyn EventLog, layout: &Layout) -> Result<bool, LogError> {
    let categories: &[Category] = match layout.name {
        "inventory" => &[Category::Stock, Category::Reservation],
        _ => &[Category::Customer, Category::Seller, Category::CreditAccount],
    };
    let filter = EventFilter::categories(categories);
    let mut after = Position::START;
    loop {
        let (events, next) = log.read_all(after, &filter, PAGE).await?;
        if events.iter().any(|event| !is_imported(event)) {
            return Ok(true);
        }
        if next == after {
            return Ok(false);
        }
        after = next;
    }
}

fn is_imported(event: &RecordedEvent) -> bool {
    let metadata: Result<serde_json::Value, _> = serde_json::from_slice(&event.metadata);
    metadata.is_ok_and(|metadata| metadata["actor"] == "system:import")
}

/// Nothing where there is none, or none that can be read: then the log is asked.
fn read(folder: &DataFolder) -> Memory {
    let text = fs::read_to_string(folder.place(FILE)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}
