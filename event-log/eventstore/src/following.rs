//! Subscriptions.
//!
//! The server pushes: a subscription to $all from the last position, filtered there as far as its filters go, its events gathered into pages by
//! the [pump](pump). The reader asks for pages; one that does not lets at most a few of them wait here, and then the
//! connection, which is this subscription's own, fills up and the server waits.
//!
//! Whether anything is missing does not rest on that push. While nothing comes the follower looks for the log's end from time to time, and
//! reads on by itself if it is behind: after a connection that is half open, or because the server tells of events that its filter
//! leaves out only now and then (EventStoreDB: at every 32nd). What it learns both ways it passes on once, by position.

mod pump;

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use event_log::{EventFilter, Follow, LogError, Position, RecordedEvent};

use self::pump::{Failed, Heard, Pump};
use crate::log::EventStoreLog;

/// How long nothing has to come before the follower looks itself: after something came, at the very first, at most.
const LOOK: Duration = Duration::from_millis(50);
const FIRST_LOOK: Duration = Duration::from_millis(250);
const SELDOM: Duration = Duration::from_secs(1);
/// Looks in a row that found events of which the server should have told: its subscription is dead.
const MISSED: u32 = 3;
/// How long to wait after a subscription failed, at first and at most.
const PAUSE: Duration = Duration::from_millis(50);
const LONG_PAUSE: Duration = Duration::from_secs(1);
/// Events read by one look.
const PAGE: usize = 512;

pub(crate) struct Following {
    log: Arc<EventStoreLog>,
    filter: EventFilter,
    /// Everything up to here was passed on.
    at: Position,
    /// Learnt and not passed on yet: events, and up to where nothing else is to come.
    ahead: VecDeque<Arc<RecordedEvent>>,
    ahead_to: Position,
    pump: Option<Pump>,
    /// How long nothing has to come before the next look.
    look: Duration,
    missed: u32,
    /// Since when the server cannot be followed, and how long to wait before the next attempt.
    trouble: Option<Instant>,
    pause: Duration,
}

#[async_trait]
impl Follow for Following {
    async fn next(&mut self, max: usize) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        loop {
            self.log.board.check_open()?;
            if let Some(page) = self.pass_on(max.max(1)) {
                return Ok(page);
            }
            let after = self.at;
            let (log, filter) = (&self.log, &self.filter);
            let pump = self
                .pump
                .get_or_insert_with(|| Pump::start(Arc::clone(log), after, filter.clone()));
            tokio::select! {
                biased;
                heard = pump.heard() => match heard {
                    Some(Ok(heard)) => self.learn(heard),
                    Some(Err(failed)) => self.failed(failed).await?,
                    // It panicked: the client does, over answers that it does not expect.
                    None => {
                        let error = LogError::Unavailable("a subscription to the event log broke off".to_owned());
                        self.failed(Failed { error, passing: true }).await?;
                    }
                },
                () = tokio::time::sleep(self.look) => self.look_ahead().await,
            }
        }
    }
}

impl Following {
    pub(crate) fn new(log: Arc<EventStoreLog>, after: Position, filter: EventFilter) -> Self {
        Self {
            log,
            filter,
            at: after,
            ahead: VecDeque::new(),
            ahead_to: after,
            pump: None,
            look: FIRST_LOOK,
            missed: 0,
            trouble: None,
            pause: PAUSE,
        }
    }

    /// At most `max` of the events learnt, and how far they reach; none if nothing was learnt.
    fn pass_on(&mut self, max: usize) -> Option<(Vec<Arc<RecordedEvent>>, Position)> {
        if self.ahead_to <= self.at {
            return None;
        }
        let page: Vec<_> = self.ahead.drain(..max.min(self.ahead.len())).collect();
        self.at = match (self.ahead.is_empty(), page.last()) {
            (false, Some(last)) => last.position,
            _ => self.ahead_to,
        };
        Some((page, self.at))
    }

    /// What the server told.
    fn learn(&mut self, heard: Heard) {
        self.trouble = None;
        self.pause = PAUSE;
        self.look = LOOK;
        if heard.to > self.ahead_to {
            self.missed = 0;
            self.add(heard);
        }
    }

    /// Adds what is new of it.
    fn add(&mut self, heard: Heard) {
        let known = self.ahead_to;
        self.ahead
            .extend(heard.events.into_iter().filter(|event| event.position > known));
        self.ahead_to = heard.to.max(known);
    }

    /// Nothing was heard for a while: reads what there is, if there is anything.
    async fn look_ahead(&mut self) {
        self.look = (self.look * 2).min(SELDOM);
        let Ok(head) = self.log.last_position().await else {
            return;
        };
        if head <= self.at {
            self.missed = 0;
            return;
        }
        let Ok((events, to)) = self.log.page_forwards(self.at, &self.filter, PAGE).await else {
            return;
        };
        if !events.is_empty() {
            self.missed += 1;
        }
        if self.missed >= MISSED {
            tracing::warn!(at = %self.at, "a subscription to the event log fell silent; subscribing anew");
            self.missed = 0;
            self.pump = None;
        }
        self.look = LOOK;
        self.add(Heard { events, to });
    }

    /// Subscribes anew, but tells the reader once it has taken longer than a call may, or when it is of no use.
    async fn failed(&mut self, failed: Failed) -> Result<(), LogError> {
        self.pump = None;
        self.log.board.check_open()?;
        let since = *self.trouble.get_or_insert_with(Instant::now);
        if !failed.passing || since.elapsed() >= self.log.board.settings.call_deadline {
            self.trouble = None;
            return Err(failed.error);
        }
        tracing::debug!(error = %failed.error, at = %self.at, "following the event log anew");
        let pause = self.pause;
        self.pause = (pause * 2).min(LONG_PAUSE);
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
