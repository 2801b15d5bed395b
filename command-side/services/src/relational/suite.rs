//! What a database must do, whichever engine it stands on: the same file is compiled as `on_sqlite` and `on_postgres`.

use super::{own::Own, *};

const FIRST: Step = Step {
    number: 1,
    name: "first",
    sql: Sql::each("CREATE TABLE a (x INTEGER) STRICT;", "CREATE TABLE a (x BIGINT);"),
};
const SECOND: Step = Step {
    number: 2,
    name: "second",
    sql: Sql::each(
        "ALTER TABLE a ADD COLUMN y INTEGER;",
        "ALTER TABLE a ADD COLUMN y BIGINT;",
    ),
};

fn own() -> Own {
    Own::of(module_path!())
}

async fn counted(database: &Database) -> i64 {
    let counted: Option<(i64,)> = database
        .reader()
        .await
        .unwrap()
        .first("SELECT count(*) FROM a", [])
        .await
        .unwrap();
    counted.unwrap().0
}

#[tokio::test]
async fn a_database_is_migrated_once_and_a_newer_one_is_refused() {
    let own = own();
    drop(Database::open(&own.place, &[FIRST]).await.unwrap());
    drop(Database::open(&own.place, &[FIRST, SECOND]).await.unwrap());
    let refused = Database::open(&own.place, &[FIRST]).await.unwrap_err();
    assert!(
        matches!(refused, DatabaseError::Newer { found: 2, known: 1, .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("start the newer version"), "{refused}");
}

#[tokio::test]
async fn a_step_that_reads_differently_today_is_refused() {
    let own = own();
    drop(Database::open(&own.place, &[FIRST]).await.unwrap());
    let changed = Step {
        sql: "CREATE TABLE a (x TEXT);".into(),
        ..FIRST
    };
    let refused = Database::open(&own.place, &[changed]).await.unwrap_err();
    assert!(matches!(refused, DatabaseError::Schema { .. }), "{refused}");
}

#[tokio::test]
async fn a_transaction_is_made_together_or_not_at_all() {
    let own = own();
    let database = Database::open(&own.place, &[FIRST]).await.unwrap();
    let mut transaction = database.begin().await.unwrap();
    transaction.run("INSERT INTO a VALUES ($1)", [7.into()]).await.unwrap();
    drop(transaction);
    assert_eq!(counted(&database).await, 0);
    let mut transaction = database.begin().await.unwrap();
    for number in [7, 8] {
        transaction
            .run("INSERT INTO a VALUES ($1)", [number.into()])
            .await
            .unwrap();
    }
    assert_eq!(counted(&database).await, 0, "a reader sees the last commit");
    let rows: Vec<(i64,)> = transaction.all("SELECT x FROM a ORDER BY x", []).await.unwrap();
    assert_eq!(rows, [(7,), (8,)]);
    transaction.commit().await.unwrap();
    assert_eq!(counted(&database).await, 2);
}

#[tokio::test]
async fn what_fails_in_a_transaction_leaves_the_database_usable() {
    let own = own();
    let database = Database::open(&own.place, &[FIRST]).await.unwrap();
    let mut transaction = database.begin().await.unwrap();
    transaction.run("INSERT INTO a VALUES ($1)", [7.into()]).await.unwrap();
    assert!(transaction.run("INSERT INTO nowhere VALUES (1)", []).await.is_err());
    drop(transaction);
    let mut transaction = database.begin().await.unwrap();
    transaction.run("INSERT INTO a VALUES ($1)", [8.into()]).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(counted(&database).await, 1);
}

/// Two processes would be two databases at one place. What each adds up, it adds to what the other left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_writes_beside_a_transaction() {
    let own = own();
    let one = Database::open(&own.place, &[FIRST]).await.unwrap();
    let other = Database::open(&own.place, &[FIRST]).await.unwrap();
    let add = async |database: &Database| {
        for _ in 0..25 {
            let mut transaction = database.begin().await.unwrap();
            let last: Option<(i64,)> = transaction
                .first("SELECT coalesce(max(x), 0) FROM a", [])
                .await
                .unwrap();
            let next = last.unwrap().0 + 1;
            transaction
                .run("INSERT INTO a VALUES ($1)", [next.into()])
                .await
                .unwrap();
            transaction.commit().await.unwrap();
        }
    };
    tokio::join!(add(&one), add(&other));
    let mut reader = one.reader().await.unwrap();
    let rows: Vec<(i64,)> = reader.all("SELECT x FROM a ORDER BY x", []).await.unwrap();
    assert_eq!(rows, (1..=50).map(|x| (x,)).collect::<Vec<_>>());
}
