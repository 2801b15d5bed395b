//! A database of a test's own: a file in a folder, or a schema on the server that `make test` started; gone with it.

use std::path::PathBuf;

use tempfile::TempDir;
use uuid::Uuid;

use super::{Place, Server};

/// The server for tests, as a connection string.
const SERVER: &str = "JANGTEO_TEST_POSTGRES";

/// Where a test's database is.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) place: Place,
    schema: Option<(String, String)>,
    folder: TempDir,
}

impl Own {
    /// On the engine that the suite is compiled for: a suite for both is two modules, `on_sqlite` and `on_postgres`, of one
    /// file. Where there is no server, its half is said to be skipped, and runs on SQLite once more.
    pub(crate) fn of(module: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if module.contains("on_postgres") {
            match std::env::var(SERVER) {
                Ok(url) => {
                    let schema = format!("test_{}", Uuid::now_v7().simple());
                    let place = Place::Server(Server::new(&url, None, &schema).unwrap());
                    let schema = Some((url, schema));
                    return Self { place, schema, folder };
                }
                Err(_) => skipped(),
            }
        }
        let place = Place::File(folder.path().join("own.sqlite"));
        Self {
            place,
            schema: None,
            folder,
        }
    }

    /// A folder that goes with it.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let Some((url, schema)) = self.schema.take() else {
            return;
        };
        // On a thread of its own: a test's runtime may be gone by now.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime
                .block_on(drop_schema(&url, &schema))
                .map_err(std::io::Error::other)
        });
        assert!(matches!(dropped.join(), Ok(Ok(()))), "the schema could not be dropped");
    }
}

/// A transaction that was dropped is rolled back by the test's runtime, which waits here for the drop and does nothing: the server would
/// wait for it until it has been idle for too long.
const END_WHO_HOLDS_IT: &str = "\
    SELECT pg_terminate_backend(pid) FROM pg_locks \
    JOIN pg_class ON pg_class.oid = relation JOIN pg_namespace ON pg_namespace.oid = relnamespace \
    WHERE nspname = $1 AND pid <> pg_backend_pid()";

async fn drop_schema(url: &str, schema: &str) -> Result<(), sqlx::Error> {
    use sqlx::{Connection as _, Executor as _};
    let mut connection = sqlx::PgConnection::connect(url).await?;
    let holders = sqlx::query(END_WHO_HOLDS_IT).bind(schema);
    holders.execute(&mut connection).await?;
    let statement = sqlx::AssertSqlSafe(format!("DROP SCHEMA IF EXISTS {schema} CASCADE"));
    connection.execute(sqlx::raw_sql(statement)).await?;
    connection.close().await
}

fn skipped() {
    use std::io::Write as _;
    let Some(file) = std::env::var_os("JANGTEO_SKIPPED") else {
        return;
    };
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .unwrap();
    file.write_all(b"inventory, accounts and their outbox on PostgreSQL: JANGTEO_TEST_POSTGRES names no server\n")
        .unwrap();
}
