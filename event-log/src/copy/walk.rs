//! One side of a copy: its events in order, some of them read ahead.

use std::{collections::VecDeque, sync::Arc};

use super::events::is_of_the_server;
use crate::port::{EventFilter, EventLog, LogError, Position, RecordedEvent, Subscription};

/// More is not read ahead: pages of large events become shorter.
const AHEAD_BYTES: usize = 16 * 1024 * 1024;

pub(super) struct Walk {
    log: Arc<dyn EventLog>,
    /// Everything up to here is read.
    at: Position,
    ahead: VecDeque<Arc<RecordedEvent>>,
    page: usize,
    most: usize,
    /// Kept from one wait at the end to the next.
    following: Option<Subscription>,
}

impl Walk {
    pub(super) fn new(log: Arc<dyn EventLog>, page: usize) -> Self {
        Self {
            log,
            at: Position::START,
            ahead: VecDeque::new(),
            page: page.max(1),
            most: page.max(1),
            following: None,
        }
    }

    pub(super) const fn log(&self) -> &Arc<dyn EventLog> {
        &self.log
    }

    pub(super) fn read_from(&mut self, log: Arc<dyn EventLog>) {
        self.following = None;
        self.log = log;
    }

    /// Everything up to here was read.
    pub(super) const fn at(&self) -> Position {
        self.at
    }

    /// Read, and not passed yet.
    pub(super) const fn ahead(&self) -> &VecDeque<Arc<RecordedEvent>> {
        &self.ahead
    }

    /// Passes an event.
    pub(super) fn step(&mut self) {
        self.ahead.pop_front();
    }

    /// Reads until there is an event ahead, or the end: false then.
    pub(super) async fn fill(&mut self) -> Result<bool, LogError> {
        while self.ahead.is_empty() {
            let everything = EventFilter::default();
            let (events, at) = self.log.read_all(self.at, &everything, self.page).await?;
            if at == self.at {
                return Ok(false);
            }
            self.take(events, at);
        }
        Ok(true)
    }

    /// Waits at the end for what comes. Dropping the future loses nothing.
    pub(super) async fn follow(&mut self) -> Result<(), LogError> {
        if self.following.is_none() {
            let log = Arc::clone(&self.log);
            self.following = Some(log.subscribe(self.at, EventFilter::default()).await?);
        }
        if let Some(subscription) = &mut self.following {
            let (mut events, at) = subscription.next(self.page).await?;
            // It was not asked while there was more to read at once.
            events.retain(|event| event.position > self.at);
            self.take(events, at.max(self.at));
        }
        Ok(())
    }

    /// What is read without the subscription, it would give again.
    pub(super) fn unfollow(&mut self) {
        self.following = None;
    }

    fn take(&mut self, events: Vec<Arc<RecordedEvent>>, at: Position) {
        let bytes: usize = events.iter().map(|event| event.data.len() + event.metadata.len()).sum();
        self.page = match bytes {
            bytes if bytes > AHEAD_BYTES => (self.page / 2).max(1),
            bytes if bytes < AHEAD_BYTES / 4 => (self.page * 2).min(self.most),
            _ => self.page,
        };
        self.at = at;
        self.ahead
            .extend(events.into_iter().filter(|event| !is_of_the_server(&event.stream)));
    }
}
