//! One generation of the index: its reader, its writer, its search.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use tantivy::{
    DocAddress, Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, TantivyError, collector::Count,
    directory::MmapDirectory, indexer::IndexWriterOptions,
};

use super::{
    analysis::analysers,
    completing,
    highlighting::Marker,
    index::{failed, unreadable},
    listing,
    narrowing::Narrowing,
    question::Question,
    ranking::{Found, Order, Place, Ranking},
    schema::{Fields, schema},
    shown::shown,
    snapshot::Snapshot,
    spelling::Speller,
    views::Views,
};
use crate::{
    catalogue::{
        CatalogueEntry, Completions, Filters, SearchError, SearchHit, SearchQuery, SearchResults, Sort, Spelling,
        Wanted, formula::FEW,
    },
    documents::{Checkpoint, Scan, StoreError, Write},
};

/// Beyond this the writer puts a segment on disk before the commit.
const WRITER_BYTES: usize = 40 << 20;

/// An open generation.
pub(super) struct OpenGeneration {
    index: Index,
    reader: IndexReader,
    fields: Fields,
    /// Opened by the first commit: a generation that is only read costs no threads.
    writer: Mutex<Option<IndexWriter>>,
    /// As of the last commit.
    newest: Mutex<Arc<Snapshot>>,
    views: Views,
}

