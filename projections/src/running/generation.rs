//! One generation of a read model, brought up to date by its projection.

use std::{
    collections::{BTreeMap, HashSet},
    panic, thread,
    time::Instant,
};

use event_log::RecordedEvent;
use event_schemas::Timestamp;
use read_models::documents::{Batch, Checkpoint, Generation, Model, StoreError, Workspace};
use tokio::runtime::Handle;

use super::{
    pages::Page,
    share::{Share, Skipped},
};
use crate::projection::{Key, Projection, Unexpected};

/// The checkpoint is written at least this often. Not oftener for events that changed nothing: reading them again does no harm.
const SELDOM: u64 = 100_000;
/// Events skipped that are logged one by one; the rest is only counted.
const LOGGED: u64 = 100;
/// Fewer events than this are not worth the threads.
const FEW: usize = 256;

/// A projection at work on one generation.
pub(crate) struct Building<P: Projection> {
    /// Commits for all, and knows what is committed.
    first: Share<P>,
    others: Vec<Share<P>>,
    /// Everything up to here is applied, though perhaps not committed.
    position: u64,
    skipped: u64,
    /// When the log took the first event that queries do not see yet.
    unseen: Option<Timestamp>,
    /// Since when something waits to be committed.
    waiting: Option<Instant>,
    /// Something failed since the checkpoint was read.
    failed: bool,
}

impl<P: Projection> Building<P> {
    /// Goes on from the generation's checkpoint.
    pub(crate) fn new(workspace: Workspace<P::Model>) -> Self {
        Self::of(Share::whole(workspace), vec![])
    }

    /// The same on so many threads, for a log that is far ahead.
    pub(crate) fn on_threads(workspace: Workspace<P::Model>, threads: u64) -> Self {
        let others = (1..threads).map(|number| Share::part(workspace.beside(), number, threads));
        let others = others.collect();
        Self::of(Share::part(workspace, 0, threads.max(1)), others)
    }

    fn of(first: Share<P>, others: Vec<Share<P>>) -> Self {
        Self {
            position: first.workspace.committed().position,
            first,
            others,
            skipped: 0,
            unseen: None,
            waiting: None,
            failed: false,
        }
    }

    /// The same on one thread, to be followed live. What is not committed is forgotten.
    pub(crate) fn alone(self) -> Self {
        let Self { first, position, .. } = self;
        let mut workspace = first.workspace;
        workspace.forget();
        let mut alone = Self::new(workspace);
        // Behind the checkpoint were only events that changed nothing.
        alone.position = position;
        alone
    }

    /// Which generation.
    pub(crate) fn generation(&self) -> Generation {
        self.first.workspace.generation()
    }

    /// Everything up to here is applied, though perhaps not committed.
    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// Queries on this generation see everything up to here.
    pub(crate) fn shown(&self) -> u64 {
        if self.changes() > 0 {
            self.committed().position
        } else {
            self.position
        }
    }

    /// When the log took the first of the events that queries see since this was last asked.
    pub(crate) fn newly_shown(&mut self) -> Option<Timestamp> {
        let seen = self.changes() == 0;
        self.unseen.take_if(|_| seen)
    }

