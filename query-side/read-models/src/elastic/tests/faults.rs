//! What goes wrong between us and a real node, and what is there afterwards.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    Place, address,
    forwarder::{Forwarder, Wire},
};
use crate::{
    documents::{Checkpoint, DocumentStore, Generation, Part, Scan, Write},
    elastic::{ElasticDocuments, ElasticSettings, Node, Outcome, Owner, Plain, Shape},
};

const MODEL: &str = "notes";

fn put(key: &str, value: impl Into<Vec<u8>>) -> Write {
    Write {
        part: Part::Documents,
        key: key.as_bytes().to_vec(),
        value: Some(value.into()),
    }
}

const fn at(position: u64) -> Checkpoint {
    Checkpoint {
        position,
        documents: 0,
        skipped: 0,
    }
}

fn store(place: &Place) -> ElasticDocuments<Plain> {
    ElasticDocuments::new(Arc::clone(&place.node), Plain)
}

async fn text(store: &dyn DocumentStore, generation: Generation, key: &str) -> Option<String> {
    let bytes = store.get(generation, Part::Documents, key.as_bytes()).await.unwrap();
    bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

/// Every document, by its value.
async fn all(store: &dyn DocumentStore, generation: Generation) -> Vec<String> {
    let scan = Scan {
        prefix: b"",
        after: None,
        backwards: false,
        limit: 10_000,
    };
    let found = store.scan(generation, Part::Documents, scan).await.unwrap();
    found
        .into_iter()
        .map(|(_, value)| String::from_utf8(value.to_vec()).unwrap())
        .collect()
}

#[tokio::test]
async fn a_writer_that_is_cut_off_anywhere_has_written_all_or_nothing() {
    let Some(place) = Place::new().await else { return };
    let forwarder = Forwarder::to(&address().unwrap()).await;
    let behind = Node::connect(&ElasticSettings::new(forwarder.url(), place.node.prefix()))
        .await
        .unwrap();
    let behind = Arc::new(behind);
    let live = store(&place).generations(MODEL).await.unwrap().live;
    let (mut finished, mut undone) = (0, 0);
    // One piece more gets through each time, until a commit does.
    for pieces in 0.. {
        let position = pieces as u64 + 1;
        let before = store(&place).checkpoint(live).await.unwrap();
        let writer = ElasticDocuments::new(Arc::clone(&behind), Plain);
        writer.checkpoint(live).await.unwrap();
        forwarder.set(Wire::Last(pieces));
        let value = position.to_string();
        let writes = (0..20).map(|key| put(&format!("{key:02}"), value.clone())).collect();
        let done = tokio::select! {
            biased;
            // Killed: nothing of this process goes on.
            () = forwarder.cut() => false,
            done = writer.commit(live, writes, at(position)) => { done.unwrap(); true }
        };
        forwarder.set(Wire::Open);
        // Started again, on a wire that holds.
        let after = store(&place);
        let there = after.checkpoint(live).await.unwrap();
        let values = all(&after, live).await;
        if there == at(position) {
            assert_eq!(values, vec![value; 20], "cut after {pieces} pieces");
            finished += 1;
        } else {
            assert_eq!(there, before, "cut after {pieces} pieces");
            let old = if before.position == 0 {
                vec![]
            } else {
                vec![before.position.to_string(); 20]
            };
            assert_eq!(values, old, "cut after {pieces} pieces");
            undone += 1;
        }
        if done {
            break;
        }
    }
    assert!(
        finished > 1 && undone > 0,
        "{finished} finished by the next start, {undone} never were"
    );
    place.clear().await;
}

#[tokio::test]
async fn a_node_that_is_away_for_a_moment_is_written_when_it_is_back() {
    let Some(place) = Place::new().await else { return };
    let forwarder = Forwarder::to(&address().unwrap()).await;
    let behind = Node::connect(&ElasticSettings::new(forwarder.url(), place.node.prefix()))
        .await
        .unwrap();
    let writer = ElasticDocuments::new(Arc::new(behind), Plain);
    let live = writer.generations(MODEL).await.unwrap().live;
    forwarder.set(Wire::Cut);
    let commit = writer.commit(live, vec![put("a", "1")], at(1));
    let (done, ()) = tokio::join!(commit, async {
        forwarder.tried_twice().await;
        forwarder.set(Wire::Open);
    });
    done.unwrap();
    assert_eq!(text(&writer, live, "a").await.as_deref(), Some("1"));
    // Away for longer: the caller is told, nothing is taken back, and the checkpoint says how to go on.
    forwarder.set(Wire::Cut);
    writer.commit(live, vec![put("a", "2")], at(2)).await.unwrap_err();
    forwarder.set(Wire::Open);
    let error = writer
        .commit(live, vec![put("a", "3")], at(3))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("an earlier write"), "{error}");
    assert_eq!(writer.checkpoint(live).await.unwrap(), at(1));
    writer.commit(live, vec![put("a", "2")], at(2)).await.unwrap();
    assert_eq!(text(&writer, live, "a").await.as_deref(), Some("2"));
    place.clear().await;
}

#[tokio::test]
async fn a_commit_larger_than_a_request_is_finished_by_the_next_start() {
    let Some(place) = Place::new().await else { return };
    let killed = store(&place);
    let live = killed.generations(MODEL).await.unwrap().live;
    killed.checkpoint(live).await.unwrap();
    let long = format!("\"{}\"", "x".repeat(100_000));
    let writes: Vec<_> = (0..120).map(|key| put(&format!("{key:03}"), long.clone())).collect();
    killed.write_down(live, &writes, at(9)).await.unwrap();
    assert_eq!(all(&killed, live).await.len(), 0, "only written down");
    let next = store(&place);
    assert_eq!(next.checkpoint(live).await.unwrap(), at(9));
    assert_eq!(all(&next, live).await, vec![long; 120]);
    // Finished once: a repeated start finds nothing to do.
    assert_eq!(store(&place).checkpoint(live).await.unwrap(), at(9));
    place.clear().await;
}

