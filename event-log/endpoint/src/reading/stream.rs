//! Reading one stream once.

use std::sync::Arc;

use event_log::{Direction, RecordedEvent, StreamVersion};
use event_schemas::StreamName;
use tonic::Status;

use super::{
    form::Form,
    pages::{PageSize, Pages},
    replies,
    request::Place,
};
use crate::{service::Service, status, streams::StreamView, wire::streams::ReadResp};

/// A reading of what the stream holds when it begins.
pub(super) struct StreamOnce {
    service: Arc<Service>,
    form: Form,
    stream: StreamName,
    view: StreamView,
    direction: Direction,
    /// The version the reader asked for, until the first event is found.
    asked: Option<StreamVersion>,
    /// The next version to look at; none at the end.
    next: Option<StreamVersion>,
    remaining: u64,
    size: PageSize,
    said_all: bool,
}

impl StreamOnce {
    pub(super) async fn new(
        service: Arc<Service>,
        form: Form,
        stream: StreamName,
        from: Place<StreamVersion>,
        direction: Direction,
        count: u64,
    ) -> Result<Self, Status> {
        let view = service.view(&stream).await?;
        if view.tombstoned {
            return Err(status::stream_deleted(&stream));
        }
        let last = view.last.map(|last| last.version);
        let asked = match (from, direction) {
            (Place::Start, _) => Some(0),
            (Place::At(version), _) => Some(version),
            (Place::End, Direction::Forwards) => None,
            (Place::End, Direction::Backwards) => last,
        };
        let next = match direction {
            Direction::Forwards => asked.map(|asked| asked.max(view.first)),
            Direction::Backwards => asked.and_then(|asked| last.map(|last| last.min(asked))),
        };
        Ok(Self {
            service,
            form,
            stream,
            view,
            direction,
            asked,
            next,
            remaining: count,
            size: PageSize::of_a_stream(),
            said_all: false,
        })
    }

    /// How many versions are left to look at, from the next on.
    fn ahead(&self) -> u64 {
        let (Some(next), Some(last)) = (self.next, self.view.last) else {
            return 0;
        };
        let (from, to) = match self.direction {
            Direction::Forwards => (next, last.version),
            Direction::Backwards => (self.view.first, next),
        };
        to.checked_sub(from).map_or(0, |between| between.saturating_add(1))
    }

    /// The next events that are to be seen; none at the end.
    async fn events(&mut self) -> Result<Vec<Arc<RecordedEvent>>, Status> {
        loop {
            let most = self.size.within(self.remaining.min(self.ahead()));
            if most == 0 {
                return Ok(vec![]);
            }
            let read = self
                .service
                .log
                .read_stream(&self.stream, self.next, self.direction, most);
            let mut events = read.await.map_err(|error| status::log_fault(&error))?;
            self.size.learn(&events);
            self.next = events.last().and_then(|event| match self.direction {
                Direction::Forwards => event.version.checked_add(1),
                Direction::Backwards => event.version.checked_sub(1),
            });
            let read = events.len();
            let last = self.view.last.map_or(0, |last| last.version);
            events.retain(|event| event.version <= last && self.view.shows(event));
            // Behind an event that is too old stand none but older ones.
            if self.direction == Direction::Backwards && events.len() < read {
                self.next = None;
            }
            if !events.is_empty() {
                self.remaining -= self.remaining.min(events.len() as u64);
                return Ok(events);
            }
        }
    }

    fn finish(&mut self, page: &mut Vec<ReadResp>) {
        self.said_all = true;
        match self.view.last {
            Some(last) if !self.view.absent() => {
                if self.form.positions && self.ahead() == 0 {
                    page.push(replies::last_position(last.version));
                }
            }
            _ => page.push(replies::not_found(&self.stream)),
        }
    }
}

impl Pages for StreamOnce {
    async fn next(&mut self) -> Result<Option<Vec<ReadResp>>, Status> {
        if self.said_all {
            return Ok(None);
        }
        let mut page = vec![];
        let events = self.events().await?;
        if let (Some(first), Some(asked)) = (events.first(), self.asked.take())
            && self.form.positions
            && self.direction == Direction::Forwards
            && first.version > asked
        {
            page.push(replies::first_position(first.version));
        }
        let none = events.is_empty();
        self.form.replies(&self.service, events, &mut page).await?;
        if none || self.remaining == 0 || self.ahead() == 0 {
            self.finish(&mut page);
        }
        Ok(Some(page))
    }
}
