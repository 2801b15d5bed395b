//! A full disk: appends are refused and say why, reads go on, and appends go on when there is space again.
//!
//! A limit on the size of files stands in for the disk: it fails the same writes at the same place, needs no privileges, and can be
//! lifted from outside.

use std::{
    io::{BufRead, BufReader, Write},
    time::{Duration, Instant},
};

use super::*;

const DEADLINE: Duration = Duration::from_secs(30);

/// Runs as a child only, under a limit.
#[test]
fn full_disk_child() {
    let Some(folder) = child_folder() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let log = EmbeddedLog::open(&folder).unwrap();
        let before = log.head().await.unwrap().0;
        let padding = "x".repeat(100_000);
        let mut written = vec![];
        let error = loop {
            assert!(written.len() < 10_000, "the disk never got full");
            let new = event(&padding);
            let id = new.id;
            match add(&log, 1, vec![new]).await {
                Ok(appended) => written.push((id, appended.position)),
                Err(error) => break error,
            }
        };
        println!("refused: {error}");
        // Reads go on, in every way, and show what was acknowledged.
        assert!(!written.is_empty());
        let check = async |written: &[(Uuid, Position)]| {
            let read = read_on(&log, Position(before)).await.unwrap();
            let read: Vec<_> = read.iter().map(|event| (event.id, event.position)).collect();
            assert!(
                read.starts_with(written),
                "{} of {} events are there",
                read.len(),
                written.len()
            );
        };
        check(&written).await;
        let last = log
            .read_stream(&stream(1), None, Direction::Backwards, 1)
            .await
            .unwrap();
        assert_eq!(Some(last[0].position), written.last().map(|(_, position)| *position));
        let again = add(&log, 1, vec![event("small")]).await.unwrap_err();
        assert!(matches!(again, AppendError::Log(LogError::Unavailable(_))), "{again}");

        println!("full");
        std::io::stdout().flush().unwrap();
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        if line.trim() != "there is space" {
            return;
        }
        let deadline = Instant::now() + DEADLINE;
        // The same event every time: however often it is tried, it is there once.
        let retried = event("retried");
        let appended = loop {
            match add(&log, 1, vec![retried.clone()]).await {
                Ok(appended) => break appended,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        check(&written).await;
        assert_eq!(log.head().await.unwrap(), appended.position);
        println!("appends go on");
    });
}

#[tokio::test]
async fn a_full_disk_refuses_appends_and_keeps_reading() {
    let dir = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(dir.path()).unwrap();
    add(&log, 1, vec![event("before")]).await.unwrap();
    drop(log);

    // 8192 blocks are 4 or 8 MiB, as the shell has it. Without the trap the limit would kill instead of failing the write.
    let limited = r#"trap "" XFSZ; ulimit -S -f 8192; exec "$0" "$@""#;
    let mut child = child(&["sh", "-c", limited], "full_disk::full_disk_child", dir.path())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut seen = vec![];
    let full = lines
        .by_ref()
        .inspect(|line| seen.push(line.clone()))
        .any(|line| line.ends_with("full"));
    assert!(full, "the child said {seen:?}");
    assert!(
        seen.iter()
            .any(|line| line.contains("refused:") && line.contains("disk is full")),
        "{seen:?}"
    );

    let pid = child.id().to_string();
    let lifted = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited"])
        .status();
    let can_lift = lifted.is_ok_and(|status| status.success());
    let word = if can_lift { "there is space" } else { "enough" };
    writeln!(child.stdin.take().unwrap(), "{word}").unwrap();
    let rest: Vec<_> = lines.collect();
    assert!(child.wait().unwrap().success(), "{rest:?}");
    assert_eq!(
        rest.iter().any(|line| line.ends_with("appends go on")),
        can_lift,
        "{rest:?}"
    );

    // With space again, another process goes on.
    let log = EmbeddedLog::open(dir.path()).unwrap();
    let head = log.head().await.unwrap();
    assert!(head.0 > 10);
    assert_eq!(add(&log, 1, vec![event("after")]).await.unwrap().position.0, head.0 + 1);
    let events = read_on(&log, Position::START).await.unwrap();
    assert!((0..).zip(&events).all(|(version, event)| event.version == version));
}
