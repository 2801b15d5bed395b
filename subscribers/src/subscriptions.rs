//! All subscribers of a process.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use event_log::{Bookmark, Clock, EventLog, FileBookmark, Position, RecordedEvent, SystemClock};
use event_schemas::{Actor, DeadLetterId};
use tokio::{sync::watch, task::JoinSet, time::timeout};

use crate::{DeadLetterError, DeadLetters, Fact, Patience, Subscriber, following::Following, subscriber::NotTaken};

/// What is under way when they are told to stop gets so long.
const GRACE: Duration = Duration::from_secs(5);

/// Where a subscriber stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Who.
    pub subscriber: &'static str,
    /// Everything up to here is seen to.
    pub position: Position,
    /// Why it does not go on, while it tries again.
    pub held_up_by: Option<String>,
}

/// The subscribers of a process, at work or only known by name, for operators' commands on a stopped shop.
pub struct Subscriptions {
    log: Arc<dyn EventLog>,
    clock: Arc<dyn Clock>,
    subscribers: Vec<Arc<dyn Subscriber>>,
    standings: Vec<Arc<Mutex<Standing>>>,
    stopping: watch::Sender<bool>,
    tasks: tokio::sync::Mutex<JoinSet<()>>,
}

impl Subscriptions {
    /// These subscribers, none at work.
    #[must_use]
    pub fn resting(log: Arc<dyn EventLog>, subscribers: Vec<Arc<dyn Subscriber>>) -> Self {
        Self {
            log,
            clock: Arc::new(SystemClock),
            subscribers,
            standings: vec![],
            stopping: watch::Sender::new(false),
            tasks: tokio::sync::Mutex::default(),
        }
    }

    /// By another clock than the machine's.
    #[must_use]
    pub fn by(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// These subscribers at work, each with a bookmark of its own in `folder`.
    ///
    /// # Errors
    /// When a bookmark cannot be read.
    pub fn start(
        log: Arc<dyn EventLog>,
        subscribers: Vec<Arc<dyn Subscriber>>,
        folder: &Path,
        patience: Patience,
    ) -> io::Result<Self> {
        let bookmark = |name: &str| {
            let kept = FileBookmark::open(folder, &format!("{name}.position"))?;
            Ok(Box::new(kept) as Box<dyn Bookmark>)
        };
        Self::start_with(log, subscribers, bookmark, patience, Arc::new(SystemClock))
    }

    /// As [`Self::start`], with bookmarks and a clock of another kind.
    ///
    /// # Errors
    /// When a bookmark cannot be read.
    pub fn start_with(
        log: Arc<dyn EventLog>,
        subscribers: Vec<Arc<dyn Subscriber>>,
        bookmark: impl Fn(&str) -> io::Result<Box<dyn Bookmark>>,
        patience: Patience,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let mut started = Self::resting(log, subscribers).by(clock);
        let mut tasks = JoinSet::new();
        for subscriber in &started.subscribers {
            let bookmark = bookmark(subscriber.name())?;
            let standing = Arc::new(Mutex::new(Standing {
                subscriber: subscriber.name(),
                position: bookmark.load()?,
                held_up_by: None,
            }));
            started.standings.push(Arc::clone(&standing));
            let following = Following {
                subscriber: Arc::clone(subscriber),
                log: Arc::clone(&started.log),
                dead_letters: started.dead_letters(),
                bookmark,
                patience,
                clock: Arc::clone(&started.clock),
                standing,
                stopping: started.stopping.subscribe(),
            };
            tasks.spawn(following.run());
        }
        started.tasks = tokio::sync::Mutex::new(tasks);
        Ok(started)
    }

    /// Where each stands; nobody where none is at work.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing> {
        let standings = self.standings.iter();
        standings
            .map(|standing| standing.lock().unwrap_or_else(PoisonError::into_inner).clone())
            .collect()
    }

    /// The dead letters of all.
    #[must_use]
    pub fn dead_letters(&self) -> DeadLetters {
        DeadLetters::new(Arc::clone(&self.log), Arc::clone(&self.clock))
    }

    /// Has a dead letter taken in after all. A failure leaves it as it is.
    ///
    /// # Errors
    /// See [`DeadLetterError`].
    pub async fn retry(&self, id: DeadLetterId, by: Actor) -> Result<(), DeadLetterError> {
        let dead_letters = self.dead_letters();
        let (letter, version) = dead_letters.waiting(id).await?;
        let mut known = self.subscribers.iter();
        let subscriber = known.find(|subscriber| subscriber.name() == letter.subscriber);
        let subscriber = subscriber.ok_or_else(|| {
            let name = &letter.subscriber;
            DeadLetterError::FailedAgain(format!(
                "this process has no subscriber {name}: it is switched off, or elsewhere"
            ))
        })?;
        let event = self.event(letter.position).await?;
        let event = event.filter(|event| event.id == letter.event_id).ok_or_else(|| {
            DeadLetterError::FailedAgain(format!("event {} is not in the log any more", letter.event_id))
        })?;
        let fact = Fact::of(&event).map_err(|error| DeadLetterError::FailedAgain(error.to_string()))?;
        let failed = |error: NotTaken| DeadLetterError::FailedAgain(error.to_string());
        subscriber.take_in(&fact).await.map_err(failed)?;
        dead_letters.taken_in(id, version, by).await
    }

    async fn event(&self, position: u64) -> Result<Option<Arc<RecordedEvent>>, DeadLetterError> {
        let before = Position(position.saturating_sub(1));
        let (events, _) = self.log.read_all(before, &event_log::EventFilter::default(), 1).await?;
        Ok(events.into_iter().next())
    }

    /// Stops them: what is under way is finished, within reason.
    pub async fn shutdown(&self) {
        self.stopping.send_replace(true);
        let mut tasks = std::mem::take(&mut *self.tasks.lock().await);
        let all = async { while tasks.join_next().await.is_some() {} };
        if timeout(GRACE, all).await.is_err() {
            tracing::warn!("a subscriber did not stop in time: it goes on from its place at the next start");
        }
    }
}
