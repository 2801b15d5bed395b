//! A few products in a generation of their own.

use std::sync::atomic::{AtomicU64, Ordering};

use event_schemas::{Money, ProductId, Timestamp, product::AttributeValue};

use crate::{
    catalogue::{Catalogue, CatalogueEntry, Filters, SearchEngine, SearchHit, SearchResults, Sort, Wanted, Word},
    documents::{Checkpoint, Generation, Model, ModelKey, Part, Write},
};

/// A generation being built, searched as if it were live.
pub(super) struct Shelf<'a> {
    pub(super) engine: &'a dyn SearchEngine,
    pub(super) generation: Generation,
    /// The log position of the last commit.
    position: AtomicU64,
}

impl<'a> Shelf<'a> {
    /// These products and no others. The shelf before goes: only one generation is built at a time.
    pub(super) async fn with(engine: &'a dyn SearchEngine, products: impl IntoIterator<Item = CatalogueEntry>) -> Self {
        let shelf = Self {
            engine,
            generation: engine.begin(Catalogue::NAME).await.unwrap(),
            position: AtomicU64::new(0),
        };
        shelf.put(products).await;
        shelf
    }

    /// Adds products, or replaces those of the same id.
    pub(super) async fn put(&self, products: impl IntoIterator<Item = CatalogueEntry>) {
        let write = |entry: CatalogueEntry| Write {
            part: Part::Documents,
            key: entry.id.bytes(),
            value: Some(serde_json::to_vec(&entry).unwrap()),
        };
        self.commit(products.into_iter().map(write).collect()).await;
    }

    /// Takes products away, as a delisting does.
    pub(super) async fn remove(&self, products: impl IntoIterator<Item = ProductId>) {
        let write = |id: ProductId| Write {
            part: Part::Documents,
            key: id.bytes(),
            value: None,
        };
        self.commit(products.into_iter().map(write).collect()).await;
    }

    async fn commit(&self, writes: Vec<Write>) {
        let checkpoint = Checkpoint {
            position: self.position.fetch_add(1, Ordering::Relaxed) + 1,
            ..Checkpoint::default()
        };
        self.engine.commit(self.generation, writes, checkpoint).await.unwrap();
    }

    pub(super) async fn search(&self, wanted: &Wanted) -> SearchResults {
        match self.engine.search(self.generation, wanted).await {
            Ok(results) => results,
            Err(error) => panic!("{wanted:?}: {error}"),
        }
    }

    /// The titles that a text finds, best first.
    pub(super) async fn titles(&self, text: &str) -> Vec<String> {
        titles(self.search(&wanted(text)).await.hits)
    }

    /// The titles that these words find, best first.
    pub(super) async fn titles_of(&self, words: Vec<Word>) -> Vec<String> {
        let wanted = Wanted { words, ..wanted("") };
        titles(self.search(&wanted).await.hits)
    }
}

pub(super) fn titles(hits: Vec<SearchHit>) -> Vec<String> {
    hits.into_iter().map(|hit| hit.title).collect()
}

/// That text, the first twenty.
pub(super) fn wanted(text: &str) -> Wanted {
    Wanted {
        words: Word::each(text).collect(),
        filters: Filters::default(),
        sort: Sort::Relevance,
        size: 20,
        after: None,
    }
}

/// A product of that title, for 10,000 won and in stock.
pub(super) fn product(title: &str) -> CatalogueEntry {
    CatalogueEntry {
        id: ProductId::fresh(),
        title: title.to_owned(),
        description: String::new(),
        brand: "Acme".to_owned(),
        category: "Household".to_owned(),
        attributes: [].into(),
        price: Money::krw(10_000),
        ean: None,
        image: None,
        in_stock: true,
        listed_at: Timestamp::from_millis(0),
        popularity: 0,
    }
}

/// An attribute in words.
pub(super) fn text(name: &str, value: &str) -> (String, AttributeValue) {
    (name.to_owned(), AttributeValue::Text(value.to_owned()))
}
