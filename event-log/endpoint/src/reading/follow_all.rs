//! Following the whole log.

use std::sync::Arc;

use event_log::{EventFilter, Position, Subscription};
use tonic::Status;

use super::{
    filter::{Filter, wanted},
    form::Form,
    open::Open,
    pages::{PageSize, Pages},
    replies,
    request::Place,
};
use crate::{service::Service, status, wire::streams::ReadResp};

/// A live reader that had to be given this many full pages one after the other has fallen behind.
const FULL_PAGES: usize = 2;

/// What there is, and then whatever comes.
pub(super) struct FollowAll {
    service: Arc<Service>,
    form: Form,
    filter: Option<Filtered>,
    subscription: Subscription,
    /// Everything up to here was considered.
    at: Position,
    /// The reader was told that it has caught up.
    live: bool,
    full_pages: usize,
    size: PageSize,
    confirmed: bool,
    _open: Open,
}

/// A filter, and when to tell the reader how far it is.
struct Filtered {
    filter: Filter,
    interval: u64,
    /// Events considered since the last checkpoint.
    considered: u64,
    told: Position,
}

impl Filtered {
    fn tell(&mut self, at: Position, page: &mut Vec<ReadResp>) {
        self.considered = 0;
        if at > self.told {
            self.told = at;
            page.push(replies::checkpoint(at));
        }
    }
}

impl FollowAll {
    pub(super) async fn new(
        service: Arc<Service>,
        form: Form,
        from: Place<Position>,
        filter: Option<Filter>,
    ) -> Result<Self, Status> {
        let at = match from {
            Place::Start => Position::START,
            Place::At(at) => at,
            Place::End => head(&service).await?,
        };
        let filter = match filter {
            Some(filter) => Some(Filtered {
                interval: filter.checkpoint_interval()?,
                filter,
                considered: 0,
                told: Position::START,
            }),
            None => None,
        };
        let subscribed = Arc::clone(&service.log).subscribe(at, EventFilter::default()).await;
        Ok(Self {
            subscription: subscribed.map_err(|error| status::log_fault(&error))?,
            service,
            form,
            filter,
            at,
            live: false,
            full_pages: 0,
            size: PageSize::of_all(),
            confirmed: false,
            _open: Open::new("all"),
        })
    }

    /// Waits for the next events.
    async fn go_on(&mut self, page: &mut Vec<ReadResp>) -> Result<(), Status> {
        let most = self.size.events();
        let next = self.subscription.next(most).await;
        let (events, at) = next.map_err(|error| status::log_fault(&error))?;
        self.at = at;
        self.size.learn(&events);
        self.full_pages = if events.len() >= most { self.full_pages + 1 } else { 0 };
        if self.live && self.full_pages >= FULL_PAGES && head(&self.service).await? > at {
            self.live = false;
            page.push(replies::fell_behind());
        }
        for event in events {
            let place = event.position;
            if wanted(self.filter.as_ref().map(|filtered| &filtered.filter), &event).await? {
                page.push(self.form.reply(&self.service, event).await?);
            }
            if let Some(filtered) = &mut self.filter {
                filtered.considered += 1;
                if filtered.considered >= filtered.interval {
                    filtered.tell(place, page);
                }
            }
        }
        Ok(())
    }
}

async fn head(service: &Service) -> Result<Position, Status> {
    service.log.head().await.map_err(|error| status::log_fault(&error))
}

impl Pages for FollowAll {
    async fn next(&mut self) -> Result<Option<Vec<ReadResp>>, Status> {
        let mut page = vec![];
        if !self.confirmed {
            self.confirmed = true;
            page.push(replies::confirmation());
        }
        while page.is_empty() {
            if !self.live && self.at >= head(&self.service).await? {
                self.live = true;
                self.full_pages = 0;
                if let Some(filtered) = &mut self.filter {
                    filtered.tell(self.at, &mut page);
                }
                page.push(replies::caught_up());
                break;
            }
            self.go_on(&mut page).await?;
        }
        Ok(Some(page))
    }
}
