//! The reference of the API at `/`, in a real browser.

use std::process::Stdio;

use tokio::process::Command;

use crate::shop::{DEADLINE, Shop, skipped};

const CHROMIUM: &str = "/usr/bin/chromium";

/// The page's document as the browser built it, after its scripts ran.
async fn rendered(address: &str, profile: &std::path::Path) -> String {
    let output = Command::new(CHROMIUM)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(["--virtual-time-budget=10000", "--dump-dom", address])
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(DEADLINE, output)
        .await
        .expect("the browser never ended")
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_reference_shows_every_operation() {
    if !std::path::Path::new(CHROMIUM).exists() {
        skipped(
            "the API reference in a browser",
            "no chromium on this machine (Debian: apt-get install chromium)",
        );
        return;
    }
    let (data, profile) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let shop = Shop::start(data.path(), &[]).await;
    let document = rendered(&shop.address, profile.path()).await;
    for expected in [
        "/api/v1/orders",
        "/api/v1/search",
        "/api/v1/my-page",
        "Consistency-Token",
    ] {
        assert!(
            document.contains(expected),
            "{expected} is not on the page:\n{document}"
        );
    }
    shop.stop().await;
}
