//! The embedded adapter beyond the contract, and typed documents over it.

mod full_disk;

use std::sync::Arc;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

#[tokio::test]
async fn the_embedded_store_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    contract::all(Arc::new(Documents::open(folder.path()).unwrap())).await;
}

#[tokio::test]
async fn a_second_process_is_told_that_the_folder_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let _open = Documents::open(folder.path()).unwrap();
    let refused = Documents::open(folder.path()).unwrap_err().to_string();
    assert!(refused.contains("open in another process"), "{refused}");
}

/// A note on somebody's list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Note {
    number: u64,
    owner: u8,
    text: String,
}

enum Notes {}

impl ModelKey for u64 {
    fn bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }
}

impl Model for Notes {
    const NAME: &'static str = "notes";
    type Key = u64;
    type Document = Note;

    fn index(note: &Note) -> IndexKeys {
        vec![[&[note.owner][..], &note.number.to_be_bytes()].concat()]
    }
}

fn note(number: u64, owner: u8) -> Note {
    Note {
        number,
        owner,
        text: format!("note {number}"),
    }
}

async fn notes(folder: &std::path::Path) -> Collection<Notes> {
    Collection::open(Arc::new(Documents::open(folder).unwrap()))
        .await
        .unwrap()
}

async fn write(workspace: &mut Workspace<Notes>, notes: impl IntoIterator<Item = (u64, Option<Note>)>) {
    for (number, note) in notes {
        *workspace.document(number).await.unwrap() = note;
        workspace.touch(number);
    }
}

async fn numbers_of(notes: &Collection<Notes>, owner: u8) -> Vec<u64> {
    let page = notes.page(&[owner], None, 1_000).await.unwrap();
    page.items.into_iter().map(|note| note.number).collect()
}

#[tokio::test]
async fn the_index_follows_the_document() {
    let folder = tempfile::tempdir().unwrap();
    let notes = notes(folder.path()).await;
    let mut workspace = notes.workspace().await.unwrap();
    write(&mut workspace, [(1, Some(note(1, 7))), (2, Some(note(2, 7)))]).await;
    workspace.commit(10, 0).await.unwrap();
    assert_eq!(numbers_of(&notes, 7).await, [1, 2]);
    write(&mut workspace, [(1, Some(note(1, 8))), (2, None)]).await;
    assert_eq!(numbers_of(&notes, 7).await, [1, 2], "nothing is seen before the commit");
    workspace.commit(11, 3).await.unwrap();
    assert_eq!(numbers_of(&notes, 7).await, Vec::<u64>::new());
    assert_eq!(numbers_of(&notes, 8).await, [1]);
    let expected = Checkpoint {
        position: 11,
        documents: 1,
        skipped: 3,
    };
    assert_eq!(workspace.committed(), expected);
}

#[tokio::test]
async fn what_was_not_committed_never_happened() {
    let folder = tempfile::tempdir().unwrap();
    let collection = notes(folder.path()).await;
    let mut workspace = collection.workspace().await.unwrap();
    write(&mut workspace, [(1, Some(note(1, 7)))]).await;
    workspace.commit(10, 0).await.unwrap();
    write(&mut workspace, [(1, None), (2, Some(note(2, 7)))]).await;
    drop((workspace, collection));

    let collection = notes(folder.path()).await;
    assert_eq!(numbers_of(&collection, 7).await, [1]);
    let mut workspace = collection.workspace().await.unwrap();
    assert_eq!(workspace.committed().position, 10);
    assert_eq!(workspace.document(2).await.unwrap(), &None);
}

#[tokio::test]
async fn a_cursor_from_elsewhere_reaches_nobody_elses_documents() {
    let folder = tempfile::tempdir().unwrap();
    let notes = notes(folder.path()).await;
    let mut workspace = notes.workspace().await.unwrap();
    write(
        &mut workspace,
        (0..30).map(|number| (number, Some(note(number, (number % 3) as u8)))),
    )
    .await;
    workspace.commit(1, 0).await.unwrap();
    for cursor in [&b""[..], &[0; 8], &[255; 40], &[2, 0, 0]] {
        let page = notes.page(&[1], Some(cursor), 100).await.unwrap();
        assert!(page.items.iter().all(|note| note.owner == 1), "{cursor:?}");
    }
}

#[tokio::test]
async fn a_rebuild_goes_on_where_it_was_killed_and_is_swapped_in() {
    let folder = tempfile::tempdir().unwrap();
    let collection = notes(folder.path()).await;
    let mut live = collection.workspace().await.unwrap();
    write(&mut live, [(1, Some(note(1, 7)))]).await;
    live.commit(5, 0).await.unwrap();
    let mut rebuilt = collection.build(true).await.unwrap();
    write(&mut rebuilt, [(1, Some(note(1, 9)))]).await;
    rebuilt.commit(3, 0).await.unwrap();
    drop((live, rebuilt, collection));

    let collection = notes(folder.path()).await;
    assert_eq!(numbers_of(&collection, 7).await, [1]);
    let mut rebuilt = collection.build(true).await.unwrap();
    assert_eq!(rebuilt.committed().position, 3);
    write(&mut rebuilt, [(2, Some(note(2, 9)))]).await;
    rebuilt.commit(5, 0).await.unwrap();
    collection.promote(rebuilt.generation()).await.unwrap();
    assert_eq!(numbers_of(&collection, 9).await, [1, 2]);
    assert_eq!(numbers_of(&collection, 7).await, Vec::<u64>::new());
    assert!(collection.unfinished().await.unwrap().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn pages_neither_repeat_nor_skip(numbers in proptest::collection::btree_set(0u64..500, 0..60), size in 1usize..9) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let notes = notes(folder.path()).await;
            let mut workspace = notes.workspace().await.unwrap();
            write(&mut workspace, numbers.iter().map(|number| (*number, Some(note(*number, 7))))).await;
            workspace.commit(1, 0).await.unwrap();
            let (mut seen, mut after) = (vec![], None);
            loop {
                let page = notes.page(&[7], after.as_deref(), size).await.unwrap();
                seen.extend(page.items.into_iter().map(|note| note.number));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(seen, numbers.into_iter().collect::<Vec<_>>());
        });
    }
}
