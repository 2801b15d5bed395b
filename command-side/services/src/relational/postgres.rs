//! A schema of a PostgreSQL database.
//!
//! Whoever changes the schema takes its lock first, as in SQLite: what a transaction reads stays true until it commits, also
//! where two processes write, and rows in the outbox are numbered in the order of the commits. There are few writers and
//! they write in batches, so a lock costs them nothing that rows of their own would not.

use std::time::Duration;

use resilience::{CallError, Failure, Outlet, Settings};
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgPool, Postgres, Transaction,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};

use super::{DatabaseError, Server, fnv};

/// How long a statement, or the wait for the schema's lock, may take before it fails.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a transaction may do nothing: whoever was cut off from the server must not keep the others out.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a command waits for a connection before it is told that the server is away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that rested longer is asked whether it is still there before it is used.
const RESTED: Duration = Duration::from_secs(1);
const CONNECTIONS: u32 = 8;

/// The server ends what takes too long itself; this is for a server that is cut off and cannot say so.
const PATIENCE: Duration = Duration::from_secs(20);
/// Who may be waiting for a connection.
const PLACES: usize = 256;
/// Few: a connection is tried for all of [`ACQUIRE_TIMEOUT`] before that counts once.
const FAILURES_IN_A_ROW: u32 = 3;
/// Short: who tries waits for the server and goes on the moment that it is back.
const BREAK: Duration = Duration::from_millis(250);
const LONGEST_BREAK: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Schema {
    pub(super) pool: PgPool,
    outlet: Outlet,
    lock: i64,
}

impl Schema {
    pub(super) async fn open(server: &Server) -> Result<Self, sqlx::Error> {
        let schema = server.schema();
        let options = connect_options(server)?;
        make_schema(&options, schema).await?;
        let millis = |duration: Duration| duration.as_millis().to_string();
        let options = options.options([
            ("search_path", schema.to_owned()),
            ("statement_timeout", millis(STATEMENT_TIMEOUT)),
            ("idle_in_transaction_session_timeout", millis(IDLE_TIMEOUT)),
            // A commit is on the disk when it returns, whatever the server's default is.
            ("synchronous_commit", "on".to_owned()),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, rested| {
                Box::pin(async move {
                    let asleep = rested.idle_for > RESTED;
                    Ok(!asleep || connection.ping().await.is_ok())
                })
            })
            .connect_with(options)
            .await?;
        Ok(Self {
            pool,
            outlet: outlet(server.outlet),
            lock: fnv(schema),
        })
    }

    /// What every statement goes through.
    pub(super) fn outlet(&self) -> Outlet {
        self.outlet.clone()
    }

    pub(super) async fn begin(&self) -> Result<Transaction<'static, Postgres>, DatabaseError> {
        Ok(self.outlet.call(async || Ok(self.locked().await?)).await?)
    }

    pub(super) async fn reader(&self) -> Result<PoolConnection<Postgres>, DatabaseError> {
        Ok(self.outlet.call(async || Ok(self.pool.acquire().await?)).await?)
    }

    async fn locked(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        // Held until the transaction ends, however it ends.
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(self.lock)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction)
    }

    /// Whether other processes have connections for this schema: more than ours.
    pub(super) async fn is_in_use(&self) -> Result<bool, sqlx::Error> {
        let connections: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = current_setting('application_name')",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(connections > i64::from(self.pool.size()))
    }
}

/// Whether the schema is there, with tables of ours.
pub(super) async fn holds_tables(server: &Server) -> Result<bool, sqlx::Error> {
    let mut connection = sqlx::PgConnection::connect_with(&connect_options(server)?).await?;
    let found =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = 'outbox')")
            .bind(server.schema())
            .fetch_one(&mut connection)
            .await;
    connection.close().await?;
    found
}

fn outlet(name: &'static str) -> Outlet {
    let settings = Settings::default().places(PLACES).patience(ACQUIRE_TIMEOUT);
    let settings = settings.deadline(PATIENCE);
    Outlet::new(name, settings.breaks(FAILURES_IN_A_ROW, BREAK, LONGEST_BREAK))
}

impl CallError for DatabaseError {
    /// A connection that broke while it rested is no sign of the next. A wait that was too long will be too long again.
    fn may_pass(&self) -> bool {
        use sqlx::Error as E;
        matches!(
            self,
            Self::Away(E::Io(_) | E::Protocol(_) | E::WorkerCrashed | E::BeginFailed)
        )
    }

    fn counts(&self) -> bool {
        matches!(self, Self::Away(_))
    }
}

impl From<Failure<Self>> for DatabaseError {
    fn from(failure: Failure<Self>) -> Self {
        failure.into_error(Self::Outlet)
    }
}

fn connect_options(server: &Server) -> Result<PgConnectOptions, sqlx::Error> {
    let mut options: PgConnectOptions = server.url.parse()?;
    // A server elsewhere is spoken to in secret, and must prove who it is, unless the address says otherwise.
    if !server.url.contains("sslmode=") {
        let here = ["127.0.0.1", "localhost", "::1", "[::1]"].contains(&options.get_host());
        let local = here || options.get_socket().is_some();
        options = options.ssl_mode(if local {
            PgSslMode::Prefer
        } else {
            PgSslMode::VerifyFull
        });
    }
    if let Some(password) = &server.password {
        options = options.password(password);
    }
    // Which schema a connection is for, so that whoever moves the schema sees that it is in use.
    Ok(options.application_name(&format!("jangteo {}", server.schema())))
}

/// Two processes may come at once: `IF NOT EXISTS` is not safe against itself, the lock makes it so.
async fn make_schema(options: &PgConnectOptions, schema: &str) -> Result<(), sqlx::Error> {
    let mut connection = sqlx::PgConnection::connect_with(options).await?;
    // Safe: a schema's name is checked to be a plain word.
    let make = format!(
        "BEGIN; SELECT pg_advisory_xact_lock({}); CREATE SCHEMA IF NOT EXISTS {schema}; COMMIT",
        fnv(schema)
    );
    let made = connection.execute(sqlx::raw_sql(AssertSqlSafe(make))).await;
    connection.close().await?;
    made.map(|_| ())
}
