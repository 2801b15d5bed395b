//! A relational database as inventory and accounts use it, migrated when opened: a SQLite file in the data folder, or a schema
//! of its own in a PostgreSQL database.
//!
//! Both are used alike. [`Database::begin`] starts a transaction that nobody else can write beside, so what it reads stays
//! true until it commits; [`Database::reader`] sees the last commit and waits for nobody. Statements are the same text where
//! the engines allow it ([`Sql`]); a batch of rows travels as one JSON array.

mod connection;
mod copying;
mod layout;
mod mark;
#[cfg(test)]
#[path = "suite.rs"]
#[expect(clippy::duplicate_mod, reason = "one suite, run on each engine")]
mod on_postgres;
#[cfg(test)]
#[path = "suite.rs"]
mod on_sqlite;
#[cfg(test)]
pub(crate) mod own;
mod postgres;
mod sqlite;
mod statement;

use std::{convert::Infallible, fmt, path::PathBuf};

use resilience::Failure;
use sqlx::{
    SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use self::connection::{Engine, Link};
pub(crate) use self::layout::{OUTBOX, table};
pub use self::{
    connection::{Connection, Transaction},
    copying::{Copied, CopyError},
    layout::{Layout, Table},
    mark::Mark,
    statement::{Record, Sql, Value},
};
use crate::services::ServiceError;

/// One step of a database's tables: its number, what it is called, its SQL for each engine.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Steps are taken in the order of their numbers, each once.
    pub number: i64,
    /// What it is called.
    pub name: &'static str,
    /// What it says to each engine.
    pub sql: Sql,
}

/// Where a database is.
#[derive(Debug, Clone)]
pub enum Place {
    /// In this file, made where it is missing.
    File(PathBuf),
    /// On a server.
    Server(Server),
}

/// A schema on a PostgreSQL server, made where it is missing.
#[derive(Clone)]
pub struct Server {
    url: String,
    password: Option<String>,
    schema: String,
    outlet: &'static str,
}

/// An open database.
#[derive(Debug)]
pub struct Database {
    store: Store,
    place: Place,
}

#[derive(Debug)]
enum Store {
    Sqlite(sqlite::File),
    Postgres(postgres::Schema),
}

/// Why a database could not be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A later version of the shop has changed its tables.
    #[error(
        "{place} was written by a newer jangteo (step {found} of its tables; this version knows {known}): start the newer \
         version, or restore a backup taken before it"
    )]
    Newer {
        /// Which database.
        place: String,
        /// The newest step applied to it.
        found: i64,
        /// The newest step this code knows.
        known: i64,
    },
    /// A step that was applied long ago reads differently today.
    #[error("{place} does not have the tables this version expects: {source}")]
    Schema {
        /// Which database.
        place: String,
        /// What does not fit.
        source: MigrateError,
    },
    /// It cannot be opened: permissions, a full disk, not a database, no server, a wrong password.
    #[error("{place} cannot be opened: {source}")]
    Open {
        /// Which database.
        place: String,
        /// What the engine says.
        source: sqlx::Error,
    },
    /// The server is not there, or did not answer in time. Asking again is safe.
    #[error("the database does not answer now: {0}")]
    Away(sqlx::Error),
    /// Its circuit is open, or it was asked and said nothing. Asking again is safe.
    #[error("the database does not answer now: {0}")]
    Outlet(Failure<Infallible>),
    /// A statement failed.
    #[error("the database failed: {0}")]
    Statement(sqlx::Error),
}

impl Server {
    /// A schema of the database that `url` names, `postgres://user@host:port/database`; the password from elsewhere.
    ///
    /// # Errors
    /// When the schema's name is no plain word.
    pub fn new(url: &str, password: Option<String>, schema: &str) -> Result<Self, DatabaseError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if schema.is_empty() || schema.len() > 60 || !schema.chars().all(plain) {
            let why = format!("a schema is named by a-z, 0-9 and _: {schema:?}");
            return Err(DatabaseError::Open {
                place: schema.to_owned(),
                source: sqlx::Error::Configuration(why.into()),
            });
        }
        Ok(Self {
            url: url.to_owned(),
            password,
            schema: schema.to_owned(),
            outlet: "postgres",
        })
    }

    /// With this name for operators and metrics to read.
    #[must_use]
    pub fn called(self, outlet: &'static str) -> Self {
        Self { outlet, ..self }
    }

    pub(super) fn schema(&self) -> &str {
        &self.schema
    }
}

