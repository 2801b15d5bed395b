//! The limit to measure the event log against: durable appends to a raw file.
//!
//! The file is filled with zeros beforehand, so that a sync has data to write and nothing else. The shape is that of the event log:
//! N tasks that each wait for their append to be durable, one thread that writes all that waits and syncs once.

use std::{
    future::Future,
    io::{Seek, SeekFrom, Write},
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use hdrhistogram::Histogram;
use tokio::sync::oneshot;

/// How many appends were made durable, and how long one waited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Throughput {
    /// Appends a second, over all writers.
    pub(crate) per_second: f64,
    /// Half of the appends took no longer.
    pub(crate) p50: Duration,
    /// All but one in a hundred took no longer.
    pub(crate) p99: Duration,
}

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

/// Runs `writers` tasks for `duration`. Each makes its own `append`, which is called with 0, 1, 2 …
///
/// # Errors
/// The first that an append gives.
pub(crate) async fn drive<Append, Made, Error>(
    writers: usize,
    duration: Duration,
    make: impl Fn(usize) -> Append,
) -> Result<Throughput, Error>
where
    Append: FnMut(u64) -> Made + Send + 'static,
    Made: Future<Output = Result<(), Error>> + Send,
    Error: From<std::io::Error> + Send + 'static,
{
    let started = Instant::now();
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let mut append = make(writer);
            tokio::spawn(async move {
                let mut micros = latencies();
                let mut count = 0;
                while started.elapsed() < duration {
                    let asked = Instant::now();
                    append(count).await?;
                    count += 1;
                    micros.saturating_record(asked.elapsed().as_micros() as u64);
                }
                Ok::<_, Error>(micros)
            })
        })
        .collect();
    let mut micros = latencies();
    for task in tasks {
        let own = task.await.map_err(std::io::Error::other)??;
        micros.add(own).map_err(std::io::Error::other)?;
    }
    let quantile = |quantile| Duration::from_micros(micros.value_at_quantile(quantile));
    Ok(Throughput {
        per_second: micros.len() as f64 / started.elapsed().as_secs_f64(),
        p50: quantile(0.5),
        p99: quantile(0.99),
    })
}

/// From a microsecond to a minute, to three digits.
fn latencies() -> Histogram<u64> {
    // Invariant: these bounds are valid ones.
    Histogram::new_with_bounds(1, 60_000_000, 3).unwrap_or_else(|_| unreachable!("valid bounds"))
}
