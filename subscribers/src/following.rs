//! One subscriber on its way through the log.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use event_log::{Bookmark, Clock, EventFilter, EventLog, LogError, Position, RecordedEvent};
use tokio::sync::watch;

use crate::{DeadLetters, Fact, NotTaken, Standing, Subscriber};

/// Events read at a time.
const BATCH: usize = 256;

/// How often and how patiently an event is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// An event that fails is tried so often (5) before it is put aside.
    pub attempts: u32,
    /// The wait after the first failure (1 s); it doubles.
    pub first_wait: Duration,
    /// The longest wait (30 s), also while somebody is away.
    pub longest_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(30),
        }
    }
}

impl Patience {
    fn wait(&self, failures: u32) -> Duration {
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first_wait.saturating_mul(doubled).min(self.longest_wait)
    }
}

/// A subscriber, its place in the log, and what it needs to go on.
pub(crate) struct Following {
    pub(crate) subscriber: Arc<dyn Subscriber>,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) bookmark: Box<dyn Bookmark>,
    pub(crate) patience: Patience,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) standing: Arc<Mutex<Standing>>,
    /// Becomes true when it is to stop.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// It was told to stop.
struct Stopped;

impl Following {
    /// Follows the log until it is told to stop, whatever befalls it.
    pub(crate) async fn run(mut self) {
        // From the start, so that an alarm sees the first of them.
        let name = self.subscriber.name();
        metrics::counter!("jangteo_dead_letters_total", "subscriber" => name).increment(0);
        metrics::counter!("jangteo_subscriber_failures_total", "subscriber" => name).increment(0);
        let mut failures = 0;
        loop {
            let at = self.at();
            let Err(error) = self.follow(&mut failures).await else {
                return;
            };
            if self.at() > at {
                failures = 0;
            }
            failures += 1;
            if self.hold(&error.to_string(), failures).await.is_err() {
                return;
            }
        }
    }

    fn at(&self) -> Position {
        self.stand(|standing| standing.position)
    }

    fn stand<T>(&self, look: impl FnOnce(&mut Standing) -> T) -> T {
        look(&mut self.standing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads and acts until it is told to stop.
    async fn follow(&mut self, failures: &mut u32) -> Result<(), LogError> {
        if self.log.head().await? < self.at() {
            let name = self.subscriber.name();
            tracing::warn!(
                subscriber = name,
                "the log ends before this subscriber's place: it begins again"
            );
            self.moved_to(Position::START, None);
        }
        let filter = EventFilter {
            categories: vec![],
            types: self
                .subscriber
                .event_types()
                .iter()
                .map(|&name| name.to_owned())
                .collect(),
        };
        let mut subscription = Arc::clone(&self.log).subscribe(self.at(), filter).await?;
        loop {
            // Biased, here and below: of two things that happen at once always the same comes first, also in a simulation.
            let (events, considered) = tokio::select! {
                biased;
                batch = subscription.next(BATCH) => batch?,
                _ = self.stopping.wait_for(|stopping| *stopping) => return Ok(()),
            };
            *failures = 0;
            for event in &events {
                if self.see_to(event).await.is_err() {
                    self.keep();
                    return Ok(());
                }
                self.moved_to(event.position, Some(event));
            }
            self.moved_to(considered, None);
            self.keep();
        }
    }

    /// Has an event taken in, or puts it aside.
    async fn see_to(&mut self, event: &Arc<RecordedEvent>) -> Result<(), Stopped> {
        if *self.stopping.borrow() {
            return Err(Stopped);
        }
        let (mut tried, mut failures) = (0, 0);
        loop {
            let error = match self.attempt(event).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            failures += 1;
            if let NotTaken::Failed(detail) = &error {
                tried += 1;
                if tried >= self.patience.attempts && self.put_aside(event, tried, detail).await {
                    return Ok(());
                }
            }
            self.hold(&error.to_string(), failures).await?;
        }
    }

    async fn attempt(&self, event: &Arc<RecordedEvent>) -> Result<(), NotTaken> {
        let fact = Fact::of(event).map_err(|error| NotTaken::Failed(error.to_string()))?;
        if fact.metadata.imported {
            return Ok(());
        }
        self.subscriber.take_in(&fact).await
    }

    /// False where the log did not take the letter: the event stays where it is.
    async fn put_aside(&self, event: &RecordedEvent, attempts: u32, error: &str) -> bool {
        let name = self.subscriber.name();
        if let Err(unwritten) = self.dead_letters.put_aside(name, event, attempts, error).await {
            tracing::error!(subscriber = name, event = %event.id, error = %unwritten, "a dead letter cannot be written");
            return false;
        }
        metrics::counter!("jangteo_dead_letters_total", "subscriber" => name).increment(1);
        tracing::error!(
            subscriber = name, event = %event.id, event_type = %event.event_type, attempts, error,
            "an event was put aside as a dead letter: `jangteo dead-letters list`"
        );
        true
    }

    /// Waits before the next attempt, for all to see.
    async fn hold(&mut self, error: &str, failures: u32) -> Result<(), Stopped> {
        let name = self.subscriber.name();
        metrics::counter!("jangteo_subscriber_failures_total", "subscriber" => name).increment(1);
        tracing::warn!(subscriber = name, error, failures, "a subscriber tries again");
        self.stand(|standing| standing.held_up_by = Some(error.to_owned()));
        let wait = self.patience.wait(failures);
        tokio::select! {
            biased;
            () = self.clock.sleep(wait) => Ok(()),
            _ = self.stopping.wait_for(|stopping| *stopping) => Err(Stopped),
        }
    }

    fn moved_to(&self, position: Position, over: Option<&RecordedEvent>) {
        let name = self.subscriber.name();
        self.stand(|standing| {
            standing.position = position;
            standing.held_up_by = None;
        });
        if let Some(event) = over {
            let behind = self
                .clock
                .now()
                .as_millis()
                .saturating_sub(event.recorded_at.as_millis());
            metrics::gauge!("jangteo_subscriber_behind_seconds", "subscriber" => name).set(behind as f64 / 1_000.0);
        }
        metrics::gauge!("jangteo_subscriber_position", "subscriber" => name).set(position.0 as f64);
    }

    /// Keeps how far it has come.
    fn keep(&self) {
        if let Err(error) = self.bookmark.save(self.at()) {
            // An older place is as good: what is read again changes nothing.
            tracing::warn!(subscriber = self.subscriber.name(), %error, "a subscriber's place cannot be kept");
        }
    }
}
