//! Two generations of a read model side by side: which documents are not the same in both.

use std::{cmp::Ordering, vec};

use bytes::Bytes;

use super::{DocumentDifference, DocumentStore, Generation, Part, Scan, StoreError};

/// Documents read at once.
const PAGE: usize = 512;

/// What a walk over two generations found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walked {
    /// Documents that are in at least one of them.
    pub documents: u64,
    /// Documents that are not the same.
    pub differing: u64,
    /// The keys of those, at most [`Walked::MOST_KEYS`].
    pub keys: Vec<Vec<u8>>,
}

impl Walked {
    /// More keys than this are not remembered.
    pub const MOST_KEYS: usize = 10_000;
}

/// Walks over all documents of two generations. `watch` is told how many were compared.
///
/// # Errors
/// When the store fails.
pub(super) async fn walk(
    store: &dyn DocumentStore,
    shown: Generation,
    derived: Generation,
    mut watch: impl FnMut(u64) -> bool,
) -> Result<Option<Walked>, StoreError> {
    let (mut shown, mut derived) = (Walk::over(shown), Walk::over(derived));
    let mut walked = Walked::default();
    loop {
        let (left, right) = (shown.next(store).await?, derived.next(store).await?);
        let order = match (&left, &right) {
            (None, None) => return Ok(Some(walked)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((left, _)), Some((right, _))) => left.cmp(right),
        };
        let (left, right) = match order {
            Ordering::Equal => (left, right),
            Ordering::Less => (left, derived.keep(right)),
            Ordering::Greater => (shown.keep(left), right),
        };
        walked.documents += 1;
        if let Some(key) = differs(left, right) {
            walked.differing += 1;
            if walked.keys.len() < Walked::MOST_KEYS {
                walked.keys.push(key);
            }
        }
        if walked.documents.is_multiple_of(PAGE as u64) && !watch(walked.documents) {
            return Ok(None);
        }
    }
}

type Entry = (Vec<u8>, Bytes);

fn differs(shown: Option<Entry>, derived: Option<Entry>) -> Option<Vec<u8>> {
    match (shown, derived) {
        (Some((key, shown)), Some((_, derived))) => {
            DocumentDifference::between(&key, Some(&shown), Some(&derived)).map(|_| key)
        }
        (Some((key, _)), None) | (None, Some((key, _))) => Some(key),
        (None, None) => None,
    }
}

/// The documents of a generation in the order of their keys.
struct Walk {
    generation: Generation,
    page: vec::IntoIter<Entry>,
    /// Looked at, and not taken yet.
    kept: Option<Entry>,
    /// The last key of the page; none before the first.
    last: Option<Vec<u8>>,
    over: bool,
}

impl Walk {
    fn over(generation: Generation) -> Self {
        Self {
            generation,
            page: vec![].into_iter(),
            kept: None,
            last: None,
            over: false,
        }
    }

    /// Puts back what is not wanted yet.
    fn keep(&mut self, entry: Option<Entry>) -> Option<Entry> {
        self.kept = entry;
        None
    }

    async fn next(&mut self, store: &dyn DocumentStore) -> Result<Option<Entry>, StoreError> {
        if self.kept.is_some() {
            return Ok(self.kept.take());
        }
        if self.page.as_slice().is_empty() && !self.over {
            let scan = Scan {
                prefix: &[],
                after: self.last.as_deref(),
                backwards: false,
                limit: PAGE,
            };
            let page = store.scan(self.generation, Part::Documents, scan).await?;
            self.over = page.len() < PAGE;
            self.last = page.last().map(|(key, _)| key.clone());
            self.page = page.into_iter();
        }
        Ok(self.page.next())
    }
}
