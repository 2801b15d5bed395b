//! One generation of a read model, brought up to date by its projection.

use std::time::Instant;

use event_schemas::Timestamp;
use read_models::documents::{Checkpoint, Generation, Model, StoreError, Workspace};

use super::pages::Page;
use crate::projection::{Fact, Key, Projection, Unexpected, needs, read};

/// The checkpoint is written at least this often. Not oftener for events that changed nothing: reading them again does no harm.
const SELDOM: u64 = 100_000;
/// Events skipped that are logged one by one; the rest is only counted.
const LOGGED: u64 = 100;

/// A projection at work on one generation.
pub(crate) struct Building<P: Projection> {
    projection: P,
    workspace: Workspace<P::Model>,
    /// Everything up to here is applied, though perhaps not committed.
    position: u64,
    skipped: u64,
    /// When the log took the first event that queries do not see yet.
    unseen: Option<Timestamp>,
    /// Since when something waits to be committed.
    waiting: Option<Instant>,
    keys: Vec<Key<P>>,
    /// Something failed since the checkpoint was read.
    failed: bool,
}

impl<P: Projection> Building<P> {
    /// Goes on from the generation's checkpoint.
    pub(crate) fn new(workspace: Workspace<P::Model>) -> Self {
        Self {
            projection: P::default(),
            position: workspace.committed().position,
            workspace,
            skipped: 0,
            unseen: None,
            waiting: None,
            keys: Vec::new(),
            failed: false,
        }
    }

    /// Which generation.
    pub(crate) fn generation(&self) -> Generation {
        self.workspace.generation()
    }

    /// Everything up to here is applied, though perhaps not committed.
    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// Queries on this generation see everything up to here.
    pub(crate) fn shown(&self) -> u64 {
        if self.workspace.is_changed() {
            self.workspace.committed().position
        } else {
            self.position
        }
    }

    /// When the log took the first of the events that queries see since this was last asked.
    pub(crate) fn newly_shown(&mut self) -> Option<Timestamp> {
        self.unseen.take_if(|_| !self.workspace.is_changed())
    }

    /// What is committed, with the events that were skipped since.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let committed = self.workspace.committed();
        Checkpoint {
            skipped: committed.skipped + self.skipped,
            ..committed
        }
    }

    /// When what waits has waited long enough; none when nothing waits. Asked when the log has no more for now.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.waiting.map(|since| since + P::LINGER)
    }

    /// Applies a page, and commits what has gathered when it is enough or the log has no more.
    pub(crate) async fn take_in(&mut self, page: &Page) -> Result<(), StoreError> {
        let started = Instant::now();
        let events = page.behind(self.position);
        // Whoever catches up with the past measures the past.
        if !page.is_full() {
            self.unseen = self.unseen.or(events.first().map(|event| event.recorded_at));
        }
        for event in events.iter().filter(|event| needs::<P>(event)) {
            let applied = match read(event) {
                Ok(fact) => self.apply(&fact).await?,
                Err(unexpected) => Err(unexpected),
            };
            if let Err(unexpected) = applied {
                self.skip(event, &unexpected);
            }
        }
        let name = P::Model::NAME;
        metrics::counter!("projection_events_total", "projection" => name).increment(events.len() as u64);
        self.position = page.end().max(self.position);
        if self.workspace.is_changed() {
            self.waiting.get_or_insert(started);
        }
        let enough = self.workspace.changes() >= P::MOST_CHANGES;
        let due = self.due().is_some_and(|due| !page.is_full() && due <= Instant::now());
        let seldom = self.position - self.workspace.committed().position >= SELDOM;
        if enough || due || seldom {
            self.commit().await?;
        }
        metrics::histogram!("projection_batch_seconds", "projection" => name).record(started.elapsed().as_secs_f64());
        Ok(())
    }

    async fn apply(&mut self, fact: &Fact<'_>) -> Result<Result<(), Unexpected>, StoreError> {
        self.keys.clear();
        if let Err(unexpected) = self.projection.about(fact, &mut self.keys) {
            return Ok(Err(unexpected));
        }
        let (mut outcome, mut applied) = (Ok(()), 0);
        while let Some(key) = self.keys.get(applied) {
            let document = self.workspace.document(*key).await?;
            match self.projection.apply(fact, key, document) {
                Ok(true) => self.workspace.touch(*key),
                Ok(false) => {}
                Err(unexpected) => outcome = Err(unexpected),
            }
            applied += 1;
            if applied == self.keys.len() {
                self.projection.follow_up(fact, &mut self.keys);
            }
        }
        Ok(outcome)
    }

    fn skip(&mut self, event: &event_log::RecordedEvent, reason: &Unexpected) {
        self.skipped += 1;
        metrics::counter!("projection_skipped_total", "projection" => P::Model::NAME).increment(1);
        if self.workspace.committed().skipped + self.skipped <= LOGGED {
            let (position, stream, event_type) = (event.position.0, event.stream.as_str(), &*event.event_type);
            tracing::warn!(projection = P::Model::NAME, position, stream, event_type, %reason, "an event is skipped");
        }
    }

    /// Writes what has gathered.
    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        if self.position > self.workspace.committed().position {
            self.workspace.commit(self.position, self.skipped).await?;
            self.skipped = 0;
        }
        self.waiting = None;
        Ok(())
    }

    /// Where the documents are written, with all that was applied so far committed: for whoever holds them against the log.
    pub(crate) async fn committed(&mut self) -> Result<&mut Workspace<P::Model>, StoreError> {
        self.commit().await?;
        Ok(&mut self.workspace)
    }

    /// Forgets what the projection remembers of documents: some were wrong.
    pub(crate) fn unlearn(&mut self) {
        self.projection = P::default();
    }

    /// Goes back to what is committed, after something failed. [`Self::go_on`] comes next.
    pub(crate) fn forget(&mut self) {
        self.workspace.forget();
        self.projection = P::default();
        self.position = self.workspace.committed().position;
        self.skipped = 0;
        self.unseen = None;
        self.waiting = None;
        self.failed = true;
    }

    /// After something failed, asks the store what is committed: more, perhaps, than it said.
    pub(crate) async fn go_on(&mut self) -> Result<(), StoreError> {
        if self.failed {
            self.workspace.resume().await?;
            self.position = self.workspace.committed().position;
            self.failed = false;
        }
        Ok(())
    }
}
