//! What befalls the event log's folder, as the whole shop and its operator see it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::{
    moving::{LogServer, next},
    shop::{Shop, answer, binary, order_body, run, skipped, succeeds},
};

/// A small disk of its own, in memory; unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn of(size: &str, what: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(folder));
        }
        skipped(what, "no tmpfs can be mounted here (needs root)");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn remount(&self, mode: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{mode}")]).arg(self.path());
        assert!(mount.status().unwrap().success());
    }

    /// Fills it to the last byte; the file to delete for space.
    fn fill(&self) -> PathBuf {
        let file = self.path().join("somebody-elses-file");
        let mut target = fs::File::create(&file).unwrap();
        // Ends when the disk is full.
        let _ = std::io::copy(&mut std::io::repeat(7), &mut target);
        let mut small = fs::OpenOptions::new().append(true).open(&file).unwrap();
        while std::io::Write::write_all(&mut small, b"7").is_ok() {}
        file
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

fn text(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_full_disk_refuses_orders_shows_pages_and_recovers() {
    let Some(disk) = SmallDisk::of("320m", "a shop on a full disk") else {
        return;
    };
    let data = disk.path().join("shop");
    let shop = Shop::start(&data, &["--demo", "--carrier-speed", "5000000"]).await;
    shop.pictured().await;
    let customer = shop.sign_in("customer").await;
    let product = customer.find("coffee").await["id"].as_str().unwrap().to_owned();
    let body = order_body(Some(json!([{"product_id": product, "quantity": 1}])), "card_approve");
    let order = async |key: &str| {
        let request = customer.request(reqwest::Method::POST, "orders");
        answer(request.header("idempotency-key", key).json(&body)).await
    };
    assert_eq!(order("before").await.0, StatusCode::ACCEPTED);

    let filler = disk.fill();
    // What was preallocated may take some more; then it is refused, and says why.
    let mut refused = None;
    for number in 0..20_000 {
        let (status, problem, _) = order(&format!("full-{number}")).await;
        if status != StatusCode::ACCEPTED {
            refused = Some((status, problem));
            break;
        }
    }
    let (status, problem) = refused.expect("a full disk took everything");
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    for path in ["search?q=coffee", "my-page", &format!("products/{product}")] {
        customer.query(path).await;
    }

    fs::remove_file(filler).unwrap();
    shop.eventually("orders are taken again", async || {
        order("after").await.0 == StatusCode::ACCEPTED
    })
    .await;
    let (_, placed, _) = order("after").await;
    let path = format!("orders/{}", placed["id"].as_str().unwrap());
    // Those that were taken until the disk was full may have emptied the shelf.
    shop.eventually("its saga comes to an end", async || {
        let (_, shown, _) = answer(customer.request(reqwest::Method::GET, &path)).await;
        shown["status"] == "delivered" || shown["status"] == "rejected"
    })
    .await;
    shop.stop().await;
}

#[tokio::test]
async fn a_copy_over_the_wire_waits_for_space_and_goes_on() {
    let Some(disk) = SmallDisk::of("160m", "a copy onto a full disk") else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let shop = Shop::start(data.path(), &["--demo"]).await;
    shop.pictured().await;
    shop.stop().await;
    let log = LogServer::start(&disk.path().join("log")).await;
    let filler = disk.fill();
    let mut copying = tokio::process::Command::new(binary())
        .args(["log", "copy", "--json", "--from", folder, "--to", &log.url])
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(copying.stderr.take().unwrap()).lines();
    // What was preallocated may be enough for all of it.
    while let Some(line) = next(&mut said).await {
        if line.contains("waiting: the target cannot be used") {
            break;
        }
    }
    fs::remove_file(filler).unwrap();
    let output = copying.wait_with_output().await.unwrap();
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        output.status.success() && summary["events"].as_u64().unwrap() > 200,
        "{summary}"
    );
    succeeds(&["log", "verify", "--from", folder, "--to", &log.url]).await;
    log.kill().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_said_to_be_so_and_left_alone() {
    let Some(disk) = SmallDisk::of("320m", "a shop on a read-only disk") else {
        return;
    };
    let data = disk.path().join("shop");
    let folder = data.to_str().unwrap();
    Shop::start(&data, &["--demo"]).await.stop().await;
    disk.remount("ro");
    for command in [
        &["up", "--listen", "127.0.0.1:0", "--data", folder][..],
        &["log", "stats", "--data", folder],
        &["log", "copy", "--from", folder, "--to", "/nowhere/to/be/found"],
    ] {
        let output = run(command).await;
        let error = text(&output);
        assert!(
            !output.status.success() && error.contains(folder),
            "{command:?}: {error}"
        );
        assert!(
            error.contains("write") && !error.contains("panicked"),
            "{command:?}: {error}"
        );
    }
    disk.remount("rw");
    Shop::start(&data, &[]).await.stop().await;
}

#[tokio::test]
async fn a_folder_in_use_is_nobody_elses() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = data.path().to_str().unwrap();
    Shop::start(other.path(), &[]).await.stop().await;
    let shop = Shop::start(data.path(), &[]).await;
    let elsewhere = other.path().to_str().unwrap();
    for (command, says) in [
        (&["up", "--listen", "127.0.0.1:0", "--data", folder][..], "in use"),
        (
            &[
                "serve",
                "--role",
                "log",
                "--listen",
                "127.0.0.1:0",
                "--log-listen",
                "127.0.0.1:0",
                "--log-insecure",
                "--data",
                folder,
            ],
            "in use",
        ),
        (&["log", "copy", "--from", elsewhere, "--to", folder], "stop it before"),
        (&["log", "copy", "--from", folder, "--to", elsewhere], "--log-listen"),
    ] {
        let output = run(command).await;
        let error = text(&output);
        assert!(
            !output.status.success() && error.contains(folder),
            "{command:?}: {error}"
        );
        assert!(
            error.contains(says) && !error.contains("panicked"),
            "{command:?}: {error}"
        );
    }
    shop.stop().await;
}

#[tokio::test]
async fn a_damaged_log_is_refused_by_name_salvaged_and_gone_on_with() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let shop = Shop::start(data.path(), &["--demo"]).await;
    shop.pictured().await;
    shop.stop().await;
    let stats: Value = serde_json::from_str(&succeeds(&["log", "stats", "--json", "--data", folder]).await).unwrap();
    let all = stats["events"].as_u64().unwrap();
    spoil(&data.path().join("log"));

    let refused = run(&["up", "--listen", "127.0.0.1:0", "--data", folder]).await;
    let error = text(&refused);
    assert!(!refused.status.success() && error.contains("damaged"), "{error}");
    assert!(
        error.contains(folder) && error.contains("jangteo log salvage"),
        "{error}"
    );

    let place = tempfile::tempdir().unwrap();
    let saved = place.path().join("salvaged");
    let to = saved.to_str().unwrap();
    let said = succeeds(&["log", "salvage", "--json", "--from", folder, "--to", to]).await;
    let summary: Value = serde_json::from_str(&said).unwrap();
    let copied = summary["copied"].as_u64().unwrap();
    assert!(copied > 0 && copied < all, "{summary}");
    assert!(summary["lost"].as_u64().unwrap() > 0, "{summary}");

    // As `jangteo log salvage --help` says.
    fs::rename(data.path().join("log"), data.path().join("log.damaged")).unwrap();
    fs::rename(&saved, data.path().join("log")).unwrap();
    let older = run(&["up", "--listen", "127.0.0.1:0", "--data", folder]).await;
    assert!(
        !older.status.success() && text(&older).contains("log-witness"),
        "{}",
        text(&older)
    );
    fs::remove_file(data.path().join("log-witness")).unwrap();
    let shop = Shop::start(data.path(), &[]).await;
    let customer = shop.sign_in("customer").await;
    shop.eventually("products that were saved are shown", async || {
        customer.query("search").await["total"].as_u64().unwrap() > 0
    })
    .await;
    shop.stop().await;
}

/// Flips a byte in an event's metadata, in the middle of the file that holds most of them.
fn spoil(log: &Path) {
    const WORD: &[u8] = b"schema_version";
    let mut files = vec![];
    let mut folders = vec![log.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let starts = bytes.windows(WORD.len()).enumerate();
            let found: Vec<_> = starts.filter(|(_, window)| *window == WORD).map(|(at, _)| at).collect();
            files.push((found, path, bytes));
        }
    }
    let (found, path, mut bytes) = files.into_iter().max_by_key(|(found, ..)| found.len()).unwrap();
    bytes[found[found.len() / 2]] ^= 0x10;
    fs::write(path, bytes).unwrap();
}
