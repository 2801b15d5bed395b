//! Pages of the log, shared by the projections that stand at the same place.
//!
//! Each projection asks for what follows its own position and waits for nobody. But those that stand together, which live
//! is all of them, get the very same events: read from the log once, and decoded once, by whoever first wants to
//! ([`RecordedEvent::shop_event`] remembers). So independence costs no second reading.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use event_log::{EventFilter, EventLog, LogError, Position, RecordedEvent};
use tokio::sync::watch;

/// Events read at once.
pub(crate) const PAGE: usize = 4_096;
/// Pages remembered for those who come after: enough for all projections on two cores to stay within sight of each other.
const REMEMBERED: usize = 24;
/// … and no more pages than this: in a busy shop a page is a handful of events.
const REMEMBERED_PAGES: usize = 256;
/// Events that follow each other closer than this are passed on together: a commit of every read model for every few
/// events would cost more than the events. The first event after a rest waits for nothing.
const GATHER: Duration = Duration::from_millis(2);
/// When nothing was appended for so long, nothing is remembered.
const IDLE: Duration = Duration::from_secs(1);
/// Before the log is asked again after it failed.
const RETRY: Duration = Duration::from_millis(500);

/// Consecutive events.
#[derive(Debug)]
pub(crate) struct Page {
    /// Every event in it stands behind this.
    after: u64,
    /// Everything up to here is in it.
    at: u64,
    events: Vec<Arc<RecordedEvent>>,
}

impl Page {
    /// Its events behind `position`.
    pub(crate) fn behind(&self, position: u64) -> &[Arc<RecordedEvent>] {
        let first = self.events.partition_point(|event| event.position.0 <= position);
        &self.events[first..]
    }

    /// Everything up to here is in it.
    pub(crate) const fn end(&self) -> u64 {
        self.at
    }

    /// There is probably more behind it.
    pub(crate) fn is_full(&self) -> bool {
        self.events.len() >= PAGE
    }
}

/// The log, page by page.
pub(crate) struct Pages {
    log: Arc<dyn EventLog>,
    recent: Mutex<VecDeque<Arc<Page>>>,
    /// Held while a page is read, so that the next one to want it finds it.
    reading: tokio::sync::Mutex<()>,
    heads: watch::Sender<u64>,
}

impl Pages {
    /// The pages of a log. [`Self::follow`] must run beside for readers to hear of new events.
    pub(crate) fn of(log: Arc<dyn EventLog>) -> Self {
        Self {
            log,
            recent: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            heads: watch::Sender::new(0),
        }
    }

    /// The page that holds what follows `position`, when there is something. Dropping the future loses nothing.
    pub(crate) async fn after(&self, position: u64) -> Result<Arc<Page>, LogError> {
        let mut heads = self.heads.subscribe();
        loop {
            heads.borrow_and_update();
            if let Some(page) = self.read(position).await? {
                return Ok(page);
            }
            if heads.changed().await.is_err() {
                return Err(LogError::Unavailable("the log is closed".to_owned()));
            }
        }
    }

    /// The page that holds what follows `position`; none at the end of the log.
    pub(crate) async fn read(&self, position: u64) -> Result<Option<Arc<Page>>, LogError> {
        if let Some(page) = self.remembered(position) {
            return Ok(Some(page));
        }
        let _reading = self.reading.lock().await;
        if let Some(page) = self.remembered(position) {
            return Ok(Some(page));
        }
        let (events, at) = self
            .log
            .read_all(Position(position), &EventFilter::default(), PAGE)
            .await?;
        Ok((at.0 > position).then(|| self.remember(position, at.0, events)))
    }

    /// The page that holds what follows `position`, for a reader who goes alone and through the past: it is not remembered,
    /// so that it drives out nothing that others want.
    pub(crate) async fn aside(&self, position: u64) -> Result<Option<Page>, LogError> {
        let (events, at) = self
            .log
            .read_all(Position(position), &EventFilter::default(), PAGE)
            .await?;
        Ok((at.0 > position).then_some(Page {
            after: position,
            at: at.0,
            events,
        }))
    }

    /// The log's last position.
    pub(crate) async fn head(&self) -> Result<u64, LogError> {
        Ok(self.log.head().await?.0)
    }

    /// The log's last position as far as was heard; 0 at first.
    pub(crate) fn heard(&self) -> u64 {
        *self.heads.borrow()
    }

    /// Tells readers of new events until `stop`. Reads them too, so that they are there before anybody asks.
    pub(crate) async fn follow(&self, mut stop: watch::Receiver<bool>) {
        let mut from = None;
        loop {
            tokio::select! {
                () = super::stopped(&mut stop) => return,
                Err(error) = self.follow_from(&mut from) => {
                    tracing::warn!(%error, "the log cannot be followed; trying again");
                }
            }
            tokio::select! {
                () = super::stopped(&mut stop) => return,
                () = tokio::time::sleep(RETRY) => {}
            }
        }
    }

    async fn follow_from(&self, from: &mut Option<u64>) -> Result<Infallible, LogError> {
        let mut at = match *from {
            Some(at) => at,
            None => self.head().await?,
        };
        let mut passed_on = Instant::now();
        let log = Arc::clone(&self.log);
        let mut subscription = log.subscribe(Position(at), EventFilter::default()).await?;
        // What was appended before the subscription stood is news to those who asked before.
        self.heads.send_modify(|head| *head = at.max(*head));
        loop {
            tokio::time::sleep(GATHER.saturating_sub(passed_on.elapsed())).await;
            match tokio::time::timeout(IDLE, subscription.next(PAGE)).await {
                Ok(next) => {
                    let (events, end) = next?;
                    self.remember(at, end.0, events);
                    at = end.0;
                    *from = Some(at);
                    self.heads.send_replace(at);
                    passed_on = Instant::now();
                }
                Err(_) => self.recent().clear(),
            }
        }
    }

    fn remembered(&self, position: u64) -> Option<Arc<Page>> {
        let holds = |page: &&Arc<Page>| page.after <= position && position < page.at;
        // Newest first: live projections stand at the end.
        self.recent().iter().rev().find(holds).map(Arc::clone)
    }

    fn remember(&self, after: u64, at: u64, events: Vec<Arc<RecordedEvent>>) -> Arc<Page> {
        let page = Arc::new(Page { after, at, events });
        let mut recent = self.recent();
        recent.push_back(Arc::clone(&page));
        let mut events: usize = recent.iter().map(|page| page.events.len()).sum();
        while (events > REMEMBERED * PAGE || recent.len() > REMEMBERED_PAGES)
            && let Some(oldest) = recent.pop_front()
        {
            events -= oldest.events.len();
        }
        page
    }

    fn recent(&self) -> MutexGuard<'_, VecDeque<Arc<Page>>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
