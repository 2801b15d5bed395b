//! What only SQLite's files do.

use super::*;
use crate::relational::{Database, Place, Step};

const FIRST: Step = Step {
    number: 1,
    name: "first",
    sql: crate::relational::Sql::each("CREATE TABLE a (x INTEGER) STRICT;", ""),
};

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    std::fs::write(&path, "not a database, but long enough to be looked at".repeat(100)).unwrap();
    let refused = Database::open(&Place::File(path), &[FIRST]).await.unwrap_err();
    assert!(refused.to_string().contains("a.sqlite"), "{refused}");
}

#[tokio::test]
async fn after_a_commit_that_sqlite_rolled_back_by_itself_the_writer_writes_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("a.sqlite"));
    let database = Database::open(&place, &[FIRST]).await.unwrap();
    let mut transaction = database.begin().await.unwrap();
    // What SQLite does when the disk is full at a commit.
    transaction.run("ROLLBACK", []).await.unwrap();
    assert!(transaction.commit().await.is_err());
    let mut transaction = database.begin().await.unwrap();
    transaction.run("INSERT INTO a VALUES (1)", []).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_commit_is_on_the_disk_when_it_returns() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::open(&folder.path().join("a.sqlite")).await.unwrap();
    let mut transaction = file.begin().await.unwrap();
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    assert_eq!((synchronous, journal.as_str()), (2, "wal"));
}
