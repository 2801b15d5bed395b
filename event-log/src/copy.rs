//! Moves house: copies one log into another, event by event, and knows of both only the port.
//!
//! Two readers walk side by side, one through the source, one through the target. Where both have an event, the two must be
//! the same: stream, version, id, type, content, metadata, data. Where the target ends, what the source has next is appended,
//! and then met by the target's reader as everything else is. So every event of a copy has been read back and compared, a copy
//! that was killed goes on where the target ends, and one into a log that holds anything else is refused at the first event
//! that differs. There is no file beside that says how far it was: the target itself says it.
//!
//! **Order.** The target has the source's order, of all streams together: projections and sagas rely on it. Consecutive events
//! of one stream go as one append. Appends follow one another, each begun when the one before is durable, unless
//! [`Settings::in_flight`] allows more; then they are begun in order, and a log that queues appends as they are begun
//! (embedded, memory) keeps it. On a wire they may overtake each other: keep it at 1 there.
//!
//! **What is new in the target.** Positions, and the moment at which an event was recorded; when it happened is in its metadata.
//! A tombstone has the same stream and version, but an id of its own.

mod events;
mod problem;
mod steps;
#[cfg(test)]
mod tests;
mod walk;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::watch, time::sleep};

pub use self::problem::CopyError;
use self::{events::differs, problem::Side, walk::Walk};
use crate::port::{EventLog, LogError, Position};

/// How often the source is asked where it ends.
const LOOK: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const NOT_SHOWN: &str = "it takes events and does not show them";

/// How to copy.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Events read at a time.
    pub page: usize,
    /// Events of one append at most.
    pub append_events: usize,
    /// Bytes of one append at most; a larger event goes alone.
    pub append_bytes: usize,
    /// Appends under way at a time: 1 unless the target keeps the order in which appends are begun.
    pub in_flight: usize,
    /// How long the target may be away before the copy gives up.
    pub patience: Duration,
    /// How long the source may.
    pub source_patience: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            page: 1024,
            append_events: 512,
            append_bytes: 512 * 1024,
            in_flight: 1,
            patience: Duration::from_secs(60),
            source_patience: Duration::from_secs(60),
        }
    }
}

impl Settings {
    /// For a target that takes appends in the order in which they are begun: the embedded log.
    pub fn queued() -> Self {
        Self {
            in_flight: 64,
            ..Self::default()
        }
    }
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Events that are the same on both sides.
    pub verified: u64,
    /// How many of them this run has appended; the others were there.
    pub appended: u64,
    /// The source's position up to which both are the same.
    pub at: Position,
    /// Where the source ended when it was last asked.
    pub head: Position,
}

impl Progress {
    /// Positions of the source that are still to come.
    pub const fn behind(&self) -> u64 {
        self.head.0.saturating_sub(self.at.0)
    }
}

/// When a copy is over.
#[derive(Debug, Clone)]
pub enum Until {
    /// At the source's end.
    End,
    /// When this says true: until then it follows what is appended to the source.
    Told(watch::Receiver<bool>),
}

/// What is done where the target ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beyond {
    Append,
    /// It is an error.
    Complain,
}

/// What came of a step.
enum Round {
    /// It goes on.
    Step,
    /// The target had everything that was appended, and does not show it yet.
    Again,
    /// Both are at their ends.
    AtEnd,
    Over,
}

/// A copy on its way. Dropped anywhere, a later one goes on.
pub struct Copy {
    source: Walk,
    target: Walk,
    settings: Settings,
    beyond: Beyond,
    progress: Progress,
    looked: Option<Instant>,
}

impl Copy {
    /// A copy of `from` into `to`.
    pub fn new(from: Arc<dyn EventLog>, to: Arc<dyn EventLog>, settings: Settings) -> Self {
        Self {
            source: Walk::new(from, settings.page),
            target: Walk::new(to, settings.page),
            settings,
            beyond: Beyond::Append,
            progress: Progress::default(),
            looked: None,
        }
    }

    /// No copy, but the comparison alone: whether `to` holds what `from` holds.
    pub fn comparison(from: Arc<dyn EventLog>, to: Arc<dyn EventLog>, settings: Settings) -> Self {
        Self {
            beyond: Beyond::Complain,
            ..Self::new(from, to, settings)
        }
    }

    /// How far it is.
    pub const fn progress(&self) -> Progress {
        self.progress
    }

    /// The same source by another way, such as the folder of a shop that served it on the wire: with the same positions.
    pub fn read_from(&mut self, log: Arc<dyn EventLog>) {
        self.source.read_from(log);
        self.looked = None;
    }

