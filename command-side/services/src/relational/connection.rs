//! A connection to either engine, and a transaction on one.

use std::ops::{Deref, DerefMut};

use resilience::Outlet;
use sqlx::{
    Database, PgConnection, Postgres, Sqlite, SqliteConnection, pool::PoolConnection, query_as_with, query_with,
};

use super::{
    DatabaseError, Record, Sql, Value,
    statement::{for_postgres, for_sqlite},
};

/// A connection: it reads, and within a [`Transaction`] it writes.
#[derive(Debug)]
pub struct Connection(pub(super) Engine);

#[derive(Debug)]
pub(super) enum Engine {
    Sqlite(Link<Sqlite>),
    Postgres(Link<Postgres>, Outlet),
}

#[derive(Debug)]
pub(super) enum Link<DB: Database> {
    Reading(PoolConnection<DB>),
    Writing(sqlx::Transaction<'static, DB>),
}

/// Changes that are made together or not at all: dropped without [`Transaction::commit`], nothing happened.
#[derive(Debug)]
pub struct Transaction(pub(super) Connection);

impl Transaction {
    /// Makes the changes; they are on the disk when this returns.
    ///
    /// # Errors
    /// When the database fails. Then nothing happened, unless the way to a server broke at this very moment: then nobody
    /// knows, and the same command again finds out.
    pub async fn commit(self) -> Result<(), DatabaseError> {
        match self.0.0 {
            Engine::Sqlite(Link::Writing(transaction)) => transaction.commit().await?,
            Engine::Postgres(Link::Writing(transaction), outlet) => answered(&outlet, transaction.commit()).await?,
            Engine::Sqlite(Link::Reading(_)) | Engine::Postgres(Link::Reading(_), _) => {}
        }
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

impl Connection {
    /// The rows that a statement yields.
    ///
    /// # Errors
    /// When the database fails, or a row is not what is expected.
    pub async fn all<T: Record>(
        &mut self,
        sql: impl Into<Sql>,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>, DatabaseError> {
        let sql = sql.into();
        let rows = match &mut self.0 {
            Engine::Sqlite(link) => {
                let query = query_as_with(sql.sqlite, for_sqlite(values)?);
                query.fetch_all(link.sqlite()).await?
            }
            Engine::Postgres(link, outlet) => {
                let query = query_as_with(sql.postgres, for_postgres(values)?);
                answered(outlet, query.fetch_all(link.postgres())).await?
            }
        };
        Ok(rows)
    }

    /// The first of them, if there is one.
    ///
    /// # Errors
    /// As [`Self::all`].
    pub async fn first<T: Record>(
        &mut self,
        sql: impl Into<Sql>,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<T>, DatabaseError> {
        let sql = sql.into();
        let row = match &mut self.0 {
            Engine::Sqlite(link) => {
                let query = query_as_with(sql.sqlite, for_sqlite(values)?);
                query.fetch_optional(link.sqlite()).await?
            }
            Engine::Postgres(link, outlet) => {
                let query = query_as_with(sql.postgres, for_postgres(values)?);
                answered(outlet, query.fetch_optional(link.postgres())).await?
            }
        };
        Ok(row)
    }

    /// Runs a statement that yields nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run(
        &mut self,
        sql: impl Into<Sql>,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<(), DatabaseError> {
        let sql = sql.into();
        match &mut self.0 {
            Engine::Sqlite(link) => {
                let query = query_with(sql.sqlite, for_sqlite(values)?);
                query.execute(link.sqlite()).await?;
            }
            Engine::Postgres(link, outlet) => {
                let query = query_with(sql.postgres, for_postgres(values)?);
                answered(outlet, query.execute(link.postgres())).await?;
            }
        }
        Ok(())
    }
}

/// A statement that is part of what was begun through the outlet.
async fn answered<T>(
    outlet: &Outlet,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, DatabaseError> {
    Ok(outlet.go_on(async { Ok(answer.await?) }).await?)
}

impl Link<Sqlite> {
    fn sqlite(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Reading(connection) => connection,
            Self::Writing(transaction) => transaction,
        }
    }
}

impl Link<Postgres> {
    fn postgres(&mut self) -> &mut PgConnection {
        match self {
            Self::Reading(connection) => connection,
            Self::Writing(transaction) => transaction,
        }
    }
}
