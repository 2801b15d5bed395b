//! Reads parked messages again.

use std::{sync::Arc, time::Duration};

use tonic::Status;

use super::{key::Key, stored::Stored};
use crate::{
    reading::{Resolved, resolve},
    service::Service,
};

/// How long to wait before the log is asked again after it failed.
const PATIENCE: Duration = Duration::from_millis(500);

/// A page of parked messages.
pub(super) struct Replayed {
    /// Each with its version among the parked ones.
    pub(super) messages: Vec<(u64, Resolved)>,
    /// All before this version are in this page or in those before.
    pub(super) up_to: u64,
}

/// The messages parked at versions from `from` to before `to`, at most `most`, however long the log is away.
pub(super) async fn replay(
    service: Arc<Service>,
    stored: Stored,
    key: Key,
    from: u64,
    to: u64,
    most: usize,
) -> Replayed {
    loop {
        match page(&service, &stored, &key, from, to, most).await {
            Ok(replayed) => return replayed,
            Err(error) => {
                tracing::warn!(%key, %error, "parked messages cannot be read for the moment");
                tokio::time::sleep(PATIENCE).await;
            }
        }
    }
}

async fn page(
    service: &Service,
    stored: &Stored,
    key: &Key,
    from: u64,
    to: u64,
    most: usize,
) -> Result<Replayed, Status> {
    let links = stored.parked_page(key, from, to, most).await?;
    let up_to = links.last().map_or(to, |last| last.version.saturating_add(1).min(to));
    let mut messages = vec![];
    for link in links {
        let version = link.version;
        let message = resolve(service, link).await?;
        // What was deleted since is no message any more.
        if message.event.is_some() {
            messages.push((version, message));
        }
    }
    Ok(Replayed { messages, up_to })
}
