//! Searching a real index on disk.

mod keeping;
mod meaning;
pub(crate) mod relevance;
mod typing;
mod walking;

use std::sync::Arc;

use event_schemas::{Money, ProductId, Timestamp, product::AttributeValue};

use super::*;
use crate::documents::{Checkpoint, Collection, DocumentStore, Generation, Model, ModelKey, Part, Scan, Write};

/// An index in a folder of its own.
struct Shop {
    index: Arc<SearchIndex>,
    finder: Finder,
    _folder: tempfile::TempDir,
}

impl Shop {
    async fn with(entries: impl IntoIterator<Item = CatalogueEntry>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let index = Arc::new(SearchIndex::open(folder.path()).unwrap());
        let catalogue = Collection::open(Arc::clone(&index) as _).await.unwrap();
        let shop = Self {
            finder: Finder::new(Arc::clone(&index) as _, catalogue).remembering(Arc::default()),
            index,
            _folder: folder,
        };
        shop.put(entries).await;
        shop
    }

    async fn put(&self, entries: impl IntoIterator<Item = CatalogueEntry>) {
        let generation = self.index.generations(Catalogue::NAME).await.unwrap().live;
        put(&*self.index, generation, entries, Checkpoint::default()).await;
    }

    async fn search(&self, query: SearchQuery) -> SearchResults {
        let size = if query.size == 0 { 20 } else { query.size };
        self.finder.search(SearchQuery { size, ..query }).await.unwrap()
    }
}

impl SearchQuery {
    fn text(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }
}

pub(crate) async fn put(
    index: &dyn DocumentStore,
    generation: Generation,
    entries: impl IntoIterator<Item = CatalogueEntry>,
    checkpoint: Checkpoint,
) {
    let write = |entry: CatalogueEntry| Write {
        part: Part::Documents,
        key: entry.id.bytes(),
        value: Some(serde_json::to_vec(&entry).unwrap()),
    };
    let writes = entries.into_iter().map(write).collect();
    index.commit(generation, writes, checkpoint).await.unwrap();
}

/// A product of that title, for 10,000 won and in stock.
pub(crate) fn product(title: &str) -> CatalogueEntry {
    CatalogueEntry {
        id: ProductId::fresh(),
        title: title.to_owned(),
        description: String::new(),
        brand: "Acme".to_owned(),
        category: "Kitchen".to_owned(),
        attributes: [].into(),
        price: Money::krw(10_000),
        ean: None,
        image: None,
        in_stock: true,
        listed_at: Timestamp::from_millis(0),
        popularity: 0,
    }
}
