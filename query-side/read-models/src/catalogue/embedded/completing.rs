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
    listing::end_of,
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
    let begins = |name: &str| {
        let mut words = name
            .char_indices()
            .filter(|(at, _)| *at == 0 || name[..*at].ends_with(' '));
        words.any(|(at, _)| name[at..].starts_with(&typed))
    };
    let names = snapshot.vocabulary.category.read();
    let mut found = vec![];
    for path in names.texts() {
        let name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
        if begins(&strokes(&name)) || begins(&initials(&name)) {
            let products = snapshot
                .searcher
                .doc_freq(&Term::from_field_text(fields.category, path))?;
            found.push((Reverse(products), path));
        }
    }
    found.retain(|(Reverse(products), _)| *products > 0);
    found.sort_unstable();
    found.truncate(size);
    Ok(found.into_iter().map(|(_, path)| path.to_owned()).collect())
}