    /// Copies until the end, and tells `watch` how far it is, and what it waits for when one of the logs is away. Called again
    /// after an error, it goes on.
    ///
    /// # Errors
    /// See [`CopyError`].
    pub async fn run(
        &mut self,
        mut until: Until,
        mut watch: impl FnMut(Progress, Option<&CopyError>),
    ) -> Result<Progress, CopyError> {
        let mut pause = FIRST_PAUSE;
        let mut well = Instant::now();
        loop {
            let before = self.progress;
            let mut outcome = self.round().await;
            watch(self.progress, None);
            if let Ok(Round::AtEnd) = outcome {
                outcome = self.over(&mut until).await;
                // However long that was, all was well until now.
                well = Instant::now();
            }
            if self.progress != before {
                (pause, well) = (FIRST_PAUSE, Instant::now());
            }
            match outcome {
                Ok(Round::Over) => return Ok(self.progress),
                Ok(Round::Step | Round::AtEnd) => {}
                Ok(Round::Again) if well.elapsed() < self.settings.patience => sleep(FIRST_PAUSE).await,
                Ok(Round::Again) => return Err(CopyError::Target(LogError::Unavailable(NOT_SHOWN.to_owned()))),
                Err(error) if error.may_pass() && well.elapsed() + pause < self.patience(&error) => {
                    watch(self.progress, Some(&error));
                    self.source.unfollow();
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// One step: reads on both sides, compares, appends or waits.
    async fn round(&mut self) -> Result<Round, CopyError> {
        self.look().await.map_err(Side::Source.failed())?;
        let (source, target) = tokio::join!(self.source.fill(), self.target.fill());
        let more = source.map_err(Side::Source.failed())?;
        let there = target.map_err(Side::Target.failed())?;
        match (more, there) {
            (true, true) => self.compare()?,
            (true, false) if self.append().await? == 0 => return Ok(Round::Again),
            (true, false) => {}
            // The target has an event where the source ended: the source may have got it since.
            (false, true) if self.source.fill().await.map_err(Side::Source.failed())? => {}
            (false, true) => return Err(self.surplus()),
            (false, false) => {
                self.progress.at = self.progress.at.max(self.source.at());
                self.progress.head = self.progress.head.max(self.progress.at);
                return Ok(Round::AtEnd);
            }
        }
        Ok(Round::Step)
    }

    /// At the source's end: whether that is the end, or something was appended meanwhile.
    async fn over(&mut self, until: &mut Until) -> Result<Round, CopyError> {
        let Until::Told(told) = until else {
            return Ok(Round::Over);
        };
        if *told.borrow() {
            return Ok(Round::Over);
        }
        let followed = tokio::select! {
            _ = told.wait_for(|told| *told) => None,
            followed = self.source.follow() => Some(followed),
        };
        match followed {
            Some(followed) => {
                followed.map_err(Side::Source.failed())?;
                self.progress.head = self.progress.head.max(self.source.at());
            }
            // Told, or nobody is left to tell: once more to the end, which may have moved since it was looked at.
            None => {
                *until = Until::End;
                self.source.unfollow();
            }
        }
        Ok(Round::Step)
    }

    /// Goes through what both have.
    fn compare(&mut self) -> Result<(), CopyError> {
        while let (Some(ours), Some(theirs)) = (self.source.ahead().front(), self.target.ahead().front()) {
            if let Some(difference) = differs(ours, theirs) {
                return Err(CopyError::Different {
                    event: Box::new(ours.into()),
                    found: Box::new(theirs.into()),
                    difference,
                });
            }
            self.progress.verified += 1;
            self.progress.at = ours.position;
            self.source.step();
            self.target.step();
        }
        Ok(())
    }

    const fn patience(&self, error: &CopyError) -> Duration {
        match error.source_is_away() {
            true => self.settings.source_patience,
            false => self.settings.patience,
        }
    }

    /// Asks the source from time to time where it ends.
    async fn look(&mut self) -> Result<(), LogError> {
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            let head = self.source.log().head().await?;
            self.progress.head = head.max(self.progress.at);
            self.looked = Some(Instant::now());
        }
        Ok(())
    }

    fn surplus(&self) -> CopyError {
        let verified = self.progress.verified;
        match self.target.ahead().front() {
            Some(event) => CopyError::Surplus {
                found: event.into(),
                verified,
            },
            None => CopyError::Target(LogError::Unavailable("it went away".to_owned())),
        }
    }
}

/// Copies `from` into `to` up to its end.
///
/// # Errors
/// See [`CopyError`].
pub async fn copy(from: Arc<dyn EventLog>, to: Arc<dyn EventLog>, settings: Settings) -> Result<Progress, CopyError> {
    Copy::new(from, to, settings).run(Until::End, |_, _| ()).await
}

/// Whether `to` holds what `from` holds, event by event and in the same order.
///
/// # Errors
/// See [`CopyError`].
pub async fn verify(from: Arc<dyn EventLog>, to: Arc<dyn EventLog>) -> Result<Progress, CopyError> {
    Copy::comparison(from, to, Settings::default())
        .run(Until::End, |_, _| ())
        .await
}
