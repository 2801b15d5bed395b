//! Copying a database into another, on either engine.
//!
//! The source keeps still meanwhile: whoever would write to it waits. All rows of the target come in one transaction, and are
//! read back and compared before it commits. A target that holds the same rows already is left as it is, so a copy of several
//! databases that was interrupted can be run again; one that holds others is refused.

use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::{Instant, sleep};

use super::{Connection, Database, DatabaseError, Layout, Table, Value, damaged};

/// Rows that travel at a time.
const PAGE: i64 = 1000;
/// How long somebody who is just leaving is waited for.
const LEAVING: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Rows by table.
    pub rows: Vec<(&'static str, u64)>,
    /// They were all there already.
    pub before: bool,
}

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Somebody works on it.
    #[error("{0} is in use: stop the shop first (and the command role, where roles are processes)")]
    InUse(String),
    /// It holds something else.
    #[error("{place} is not empty, and holds something else in {table}: nothing was changed there")]
    NotEmpty {
        /// The target.
        place: String,
        /// Where the first difference is.
        table: &'static str,
    },
    /// What was written is not what was read.
    #[error("{place} does not give back what was copied into {table}: nothing was changed there")]
    Differs {
        /// The target.
        place: String,
        /// Where the first difference is.
        table: &'static str,
    },
}

impl Database {
    /// How many rows each table holds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counts(&self, layout: &Layout) -> Result<Vec<(&'static str, u64)>, DatabaseError> {
        counts(&mut self.reader().await?, layout).await
    }

    /// Copies all that is here into `target`, whose tables are there already. `watch` hears of rows as they are done: each one
    /// twice, when it is written and when it was compared.
    ///
    /// # Errors
    /// See [`CopyError`]; nothing was changed then.
    pub async fn copy_into(
        &self,
        target: &Self,
        layout: &Layout,
        watch: &(dyn Fn(u64) + Sync),
    ) -> Result<Copied, CopyError> {
        for end in [self, target] {
            if end.stays_in_use().await? {
                return Err(CopyError::InUse(end.place.to_string()));
            }
        }
        let place = target.place.to_string();
        let (mut source, mut target) = (self.begin().await?, target.begin().await?);
        let rows = counts(&mut source, layout).await?;
        let before = counts(&mut target, layout).await?.iter().any(|(_, rows)| *rows > 0);
        if !before {
            for table in layout.all() {
                fill(table, &mut source, &mut target, watch).await?;
            }
        }
        for table in layout.all() {
            let table_name = table.name;
            if !same(table, &mut source, &mut target, watch).await? {
                return Err(match before {
                    true => CopyError::NotEmpty {
                        place,
                        table: table_name,
                    },
                    false => CopyError::Differs {
                        place,
                        table: table_name,
                    },
                });
            }
        }
        target.commit().await?;
        Ok(Copied { rows, before })
    }

    /// A process that just ended may be on the server for a moment longer.
    async fn stays_in_use(&self) -> Result<bool, DatabaseError> {
        let deadline = Instant::now() + LEAVING;
        while self.is_in_use().await? {
            if Instant::now() >= deadline {
                return Ok(true);
            }
            sleep(LOOK).await;
        }
        Ok(false)
    }
}

async fn counts(connection: &mut Connection, layout: &Layout) -> Result<Vec<(&'static str, u64)>, DatabaseError> {
    let mut counts = vec![];
    for table in layout.tables {
        let counted: Option<(i64,)> = connection.first(table.count, []).await?;
        let rows = counted.map_or(0, |(rows,)| u64::try_from(rows).unwrap_or(0));
        counts.push((table.name, rows));
    }
    Ok(counts)
}

/// The next rows of a table, as JSON objects; the first ones where `after` is none.
async fn page(table: &Table, connection: &mut Connection, after: Option<Value>) -> Result<Vec<Json>, DatabaseError> {
    let rows: Vec<(String,)> = match after {
        None => connection.all(table.first, [PAGE.into()]).await?,
        Some(key) => connection.all(table.after, [PAGE.into(), key]).await?,
    };
    let parsed = rows.iter().map(|(row,)| serde_json::from_str(row).map_err(damaged));
    parsed.collect()
}

/// Where the page behind this one begins; none where this is the last.
fn behind(table: &Table, page: &[Json]) -> Result<Option<Value>, DatabaseError> {
    match page.last().and_then(|row| row.get(table.key)) {
        None => Ok(None),
        Some(Json::String(key)) => Ok(Some(key.as_str().into())),
        Some(key) => match key.as_i64() {
            Some(key) => Ok(Some(key.into())),
            None => Err(damaged(format!("{} is no key of {}", key, table.name))),
        },
    }
}

async fn fill(
    table: &Table,
    source: &mut Connection,
    target: &mut Connection,
    watch: &(dyn Fn(u64) + Sync),
) -> Result<(), DatabaseError> {
    // Empty but for the one row that a new database begins with.
    target.run(table.clear, []).await?;
    let mut after = None;
    loop {
        let rows = page(table, source, after).await?;
        after = behind(table, &rows)?;
        if after.is_none() {
            return Ok(());
        }
        // Invariant: what was parsed as JSON can be written as JSON.
        let json = serde_json::to_string(&rows).unwrap_or_default();
        target.run(table.put, [json.into()]).await?;
        watch(rows.len() as u64);
    }
}

async fn same(
    table: &Table,
    source: &mut Connection,
    target: &mut Connection,
    watch: &(dyn Fn(u64) + Sync),
) -> Result<bool, DatabaseError> {
    let mut after = None;
    loop {
        let rows = page(table, source, after.clone()).await?;
        if rows != page(table, target, after).await? {
            return Ok(false);
        }
        after = behind(table, &rows)?;
        if after.is_none() {
            return Ok(true);
        }
        watch(rows.len() as u64);
    }
}

#[cfg(test)]
#[path = "copying_tests.rs"]
mod tests;
