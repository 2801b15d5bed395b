//! A relational database as inventory and accounts use it: one writer, some readers, migrated when opened.
//!
//! SQLite lets one connection write at a time. Rather than let two of them meet in its busy handler, which sleeps, there is
//! one writing connection behind a fair lock; readers see the last commit and wait for nobody.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    Connection, SqlSafeStr, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::{Mutex, MutexGuard};

use crate::services::ServiceError;

/// One step of a schema: its number, what it is called, its SQL.
pub type Step = (i64, &'static str, &'static str);

/// How every change begins: taking the write lock at once, so that what it reads stays true until it commits.
pub const BEGIN: &str = "BEGIN IMMEDIATE";

/// An open database file.
#[derive(Debug)]
pub struct Database {
    writer: Mutex<SqliteConnection>,
    readers: SqlitePool,
    path: PathBuf,
    options: SqliteConnectOptions,
}

/// Why a database could not be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A later version of the shop has changed its tables.
    #[error(
        "{} was written by a newer jangteo (step {found} of its schema; this version knows {known}): start the newer \
         version, or restore a backup taken before it",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The newest step applied to it.
        found: i64,
        /// The newest step this code knows.
        known: i64,
    },
    /// A step that was applied long ago reads differently today.
    #[error("{} does not have the tables this version expects: {source}", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: MigrateError,
    },
    /// The file cannot be opened: permissions, a full disk, not a database.
    #[error("{} cannot be opened: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: sqlx::Error,
    },
    /// A statement failed.
    #[error("the database failed: {0}")]
    Statement(#[from] sqlx::Error),
}

impl Database {
    /// Opens the file, making it if it is not there, and brings its tables up to `steps`.
    ///
    /// # Errors
    /// When the file cannot be opened or was written by a newer version.
    pub async fn open(path: &Path, steps: &[Step]) -> Result<Self, DatabaseError> {
        let cannot_open = |source| DatabaseError::Open {
            path: path.to_owned(),
            source,
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: a commit is on the disk when it returns, as the log's appends are.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        let mut writer = SqliteConnection::connect_with(&options).await.map_err(cannot_open)?;
        migrate(&mut writer, path, steps).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(2)
            .connect_with(options.clone().read_only(true).create_if_missing(false))
            .await
            .map_err(cannot_open)?;
        Ok(Self {
            writer: Mutex::new(writer),
            readers,
            path: path.to_owned(),
            options,
        })
    }

    /// The one connection that writes, for as long as the guard lives. Begin with [`BEGIN`].
    pub async fn writer(&self) -> MutexGuard<'_, SqliteConnection> {
        let mut writer = self.writer.lock().await;
        // A commit that fails, as on a full disk, is rolled back by SQLite itself, and sqlx waits for its end for ever. Nobody
        // else holds the lock, so a transaction that is still open after a round trip is such a one.
        if writer.is_in_transaction() && (writer.ping().await.is_err() || writer.is_in_transaction()) {
            match SqliteConnection::connect_with(&self.options).await {
                Ok(fresh) => *writer = fresh,
                Err(error) => tracing::error!(%error, path = %self.path.display(), "cannot be opened again"),
            }
        }
        writer
    }

    /// Connections that read the last commit.
    pub const fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl From<DatabaseError> for ServiceError {
    fn from(error: DatabaseError) -> Self {
        Self::Fault(error.to_string())
    }
}

async fn migrate(connection: &mut SqliteConnection, path: &Path, steps: &[Step]) -> Result<(), DatabaseError> {
    let known = steps.iter().map(|(number, ..)| *number).max().unwrap_or(0);
    let migrations = steps
        .iter()
        .map(|&(number, name, sql)| {
            Migration::new(number, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
        })
        .collect();
    let migrator = Migrator::with_migrations(migrations);
    migrator.run(connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) if found > known => DatabaseError::Newer {
            path: path.to_owned(),
            found,
            known,
        },
        source => DatabaseError::Schema {
            path: path.to_owned(),
            source,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Step = (1, "first", "CREATE TABLE a (x INTEGER) STRICT;");
    const SECOND: Step = (2, "second", "ALTER TABLE a ADD COLUMN y INTEGER;");

    #[tokio::test]
    async fn a_database_is_migrated_once_and_a_newer_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite");
        drop(Database::open(&path, &[FIRST]).await.unwrap());
        drop(Database::open(&path, &[FIRST, SECOND]).await.unwrap());
        let refused = Database::open(&path, &[FIRST]).await.unwrap_err();
        assert!(
            matches!(refused, DatabaseError::Newer { found: 2, known: 1, .. }),
            "{refused}"
        );
        assert!(refused.to_string().contains("start the newer version"), "{refused}");
    }

    #[tokio::test]
    async fn a_step_that_reads_differently_today_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite");
        drop(Database::open(&path, &[FIRST]).await.unwrap());
        let changed = (1, "first", "CREATE TABLE a (x TEXT) STRICT;");
        let refused = Database::open(&path, &[changed]).await.unwrap_err();
        assert!(matches!(refused, DatabaseError::Schema { .. }), "{refused}");
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite");
        std::fs::write(&path, "not a database, but long enough to be looked at".repeat(100)).unwrap();
        let refused = Database::open(&path, &[FIRST]).await.unwrap_err();
        assert!(refused.to_string().contains("a.sqlite"), "{refused}");
    }

    #[tokio::test]
    async fn after_a_commit_that_sqlite_rolled_back_by_itself_the_writer_writes_again() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("a.sqlite"), &[FIRST]).await.unwrap();
        {
            let mut writer = database.writer().await;
            let mut transaction = writer.begin_with(BEGIN).await.unwrap();
            // What SQLite does when the disk is full at a commit.
            sqlx::query("ROLLBACK").execute(&mut *transaction).await.unwrap();
            assert!(transaction.commit().await.is_err());
        }
        let mut writer = database.writer().await;
        let mut transaction = writer.begin_with(BEGIN).await.unwrap();
        sqlx::query("INSERT INTO a VALUES (1)")
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }

    #[tokio::test]
    async fn a_commit_is_on_the_disk_when_it_returns() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("a.sqlite"), &[FIRST]).await.unwrap();
        let mut writer = database.writer().await;
        let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(&mut *writer)
            .await
            .unwrap();
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&mut *writer)
            .await
            .unwrap();
        assert_eq!((synchronous, journal.as_str()), (2, "wal"));
    }
}
