//! The contract suite: what every adapter of [`DocumentStore`] must do.
//!
//! An adapter's test calls [`all`] with a store that is empty. A check that does not hold panics with what it saw. This is no
//! `#[cfg(test)]` module because adapters in other crates call it; nothing else does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "checks speak in asserts, as tests do"
)]

use std::sync::Arc;

use super::{Checkpoint, DocumentStore, Generation, Part, Scan, Write};

/// The read models that the checks make up, for stores that serve only those they know.
pub const MODELS: [&str; 8] = [
    "together",
    "scanned",
    "fenced",
    "rebuilt",
    "unfinished",
    "given_up",
    "kept",
    "third",
];

/// Every check.
pub async fn all(store: Arc<dyn DocumentStore>) {
    documents_and_checkpoint_move_together(&*store).await;
    scans_go_both_ways(&*store).await;
    scans_stay_within_their_prefix(&*store).await;
    a_generation_is_built_beside(&*store).await;
    an_unfinished_generation_is_found_again(&*store).await;
    a_generation_that_is_given_up_is_gone(&*store).await;
    the_one_before_is_kept_to_go_back_to(&*store).await;
    only_one_is_kept(&*store).await;
}

fn put(part: Part, key: &str, value: &str) -> Write {
    Write {
        part,
        key: key.as_bytes().to_vec(),
        value: Some(value.as_bytes().to_vec()),
    }
}

fn remove(part: Part, key: &str) -> Write {
    Write {
        part,
        key: key.as_bytes().to_vec(),
        value: None,
    }
}

const fn at(position: u64) -> Checkpoint {
    Checkpoint {
        position,
        documents: 0,
        skipped: 0,
    }
}

async fn live(store: &dyn DocumentStore, model: &'static str) -> Generation {
    store.generations(model).await.unwrap().live
}

