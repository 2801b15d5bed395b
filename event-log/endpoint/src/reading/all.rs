//! Reading the whole log once.

use std::sync::Arc;

use event_log::{Direction, EventFilter, Position, RecordedEvent};
use tonic::Status;

use super::{
    filter::{Filter, wanted},
    form::Form,
    pages::{PageSize, Pages},
    request::Place,
};
use crate::{service::Service, status, wire::streams::ReadResp};

/// A reading of what the log holds when it begins.
pub(super) struct AllOnce {
    service: Arc<Service>,
    form: Form,
    filter: Option<Filter>,
    going: Going,
    remaining: u64,
    size: PageSize,
}

/// How far the reading is.
#[derive(Debug, Clone, Copy)]
enum Going {
    Forwards {
        after: Position,
        head: Position,
    },
    Backwards {
        /// None: from the end.
        before: Option<Position>,
    },
    Done,
}

impl AllOnce {
    pub(super) async fn new(
        service: Arc<Service>,
        form: Form,
        from: Place<Position>,
        filter: Option<Filter>,
        direction: Direction,
        count: u64,
    ) -> Result<Self, Status> {
        let head = service.log.head().await.map_err(|error| status::log_fault(&error))?;
        let forwards = |after| Going::Forwards { after, head };
        let going = match (direction, from) {
            (Direction::Forwards, Place::Start) => forwards(Position::START),
            // Forwards, the event at the place is the first; backwards, the one before it.
            (Direction::Forwards, Place::At(at)) => forwards(Position(at.0.saturating_sub(1))),
            (Direction::Backwards, Place::At(at)) => Going::Backwards { before: Some(at) },
            (Direction::Backwards, Place::End) => Going::Backwards { before: None },
            (Direction::Forwards, Place::End) | (Direction::Backwards, Place::Start) => Going::Done,
        };
        Ok(Self {
            service,
            form,
            filter,
            going,
            remaining: count,
            size: PageSize::of_all(),
        })
    }

    /// The next events, wanted or not; none at the end.
    async fn events(&mut self) -> Result<Option<Vec<Arc<RecordedEvent>>>, Status> {
        let most = match self.filter {
            // How many of them will pass is not known.
            Some(_) => self.size.events(),
            None => self.size.within(self.remaining),
        };
        let (log, everything) = (&self.service.log, EventFilter::default());
        let events = match self.going {
            Going::Done => return Ok(None),
            Going::Forwards { after, head } => {
                let read = log.read_all(after, &everything, most).await;
                let (mut events, at) = read.map_err(|error| status::log_fault(&error))?;
                self.going = if at == after || at >= head {
                    Going::Done
                } else {
                    Going::Forwards { after: at, head }
                };
                events.retain(|event| event.position <= head);
                events
            }
            Going::Backwards { before } => {
                let read = log.read_all_backwards(before, &everything, most).await;
                let (events, at) = read.map_err(|error| status::log_fault(&error))?;
                self.going = if at == Position::START {
                    Going::Done
                } else {
                    Going::Backwards { before: Some(at) }
                };
                events
            }
        };
        self.size.learn(&events);
        Ok(Some(events))
    }
}

impl Pages for AllOnce {
    async fn next(&mut self) -> Result<Option<Vec<ReadResp>>, Status> {
        let mut page = vec![];
        while page.is_empty() && self.remaining > 0 {
            let Some(events) = self.events().await? else {
                return Ok(None);
            };
            for event in events {
                if self.remaining == 0 {
                    break;
                }
                if !wanted(self.filter.as_ref(), &event).await? {
                    continue;
                }
                self.remaining -= 1;
                page.push(self.form.reply(&self.service, event).await?);
            }
        }
        Ok((!page.is_empty()).then_some(page))
    }
}
