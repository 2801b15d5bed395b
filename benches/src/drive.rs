//! How every log under measurement is driven, ours and its peers (`benches/peers` takes this very file): N tasks, each
//! appending one event after the other and waiting for each, for a given time.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

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
