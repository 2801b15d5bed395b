//! A full disk: commits fail, queries go on, and commits go on when there is space again.
//!
//! A limit on the size of files stands in for the disk: it fails the same writes at the same place and needs no privileges.

use std::{path::PathBuf, process::Command};

use super::*;

const CHILD_FOLDER: &str = "READ_MODELS_CHILD_FOLDER";

/// Lets this process write files of so many bytes only. False where there is no `prlimit`.
fn limit_files(limit: &str) -> bool {
    let pid = std::process::id().to_string();
    let limit = format!("--fsize={limit}:unlimited");
    Command::new("prlimit")
        .args(["--pid", &pid, &limit])
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs as a child only, where no other test writes.
#[tokio::test]
async fn full_disk_child() {
    let Some(folder) = std::env::var_os(CHILD_FOLDER).map(PathBuf::from) else {
        return;
    };
    let notes = notes(&folder).await;
    let mut live = notes.workspace().await.unwrap();
    write(&mut live, [(1, Some(note(1, 7)))]).await;
    live.commit(10, 0).await.unwrap();
    let mut beside = notes.build(false).await.unwrap();
    write(&mut beside, [(1, Some(note(1, 8)))]).await;
    beside.commit(3, 0).await.unwrap();

    if !limit_files("64") {
        let line = "documents on a full disk: no prlimit here\n";
        print!("SKIPPED {line}");
        if let Some(file) = std::env::var_os("JANGTEO_SKIPPED") {
            use std::io::Write;
            let file = std::fs::OpenOptions::new().append(true).create(true).open(file);
            file.unwrap().write_all(line.as_bytes()).unwrap();
        }
        return;
    }
    write(&mut live, [(2, Some(note(2, 7)))]).await;
    let refused = live.commit(11, 0).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    assert_eq!(numbers_of(&notes, 7).await, [1], "queries go on");
    let refused = live.resume().await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    assert_eq!(numbers_of(&notes, 7).await, [1], "and go on");

    assert!(limit_files("unlimited"));
    write(&mut live, [(3, Some(note(3, 7)))]).await;
    live.commit(12, 0).await.unwrap_err();
    live.resume().await.unwrap();
    let there = numbers_of(&notes, 7).await;
    let expected: &[u64] = if live.committed().position == 11 { &[1, 2] } else { &[1] };
    assert_eq!(there, expected, "the checkpoint says what is there");
    write(&mut live, [(2, Some(note(2, 7))), (3, Some(note(3, 7)))]).await;
    live.commit(12, 0).await.unwrap();
    assert_eq!(live.committed().documents, 3);

    // Who did not fail need not know.
    write(&mut beside, [(2, Some(note(2, 8)))]).await;
    beside.commit(4, 0).await.unwrap();
    notes.promote(beside.generation()).await.unwrap();
    assert_eq!(numbers_of(&notes, 8).await, [1, 2]);
    println!("commits go on");
}

#[tokio::test]
async fn after_a_full_disk_documents_are_written_again() {
    let folder = tempfile::tempdir().unwrap();
    // Without the trap the limit would kill instead of failing the write.
    let output = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; exec "$0" "$@""#])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "documents::tests::full_disk::full_disk_child", "--nocapture"])
        .env(CHILD_FOLDER, folder.path())
        .output()
        .unwrap();
    let (said, erred) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}{erred}");
    if said.contains("SKIPPED") {
        return;
    }
    assert!(said.contains("commits go on"), "{said}");
    let notes = notes(folder.path()).await;
    assert_eq!(numbers_of(&notes, 8).await, [1, 2]);
}
