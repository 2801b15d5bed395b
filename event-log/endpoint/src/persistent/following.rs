//! What a group follows, page by page: its stream, or the whole log.

use std::{sync::Arc, time::Duration};

use event_log::{Direction, EventFilter, RecordedEvent, Subscription, TOMBSTONE};
use event_schemas::StreamName;
use futures_util::future::BoxFuture;
use tonic::Status;

use super::key::{Source, is_own};
use crate::{
    reading::{Filter, Resolved, resolve},
    service::Service,
    status::log_fault,
};

/// How long to wait before the log is asked again after it failed.
const PATIENCE: Duration = Duration::from_millis(500);
/// Events looked at together while others' are waited through.
const OTHERS: usize = 256;

/// Reads what a group is to get.
pub(super) struct Following {
    service: Arc<Service>,
    source: Source,
    filter: Option<Filter>,
    resolve_links: bool,
    batch: usize,
    /// Everything up to here was read.
    after: Option<u64>,
    /// Where the whole log is read from.
    subscription: Option<Subscription>,
}

/// What is next.
pub(super) struct Page {
    /// Each at its place.
    pub(super) events: Vec<(u64, Resolved)>,
    /// Everything up to here is in this page or in those before, if it is for the group.
    pub(super) considered: Option<u64>,
    /// How many are not for the group.
    pub(super) skipped: u64,
}

/// A reading on its way. It owns what it reads from and gives it back, so that the group goes on meanwhile.
pub(super) type Reading = BoxFuture<'static, (Following, Page)>;

impl Following {
    pub(super) fn new(
        service: Arc<Service>,
        source: Source,
        filter: Option<Filter>,
        resolve_links: bool,
        batch: usize,
        after: Option<u64>,
    ) -> Self {
        Self {
            service,
            source,
            filter,
            resolve_links,
            batch,
            after,
            subscription: None,
        }
    }

    /// Waits until there is something new, however long the log is away.
    pub(super) fn next(mut self) -> Reading {
        Box::pin(async move {
            loop {
                // A filter that lets nothing through must not keep the others on this thread waiting.
                tokio::task::yield_now().await;
                let read = match self.source.clone() {
                    Source::All => self.next_of_all().await,
                    Source::Stream(stream) => self.next_of_stream(&stream).await,
                };
                match read {
                    Ok(page) => {
                        self.after = page.considered;
                        return (self, page);
                    }
                    Err(error) => {
                        tracing::warn!(source = self.source.as_str(), %error, "a group cannot read on for the moment");
                        self.subscription = None;
                        tokio::time::sleep(PATIENCE).await;
                    }
                }
            }
        })
    }

    async fn next_of_all(&mut self) -> Result<Page, Status> {
        let subscription = match &mut self.subscription {
            Some(subscription) => subscription,
            none => {
                let after = event_log::Position(self.after.unwrap_or(0));
                let subscribed = Arc::clone(&self.service.log)
                    .subscribe(after, EventFilter::default())
                    .await;
                none.insert(subscribed.map_err(|error| log_fault(&error))?)
            }
        };
        let next = subscription.next(self.batch).await;
        let (events, considered) = next.map_err(|error| log_fault(&error))?;
        let mut page = Page {
            events: vec![],
            considered: Some(considered.0),
            skipped: 0,
        };
        for event in events {
            let place = event.position.0;
            if is_own(&event) {
                continue;
            }
            let wanted = self.filter.as_ref().is_none_or(|filter| passes(filter, &event));
            self.add(&mut page, place, event, wanted).await?;
        }
        Ok(page)
    }

    async fn next_of_stream(&mut self, stream: &StreamName) -> Result<Page, Status> {
        loop {
            // Taken before the reading: what is appended after it stands behind this place.
            let head = self.service.log.head().await.map_err(|error| log_fault(&error))?;
            let view = self.service.view(stream).await?;
            let from = self.after.map_or(0, |after| after + 1).max(view.first);
            let read = self
                .service
                .log
                .read_stream(stream, Some(from), Direction::Forwards, self.batch)
                .await;
            let mut events = read.map_err(|error| log_fault(&error))?;
            events.retain(|event| event.version != TOMBSTONE);
            if let Some(last) = events.last() {
                let mut page = Page {
                    events: vec![],
                    considered: Some(last.version),
                    skipped: 0,
                };
                for event in events {
                    let (place, shown) = (event.version, view.shows(&event));
                    self.add(&mut page, place, event, shown).await?;
                }
                return Ok(page);
            }
            let category = EventFilter {
                categories: vec![stream.category().to_owned()],
                ..EventFilter::default()
            };
            let subscribed = Arc::clone(&self.service.log).subscribe(head, category).await;
            let mut subscription = subscribed.map_err(|error| log_fault(&error))?;
            loop {
                let next = subscription.next(OTHERS).await;
                let (events, _) = next.map_err(|error| log_fault(&error))?;
                if events.iter().any(|event| event.stream == *stream) {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
    }

    async fn add(
        &mut self,
        page: &mut Page,
        place: u64,
        event: Arc<RecordedEvent>,
        wanted: bool,
    ) -> Result<(), Status> {
        if !wanted {
            page.skipped += 1;
            return Ok(());
        }
        let resolved = if self.resolve_links {
            resolve(&self.service, event).await?
        } else {
            Resolved::plain(event)
        };
        // A link whose event is gone stands for nothing that could be handled.
        if resolved.event.is_some() {
            page.events.push((place, resolved));
        } else {
            page.skipped += 1;
        }
        Ok(())
    }
}

/// When the expression takes too long to tell, the event is the group's: too much is better than too little.
fn passes(filter: &Filter, event: &RecordedEvent) -> bool {
    filter.passes(event).unwrap_or_else(|error| {
        tracing::warn!(position = event.position.0, %error, "a group's filter does not tell");
        true
    })
}
