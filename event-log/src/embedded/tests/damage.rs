//! Disks that do not give back what they took: noticed, never passed on.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    io::{Read, Seek, SeekFrom, Write},
};

use super::{
    super::{
        journal::{Batch, batch},
        tables,
    },
    *,
};

const EVENTS: usize = 2000;
const FLIPS: usize = 80;

/// A closed log with part of it in tables and part in the journal; what it holds, in order.
pub(super) async fn written(dir: &Path) -> Vec<(Position, StreamName, u64, Uuid, Bytes)> {
    let log = EmbeddedLog::open_with(dir, small()).unwrap();
    for number in 0..EVENTS / 2 {
        let events = (0..2)
            .map(|index| event(&format!("{number} {index} {}", "x".repeat(number % 300))))
            .collect();
        add(&log, number % 50, events).await.unwrap();
    }
    contents(&read_on(&log, Position::START).await.unwrap())
}

pub(super) fn contents(events: &[Arc<RecordedEvent>]) -> Vec<(Position, StreamName, u64, Uuid, Bytes)> {
    let fields = |event: &Arc<RecordedEvent>| {
        let data = event.data.clone();
        (event.position, event.stream.clone(), event.version, event.id, data)
    };
    events.iter().map(fields).collect()
}

pub(super) fn files(dir: &Path) -> Vec<PathBuf> {
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

pub(super) fn flip(file: &Path, at: u64, mask: u8) {
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
        // The same flips in every run.
        let roll = BuildHasherDefault::<DefaultHasher>::default().hash_one(round) as usize;
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

#[tokio::test]
async fn a_file_cut_short_is_never_passed_on() {
    let dir = tempfile::tempdir().unwrap();
    let expected = written(dir.path()).await;
    let mut noticed_cuts = 0;
    let files = files(dir.path());
    for file in &files {
        let damaged = tempfile::tempdir().unwrap();
        copy(dir.path(), damaged.path());
        let file = damaged.path().join(file.strip_prefix(dir.path()).unwrap());
        let length = std::fs::metadata(&file).unwrap().len();
        let cut = std::fs::File::options().write(true).open(&file).unwrap();
        cut.set_len(length / 2).unwrap();
        noticed_cuts += usize::from(noticed(damaged.path(), &expected).await);
    }
    println!("{noticed_cuts} of {} cuts hit what is read", files.len());
    assert!(noticed_cuts > files.len() / 3, "hardly any damage was noticed");
}

/// fjall believes the lengths in its lists of tables (`v<n>`): one flipped bit could end the process for want of memory.
#[tokio::test]
async fn a_flipped_bit_in_a_list_of_tables_is_named() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path()).await;
    let keyspaces: Vec<_> = std::fs::read_dir(dir.path().join("store/keyspaces")).unwrap().collect();
    assert!(keyspaces.len() > 4, "{keyspaces:?}");
    let lists = keyspaces.into_iter().flat_map(|keyspace| {
        let current = keyspace.unwrap().path().join("current");
        let number = std::fs::read(&current).unwrap()[0];
        [current.with_file_name(format!("v{number}")), current]
    });
    for list in lists {
        let bytes = std::fs::read(&list).unwrap();
        for at in 0..bytes.len() as u64 {
            let bit = 1 << (at % 8);
            flip(&list, at, bit);
            let refused = tables::inspect(&dir.path().join("store")).err();
            // The last byte of `current` says which kind of checksum it is: of another kind nothing is known.
            let unknown_kind = list.ends_with("current") && at == 24;
            assert_eq!(
                refused.is_none(),
                unknown_kind,
                "byte {at} of {}: {refused:?}",
                list.display()
            );
            if at == 0 {
                let error = EmbeddedLog::open(dir.path()).err().unwrap().to_string();
                assert!(error.contains("list of tables") && error.contains("salvage"), "{error}");
            }
            flip(&list, at, bit);
        }
    }
    EmbeddedLog::open(dir.path()).unwrap();
}

