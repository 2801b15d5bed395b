//! Waiting for a process that starts at the same time.

use std::{
    fmt,
    time::{Duration, Instant},
};

use super::StartError;

/// How long a start waits for another process to be up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// Tries until it works, for a while: processes that start together wait for each other.
pub(super) async fn patiently<T, E: fmt::Display>(
    part: &'static str,
    attempt: impl AsyncFn() -> Result<T, E>,
) -> Result<T, StartError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt().await {
            Ok(there) => return Ok(there),
            Err(error) if Instant::now() >= deadline => return Err(StartError::of(part)(error)),
            Err(error) => tracing::warn!(%error, "waiting for {part}"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
