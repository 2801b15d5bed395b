//! A hundred kills: every acknowledged event is there, in order, once; nothing half-written is ever read.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    io::{BufRead, BufReader, Write},
    time::Duration,
};

use super::*;

const KILLS: usize = 100;
const TASKS: u64 = 6;
const STREAMS: u64 = 20;

/// xorshift64: enough to vary a test, and the seed is all there is to remember of a failure.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What the child says of an append that was acknowledged to it.
struct Acknowledgement {
    tag: String,
    version: u64,
    position: u64,
}

/// Runs as a child only: appends from several tasks until it is killed, and tells each append that was acknowledged.
#[test]
fn writer_child() {
    let Some(folder) = child_folder() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        // Small buffers: the kills also hit the store while it flushes and compacts.
        let options = Options {
            write_buffer_bytes: 256 * 1024,
            ..Options::default()
        };
        let log = EmbeddedLog::open_with(&folder, options).unwrap();
        let run = Uuid::now_v7().simple().to_string();
        let tasks = (0..TASKS).map(|task| tokio::spawn(write_on(Arc::clone(&log), format!("{run}/{task}"))));
        futures_util::future::join_all(tasks).await;
    });
}

async fn write_on(log: Arc<EmbeddedLog>, name: String) {
    let mut dice = Dice(RandomState::new().hash_one(&name) | 1);
    for round in 0.. {
        let tag = format!("{name}/{round}");
        let of = 1 + dice.roll(4);
        let size = if dice.roll(20) == 0 { 30_000 } else { 100 };
        let padding = "x".repeat(dice.roll(size) as usize);
        let events = (0..of)
            .map(|index| event(&format!("{tag} {index} {of} {padding}")))
            .collect();
        let stream = dice.roll(STREAMS) as usize;
        let appended = add(&log, stream, events).await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {tag} {} {} .", appended.version, appended.position).unwrap();
        out.flush().unwrap();
    }
}

fn acknowledgement(line: &str) -> Option<Acknowledgement> {
    // The test harness may have written before it, on the same line.
    let (_, rest) = line.split_once("acknowledged ")?;
    // A line that the kill cut off could hold half a number: whole ones end in a dot.
    let rest = rest.strip_suffix(" .")?;
    let mut words = rest.split(' ');
    Some(Acknowledgement {
        tag: words.next()?.to_owned(),
        version: words.next()?.parse().ok()?,
        position: words.next()?.parse().ok()?,
    })
}

/// Lets a child write for a while, kills it, and tells what had been acknowledged.
fn write_and_kill(folder: &Path, pause: Duration) -> Vec<Acknowledgement> {
    let mut child = child(&[], "crash::writer_child", folder).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let mut text = vec![];
        for line in stdout.split(b'\n') {
            text.push(String::from_utf8(line.unwrap()).unwrap());
        }
        text
    });
    // The moment of the kill is the point of this test, not a wait for something.
    std::thread::sleep(pause);
    // SIGKILL on Unix.
    child.kill().unwrap();
    child.wait().unwrap();
    let lines = reader.join().unwrap();
    lines.iter().filter_map(|line| acknowledgement(line)).collect()
}

/// What a whole log is known to hold, as far as it was checked.
#[derive(Default)]
struct Checked {
    at: Position,
    versions: HashMap<StreamName, u64>,
    /// Tag of each append to the version and the position of its last event.
    appends: HashMap<String, (u64, u64)>,
}

impl Checked {
    /// Checks what was appended since: positions and versions without gap, appends whole and never twice.
    fn go_on(&mut self, events: &[Arc<RecordedEvent>]) {
        let mut events = events.iter();
        while let Some(first) = events.next() {
            let (tag, index, of) = data(first);
            assert_eq!(index, 0, "{tag} lost its beginning");
            let mut last = first;
            self.step(first);
            for expected in 1..of {
                last = events.next().unwrap_or_else(|| panic!("{tag} lost its end"));
                assert_eq!(data(last), (tag.clone(), expected, of));
                assert_eq!(last.stream, first.stream);
                self.step(last);
            }
            let twice = self.appends.insert(tag, (last.version, last.position.0));
            assert_eq!(twice, None, "an append stands twice in the log");
        }
    }

    fn step(&mut self, event: &RecordedEvent) {
        assert_eq!(event.position.0, self.at.0 + 1, "a gap");
        self.at = event.position;
        let version = self.versions.entry(event.stream.clone()).or_insert(0);
        assert_eq!(event.version, *version, "a gap in {}", event.stream);
        *version += 1;
    }
}

fn data(event: &RecordedEvent) -> (String, u64, u64) {
    let text = std::str::from_utf8(&event.data).unwrap();
    let mut words = text.split(' ');
    let mut next = || words.next().unwrap();
    (next().to_owned(), next().parse().unwrap(), next().parse().unwrap())
}

#[tokio::test]
async fn a_hundred_kills_lose_nothing() {
    let seed = std::env::var("JANGTEO_CRASH_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one("crash") | 1);
    println!("JANGTEO_CRASH_SEED={seed} repeats the moments of these kills");
    let mut dice = Dice(seed);
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("log");
    let mut checked = Checked::default();
    let mut total = 0;
    for kill in 0..KILLS {
        let acknowledged = write_and_kill(&folder, Duration::from_micros(dice.roll(150_000)));
        total += acknowledged.len();
        let log = EmbeddedLog::open(&folder).unwrap_or_else(|error| panic!("after kill {kill}: {error}"));
        checked.go_on(&read_on(&log, checked.at).await.unwrap());
        for Acknowledgement { tag, version, position } in acknowledged {
            assert_eq!(
                checked.appends.get(&tag),
                Some(&(version, position)),
                "{tag} after kill {kill}"
            );
        }
    }
    println!("{total} appends acknowledged, {} in the log", checked.appends.len());
    assert!(total > KILLS, "the children hardly wrote anything");

    // What was checked bit by bit while it grew, once more as a whole, and by streams.
    let log = EmbeddedLog::open(&folder).unwrap();
    let mut whole = Checked::default();
    whole.go_on(&read_on(&log, Position::START).await.unwrap());
    assert_eq!(whole.appends, checked.appends);
    for (stream, count) in &checked.versions {
        let events = log
            .read_stream(stream, None, Direction::Forwards, usize::MAX)
            .await
            .unwrap();
        assert_eq!(events.len() as u64, *count);
        assert!((0..).zip(&events).all(|(version, event)| event.version == version));
    }
    let stats = log.stats().await.unwrap();
    assert_eq!(
        (stats.events, stats.streams),
        (checked.at.0, checked.versions.len() as u64)
    );
}

/// A log that was killed while it was made can be made after all.
#[tokio::test]
async fn kills_at_the_very_start_leave_a_usable_folder() {
    let mut dice = Dice(RandomState::new().hash_one("start") | 1);
    for _ in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("log");
        for _ in 0..2 {
            write_and_kill(&folder, Duration::from_micros(dice.roll(30_000)));
        }
        let log = EmbeddedLog::open(&folder).unwrap();
        add(&log, 1, vec![event("first")]).await.unwrap();
        let mut checked = Checked::default();
        let events = read_on(&log, Position::START).await.unwrap();
        checked.go_on(&events[..events.len() - 1]);
    }
}
