//! Documents derived again from the log.

use std::collections::{BTreeMap, BTreeSet};

use event_log::RecordedEvent;
use read_models::{documents::ModelKey as _, projection::Document};

use super::Sample;
use crate::{
    projection::{Key, Projection, needs, read},
    running::pages::Page,
};

/// A sample of a projection's documents as the log tells them, up to a position.
pub(crate) struct Rederivation<P: Projection> {
    projection: P,
    sample: Sample,
    documents: BTreeMap<Vec<u8>, Option<Document<P>>>,
    position: u64,
    keys: Vec<Key<P>>,
}

impl<P: Projection> Rederivation<P> {
    /// Of that sample, before the first event.
    pub(super) fn new(sample: Sample) -> Self {
        Self {
            projection: P::default(),
            sample,
            documents: BTreeMap::new(),
            position: 0,
            keys: Vec::new(),
        }
    }

    /// Everything up to here is in it.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// Which documents.
    pub(super) const fn sample(&self) -> &Sample {
        &self.sample
    }

    /// The document as the log tells it; none where there should be none.
    pub(super) fn document(&self, key: &[u8]) -> Option<&Document<P>> {
        self.documents.get(key)?.as_ref()
    }

    /// The keys of all documents there should be.
    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let there = self.documents.iter().filter(|(_, document)| document.is_some());
        there.map(|(key, _)| key.as_slice())
    }

    /// Reads a page that follows what it has read, up to a position.
    pub(super) fn take_in(&mut self, page: &Page, upto: u64) {
        let events = page.behind(self.position).iter();
        for event in events.take_while(|event| event.position.0 <= upto) {
            if needs::<P>(event) {
                self.apply(event);
            }
        }
        self.position = page.end().min(upto).max(self.position);
    }

    /// What is skipped or makes no sense leaves a document as it was, here as where it was read first.
    fn apply(&mut self, event: &RecordedEvent) {
        let Ok(fact) = read(event) else { return };
        self.keys.clear();
        if self.projection.about(&fact, &mut self.keys).is_err() {
            return;
        }
        for key in &self.keys {
            let bytes = key.bytes();
            if self.sample.has(&bytes) {
                let document = self.documents.entry(bytes).or_insert(None);
                let _nonsense = self.projection.apply(&fact, key, document).is_err();
            }
        }
    }

    /// Goes on with these documents only.
    pub(super) fn narrow(&mut self, keys: BTreeSet<Vec<u8>>) {
        self.documents.retain(|key, _| keys.contains(key));
        self.sample = Sample::Keys(keys);
    }
}