async fn text(store: &dyn DocumentStore, generation: Generation, key: &str) -> Option<String> {
    let bytes = store.get(generation, Part::Documents, key.as_bytes()).await.unwrap();
    bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

async fn documents_and_checkpoint_move_together(store: &dyn DocumentStore) {
    let live = live(store, "together").await;
    assert_eq!(store.checkpoint(live).await.unwrap(), Checkpoint::default());
    let checkpoint = Checkpoint {
        position: 7,
        documents: 2,
        skipped: 1,
    };
    let writes = vec![put(Part::Documents, "a", "1"), put(Part::Documents, "b", "2")];
    store.commit(live, writes, checkpoint).await.unwrap();
    assert_eq!(store.checkpoint(live).await.unwrap(), checkpoint);
    assert_eq!(text(store, live, "a").await.as_deref(), Some("1"));
    let writes = vec![remove(Part::Documents, "a"), put(Part::Documents, "b", "3")];
    store.commit(live, writes, at(8)).await.unwrap();
    assert_eq!(text(store, live, "a").await, None);
    assert_eq!(text(store, live, "b").await.as_deref(), Some("3"));
    store.commit(live, vec![], at(9)).await.unwrap();
    assert_eq!(store.checkpoint(live).await.unwrap(), at(9));
}

async fn keys(store: &dyn DocumentStore, generation: Generation, part: Part, scan: Scan<'_>) -> String {
    let entries = store.scan(generation, part, scan).await.unwrap();
    let keys: Vec<_> = entries
        .into_iter()
        .map(|(key, _)| String::from_utf8(key).unwrap())
        .collect();
    keys.join(" ")
}

const fn scan<'a>(prefix: &'a str, after: Option<&'a str>, backwards: bool, limit: usize) -> Scan<'a> {
    let after = match after {
        Some(key) => Some(key.as_bytes()),
        None => None,
    };
    Scan {
        prefix: prefix.as_bytes(),
        after,
        backwards,
        limit,
    }
}

async fn scans_go_both_ways(store: &dyn DocumentStore) {
    let live = live(store, "scanned").await;
    let writes = ["c", "a", "b", "ab"].map(|key| put(Part::Index, key, "-")).to_vec();
    store.commit(live, writes, at(1)).await.unwrap();
    let found = async |scan| keys(store, live, Part::Index, scan).await;
    assert_eq!(found(scan("", None, false, 9)).await, "a ab b c");
    assert_eq!(found(scan("", None, true, 9)).await, "c b ab a");
    assert_eq!(found(scan("", Some("ab"), false, 1)).await, "b");
    assert_eq!(found(scan("", Some("b"), true, 9)).await, "ab a");
    assert_eq!(
        found(scan("", Some("aa"), false, 9)).await,
        "ab b c",
        "after a key that is not there"
    );
    assert_eq!(
        keys(store, live, Part::Documents, scan("", None, false, 9)).await,
        "",
        "the other half"
    );
}

async fn scans_stay_within_their_prefix(store: &dyn DocumentStore) {
    let live = live(store, "fenced").await;
    let writes = ["a1", "b", "b1", "b2", "c1"]
        .map(|key| put(Part::Index, key, "-"))
        .to_vec();
    store.commit(live, writes, at(1)).await.unwrap();
    let found = async |scan| keys(store, live, Part::Index, scan).await;
    assert_eq!(found(scan("b", None, false, 9)).await, "b b1 b2");
    assert_eq!(found(scan("b", None, true, 9)).await, "b2 b1 b");
    assert_eq!(found(scan("b", Some("a"), false, 9)).await, "");
    assert_eq!(found(scan("b", Some("c"), true, 9)).await, "");
    let high = Scan {
        prefix: &[0xff, 0xff],
        after: None,
        backwards: false,
        limit: 9,
    };
    assert_eq!(store.scan(live, Part::Index, high).await.unwrap(), vec![]);
}

async fn a_generation_is_built_beside(store: &dyn DocumentStore) {
    let old = live(store, "rebuilt").await;
    store
        .commit(old, vec![put(Part::Documents, "a", "old")], at(5))
        .await
        .unwrap();
    let new = store.begin("rebuilt").await.unwrap();
    assert_eq!(store.checkpoint(new).await.unwrap(), Checkpoint::default());
    assert_eq!(text(store, new, "a").await, None);
    store
        .commit(new, vec![put(Part::Documents, "a", "new")], at(6))
        .await
        .unwrap();
    assert_eq!(text(store, old, "a").await.as_deref(), Some("old"));
    assert_eq!(live(store, "rebuilt").await, old);
    store.promote(new).await.unwrap();
    let generations = store.generations("rebuilt").await.unwrap();
    assert_eq!((generations.live, generations.building), (new, None));
    assert_eq!(text(store, new, "a").await.as_deref(), Some("new"));
    assert_eq!(store.checkpoint(new).await.unwrap(), at(6));
    let third = store.begin("rebuilt").await.unwrap();
    assert!(third != new && third != old, "no name is used twice: {third}");
}

async fn an_unfinished_generation_is_found_again(store: &dyn DocumentStore) {
    let first = store.begin("unfinished").await.unwrap();
    store
        .commit(first, vec![put(Part::Documents, "a", "half")], at(3))
        .await
        .unwrap();
    assert_eq!(store.generations("unfinished").await.unwrap().building, Some(first));
    assert_eq!(store.checkpoint(first).await.unwrap(), at(3));
    let second = store.begin("unfinished").await.unwrap();
    assert_eq!(store.generations("unfinished").await.unwrap().building, Some(second));
    assert_eq!(text(store, second, "a").await, None, "begun anew, it is empty");
}

async fn a_generation_that_is_given_up_is_gone(store: &dyn DocumentStore) {
    let old = live(store, "given_up").await;
    let new = store.begin("given_up").await.unwrap();
    store.discard(new).await.unwrap();
    let generations = store.generations("given_up").await.unwrap();
    assert_eq!((generations.live, generations.building), (old, None));
    assert!(store.discard(old).await.is_err(), "the live one is never given up");
}

/// A further generation with one document, live.
async fn rebuilt(store: &dyn DocumentStore, model: &'static str, text: &str) -> Generation {
    let next = store.begin(model).await.unwrap();
    let writes = vec![put(Part::Documents, "a", text)];
    store.commit(next, writes, at(7)).await.unwrap();
    store.promote(next).await.unwrap();
    next
}

async fn the_one_before_is_kept_to_go_back_to(store: &dyn DocumentStore) {
    let old = live(store, "kept").await;
    assert_eq!(store.generations("kept").await.unwrap().previous, None);
    let writes = vec![put(Part::Documents, "a", "old"), put(Part::Documents, "b", "old")];
    store.commit(old, writes, at(5)).await.unwrap();
    let new = rebuilt(store, "kept", "new").await;
    assert_eq!(store.generations("kept").await.unwrap().previous, Some(old));
    assert_eq!(store.checkpoint(old).await.unwrap(), at(5));
    // Brought up to date, and swapped back.
    let writes = vec![put(Part::Documents, "b", "caught up")];
    store.commit(old, writes, at(8)).await.unwrap();
    store.promote(old).await.unwrap();
    let generations = store.generations("kept").await.unwrap();
    assert_eq!((generations.live, generations.previous), (old, Some(new)));
    assert_eq!(text(store, old, "a").await.as_deref(), Some("old"));
    assert_eq!(text(store, old, "b").await.as_deref(), Some("caught up"));
    assert_eq!(text(store, new, "a").await.as_deref(), Some("new"));
    store.promote(old).await.unwrap();
    let again = store.generations("kept").await.unwrap();
    assert_eq!(again, generations, "said twice, it is done once");
    let third = store.begin("kept").await.unwrap();
    assert!(third != new && third != old, "no name is used twice: {third}");
}

async fn only_one_is_kept(store: &dyn DocumentStore) {
    let first = rebuilt(store, "third", "first").await;
    let second = rebuilt(store, "third", "second").await;
    let third = rebuilt(store, "third", "third").await;
    let generations = store.generations("third").await.unwrap();
    assert_eq!((generations.live, generations.previous), (third, Some(second)));
    assert_eq!(text(store, second, "a").await.as_deref(), Some("second"));
    let gone = store.get(first, Part::Documents, b"a").await;
    assert!(!matches!(gone, Ok(Some(_))), "what was kept before is gone");
    assert!(store.promote(first).await.is_err(), "nor is it ever shown again");
    store.discard(second).await.unwrap();
    let generations = store.generations("third").await.unwrap();
    assert_eq!((generations.live, generations.previous), (third, None));
    assert_eq!(text(store, third, "a").await.as_deref(), Some("third"));
}
