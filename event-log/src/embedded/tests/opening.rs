//! Whose folder it is, and what a log says that cannot be opened.

use super::*;

#[tokio::test]
async fn one_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(dir.path()).unwrap();
    let error = EmbeddedLog::open(dir.path()).err().unwrap();
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains(&*dir.path().to_string_lossy()) && text.contains("another jangteo"),
        "{text}"
    );
    add(&log, 1, vec![event("still mine")]).await.unwrap();
    drop(log);
    // In the same process, at once.
    EmbeddedLog::open(dir.path()).unwrap();
}

#[tokio::test]
async fn another_process_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let _log = EmbeddedLog::open(dir.path()).unwrap();
    let child = child(&[], "opening::second_process_child", dir.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(text.contains("another jangteo holds it"), "{text}");
}

/// Runs as a child only.
#[test]
fn second_process_child() {
    let Some(folder) = child_folder() else { return };
    println!("{}", EmbeddedLog::open(&folder).err().unwrap());
}

#[tokio::test]
async fn everything_is_there_after_closing() {
    let dir = tempfile::tempdir().unwrap();
    let mut written = vec![];
    let mut stats: Option<LogStats> = None;
    // More than the counts' pace, so that some are stored and some are counted again.
    for round in 0..5 {
        let log = EmbeddedLog::open(dir.path()).unwrap();
        if let Some(before) = stats {
            let mut now = log.stats().await.unwrap();
            // The journal was cut to what it holds.
            now.bytes_on_disk = before.bytes_on_disk;
            assert_eq!(now, before);
        }
        for number in 0..7 {
            let events: Vec<_> = (0..71)
                .map(|index| event(&format!("{round} {number} {index}")))
                .collect();
            written.extend(events.iter().map(|event| event.id));
            let appended = add(&log, number, events).await.unwrap();
            assert_eq!(appended.version, 71 * (round + 1) - 1);
        }
        let read = read_on(&log, Position::START).await.unwrap();
        assert_eq!(read.iter().map(|event| event.id).collect::<Vec<_>>(), written);
        stats = Some(log.stats().await.unwrap());
    }
    let stats = stats.unwrap();
    assert_eq!((stats.events, stats.streams), (7 * 71 * 5, 7));
    assert_eq!(stats.categories, [("order".to_owned(), 7 * 71 * 5)]);
    assert!(stats.bytes_on_disk.unwrap() > 7 * 71 * 5 * 50);
}

#[tokio::test]
async fn a_closed_log_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(dir.path()).unwrap();
    add(&log, 1, vec![event("one")]).await.unwrap();
    let mut subscription = Arc::clone(&log)
        .subscribe(Position(1), EventFilter::default())
        .await
        .unwrap();
    let waiting = tokio::spawn(async move { subscription.next(1).await.map(|_| ()) });
    log.close();
    let ended = waiting.await.unwrap().unwrap_err();
    assert!(
        matches!(&ended, LogError::Unavailable(why) if why.contains("closed")),
        "{ended}"
    );
    let error = add(&log, 1, vec![event("two")]).await.unwrap_err();
    assert!(
        matches!(&error, AppendError::Log(LogError::Unavailable(why)) if why.contains("closed")),
        "{error}"
    );
    let error = log.streams("", None, 1).await.unwrap_err();
    assert!(matches!(error, LogError::Unavailable(_)), "{error}");
    log.close();
    // The folder is free although the log is still held here.
    let again = EmbeddedLog::open(dir.path()).unwrap();
    assert_eq!(again.head().await.unwrap(), Position(1));
}

#[tokio::test]
async fn too_large_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits {
        event_bytes: 1000,
        append_events: 10,
        append_bytes: 5000,
    };
    let options = Options {
        limits,
        ..Options::default()
    };
    let log = EmbeddedLog::open_with(dir.path(), options).unwrap();
    let fits = "x".repeat(900);
    add(&log, 1, vec![event(&fits)]).await.unwrap();
    let long_type = NewEvent {
        event_type: "T".repeat(256),
        ..event("")
    };
    for (events, reason) in [
        (vec![event(&"x".repeat(1000))], "at most 1000"),
        ((0..11).map(|_| event("")).collect(), "at most 10"),
        ((0..6).map(|_| event(&fits)).collect(), "at most 5000"),
        (vec![long_type], "event type"),
        (vec![], "no event"),
    ] {
        match add(&log, 1, events).await {
            Err(AppendError::Refused(why)) => assert!(why.contains(reason), "{why}"),
            other => panic!("{reason}: {other:?}"),
        }
    }
    assert_eq!(log.head().await.unwrap(), Position(1));
}

