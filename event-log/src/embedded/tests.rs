//! The embedded log beyond the contract: what survives, what is noticed.

mod crash;
mod damage;
mod full_disk;
mod opening;
mod salvaging;

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use bytes::Bytes;
use event_schemas::{ContentType, NewEvent};
use uuid::Uuid;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract() {
    let dirs = Mutex::new(vec![]);
    crate::contract::all(|| async {
        let dir = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(dir.path()).unwrap();
        dirs.lock().unwrap().push(dir);
        log as Arc<dyn EventLog>
    })
    .await;
}

/// The same with next to no memory: everything is read from disk, from many small tables, in one log, and once more after it was
/// closed and opened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_without_memory() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let log = EmbeddedLog::open_with(dir.path(), small()).unwrap();
        crate::contract::all(|| async { Arc::clone(&log) as Arc<dyn EventLog> }).await;
        crate::contract::appending::ids_stand_once_in_the_log(log).await;
    }
}

fn small() -> Options {
    Options {
        tail_bytes: 0,
        cache_bytes: 64 * 1024,
        write_buffer_bytes: 64 * 1024,
        ..Options::default()
    }
}

/// The order stream of that number.
fn stream(number: usize) -> StreamName {
    format!("order-{number}").parse().unwrap()
}

fn event(data: &str) -> NewEvent {
    NewEvent {
        id: Uuid::now_v7(),
        event_type: "Tested".to_owned(),
        content: ContentType::Json,
        metadata: Bytes::from_static(br#"{"schema_version":1}"#),
        data: Bytes::copy_from_slice(data.as_bytes()),
    }
}

async fn add(log: &EmbeddedLog, number: usize, events: Vec<NewEvent>) -> Result<Appended, AppendError> {
    let append = Append {
        stream: stream(number),
        expected: ExpectedVersion::Any,
        events,
    };
    log.append(append).await
}

/// Everything after `after`.
async fn read_on(log: &EmbeddedLog, after: Position) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
    let mut all = vec![];
    let mut at = after;
    loop {
        let (events, next) = log.read_all(at, &EventFilter::default(), 1000).await?;
        if next == at {
            return Ok(all);
        }
        all.extend(events);
        at = next;
    }
}

/// Names the folder that a test run as a child process is to work on.
const CHILD_FOLDER: &str = "JANGTEO_EVENT_LOG_TEST_FOLDER";

fn child_folder() -> Option<PathBuf> {
    std::env::var_os(CHILD_FOLDER).map(PathBuf::from)
}

/// This test binary again, as a process that runs one test only; `prefix` is a command that runs it.
fn child(prefix: &[&str], test: &str, folder: &Path) -> Command {
    let test = format!("embedded::tests::{test}");
    let binary = std::env::current_exe().unwrap();
    let mut words = prefix.iter().map(std::ffi::OsString::from).chain([binary.into()]);
    let mut command = Command::new(words.next().unwrap());
    command
        .args(words)
        .args(["--exact", &test, "--nocapture", "--test-threads=1"])
        .env(CHILD_FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}