    /// What is committed, with the events that were skipped since.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let committed = self.committed();
        Checkpoint {
            skipped: committed.skipped + self.skipped,
            ..committed
        }
    }

    fn committed(&self) -> Checkpoint {
        self.first.workspace.committed()
    }

    fn shares(&mut self) -> impl Iterator<Item = &mut Share<P>> {
        std::iter::once(&mut self.first).chain(&mut self.others)
    }

    fn changes(&self) -> usize {
        let shares = std::iter::once(&self.first).chain(&self.others);
        shares.map(|share| share.workspace.changes()).sum()
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
        let mut skipped = vec![];
        if self.others.is_empty() || events.len() < FEW {
            for share in self.shares() {
                skipped.extend(share.take_in(events).await?);
            }
        } else {
            let handle = Handle::current();
            for taken in on_threads(self.shares(), |share| handle.block_on(share.take_in(events))) {
                skipped.extend(taken?);
            }
        }
        self.skip(events, skipped);
        let name = P::Model::NAME;
        metrics::counter!("projection_events_total", "projection" => name).increment(events.len() as u64);
        self.position = page.end().max(self.position);
        let changes = self.changes();
        if changes > 0 {
            self.waiting.get_or_insert(started);
        }
        let enough = changes >= P::MOST_CHANGES;
        let due = self.due().is_some_and(|due| !page.is_full() && due <= Instant::now());
        let seldom = self.position - self.committed().position >= SELDOM;
        if enough || due || seldom {
            self.commit().await?;
        }
        metrics::histogram!("projection_batch_seconds", "projection" => name).record(started.elapsed().as_secs_f64());
        Ok(())
    }

    /// An event that several shares skipped is one event.
    fn skip(&mut self, events: &[std::sync::Arc<RecordedEvent>], skipped: Vec<Skipped>) {
        let skipped: BTreeMap<usize, Unexpected> = skipped.into_iter().collect();
        for (place, reason) in skipped {
            self.skipped += 1;
            metrics::counter!("projection_skipped_total", "projection" => P::Model::NAME).increment(1);
            if self.committed().skipped + self.skipped <= LOGGED {
                let event = &events[place];
                let (position, stream, event_type) = (event.position.0, event.stream.as_str(), &*event.event_type);
                tracing::warn!(projection = P::Model::NAME, position, stream, event_type, %reason, "an event is skipped");
            }
        }
    }

    /// Writes what has gathered.
    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        if self.position > self.committed().position {
            let batches = self.batches()?;
            let (position, skipped) = (self.position, self.skipped);
            self.first.workspace.commit_all(batches, position, skipped).await?;
            let committed = self.committed();
            for share in &mut self.others {
                share.workspace.committed_elsewhere(committed);
            }
            self.skipped = 0;
        }
        self.waiting = None;
        Ok(())
    }

    /// Where the documents are written, with all that was applied so far committed: for whoever holds them against the log.
    pub(crate) async fn written(&mut self) -> Result<&mut Workspace<P::Model>, StoreError> {
        self.commit().await?;
        Ok(&mut self.first.workspace)
    }

    /// Forgets what is remembered of documents, when nothing waits to be committed: some were wrong.
    pub(crate) fn unlearn(&mut self) {
        self.shares().for_each(Share::forget);
    }

    fn batches(&mut self) -> Result<Vec<Batch>, StoreError> {
        if self.others.is_empty() {
            return Ok(vec![self.first.workspace.batch()?]);
        }
        let batches = on_threads(self.shares(), |share| share.workspace.batch());
        batches.into_iter().collect()
    }

    /// The documents changed since this was asked last; noted from the first time on.
    pub(crate) fn noted(&mut self) -> HashSet<Key<P>> {
        self.shares().flat_map(Share::noted).collect()
    }

    /// Goes back to what is committed, after something failed. [`Self::go_on`] comes next.
    pub(crate) fn forget(&mut self) {
        self.shares().for_each(Share::forget);
        self.position = self.committed().position;
        self.skipped = 0;
        self.unseen = None;
        self.waiting = None;
        self.failed = true;
    }

    /// After something failed, asks the store what is committed: more, perhaps, than it said.
    pub(crate) async fn go_on(&mut self) -> Result<(), StoreError> {
        if self.failed {
            self.first.workspace.resume().await?;
            let committed = self.committed();
            for share in &mut self.others {
                share.workspace.committed_elsewhere(committed);
            }
            self.position = committed.position;
            self.failed = false;
        }
        Ok(())
    }
}

/// Each on a thread of its own.
fn on_threads<S: Send, T: Send>(shares: impl Iterator<Item = S>, work: impl Fn(S) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = shares.map(|share| scope.spawn(move || work(share))).collect();
        let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
        // A projection that panics does so here, as it would on one thread.
        joined
            .map(|done| done.unwrap_or_else(|panicked| panic::resume_unwind(panicked)))
            .collect()
    })
}