impl OpenGeneration {
    /// Opens the index in a folder. One that is damaged, or of another version of the shop, is replaced by an empty one, which
    /// its projection fills from the start of the log: nothing in it is only there.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        match Self::open_as_it_is(folder) {
            Err(StoreError::Unreadable { detail, .. }) => {
                tracing::warn!(folder = %folder.display(), %detail, "the search index cannot be read and is built anew");
                fs::remove_dir_all(folder).map_err(|error| StoreError::Unavailable(error.to_string()))?;
                Self::open_as_it_is(folder)
            }
            opened => opened,
        }
    }

    fn open_as_it_is(folder: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let directory = MmapDirectory::open(folder).map_err(TantivyError::from)?;
        let (schema, fields) = schema();
        let mut index = Index::open_or_create(directory, schema)?;
        index.set_tokenizers(analysers());
        let reader: IndexReader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let newest = Snapshot::first(reader.searcher())?;
        Ok(Self {
            index,
            reader,
            fields,
            writer: Mutex::default(),
            newest: Mutex::new(Arc::new(newest)),
            views: Views::default(),
        })
    }

    fn newest(&self) -> Arc<Snapshot> {
        Arc::clone(&self.newest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The checkpoint is the commit's payload: what is searchable and how far it goes are one file.
    pub(super) fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        match self.index.load_metas()?.payload {
            Some(payload) => serde_json::from_str(&payload).map_err(|error| unreadable(&error)),
            None => Ok(Checkpoint::default()),
        }
    }

    /// An entry as JSON, by the bytes of its product's id.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        listing::get(&self.newest().searcher, &self.fields, key)
    }

    /// Entries in the order of their keys.
    pub(super) fn scan(&self, scan: Scan<'_>) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        listing::scan(&self.newest().searcher, &self.fields, scan)
    }

    /// Writes entries and the checkpoint in one commit, and shows them.
    pub(super) fn commit(&self, writes: &[Write], checkpoint: Checkpoint) -> Result<(), StoreError> {
        let mut held = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let writer = match &mut *held {
            Some(writer) => writer,
            empty => empty.insert(self.open_writer()?),
        };
        let committed = self.write(writer, writes, checkpoint);
        if committed.is_err() {
            // Half of it may be in the writer: without it the next try starts from what is committed.
            *held = None;
        }
        committed?;
        self.reader.reload()?;
        let next = self.newest().next(self.reader.searcher())?;
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        self.views.forget_old(Instant::now());
        Ok(())
    }

    fn open_writer(&self) -> Result<IndexWriter, StoreError> {
        let options = IndexWriterOptions::builder()
            .memory_budget_per_thread(WRITER_BYTES)
            .num_worker_threads(1)
            .num_merge_threads(1)
            .build();
        Ok(self.index.writer_with_options(options)?)
    }

    fn write(&self, writer: &mut IndexWriter, writes: &[Write], checkpoint: Checkpoint) -> Result<(), StoreError> {
        for write in writes {
            writer.delete_term(self.fields.product(&write.key));
            if let Some(source) = &write.value {
                let entry: CatalogueEntry = serde_json::from_slice(source).map_err(|error| unreadable(&error))?;
                writer.add_document(self.fields.document(&entry, source))?;
            }
        }
        let payload = serde_json::to_string(&checkpoint).map_err(|error| unreadable(&error))?;
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&payload);
        commit.commit()?;
        Ok(())
    }

    pub(super) fn search(&self, search: &Wanted) -> Result<SearchResults, SearchError> {
        let size = search.size.clamp(1, SearchQuery::MAX_SIZE);
        let question = Question::read(&search.words, self.fields, self.index.tokenizers());
        let sort = match search.sort {
            Sort::Relevance if question.is_empty() => Sort::Newest,
            sort => sort,
        };
        let place = match &search.after {
            Some(cursor) => Some(Place::from_cursor(cursor, sort).ok_or(SearchError::BadCursor)?),
            None => None,
        };
        let view = place.and_then(|place| self.views.find(place.view));
        let snapshot = view.unwrap_or_else(|| self.newest());
        let order = Order {
            sort,
            // One more than asked for says whether there is a next page.
            size: size + 1,
            after: place.map(|place| place.rank),
        };
        self.answer(&snapshot, &question, &search.filters, order)
            .map_err(failed)
    }

    fn answer(
        &self,
        snapshot: &Arc<Snapshot>,
        question: &Question,
        filters: &Filters,
        order: Order,
    ) -> Result<SearchResults, StoreError> {
        snapshot.number_values(filters).map_err(TantivyError::from)?;
        let narrowing = Arc::new(Narrowing::by(filters, &snapshot.vocabulary));
        let ranking = Ranking {
            order,
            snapshot,
            narrowing: &narrowing,
        };
        let (mut found, partial) = find(&snapshot.searcher, question, filters, &ranking)?;
        let more = found.best.len() == order.size;
        found.best.truncate(order.size - 1);
        let last = found.best.last().filter(|_| more);
        let next = last.map(|(rank, _)| {
            let view = self.views.keep(snapshot, Instant::now());
            Place { view, rank: *rank }.cursor(order.sort)
        });
        Ok(SearchResults {
            total: found.counts.total,
            hits: self.hits(snapshot, question, found.best.iter().map(|(_, address)| *address))?,
            facets: found.counts.facets(&narrowing, &snapshot.vocabulary),
            next,
            partial,
            ..SearchResults::default()
        })
    }

    /// How what is being typed may go on.
    pub(super) fn complete(&self, typed: &str, size: usize) -> Result<Completions, StoreError> {
        let (snapshot, analysers) = (self.newest(), self.index.tokenizers());
        snapshot
            .number_values(&Filters::default())
            .map_err(TantivyError::from)?;
        let products = completing::products(&snapshot, &self.fields, analysers, typed, size)?;
        let unmarked = Question::read(&[], self.fields, analysers);
        Ok(Completions {
            products: self.hits(&snapshot, &unmarked, products.into_iter())?,
            categories: completing::categories(&snapshot, &self.fields, typed, size)?,
        })
    }

    /// What is known of each word.
    pub(super) fn spellings(&self, words: &[String]) -> Result<Vec<Spelling>, StoreError> {
        let speller = Speller {
            snapshot: &self.newest(),
            fields: &self.fields,
            analysers: self.index.tokenizers(),
        };
        words.iter().map(|word| speller.spelling(word)).collect()
    }

    fn hits(
        &self,
        snapshot: &Snapshot,
        question: &Question,
        found: impl Iterator<Item = DocAddress>,
    ) -> Result<Vec<SearchHit>, StoreError> {
        let marker = Marker::of(question);
        let hit = |address| {
            let shown = shown(snapshot, &self.fields, self.index.tokenizers(), address)?;
            Ok(shown.hit(&marker))
        };
        found.map(hit).collect()
    }
}

/// Products that have all the words; if hardly any has, those that have some, and that it is so.
///
/// Decided without the filters: choosing a facet narrows what was found and never turns the question into another.
fn find(
    searcher: &Searcher,
    question: &Question,
    filters: &Filters,
    ranking: &Ranking<'_>,
) -> Result<(Found, bool), StoreError> {
    let all = question.len();
    let partial = all > 1 && searcher.search(&question.text(all), &Count)? < FEW;
    let needed = if partial { 1 } else { all };
    let found = searcher.search(&question.query(filters, needed), ranking)?;
    Ok((found, partial))
}
