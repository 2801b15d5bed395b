//! The limit to measure the event log against: durable appends to a raw file.
//!
//! The file is filled with zeros beforehand, so that a sync has data to write and nothing else. The shape is that of the event log:
//! N tasks that each wait for their append to be durable, one thread that writes all that waits and syncs once.

use std::{
    io::{Seek, SeekFrom, Write},
    path::Path,
    sync::mpsc,
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::drive::{Throughput, drive};

/// Written over and over from its beginning: the disk does the same work, and the file need not be larger than any run.
const FILE_BYTES: usize = 128 * 1024 * 1024;
/// Nobody waits with more appends than this.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

struct Request {
    record: Bytes,
    durable: oneshot::Sender<()>,
}

/// `writers` tasks append `event_bytes` each, one after the other, for `duration`, to a file in `dir`.
///
/// # Errors
/// When the file cannot be written.
pub(crate) async fn run(
    dir: &Path,
    writers: usize,
    duration: Duration,
    event_bytes: usize,
) -> std::io::Result<Throughput> {
    let path = dir.join("raw-log");
    let (sender, queue) = mpsc::channel();
    let file = zero_filled(&path)?;
    let writer = std::thread::spawn(move || write(file, &queue));
    let throughput = drive(writers, duration, |_| {
        let sender = sender.clone();
        let record = Bytes::from(vec![b'x'; event_bytes]);
        move |_: u64| {
            let (sender, record) = (sender.clone(), record.clone());
            async move {
                let (durable, synced) = oneshot::channel();
                let stopped = || std::io::Error::other("the raw file's writer stopped");
                sender.send(Request { record, durable }).map_err(|_| stopped())?;
                synced.await.map_err(|_| stopped())
            }
        }
    })
    .await;
    drop(sender);
    let written = writer
        .join()
        .unwrap_or_else(|_| Err(std::io::Error::other("the writer panicked")));
    std::fs::remove_file(path)?;
    written.and(throughput)
}

fn zero_filled(path: &Path) -> std::io::Result<std::fs::File> {
    let mut file = std::fs::File::create(path)?;
    let zeros = vec![0; 1024 * 1024];
    for _ in 0..FILE_BYTES / zeros.len() {
        file.write_all(&zeros)?;
    }
    file.sync_all()?;
    Ok(file)
}

fn write(mut file: std::fs::File, queue: &mpsc::Receiver<Request>) -> std::io::Result<()> {
    let mut at = 0;
    let mut bytes = vec![];
    let mut waiting = vec![];
    while let Ok(first) = queue.recv() {
        let mut take = |Request { record, durable }: Request| {
            bytes.extend_from_slice(&(record.len() as u32).to_le_bytes());
            bytes.extend_from_slice(&record);
            waiting.push(durable);
            bytes.len() < BATCH_BYTES
        };
        let mut more = take(first);
        while more && let Ok(request) = queue.try_recv() {
            more = take(request);
        }
        if at + bytes.len() > FILE_BYTES {
            at = 0;
        }
        file.seek(SeekFrom::Start(at as u64))?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        at += bytes.len();
        bytes.clear();
        for durable in waiting.drain(..) {
            let _ = durable.send(());
        }
    }
    Ok(())
}
