//! Lets what partners may see leave the house: CloudEvents from the log onto a JetStream stream.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_nats::jetstream::message::PublishMessage;
use event_log::{Bookmark, EventFilter, EventLog, FileBookmark, LogError, Position, RecordedEvent};
use event_schemas::published;
use tokio::{sync::watch, task::JoinHandle, time::sleep};

use crate::nats::{Nats, NatsError};

/// Events that are on their way to the server at the same time.
const WINDOW: usize = 256;
const PAUSE: Duration = Duration::from_secs(1);
/// The file with how far events are published. Not synced: an older one only publishes some events again.
const CHECKPOINT: &str = "published";
/// Structured mode: the message is the event.
const CONTENT_TYPE: &str = "application/cloudevents+json";
/// What the types begin with and the subjects do not repeat.
const TYPES: &str = "shop.jangteo.";

/// Publishes from where it was. At least once: killed between the server's receipts and the checkpoint, it publishes some events
/// again, under the ids they had, and the server forgets those it has seen within two minutes. In the log's order, but for what
/// is repeated after a fault.
pub struct EventPublisher {
    position: watch::Receiver<Position>,
    task: JoinHandle<()>,
}

/// It could not start.
#[derive(Debug, thiserror::Error)]
pub enum PublisherError {
    /// The folder cannot be used.
    #[error("the publisher's checkpoint in {folder}: {source}")]
    Folder {
        /// Which.
        folder: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The server fails.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl EventPublisher {
    /// Starts publishing; its checkpoint is kept in `folder`.
    ///
    /// # Errors
    /// See [`PublisherError`].
    pub async fn start(nats: &Nats, log: Arc<dyn EventLog>, folder: &Path) -> Result<Self, PublisherError> {
        let unusable = |source| PublisherError::Folder {
            folder: folder.to_owned(),
            source,
        };
        let checkpoint = FileBookmark::open(folder, CHECKPOINT).map_err(unusable)?;
        let mut at = checkpoint.load().map_err(unusable)?;
        let head = log.head().await?;
        if at > head {
            tracing::warn!(%at, %head, "more was published than the log holds: publishing from its beginning");
            at = Position::START;
        }
        nats.events().await?;
        tracing::info!(%at, "events are published");
        // From the start, so that an alarm sees the first of them.
        metrics::counter!("jangteo_events_unpublishable_total").increment(0);
        let (positions, position) = watch::channel(at);
        let press = Press {
            nats: nats.clone(),
            log,
            checkpoint,
            at: positions,
        };
        Ok(Self {
            position,
            task: tokio::spawn(press.run()),
        })
    }

    /// Everything up to here was published, and the server has it.
    pub fn position(&self) -> watch::Receiver<Position> {
        self.position.clone()
    }
}

impl Drop for EventPublisher {
    /// Nothing is lost: what was not yet acknowledged is published again at the next start.
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Press {
    nats: Nats,
    log: Arc<dyn EventLog>,
    checkpoint: FileBookmark,
    at: watch::Sender<Position>,
}

impl Press {
    async fn run(self) {
        loop {
            let Err(error) = self.publish_while_well().await;
            tracing::warn!(%error, at = %*self.at.borrow(), "publishing pauses; trying again");
            sleep(PAUSE).await;
        }
    }

    async fn publish_while_well(&self) -> Result<std::convert::Infallible, Box<dyn std::error::Error + Send + Sync>> {
        let after = *self.at.borrow();
        self.nats.events().await?;
        let mut subscription = Arc::clone(&self.log).subscribe(after, published_from()).await?;
        loop {
            let (events, at) = subscription.next(WINDOW).await?;
            // Again and again, under the same ids: the server knows what it has.
            let published = self.nats.outlet().call(|| self.publish(&events)).await;
            published.map_err(|failure| self.nats.failed(failure))?;
            if let Err(error) = self.checkpoint.save(at) {
                // What is published is published. The next save says it.
                tracing::warn!(%error, "how far events are published is not kept");
            }
            self.at.send_replace(at);
        }
    }

    /// Returns when the server has them all.
    async fn publish(&self, events: &[Arc<RecordedEvent>]) -> Result<(), NatsError> {
        let mut receipts = Vec::with_capacity(events.len());
        for event in events {
            if let Some((subject, message)) = self.message(event) {
                let sent = self.nats.context().send_publish(subject, message).await;
                receipts.push(sent.map_err(|error| self.nats.error(error))?);
            }
        }
        let published = receipts.len();
        for receipt in receipts {
            receipt.await.map_err(|error| self.nats.error(error))?;
        }
        metrics::counter!("jangteo_events_published_total").increment(u64::try_from(published).unwrap_or(u64::MAX));
        Ok(())
    }

    /// None for what is nobody's business outside, or cannot be read.
    fn message(&self, event: &RecordedEvent) -> Option<(String, PublishMessage)> {
        let skipped = |error: &dyn std::fmt::Display| {
            metrics::counter!("jangteo_events_unpublishable_total").increment(1);
            tracing::error!(position = %event.position, %error, "an event is not published");
        };
        let (metadata, fact) = event.shop_event().inspect_err(|error| skipped(error)).ok()?;
        let public = published::cloud_event(event.id, &event.stream, metadata.occurred_at, fact);
        let public = public.inspect_err(|error| skipped(error)).ok()??;
        let kind = published::kind(&public).strip_prefix(TYPES)?.to_owned();
        let payload = serde_json::to_vec(&public).inspect_err(|error| skipped(error)).ok()?;
        let message = PublishMessage::build()
            .header("Content-Type", CONTENT_TYPE)
            .message_id(event.id.to_string())
            .payload(payload.into());
        Some((self.nats.event_subject(&kind), message))
    }
}

/// The categories of which something may be published.
fn published_from() -> EventFilter {
    EventFilter::categories(published::CATEGORIES)
}
