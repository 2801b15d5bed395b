//! The index as it is at one moment, with what is needed to rank and count: opened once, not at each search.

use std::sync::{Arc, Mutex, PoisonError};

use tantivy::{DocId, Searcher, SegmentReader, columnar::Column, index::SegmentId};

use super::{
    completing::CategoryKeys,
    names::{NamedColumn, Names},
    schema::columns,
    shown::ShownBefore,
};
use crate::catalogue::Filters;

/// What a search sees, and all pages of its walk.
pub(super) struct Snapshot {
    pub(super) searcher: Searcher,
    /// In the order of the searcher's segments.
    pub(super) segments: Vec<Arc<Columns>>,
    pub(super) vocabulary: Arc<Vocabulary>,
}

/// The values of facets, for all snapshots of a generation.
#[derive(Default)]
pub(super) struct Vocabulary {
    pub(super) category: Names,
    pub(super) brand: Names,
    pub(super) attribute: Names,
    category_keys: Mutex<Vec<CategoryKeys>>,
}

impl Vocabulary {
    /// Categories by their path whose name goes on like that.
    pub(super) fn categories_that_begin(&self, typed: &str) -> Vec<String> {
        let names = self.category.read();
        let mut keys = self.category_keys.lock().unwrap_or_else(PoisonError::into_inner);
        let known = keys.len();
        keys.extend(names.texts().skip(known).map(CategoryKeys::of));
        let paths = names.texts().zip(&*keys).filter(|(_, keys)| keys.begin(typed));
        paths.map(|(path, _)| path.to_owned()).collect()
    }
}

/// What is read by column in one segment.
pub(super) struct Columns {
    segment: SegmentId,
    pub(super) id: (Column<u64>, Column<u64>),
    pub(super) in_stock: Column<bool>,
    pub(super) price: Column<i64>,
    pub(super) listed_at: Column<i64>,
    pub(super) popularity: Column<i64>,
    pub(super) category: NamedColumn,
    pub(super) brand: NamedColumn,
    pub(super) attribute: NamedColumn,
    pub(super) shown: ShownBefore,
}

impl Snapshot {
    /// The first of a generation.
    pub(super) fn first(searcher: Searcher) -> tantivy::Result<Self> {
        Self::of(searcher, &[], Arc::default())
    }

    /// After a commit: segments never change, so most columns are open already.
    pub(super) fn next(&self, searcher: Searcher) -> tantivy::Result<Self> {
        Self::of(searcher, &self.segments, Arc::clone(&self.vocabulary))
    }

    /// Gives every value of the facets its number, where it has none yet; attributes only if they are looked at.
    pub(super) fn number_values(&self, filters: &Filters) -> std::io::Result<()> {
        let attributes = filters.category.is_some() || !filters.attributes.is_empty();
        for columns in &self.segments {
            columns.category.number(&self.vocabulary.category)?;
            columns.brand.number(&self.vocabulary.brand)?;
            if attributes {
                columns.attribute.number(&self.vocabulary.attribute)?;
            }
        }
        Ok(())
    }

    fn of(searcher: Searcher, opened: &[Arc<Columns>], vocabulary: Arc<Vocabulary>) -> tantivy::Result<Self> {
        let columns = |reader: &SegmentReader| {
            let before = opened.iter().find(|columns| columns.segment == reader.segment_id());
            before.map_or_else(
                || Columns::open(reader).map(Arc::new),
                |columns| Ok(Arc::clone(columns)),
            )
        };
        let segments = searcher.segment_readers().iter().map(columns);
        Ok(Self {
            segments: segments.collect::<tantivy::Result<_>>()?,
            searcher,
            vocabulary,
        })
    }
}

impl Columns {
    fn open(segment: &SegmentReader) -> tantivy::Result<Self> {
        let columns = segment.fast_fields();
        Ok(Self {
            segment: segment.segment_id(),
            id: (columns.u64(columns::ID_HIGH)?, columns.u64(columns::ID_LOW)?),
            in_stock: columns.bool(columns::IN_STOCK)?,
            price: columns.i64(columns::PRICE)?,
            listed_at: columns.i64(columns::LISTED_AT)?,
            popularity: columns.i64(columns::POPULARITY)?,
            category: NamedColumn::over(columns.str(columns::CATEGORY)?),
            brand: NamedColumn::over(columns.str(columns::BRAND)?),
            attribute: NamedColumn::over(columns.str(columns::ATTRIBUTE)?),
            shown: ShownBefore::default(),
        })
    }

    /// For one piece, in minor units.
    pub(super) fn price(&self, doc: DocId) -> i64 {
        self.price.first(doc).unwrap_or_default()
    }
}
