//! How what is being typed may go on, as keystrokes: the words of titles are indexed as the keys that type them, so that what
//! has been typed so far is the beginning of a term.

use std::{cmp::Reverse, io};

use tantivy::{
    DocAddress, DocId, DocSet, SegmentReader, TERMINATED, TantivyError, Term,
    schema::{Field, IndexRecordOption},
    tokenizer::TokenizerManager,
};

use super::{
    analysis::{KEYS, terms},
    listing::{end_of, how_many_with},
    schema::Fields,
    snapshot::{Columns, Snapshot},
};
use crate::{
    catalogue::wording::hangul::{initials, strokes},
    documents::StoreError,
};

/// Nobody types more words than this to have them completed; earlier ones are left out.
const MOST_WORDS: usize = 8;

/// The products whose titles have words that begin like all those typed; those that can be bought first, and of them those
/// bought most.
pub(super) fn products(
    snapshot: &Snapshot,
    fields: &Fields,
    analysers: &TokenizerManager,
    typed: &str,
    size: usize,
) -> Result<Vec<DocAddress>, StoreError> {
    let words = terms(analysers, KEYS, typed);
    let words = &words[words.len().saturating_sub(MOST_WORDS)..];
    if words.is_empty() {
        return Ok(vec![]);
    }
    let mut best = vec![];
    let segments = snapshot.searcher.segment_readers().iter().zip(&snapshot.segments);
    for (ordinal, (segment, columns)) in (0..).zip(segments) {
        let found = with_all(segment, fields.typed, words).map_err(TantivyError::from)?;
        let ranked = |doc| (Reverse(rank(columns, doc)), DocAddress::new(ordinal, doc));
        best.extend(found.into_iter().filter(|doc| !segment.is_deleted(*doc)).map(ranked));
        if best.len() > size {
            best.select_nth_unstable(size);
            best.truncate(size);
        }
    }
    best.sort_unstable();
    Ok(best.into_iter().map(|(_, address)| address).collect())
}

/// What can be bought before what cannot, then what is bought most, then what is newest.
fn rank(columns: &Columns, doc: DocId) -> (bool, i64, i64, u64) {
    let number = |column: &tantivy::columnar::Column<i64>| column.first(doc).unwrap_or_default();
    let in_stock = columns.in_stock.first(doc).unwrap_or_default();
    let id = columns.id.0.first(doc).unwrap_or_default();
    (in_stock, number(&columns.popularity), number(&columns.listed_at), id)
}

/// The documents of a segment that have a word for each beginning.
fn with_all(segment: &SegmentReader, field: Field, beginnings: &[String]) -> io::Result<Vec<DocId>> {
    let inverted = segment.inverted_index(field).map_err(io::Error::other)?;
    // How many of the beginnings a document has, one after the other.
    let mut had = vec![0; segment.max_doc() as usize];
    let mut found: Vec<DocId> = vec![];
    for (round, beginning) in beginnings.iter().enumerate() {
        found.clear();
        let mut words = inverted.terms().range().ge(beginning);
        if let Some(end) = end_of(beginning.as_bytes()) {
            words = words.lt(end);
        }
        let mut words = words.into_stream()?;
        while words.advance() {
            let mut postings = inverted.read_postings_from_terminfo(words.value(), IndexRecordOption::Basic)?;
            let mut doc = postings.doc();
            while doc != TERMINATED {
                if let Some(had) = had.get_mut(doc as usize).filter(|had| **had == round) {
                    *had += 1;
                    found.push(doc);
                }
                doc = postings.advance();
            }
        }
    }
    Ok(found)
}

/// The categories whose name, or a word in it, goes on like that; those with most products first.
pub(super) fn categories(
    snapshot: &Snapshot,
    fields: &Fields,
    typed: &str,
    size: usize,
) -> Result<Vec<String>, StoreError> {
    let typed = strokes(&typed.trim().to_lowercase());
    if typed.is_empty() {
        return Ok(vec![]);
    }
    let searcher = &snapshot.searcher;
    let term = |path: &str| Term::from_field_text(fields.category, path);
    let mut found = vec![];
    for path in snapshot.vocabulary.categories_that_begin(&typed) {
        let products = how_many_with(searcher, &term(&path))?;
        // The last product of a category may be gone.
        if products > 0 {
            found.push((Reverse(products), path));
        }
    }
    found.sort_unstable();
    found.truncate(size);
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// The keys that type a category's name, whole and by its initials: made once, for they are looked through at each keystroke.
pub(super) struct CategoryKeys([String; 2]);

impl CategoryKeys {
    pub(super) fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
        Self([strokes(&name), initials(&name)])
    }

    /// The name, or a word in it, begins so.
    pub(super) fn begin(&self, typed: &str) -> bool {
        let begins = |keys: &String| {
            let mut places = keys.match_indices(typed);
            places.any(|(at, _)| at == 0 || keys[..at].ends_with(' '))
        };
        self.0.iter().any(begins)
    }
}
