//! Disks that do not give back what they took: noticed, never passed on.

use std::{
    hash::{BuildHasher, RandomState},
    io::{Read, Seek, SeekFrom, Write},
};

use super::*;

const EVENTS: usize = 2000;
const FLIPS: usize = 80;

/// A closed log with part of it in tables and part in the journal; what it holds, in order.
async fn written(dir: &Path) -> Vec<(Position, StreamName, u64, Uuid, Bytes)> {
    let log = EmbeddedLog::open_with(dir, small()).unwrap();
    for number in 0..EVENTS / 2 {
        let events = (0..2)
            .map(|index| event(&format!("{number} {index} {}", "x".repeat(number % 300))))
            .collect();
        add(&log, number % 50, events).await.unwrap();
    }
    contents(&read_on(&log, Position::START).await.unwrap())
}

fn contents(events: &[Arc<RecordedEvent>]) -> Vec<(Position, StreamName, u64, Uuid, Bytes)> {
    let fields = |event: &Arc<RecordedEvent>| {
        let data = event.data.clone();
        (event.position, event.stream.clone(), event.version, event.id, data)
    };
    events.iter().map(fields).collect()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Copies a folder; of the journal only what stands before the zeros that it was preallocated with.
fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        let mut bytes = std::fs::read(&file).unwrap();
        if file.extension().is_some_and(|extension| extension == "jnl") {
            bytes.truncate(end(&bytes));
        }
        std::fs::write(target, bytes).unwrap();
    }
}

fn end(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

fn flip(file: &Path, at: u64, mask: u8) {
    let mut file = std::fs::File::options().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[byte[0] ^ mask]).unwrap();
}

/// Opens and reads all in every way; true if the damage was noticed, false if it hit nothing that is read.
async fn noticed(dir: &Path, expected: &[(Position, StreamName, u64, Uuid, Bytes)]) -> bool {
    let log = match EmbeddedLog::open(dir) {
        Ok(log) => log,
        Err(error) => {
            assert!(
                !matches!(error, OpenError::InUse { .. } | OpenError::Foreign { .. }),
                "{error}"
            );
            return true;
        }
    };
    let mut noticed = false;
    match read_on(&log, Position::START).await {
        Ok(events) => assert!(contents(&events) == expected, "the log passed on what was not written"),
        Err(_) => noticed = true,
    }
    for number in 0..50 {
        let own: Vec<_> = expected
            .iter()
            .filter(|event| event.1 == stream(number))
            .cloned()
            .collect();
        match log
            .read_stream(&stream(number), None, Direction::Forwards, usize::MAX)
            .await
        {
            Ok(events) => assert!(contents(&events) == own, "a stream passed on what was not written"),
            Err(_) => noticed = true,
        }
    }
    noticed
}

#[tokio::test]
async fn a_flipped_bit_is_never_passed_on() {
    let dir = tempfile::tempdir().unwrap();
    let expected = written(dir.path()).await;
    let untouched = tempfile::tempdir().unwrap();
    copy(dir.path(), untouched.path());
    assert!(
        !noticed(untouched.path(), &expected).await,
        "damage was noticed where there is none"
    );

    let mut noticed_flips = 0;
    for round in 0..FLIPS {
        let damaged = tempfile::tempdir().unwrap();
        copy(dir.path(), damaged.path());
        let mut files = files(damaged.path());
        files.retain(|file| std::fs::metadata(file).unwrap().len() > 0);
        let roll = RandomState::new().hash_one(round) as usize;
        // The journal gets every third, as it is where the newest events are; the rest goes anywhere.
        let journal = files.iter().find(|file| file.ends_with("store/0.jnl"));
        let file = journal.filter(|_| round % 3 == 0).unwrap_or(&files[roll % files.len()]);
        let length = std::fs::metadata(file).unwrap().len();
        let at = (roll as u64 >> 8) % length;
        flip(file, at, 1 << (roll % 8));
        let name = file.strip_prefix(damaged.path()).unwrap().to_owned();
        println!("flip {round}: byte {at} of {length} of {}", name.display());
        noticed_flips += usize::from(noticed(damaged.path(), &expected).await);
    }
    println!("{noticed_flips} of {FLIPS} flips hit what is read");
    assert!(noticed_flips > FLIPS / 4, "hardly any damage was noticed");
}

/// The journal breaks off although everything in it had been acknowledged.
#[tokio::test]
async fn a_log_that_lost_its_end_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(dir.path()).unwrap();
    for number in 0..10 {
        add(
            &log,
            1,
            vec![event(&format!("{number} 0")), event(&format!("{number} 1"))],
        )
        .await
        .unwrap();
    }
    drop(log);
    let journal = dir.path().join("store/0.jnl");
    let bytes = std::fs::read(&journal).unwrap();
    let file = std::fs::File::options().write(true).open(&journal).unwrap();
    file.set_len(end(&bytes) as u64 - 5).unwrap();
    let error = EmbeddedLog::open(dir.path()).err().expect("events are gone");
    assert!(
        matches!(&error, OpenError::Damaged { detail, .. } if detail.contains("18") && detail.contains("20")),
        "{error}"
    );

    // Asked to go on without them, it does, with whole appends.
    std::fs::remove_file(dir.path().join("acknowledged")).unwrap();
    let log = EmbeddedLog::open(dir.path()).unwrap();
    assert_eq!(read_on(&log, Position::START).await.unwrap().len(), 18);
    let appended = add(&log, 1, vec![event("on")]).await.unwrap();
    assert_eq!((appended.version, appended.position), (18, Position(19)));
}
