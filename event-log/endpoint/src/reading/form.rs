//! In which form a reader wants its events.

use std::sync::Arc;

use event_log::RecordedEvent;
use tonic::Status;

use super::{
    links::{Resolved, resolve},
    replies::reply,
};
use crate::{
    messages::{Ids, recorded},
    service::Service,
    wire::streams::{
        ReadResp,
        read_resp::{Content, ReadEvent, read_event::Position},
    },
};

/// How events are written for one reader.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) ids: Ids,
    /// Links are followed to what they point to.
    pub(super) resolve_links: bool,
    /// The reader understands first and last stream positions.
    pub(super) positions: bool,
}

impl Form {
    /// The reply that carries `event`.
    pub(super) async fn reply(self, service: &Service, event: Arc<RecordedEvent>) -> Result<ReadResp, Status> {
        let read = if self.resolve_links {
            resolve(service, event).await?
        } else {
            Resolved::plain(event)
        };
        Ok(self.write(&read))
    }

    /// The replies that carry `events`.
    pub(super) async fn replies(
        self,
        service: &Service,
        events: Vec<Arc<RecordedEvent>>,
        page: &mut Vec<ReadResp>,
    ) -> Result<(), Status> {
        page.reserve(events.len());
        for event in events {
            page.push(self.reply(service, event).await?);
        }
        Ok(())
    }

    fn write(self, read: &Resolved) -> ReadResp {
        let place = read.place();
        reply(Content::Event(ReadEvent {
            event: read.event.as_deref().map(|event| recorded(event, self.ids)),
            link: read.link.as_deref().map(|link| recorded(link, self.ids)),
            position: place.map(|place| Position::CommitPosition(place.0)),
        }))
    }
}
