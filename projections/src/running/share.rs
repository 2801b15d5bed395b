//! A share of a generation's documents, brought up to date by a projection of its own.
//!
//! A generation that is followed live is one share. One that is rebuilt alone is as many as there are cores: each share sees
//! every event, and applies it to those documents whose keys fall to it. They share no memory, and are committed together.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use event_log::RecordedEvent;
use read_models::documents::{StoreError, Workspace};

use crate::projection::{Fact, Key, Projection, Unexpected, needs, read};

/// One of the shares of a generation.
pub(super) struct Share<P: Projection> {
    projection: P,
    pub(super) workspace: Workspace<P::Model>,
    number: u64,
    of: u64,
    keys: Vec<Key<P>>,
    /// Documents changed since somebody began to note them.
    noted: Option<HashSet<Key<P>>>,
}

/// An event that was skipped: its place among those that were taken in, and why.
pub(super) type Skipped = (usize, Unexpected);

impl<P: Projection> Share<P> {
    /// All documents.
    pub(super) fn whole(workspace: Workspace<P::Model>) -> Self {
        Self::part(workspace, 0, 1)
    }

    /// One of so many shares.
    pub(super) fn part(workspace: Workspace<P::Model>, number: u64, of: u64) -> Self {
        Self {
            projection: P::default(),
            workspace,
            number,
            of,
            keys: Vec::new(),
            noted: None,
        }
    }

    /// Applies events to the documents of this share.
    pub(super) async fn take_in(&mut self, events: &[Arc<RecordedEvent>]) -> Result<Vec<Skipped>, StoreError> {
        let mut skipped = vec![];
        for (place, event) in events.iter().enumerate().filter(|(_, event)| needs::<P>(event)) {
            let applied = match read(event) {
                Ok(fact) => self.apply(&fact).await?,
                Err(unexpected) => Err(unexpected),
            };
            skipped.extend(applied.err().map(|unexpected| (place, unexpected)));
        }
        Ok(skipped)
    }

    async fn apply(&mut self, fact: &Fact<'_>) -> Result<Result<(), Unexpected>, StoreError> {
        self.keys.clear();
        if let Err(unexpected) = self.projection.about(fact, &mut self.keys) {
            return Ok(Err(unexpected));
        }
        let (mut outcome, mut applied) = (Ok(()), 0);
        while let Some(key) = self.keys.get(applied).copied() {
            let ours = self.is_ours(&key);
            // What others are told by is known to every share, and written by one.
            if ours || P::is_source(&key) {
                let document = self.workspace.document(key).await?;
                match self.projection.apply(fact, &key, document) {
                    Ok(true) if ours => self.touch(key),
                    Ok(_) => {}
                    Err(unexpected) => outcome = Err(unexpected),
                }
            }
            applied += 1;
            if applied == self.keys.len() {
                self.projection.follow_up(fact, &mut self.keys);
            }
        }
        Ok(outcome)
    }

    fn is_ours(&self, key: &Key<P>) -> bool {
        if self.of == 1 {
            return true;
        }
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        hasher.finish() % self.of == self.number
    }

    fn touch(&mut self, key: Key<P>) {
        self.workspace.touch(key);
        if let Some(noted) = &mut self.noted {
            noted.insert(key);
        }
    }

    /// The documents changed since this was asked last; noted from the first time on.
    pub(super) fn noted(&mut self) -> HashSet<Key<P>> {
        self.noted.replace(HashSet::new()).unwrap_or_default()
    }

    /// Forgets what is not committed, and whatever it remembered.
    pub(super) fn forget(&mut self) {
        self.workspace.forget();
        self.projection = P::default();
    }
}
