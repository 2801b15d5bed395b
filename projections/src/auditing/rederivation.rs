//! Documents derived again from the log.

use std::collections::{BTreeMap, BTreeSet};

use event_log::RecordedEvent;
use read_models::{documents::ModelKey as _, projection::Document};

use super::Sample;
use crate::{
    projection::{Fact, Key, Projection, needs, read},
    running::pages::Page,
};

/// A sample of a projection's documents as the log tells them, up to a position.
pub(crate) struct Rederivation<P: Projection> {
    projection: P,
    sample: Sample,
    documents: BTreeMap<Vec<u8>, Option<Document<P>>>,
    /// What others are made from, whether it is in the sample or not.
    sources: BTreeMap<Vec<u8>, Document<P>>,
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
            sources: BTreeMap::new(),
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
        let found = self.documents.get(key).and_then(Option::as_ref);
        found.or_else(|| self.sources.get(key).filter(|_| self.sample.has(key)))
    }

    /// The keys of all documents there should be.
    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let there = self.documents.iter().filter(|(_, document)| document.is_some());
        let sources = self.sources.keys().filter(|key| self.sample.has(key));
        there.map(|(key, _)| key).chain(sources).map(Vec::as_slice)
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
        let mut applied = 0;
        while let Some(key) = self.keys.get(applied).copied() {
            self.apply_to(&fact, &key);
            applied += 1;
            if applied == self.keys.len() {
                self.projection.follow_up(&fact, &mut self.keys);
            }
        }
    }

    fn apply_to(&mut self, fact: &Fact<'_>, key: &Key<P>) {
        let bytes = key.bytes();
        if P::is_source(key) {
            let mut document = self.sources.remove(&bytes);
            let _nonsense = self.projection.apply(fact, key, &mut document).is_err();
            self.sources.extend(document.map(|document| (bytes, document)));
        } else if self.sample.has(&bytes) {
            let document = self.documents.entry(bytes).or_insert(None);
            let _nonsense = self.projection.apply(fact, key, document).is_err();
        }
    }

    /// Goes on with these documents only.
    pub(super) fn narrow(&mut self, keys: BTreeSet<Vec<u8>>) {
        self.documents.retain(|key, _| keys.contains(key));
        self.sample = Sample::Keys(keys);
    }
}
