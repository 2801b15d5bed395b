//! Reading the log from a checkpoint, writing documents, rebuilding beside what is live.

mod beside;
mod comparing;
pub(crate) mod freshness;
pub(crate) mod generation;
pub(crate) mod pages;
pub(crate) mod rebuilding;
pub(crate) mod report;
pub(crate) mod runner;
mod share;

/// Waits until `stop` is set, or whoever could set it is gone.
pub(crate) async fn stopped(stop: &mut tokio::sync::watch::Receiver<bool>) {
    let _gone = stop.wait_for(|stop| *stop).await.is_err();
}
