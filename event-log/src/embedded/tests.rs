//! The embedded log beyond the contract: what survives, what is noticed.

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

/// The same with next to no memory: everything is read from disk, from many small tables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_without_memory() {
    let dir = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open_with(dir.path(), small()).unwrap();
    crate::contract::all(|| async { Arc::clone(&log) as Arc<dyn EventLog> }).await;
}

fn small() -> Options {
    Options {
        tail_bytes: 0,
        cache_bytes: 64 * 1024,
        write_buffer_bytes: 64 * 1024,
        ..Options::default()
    }
}