#[tokio::test]
async fn of_two_writers_the_second_is_told() {
    let Some(place) = Place::new().await else { return };
    let (first, second) = (store(&place), store(&place));
    let live = first.generations(MODEL).await.unwrap().live;
    second.checkpoint(live).await.unwrap();
    first.commit(live, vec![put("a", "1")], at(1)).await.unwrap();
    let error = second
        .commit(live, vec![put("a", "stale")], at(1))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("another process writes"), "{error}");
    assert_eq!(text(&first, live, "a").await.as_deref(), Some("1"));
    place.clear().await;
}

#[tokio::test]
async fn a_write_from_further_back_comes_too_late() {
    let Some(place) = Place::new().await else { return };
    let store = store(&place);
    let live = store.generations(MODEL).await.unwrap().live;
    store
        .commit(live, vec![put("a", "5"), put("b", "5")], at(5))
        .await
        .unwrap();
    let removed = Write {
        value: None,
        ..put("b", "")
    };
    store.commit(live, vec![removed], at(6)).await.unwrap();
    let alias = place.node.written(live);
    let late = |key, position| crate::elastic::entries::item(&put(key, "late"), position, &Plain).unwrap();
    let outcomes = place.node.bulk(&alias, &[late("a", 4), late("b", 5)]).await.unwrap();
    assert_eq!(outcomes, [Outcome::Overtaken, Outcome::Overtaken]);
    // A repair puts right what is there at the same position.
    let outcomes = place.node.bulk(&alias, &[late("a", 5)]).await.unwrap();
    assert_eq!(outcomes, [Outcome::Done]);
    // And what was dropped stays dropped.
    let building = store.begin(MODEL).await.unwrap();
    store.discard(building).await.unwrap();
    let error = place
        .node
        .bulk(&place.node.written(building), &[late("a", 9)])
        .await
        .unwrap_err();
    assert!(error.is_missing(), "{error}");
    place.clear().await;
}

/// Documents with a day.
struct Dated;

impl Shape for Dated {
    fn properties(&self) -> Value {
        json!({ "day": { "type": "date" } })
    }

    fn fields(&self, document: &[u8]) -> Result<Map<String, Value>, String> {
        let document: Value = serde_json::from_slice(document).map_err(|error| error.to_string())?;
        Ok(Map::from_iter([("day".to_owned(), document["day"].clone())]))
    }
}

#[tokio::test]
async fn a_document_that_cannot_be_indexed_is_kept_and_named_and_holds_up_nothing() {
    let Some(place) = Place::new().await else { return };
    let store = ElasticDocuments::new(Arc::clone(&place.node), Dated);
    let live = store.generations(MODEL).await.unwrap().live;
    let never = r#"{"day":"never"}"#;
    let long = Write {
        key: vec![7; 600],
        ..put("", "1")
    };
    let writes = vec![
        put("a", r#"{"day":"2026-11-21"}"#),
        put("b", never),
        put("c", "no json"),
        long,
    ];
    store.commit(live, writes, at(3)).await.unwrap();
    assert_eq!(store.checkpoint(live).await.unwrap(), at(3));
    assert_eq!(
        text(&store, live, "b").await.as_deref(),
        Some(never),
        "the next event is applied to it"
    );
    let rejected = store.rejected(live, 10).await.unwrap();
    let keys: Vec<_> = rejected.iter().map(|letter| letter.key.clone()).collect();
    assert_eq!(keys, [vec![7; 600], b"b".to_vec(), b"c".to_vec()]);
    assert!(rejected.iter().all(|letter| letter.position == 3), "{rejected:?}");
    assert!(
        rejected[1].reason.contains("day") && rejected[1].reason.contains("never"),
        "{rejected:?}"
    );
    // Put right by a later event, it is a dead letter no longer.
    store
        .commit(live, vec![put("b", r#"{"day":"2026-11-22"}"#)], at(4))
        .await
        .unwrap();
    assert_eq!(store.rejected(live, 10).await.unwrap().len(), 2);
    place.clear().await;
}

#[tokio::test]
async fn what_is_of_another_log_is_dropped_and_what_is_another_shops_is_left_alone() {
    let Some(place) = Place::new().await else { return };
    let id = uuid::Uuid::now_v7;
    let owner = Owner {
        shop: id(),
        lineage: id(),
    };
    place.node.claim(owner).await.unwrap();
    let live = store(&place).generations(MODEL).await.unwrap().live;
    store(&place).commit(live, vec![put("a", "1")], at(1)).await.unwrap();
    place.node.claim(owner).await.unwrap();
    assert_eq!(
        store(&place).checkpoint(live).await.unwrap(),
        at(1),
        "the same shop on the same log"
    );
    let stranger = Owner { shop: id(), ..owner };
    let error = place.node.claim(stranger).await.unwrap_err().to_string();
    assert!(error.contains("--elasticsearch-prefix"), "{error}");
    let moved = Owner { lineage: id(), ..owner };
    place.node.claim(moved).await.unwrap();
    let live = store(&place).generations(MODEL).await.unwrap().live;
    assert_eq!(store(&place).checkpoint(live).await.unwrap(), at(0), "another log");
    place.clear().await;
}
