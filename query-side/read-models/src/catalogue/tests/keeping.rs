//! The embedded engine keeps the contract, chapter by chapter.

use super::*;

/// An empty engine in a folder of its own, which goes with the test.
fn engine() -> (SearchIndex, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (SearchIndex::open(folder.path()).unwrap(), folder)
}

#[tokio::test]
async fn highlighting() {
    contract::highlighting(&engine().0).await;
}

#[tokio::test]
async fn narrowing() {
    contract::narrowing(&engine().0).await;
}

#[tokio::test]
async fn walking() {
    contract::walking(&engine().0).await;
}

#[tokio::test]
async fn generations() {
    contract::generations(&engine().0).await;
}

#[tokio::test]
async fn completing() {
    contract::completing(&engine().0).await;
}

#[tokio::test]
async fn spelling() {
    contract::spelling(&engine().0).await;
}

#[tokio::test]
async fn finding() {
    contract::finding(&engine().0).await;
}

#[tokio::test]
async fn ranking() {
    contract::ranking(&engine().0).await;
}
