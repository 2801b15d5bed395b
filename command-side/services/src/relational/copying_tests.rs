use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    super::{Place, Sql, own::Own},
    *,
};
use crate::{accounts, inventory};

const MANY: i64 = 2 * PAGE + 7;

async fn open(own: &Own, layout: &Layout) -> Database {
    Database::open(&own.place, layout.steps).await.unwrap()
}

fn either() -> [Own; 2] {
    [Own::of("on_sqlite"), Own::of("on_postgres")]
}

fn unwatched(_: u64) {}

async fn write(database: &Database, statements: &[(&'static str, Vec<Value>)]) {
    let mut transaction = database.begin().await.unwrap();
    for (statement, values) in statements {
        transaction.run(*statement, values.clone()).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

async fn stocked(database: &Database) {
    let mut transaction = database.begin().await.unwrap();
    for product in 0..MANY {
        let row = [
            format!("product {product:05}").into(),
            (product * 3).into(),
            product.into(),
        ];
        transaction
            .run(
                "INSERT INTO stock (product_id, on_hand, reserved) VALUES ($1, $2, $3)",
                row,
            )
            .await
            .unwrap();
    }
    for event in 1..=12 {
        let row = "INSERT INTO outbox VALUES ($1, 'id', 'stock-1', 'StockReceived', '{}', $2, NULL)";
        let said = r#"{"name": "달항아리 \"큰\" \u0000 'it''s'"}"#;
        transaction
            .run(row, [i64::from(event).into(), said.into()])
            .await
            .unwrap();
    }
    transaction.run("UPDATE outbox_end SET seq = 40", []).await.unwrap();
    transaction.commit().await.unwrap();
    database.begin_house().await.unwrap();
}

#[tokio::test]
async fn everything_goes_from_one_engine_to_the_other_and_back_and_again_is_no_harm() {
    let layout = &inventory::LAYOUT;
    let ([one, other], third) = (either(), Own::of("on_sqlite"));
    let (one, other, third) = (
        open(&one, layout).await,
        open(&other, layout).await,
        open(&third, layout).await,
    );
    stocked(&one).await;
    let done = AtomicU64::new(0);
    let watch = |rows| {
        done.fetch_add(rows, Ordering::Relaxed);
    };
    let copied = one.copy_into(&other, layout, &watch).await.unwrap();
    let rows = vec![
        ("stock", MANY as u64),
        ("reservations", 0),
        ("receipts", 0),
        ("outbox", 12),
    ];
    assert_eq!(
        copied,
        Copied {
            rows: rows.clone(),
            before: false
        }
    );
    assert_eq!(
        done.load(Ordering::Relaxed),
        2 * (MANY as u64 + 14),
        "each row written, and compared"
    );
    other.copy_into(&third, layout, &unwatched).await.unwrap();
    let again = one.copy_into(&third, layout, &unwatched).await.unwrap();
    assert!(again.before, "there and back is the same");
    for database in [&other, &third] {
        assert_eq!(database.counts(layout).await.unwrap(), rows);
        assert_eq!(database.mark(layout).await.unwrap(), one.mark(layout).await.unwrap());
    }
}

#[tokio::test]
async fn accounts_keep_what_refers_to_them() {
    let layout = &accounts::LAYOUT;
    let [own, other] = either();
    for (from, to) in [(&own, &other), (&other, &Own::of("on_sqlite"))] {
        let (from, to) = (open(from, layout).await, open(to, layout).await);
        if from.mark(layout).await.unwrap().empty {
            write(&from, &[
                ("INSERT INTO accounts VALUES ('a', 'Kim@x.example', 'kim@x.example', '김', 'h', '[]', 1, 'c', 'f')", vec![]),
                ("INSERT INTO sessions VALUES ('s', 'a', 'c', 'f', 1, 2, NULL), ('t', 'a', 'd', 'f', 1, 2, 3)", vec![]),
                ("INSERT INTO refresh_tokens VALUES ('d', 's', 1, NULL), ('e', 't', 1, 'x')", vec![]),
                ("INSERT INTO setup_token VALUES (1, 'digest')", vec![]),
                ("INSERT INTO credit_accounts VALUES ('a', 'KRW', 100, 10, -5)", vec![]),
            ])
            .await;
        }
        let copied = from.copy_into(&to, layout, &unwatched).await.unwrap();
        let rows: Vec<_> = copied.rows.iter().map(|(_, rows)| *rows).collect();
        let token: Option<(String,)> = to
            .reader()
            .await
            .unwrap()
            .first("SELECT digest FROM setup_token", [])
            .await
            .unwrap();
        assert_eq!(token, Some(("digest".to_owned(),)));
        assert_eq!((rows, copied.before), (vec![1, 2, 2, 1, 0, 0, 0], false));
    }
}

#[tokio::test]
async fn a_target_that_holds_something_else_is_refused_and_left_alone() {
    let layout = &inventory::LAYOUT;
    let [own, other] = either();
    let (from, to) = (open(&own, layout).await, open(&other, layout).await);
    stocked(&from).await;
    write(&to, &[("INSERT INTO stock VALUES ('mine', 1, 0)", vec![])]).await;
    let refused = from.copy_into(&to, layout, &unwatched).await.unwrap_err();
    assert!(
        matches!(refused, CopyError::NotEmpty { table: "stock", .. }),
        "{refused}"
    );
    assert_eq!(to.counts(layout).await.unwrap()[0], ("stock", 1));
    // What went on after it was copied is something else, too, be it by a single event.
    let third = Own::of("on_sqlite");
    let third = open(&third, layout).await;
    from.copy_into(&third, layout, &unwatched).await.unwrap();
    write(&third, &[("UPDATE outbox_end SET seq = seq + 1", vec![])]).await;
    let refused = from.copy_into(&third, layout, &unwatched).await.unwrap_err();
    assert!(
        matches!(
            refused,
            CopyError::NotEmpty {
                table: "outbox_end",
                ..
            }
        ),
        "{refused}"
    );
}

#[tokio::test]
async fn a_database_that_a_shop_has_open_on_a_server_is_not_copied() {
    let layout = &inventory::LAYOUT;
    let [own, shared] = either();
    if !matches!(shared.place, Place::Server(_)) {
        return;
    }
    let (to, from, shop) = (
        open(&own, layout).await,
        open(&shared, layout).await,
        open(&shared, layout).await,
    );
    let held = shop.reader().await.unwrap();
    let refused = from.copy_into(&to, layout, &unwatched).await.unwrap_err();
    assert!(matches!(refused, CopyError::InUse(_)), "{refused}");
    drop((held, shop));
    from.copy_into(&to, layout, &unwatched).await.unwrap();
}

#[tokio::test]
async fn a_layout_names_every_table_and_every_column() {
    const COLUMNS: Sql = Sql::each(
        "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p \
         WHERE m.type = 'table' AND m.name NOT LIKE '%sqlx%' AND m.name NOT LIKE 'sqlite%'",
        "SELECT table_name::text, column_name::text FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name NOT LIKE '%sqlx%'",
    );
    for layout in [&inventory::LAYOUT, &accounts::LAYOUT] {
        for own in either() {
            let database = open(&own, layout).await;
            let found: Vec<(String, String)> = database.reader().await.unwrap().all(COLUMNS, []).await.unwrap();
            let named = layout.all().flat_map(|table| {
                let columns = table.columns.iter();
                columns.map(|column| (table.name.to_owned(), (*column).to_owned()))
            });
            assert_eq!(
                found.into_iter().collect::<BTreeSet<_>>(),
                named.collect(),
                "{}",
                layout.name
            );
        }
    }
}

#[tokio::test]
async fn where_nothing_is_nothing_is_made() {
    for own in either() {
        assert!(!own.place.holds_tables().await.unwrap());
        open(&own, &inventory::LAYOUT).await;
        assert!(own.place.holds_tables().await.unwrap());
    }
}