/// A log with ten appends of two events, all in the journal; where each batch of the journal starts.
pub(super) async fn ten_appends(dir: &Path) -> (PathBuf, Vec<usize>) {
    let log = EmbeddedLog::open(dir).unwrap();
    for number in 0..10 {
        let padding = "x".repeat(2000);
        add(&log, 1, vec![event(&format!("{number} 0")), event(&padding)])
            .await
            .unwrap();
    }
    drop(log);
    let journal = dir.join("store/0.jnl");
    let bytes = std::fs::read(&journal).unwrap();
    let mut starts = vec![];
    let mut at = 0;
    while let Some(Batch::Whole { end, .. }) = batch(&bytes, at) {
        starts.push(at);
        at = end;
    }
    assert_eq!((starts.len(), at), (10, end(&bytes)));
    (journal, starts)
}

async fn goes_on_after(dir: &Path, events: u64) {
    let log = EmbeddedLog::open(dir).unwrap();
    assert_eq!(read_on(&log, Position::START).await.unwrap().len() as u64, events);
    let appended = add(&log, 1, vec![event("on")]).await.unwrap();
    assert_eq!((appended.version, appended.position), (events, Position(events + 1)));
}

/// The journal breaks off although everything in it had been acknowledged.
#[tokio::test]
async fn a_log_that_lost_its_end_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, starts) = ten_appends(dir.path()).await;
    let file = std::fs::File::options().write(true).open(&journal).unwrap();
    file.set_len(starts[9] as u64 + 500).unwrap();
    let error = EmbeddedLog::open(dir.path()).err().expect("events are gone");
    assert!(
        matches!(&error, OpenError::Damaged { detail, .. } if detail.contains("18") && detail.contains("20")),
        "{error}"
    );
    // Asked to go on without them, it does, with whole appends.
    std::fs::remove_file(dir.path().join("acknowledged")).unwrap();
    goes_on_after(dir.path(), 18).await;
}

/// Cutting the journal there, as fjall would, would lose the appends behind it for good.
#[tokio::test]
async fn damage_in_the_middle_of_the_journal_changes_nothing() {
    // Not byte 5 to 12: fjall's number of the batch has no checksum, and what it holds is read all the same.
    for byte in [0, 1, 13, 30, 700, 3000] {
        let dir = tempfile::tempdir().unwrap();
        let (journal, starts) = ten_appends(dir.path()).await;
        flip(&journal, (starts[4] + byte) as u64, 4);
        let before = std::fs::read(&journal).unwrap();
        let error = EmbeddedLog::open(dir.path()).err().expect("an append is damaged");
        assert!(
            matches!(&error, OpenError::Damaged { detail, .. } if detail.contains("readable events behind it")),
            "{error}"
        );
        assert!(std::fs::read(&journal).unwrap() == before);
        // Put right again, all is there.
        flip(&journal, (starts[4] + byte) as u64, 4);
        goes_on_after(dir.path(), 20).await;
    }
}

/// A power cut during the last write: its end reached the disk, its middle did not, and nobody was told that it was written.
#[tokio::test]
async fn a_torn_last_batch_is_left_out() {
    for hole in [300..1500, 100..2500, 14..20] {
        let dir = tempfile::tempdir().unwrap();
        let (journal, starts) = ten_appends(dir.path()).await;
        let mut file = std::fs::File::options().write(true).open(&journal).unwrap();
        file.seek(SeekFrom::Start((starts[9] + hole.start) as u64)).unwrap();
        file.write_all(&vec![0; hole.len()]).unwrap();
        let mark = Position(18).0.to_le_bytes();
        let mark = [mark, xxhash_rust::xxh3::xxh3_64(&mark).to_le_bytes()].concat();
        std::fs::write(dir.path().join("acknowledged"), mark).unwrap();
        goes_on_after(dir.path(), 18).await;
    }
}