/// An event as large as it may be, where an operator allowed large ones.
#[tokio::test]
async fn the_size_of_events_is_a_setting() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    let large = "x".repeat(20 * 1024 * 1024);
    let log = EmbeddedLog::open_with(dir.path(), options).unwrap();
    match add(&log, 1, vec![event(&large)]).await {
        Err(AppendError::Refused(why)) => assert!(why.contains("at most 1048576"), "{why}"),
        other => panic!("{other:?}"),
    }
    drop(log);
    options.limits.event_bytes = 32 * 1024 * 1024;
    let log = EmbeddedLog::open_with(dir.path(), options).unwrap();
    add(&log, 1, vec![event(&large)]).await.unwrap();
    drop(log);
    // What was taken is read, whatever the limit is now.
    let log = EmbeddedLog::open(dir.path()).unwrap();
    let read = read_on(&log, Position::START).await.unwrap();
    assert!(read.len() == 1 && read[0].data == large.as_bytes());
}

/// Someone sets the clock back, and the machine starts again: what comes later is never older.
#[tokio::test]
async fn a_clock_that_goes_backwards_does_not_show() {
    let noon = || Timestamp::from_millis(1_800_000_000_000);
    let morning = || Timestamp::from_millis(1_700_000_000_000);
    let evening = || Timestamp::from_millis(1_900_000_000_000);
    let dir = tempfile::tempdir().unwrap();
    for clock in [noon, morning, evening, morning] as [fn() -> Timestamp; 4] {
        let log = EmbeddedLog::open_at(dir.path(), Options::default(), clock).unwrap();
        add(&log, 1, vec![event("one"), event("two")]).await.unwrap();
        add(&log, 2, vec![event("three")]).await.unwrap();
    }
    let log = EmbeddedLog::open(dir.path()).unwrap();
    let events = read_on(&log, Position::START).await.unwrap();
    assert!(events.is_sorted_by_key(|event| event.recorded_at));
    let times: Vec<_> = events.iter().step_by(3).map(|event| event.recorded_at).collect();
    assert_eq!(times, [noon(), noon(), evening(), evening()]);
}

/// Without the right to write, the log says what to do and changes nothing.
#[tokio::test]
async fn a_read_only_folder_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("log");
    let log = EmbeddedLog::open(&folder).unwrap();
    add(&log, 1, vec![event("kept")]).await.unwrap();
    drop(log);
    // Root may write everywhere: the child is somebody else then, who may read all of it and write nothing.
    let as_somebody: &[&str] = &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let readable = |path: &Path| {
        Command::new("chmod")
            .args(["-R", "a-w,a+rX"])
            .arg(path)
            .status()
            .unwrap();
    };
    readable(dir.path());
    let said = |prefix: &[&str]| {
        let output = child(prefix, "opening::read_only_child", &folder).output();
        output.map_or_else(
            |error| error.to_string(),
            |output| String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let mut text = said(&[]);
    if text.contains("it was opened") {
        text = said(as_somebody);
    }
    Command::new("chmod")
        .args(["-R", "u+w"])
        .arg(dir.path())
        .status()
        .unwrap();
    if !text.contains("read_only_child") {
        println!("skipped: this is root, and nobody else can run this test: {text}");
        return;
    }
    assert!(
        text.contains("chmod") && text.contains("mount") && text.contains(&*folder.to_string_lossy()),
        "{text}"
    );
    let log = EmbeddedLog::open(&folder).unwrap();
    assert_eq!(log.head().await.unwrap(), Position(1));
}

/// Runs as a child only.
#[test]
fn read_only_child() {
    let Some(folder) = child_folder() else { return };
    match EmbeddedLog::open(&folder) {
        Ok(_) => println!("it was opened"),
        Err(error) => println!("{error}"),
    }
}

fn refusal(dir: &Path) -> OpenError {
    EmbeddedLog::open(dir).err().expect("the folder was opened")
}

#[test]
fn a_newer_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(EmbeddedLog::open(dir.path()).unwrap());
    std::fs::write(dir.path().join("format"), "jangteo event log, format 7\n").unwrap();
    let error = refusal(dir.path());
    assert!(matches!(error, OpenError::Newer { found: 7, .. }), "{error}");
    assert!(error.to_string().contains("newer version"), "{error}");
}

#[test]
fn a_foreign_folder_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("thesis.txt"), "years of work").unwrap();
    let error = refusal(dir.path());
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn what_is_no_folder_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = refusal(&file);
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
}

#[tokio::test]
async fn a_folder_with_parts_missing_is_damaged() {
    let break_it: [fn(&Path); 3] = [
        |dir| std::fs::remove_file(dir.join("format")).unwrap(),
        |dir| std::fs::write(dir.join("format"), [0xff, 0xfe]).unwrap(),
        |dir| std::fs::remove_dir_all(dir.join("store")).unwrap(),
    ];
    for broken in break_it {
        let dir = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(dir.path()).unwrap();
        add(&log, 1, vec![event("kept")]).await.unwrap();
        drop(log);
        broken(dir.path());
        let error = refusal(dir.path());
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    }
}
