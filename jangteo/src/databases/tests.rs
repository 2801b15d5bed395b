use std::sync::Arc;

use command_services::relational::Database;
use event_log::{Append, EventLog, ExpectedVersion, memory::MemoryLog};
use event_schemas::{Actor, ContentType, Metadata, NewEvent, Timestamp};
use uuid::Uuid;

use super::{
    Databases, Whereabouts,
    seen::{self, Misfit, SeenError},
};
use crate::folder::DataFolder;

/// A shop's folder, and as many other places for databases as are wanted.
struct Fixture {
    temp: tempfile::TempDir,
    folder: DataFolder,
    log: Arc<dyn EventLog>,
}

impl Fixture {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let folder = DataFolder::claim(&temp.path().join("shop")).unwrap();
        let log = MemoryLog::new();
        Self { temp, folder, log }
    }

    async fn at(&self, place: &str) -> Databases {
        let at = self.temp.path().join(place);
        std::fs::create_dir_all(&at).unwrap();
        Databases::open(&Whereabouts::Folder(at)).await.unwrap()
    }

    async fn tells(&self, stream: &str, by: &'static str) {
        let metadata = Metadata::new(Timestamp::from_millis(0), Uuid::nil(), Actor::system(by));
        let event = NewEvent {
            id: Uuid::now_v7(),
            event_type: "Happened".to_owned(),
            content: ContentType::Json,
            metadata: serde_json::to_vec(&metadata).unwrap().into(),
            data: "{}".into(),
        };
        let append = Append {
            stream: stream.parse().unwrap(),
            expected: ExpectedVersion::Any,
            events: vec![event],
        };
        self.log.append(append).await.unwrap();
    }

    async fn settle(&self, databases: &Databases) -> Option<Misfit> {
        match seen::settle(&self.folder, self.log.as_ref(), databases).await {
            Ok(()) => None,
            Err(SeenError::Misfit { misfit, .. }) => Some(misfit),
            Err(error) => panic!("{error}"),
        }
    }
}

async fn sells(databases: &Databases, product: &'static str) {
    let mut transaction = databases.inventory.begin().await.unwrap();
    let stock = "INSERT INTO stock (product_id, on_hand, reserved) VALUES ($1, 1, 0)";
    transaction.run(stock, [product.into()]).await.unwrap();
    transaction
        .run("UPDATE outbox_end SET seq = seq + 1", [])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

/// The inventory as it is copied: with its id.
async fn copied(from: &Databases, to: &Databases) {
    for ((layout, from), (_, to)) in from.each().into_iter().zip(to.each()) {
        from.copy_into(to, layout, &|_| ()).await.unwrap();
    }
}

#[tokio::test]
async fn a_shop_goes_on_with_what_it_has_had_or_a_copy_of_it_and_with_nothing_else() {
    let shop = Fixture::new();
    let own = shop.at("own").await;
    assert_eq!(shop.settle(&own).await, None, "a new shop");
    sells(&own, "lamp").await;
    seen::remember(&shop.folder, &own).await.unwrap();
    assert_eq!(shop.settle(&own).await, None);

    let copy = shop.at("copy").await;
    assert_eq!(shop.settle(&copy).await, Some(Misfit::Empty));
    copied(&own, &copy).await;
    assert_eq!(shop.settle(&copy).await, None);

    // It went on there: what was left behind is older now.
    sells(&copy, "vase").await;
    seen::remember(&shop.folder, &copy).await.unwrap();
    assert_eq!(shop.settle(&own).await, Some(Misfit::Older));
    assert_eq!(shop.settle(&copy).await, None);

    let (another, others) = (Fixture::new(), shop.at("another").await);
    assert_eq!(another.settle(&others).await, None);
    sells(&others, "chair").await;
    assert_eq!(shop.settle(&others).await, Some(Misfit::Another));
    seen::accept(&shop.folder, &others).await.unwrap();
    assert_eq!(shop.settle(&others).await, None, "an operator wants it so");
}

#[tokio::test]
async fn a_folder_that_remembers_nothing_asks_the_log() {
    let shop = Fixture::new();
    shop.tells("order-1", "place_order").await;
    // Of these an import writes, too, and no database needs to know them.
    shop.tells("customer-1", "import").await;
    shop.tells("seller-1", "import").await;
    let (own, other) = (shop.at("own").await, shop.at("other").await);
    assert_eq!(shop.settle(&own).await, None);

    let moved = Fixture {
        folder: DataFolder::claim(&shop.temp.path().join("moved")).unwrap(),
        ..shop
    };
    moved.tells("stock-1", "inventory").await;
    assert_eq!(moved.settle(&other).await, Some(Misfit::Empty));
    assert_eq!(moved.settle(&own).await, None, "it has been begun with");
    // A database of an older program, which had no ids yet.
    let old = moved.at("old").await;
    sells(&old, "lamp").await;
    std::fs::remove_file(moved.folder.place("database-witness")).unwrap();
    assert_eq!(moved.settle(&old).await, None);
}

#[tokio::test]
async fn an_empty_shop_may_change_its_mind_about_where_its_databases_are() {
    let shop = Fixture::new();
    let (own, other) = (shop.at("own").await, shop.at("other").await);
    assert_eq!(shop.settle(&own).await, None);
    let mut transaction = own.accounts.begin().await.unwrap();
    transaction
        .run("INSERT INTO setup_token VALUES (1, 'digest')", [])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    seen::remember(&shop.folder, &own).await.unwrap();
    assert_eq!(
        shop.settle(&other).await,
        None,
        "the token for the first admin is made anew"
    );
}

#[tokio::test]
async fn a_shop_that_was_killed_before_it_remembered_what_it_has_asks_the_log() {
    let shop = Fixture::new();
    let (own, other) = (shop.at("own").await, shop.at("other").await);
    assert_eq!(shop.settle(&own).await, None);
    sells(&own, "lamp").await;
    shop.tells("stock-1", "inventory").await;
    assert_eq!(shop.settle(&other).await, Some(Misfit::Empty));
    assert_eq!(shop.settle(&own).await, None);
}

#[tokio::test]
async fn the_refusal_says_where_they_were_and_what_to_do() {
    let shop = Fixture::new();
    let own = shop.at("own").await;
    shop.settle(&own).await;
    sells(&own, "lamp").await;
    seen::remember(&shop.folder, &own).await.unwrap();
    let other: Arc<Database> = shop.at("other").await.inventory;
    let databases = Databases {
        inventory: other,
        ..own
    };
    let refused = seen::settle(&shop.folder, shop.log.as_ref(), &databases).await;
    let said = refused.unwrap_err().to_string();
    for word in [
        "own/inventory.db",
        "other/inventory.db",
        "is empty",
        "database copy",
        "database accept",
    ] {
        assert!(said.contains(word), "{said}");
    }
}
