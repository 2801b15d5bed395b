//! Waiting for work no longer than the runner's clock allows. The runner waits by no other clock.

use std::time::Duration;

use event_log::Clock;

/// The outcome of `work`, if it comes within so long.
pub(crate) async fn within<T>(clock: &dyn Clock, duration: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        outcome = work => Some(outcome),
        () = clock.sleep(duration) => None,
    }
}
