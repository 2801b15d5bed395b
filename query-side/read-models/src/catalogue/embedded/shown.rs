//! What hits show: read from the index once, and kept for the next customer who finds the same product.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use event_schemas::{Money, ProductId};
use serde::Deserialize;
use tantivy::{DocAddress, DocId, tokenizer::TokenizerManager};

use super::{
    highlighting::{Analysed, Marker},
    index::unreadable,
    listing,
    schema::Fields,
    snapshot::Snapshot,
};
use crate::{catalogue::SearchHit, documents::StoreError};

/// So many are kept for each segment, some kilobytes each.
const KEPT: usize = 2_000;

/// The products of a segment that were shown.
#[derive(Default)]
pub(super) struct ShownBefore(Mutex<HashMap<DocId, Arc<Shown>>>);

/// A product, ready to be shown.
pub(super) struct Shown {
    id: ProductId,
    brand: String,
    category: String,
    price: Money,
    image: Option<String>,
    in_stock: bool,
    title: Analysed,
    description: Analysed,
}

/// What a hit shows of its entry.
#[derive(Deserialize)]
struct Stored {
    id: ProductId,
    title: String,
    description: String,
    brand: String,
    category: String,
    price: Money,
    #[serde(default)]
    image: Option<String>,
    in_stock: bool,
}

impl ShownBefore {
    fn get(&self, doc: DocId) -> Option<Arc<Shown>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&doc).cloned()
    }

    fn keep(&self, doc: DocId, shown: &Arc<Shown>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.clear();
        }
        kept.insert(doc, Arc::clone(shown));
    }
}

impl Shown {
    /// As a hit, with what was asked for marked.
    pub(super) fn hit(&self, marker: &Marker) -> SearchHit {
        SearchHit {
            id: self.id,
            title: self.title.text.clone(),
            brand: self.brand.clone(),
            category: self.category.clone(),
            price: self.price,
            in_stock: self.in_stock,
            image: self.image.clone(),
            highlight: marker.highlight(&self.title, &self.description),
        }
    }
}

/// A product of a snapshot.
pub(super) fn shown(
    snapshot: &Snapshot,
    fields: &Fields,
    analysers: &TokenizerManager,
    address: DocAddress,
) -> Result<Arc<Shown>, StoreError> {
    let segment = snapshot.segments.get(address.segment_ord as usize);
    if let Some(shown) = segment.and_then(|segment| segment.shown.get(address.doc_id)) {
        return Ok(shown);
    }
    let source = listing::source(&snapshot.searcher, fields, address)?;
    let stored: Stored = serde_json::from_slice(&source).map_err(|error| unreadable(&error))?;
    let shown = Arc::new(Shown {
        id: stored.id,
        brand: stored.brand,
        category: stored.category,
        price: stored.price,
        image: stored.image,
        in_stock: stored.in_stock,
        title: Analysed::new(stored.title, analysers),
        description: Analysed::new(stored.description, analysers),
    });
    if let Some(segment) = segment {
        segment.shown.keep(address.doc_id, &shown);
    }
    Ok(shown)
}