impl Place {
    /// Whether there is a database with tables of ours. Nothing is made where there is none.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn holds_tables(&self) -> Result<bool, DatabaseError> {
        match self {
            Self::File(path) => Ok(path.exists()),
            Self::Server(server) => postgres::holds_tables(server)
                .await
                .map_err(|source| DatabaseError::Open {
                    place: self.to_string(),
                    source,
                }),
        }
    }
}

impl Database {
    /// Opens the database, making it if it is not there, and brings its tables up to `steps`.
    ///
    /// # Errors
    /// When it cannot be opened or was written by a newer version.
    pub async fn open(place: &Place, steps: &[Step]) -> Result<Self, DatabaseError> {
        let cannot_open = |source| DatabaseError::Open {
            place: place.to_string(),
            source,
        };
        let store = match place {
            Place::File(path) => Store::Sqlite(sqlite::File::open(path).await.map_err(cannot_open)?),
            Place::Server(server) => Store::Postgres(postgres::Schema::open(server).await.map_err(cannot_open)?),
        };
        let database = Self {
            store,
            place: place.clone(),
        };
        database.migrate(steps).await?;
        Ok(database)
    }

    /// Starts a transaction; others that write wait for its end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(&self) -> Result<Transaction, DatabaseError> {
        let engine = match &self.store {
            Store::Sqlite(file) => Engine::Sqlite(Link::Writing(file.begin().await?)),
            Store::Postgres(schema) => Engine::Postgres(Link::Writing(schema.begin().await?), schema.outlet()),
        };
        Ok(Transaction(Connection(engine)))
    }

    /// A connection that reads the last commit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reader(&self) -> Result<Connection, DatabaseError> {
        let engine = match &self.store {
            Store::Sqlite(file) => Engine::Sqlite(Link::Reading(file.readers.acquire().await?)),
            Store::Postgres(schema) => Engine::Postgres(Link::Reading(schema.reader().await?), schema.outlet()),
        };
        Ok(Connection(engine))
    }

    /// Where it is.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Whether other processes may write to it too.
    pub const fn is_shared(&self) -> bool {
        matches!(self.store, Store::Postgres(_))
    }

    /// Whether another process has it open, as far as the engine tells: a file does not, its folder's lock does.
    async fn is_in_use(&self) -> Result<bool, DatabaseError> {
        match &self.store {
            Store::Sqlite(_) => Ok(false),
            Store::Postgres(schema) => Ok(schema.is_in_use().await?),
        }
    }

    async fn migrate(&self, steps: &[Step]) -> Result<(), DatabaseError> {
        let known = steps.iter().map(|step| step.number).max().unwrap_or(0);
        let migrations = steps.iter().map(|step| {
            let sql = match self.store {
                Store::Sqlite(_) => step.sql.sqlite,
                Store::Postgres(_) => step.sql.postgres,
            };
            Migration::new(
                step.number,
                step.name.into(),
                MigrationType::Simple,
                sql.into_sql_str(),
                false,
            )
        });
        let migrator = Migrator::with_migrations(migrations.collect());
        let migrated = match &self.store {
            Store::Sqlite(file) => migrator.run(&file.writer).await,
            Store::Postgres(schema) => migrator.run(&schema.pool).await,
        };
        let place = self.place.to_string();
        migrated.map_err(|error| match error {
            MigrateError::VersionMissing(found) if found > known => DatabaseError::Newer { place, found, known },
            source => DatabaseError::Schema { place, source },
        })
    }
}

/// Without the password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server(server) => write!(f, "{server:?}"),
        }
    }
}

/// Without the password, which the address may hold too.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.url.rsplit_once('@').map_or(self.url.as_str(), |(_, at)| at);
        let at = at.strip_prefix("postgres://").unwrap_or(at);
        write!(f, "schema {} on {}", self.schema, at.split('?').next().unwrap_or(at))
    }
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        let away = match &error {
            E::Io(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::Protocol(_) | E::BeginFailed => true,
            // Shutting down, starting up, the wait for a lock or an answer was too long.
            E::Database(said) => said
                .code()
                .is_some_and(|code| code.starts_with("57") || code == "55P03"),
            _ => false,
        };
        if away {
            Self::Away(error)
        } else {
            Self::Statement(error)
        }
    }
}

impl From<DatabaseError> for ServiceError {
    fn from(error: DatabaseError) -> Self {
        Self::Fault(error.to_string())
    }
}

/// What is stored is not what was written.
pub(crate) fn damaged(error: impl fmt::Display) -> DatabaseError {
    DatabaseError::Statement(sqlx::Error::Decode(error.to_string().into()))
}

/// A number for a name, always the same: what a schema's lock is called.
fn fnv(name: &str) -> i64 {
    let byte = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, byte).cast_signed()
}
