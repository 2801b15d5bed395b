//! Following one stream.

use std::sync::Arc;

use event_log::{Direction, EventFilter, LogError, RecordedEvent, StreamVersion, Subscription, TOMBSTONE};
use event_schemas::StreamName;
use tonic::Status;

use super::{
    form::Form,
    open::Open,
    pages::{PageSize, Pages},
    replies,
    request::Place,
};
use crate::{service::Service, status, streams::StreamView, wire::streams::ReadResp};

/// As much as this of the log at a time, to look for the stream's events.
const LIVE_PAGE: usize = 256;
/// After this many full pages of others' events, the stream itself is read on: its index knows where its events stand.
const FULL_PAGES: usize = 4;

/// What the stream holds, and then whatever is appended to it.
pub(super) struct FollowStream {
    service: Arc<Service>,
    form: Form,
    stream: StreamName,
    /// The next version the reader is to get.
    next: StreamVersion,
    phase: Phase,
    /// The reader was told that it has caught up.
    live: bool,
    /// The tombstone came.
    deleted: bool,
    size: PageSize,
    confirmed: bool,
    _open: Open,
}

enum Phase {
    /// Reading the stream, with what of it is to be seen.
    History(StreamView),
    /// Waiting at the end of the log. An event of the stream that stands before is known.
    Live {
        subscription: Subscription,
        full_pages: usize,
    },
}

impl FollowStream {
    pub(super) async fn new(
        service: Arc<Service>,
        form: Form,
        stream: StreamName,
        from: Place<StreamVersion>,
    ) -> Result<Self, Status> {
        let view = service.view(&stream).await?;
        if view.tombstoned {
            return Err(status::stream_deleted(&stream));
        }
        let next = match from {
            Place::Start => 0,
            Place::At(version) => version.saturating_add(1),
            Place::End => view.last.map_or(0, |last| last.version.saturating_add(1)),
        };
        Ok(Self {
            service,
            form,
            next: next.max(view.first),
            stream,
            phase: Phase::History(view),
            live: false,
            deleted: false,
            size: PageSize::of_a_stream(),
            confirmed: false,
            _open: Open::new("stream"),
        })
    }

    /// Reads on in the stream; at its end, takes a place at the end of the log.
    async fn history(&mut self, view: StreamView) -> Result<Vec<ReadResp>, Status> {
        let mut page = vec![];
        // Taken before the reading: what is appended after it stands behind this place.
        let place = self.service.log.head().await.map_err(fault)?;
        let most = self.size.events();
        let read = self
            .service
            .log
            .read_stream(&self.stream, Some(self.next), Direction::Forwards, most);
        let mut events = read.await.map_err(fault)?;
        if events.is_empty() {
            let category = EventFilter {
                categories: vec![self.stream.category().to_owned()],
                ..EventFilter::default()
            };
            let subscribed = Arc::clone(&self.service.log).subscribe(place, category).await;
            self.phase = Phase::Live {
                subscription: subscribed.map_err(fault)?,
                full_pages: 0,
            };
            if !self.live {
                self.live = true;
                page.push(replies::caught_up());
            }
            return Ok(page);
        }
        self.size.learn(&events);
        if self.live && events.len() >= most {
            self.live = false;
            page.push(replies::fell_behind());
        }
        let read = events.last().map(|event| event.version);
        events.retain(|event| view.shows(event) || event.version == TOMBSTONE);
        self.send(events, &mut page).await?;
        self.next = read.map_or(self.next, |version| version.saturating_add(1));
        Ok(page)
    }

    /// Waits for the next events.
    async fn wait(&mut self) -> Result<Vec<ReadResp>, Status> {
        let Phase::Live {
            subscription,
            full_pages,
        } = &mut self.phase
        else {
            return Ok(vec![]);
        };
        let (mut events, at) = subscription.next(LIVE_PAGE).await.map_err(fault)?;
        *full_pages = if events.len() >= LIVE_PAGE { *full_pages + 1 } else { 0 };
        let read_on = *full_pages >= FULL_PAGES && self.service.log.head().await.map_err(fault)? > at;
        events.retain(|event| event.stream == self.stream && event.version >= self.next);
        let mut page = vec![];
        self.send(events, &mut page).await?;
        if read_on {
            let view = self.service.view(&self.stream).await?;
            self.next = self.next.max(view.first);
            self.phase = Phase::History(view);
        }
        Ok(page)
    }

    async fn send(&mut self, mut events: Vec<Arc<RecordedEvent>>, page: &mut Vec<ReadResp>) -> Result<(), Status> {
        let Some(newest) = events.last() else {
            return Ok(());
        };
        self.next = newest.version.saturating_add(1);
        self.deleted = newest.version == TOMBSTONE;
        events.retain(|event| event.version != TOMBSTONE);
        self.form.replies(&self.service, events, page).await
    }
}

fn fault(error: LogError) -> Status {
    status::log_fault(&error)
}

impl Pages for FollowStream {
    async fn next(&mut self) -> Result<Option<Vec<ReadResp>>, Status> {
        if !self.confirmed {
            self.confirmed = true;
            return Ok(Some(vec![replies::confirmation()]));
        }
        loop {
            if self.deleted {
                return Err(status::stream_deleted(&self.stream));
            }
            let page = match &self.phase {
                Phase::History(view) => {
                    let view = view.clone();
                    self.history(view).await?
                }
                Phase::Live { .. } => self.wait().await?,
            };
            if !page.is_empty() {
                return Ok(Some(page));
            }
            // Others' events must not keep the others on this thread waiting.
            tokio::task::yield_now().await;
        }
    }
}
