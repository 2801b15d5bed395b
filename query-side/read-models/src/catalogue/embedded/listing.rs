//! The index as a store of documents: one by its key, and many in the order of their keys.

use std::io;

use bytes::Bytes;
use tantivy::{
    DocAddress, DocId, DocSet, InvertedIndexReader, Searcher, SegmentReader, TERMINATED, TantivyDocument, TantivyError,
    Term,
    postings::TermInfo,
    schema::{IndexRecordOption, Value},
    termdict::{TermDictionary, TermStreamer},
};

use super::schema::Fields;
use crate::documents::{Scan, StoreError};

/// An entry as JSON, by the bytes of its product's id.
pub(super) fn get(searcher: &Searcher, fields: &Fields, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
    let address = any_with(searcher, &fields.product(key))?;
    address.map(|address| source(searcher, fields, address)).transpose()
}

/// A product that has the term.
pub(super) fn any_with(searcher: &Searcher, term: &Term) -> Result<Option<DocAddress>, StoreError> {
    for (ordinal, segment) in (0..).zip(searcher.segment_readers()) {
        let inverted = segment.inverted_index(term.field())?;
        if let Some(info) = inverted.get_term_info(term).map_err(TantivyError::from)?
            && let Some(doc) = alive(segment, &inverted, &info)?
        {
            return Ok(Some(DocAddress::new(ordinal, doc)));
        }
    }
    Ok(None)
}

/// How many products have the term; the index itself counts those that are gone, too.
pub(super) fn how_many_with(searcher: &Searcher, term: &Term) -> Result<u32, StoreError> {
    let mut found = 0;
    for segment in searcher.segment_readers() {
        let inverted = segment.inverted_index(term.field())?;
        let Some(info) = inverted.get_term_info(term).map_err(TantivyError::from)? else {
            continue;
        };
        found += match segment.alive_bitset() {
            None => info.doc_freq,
            Some(alive) => inverted
                .read_postings_from_terminfo(&info, IndexRecordOption::Basic)
                .map_err(TantivyError::from)?
                .count(alive),
        };
    }
    Ok(found)
}

/// Entries in the order of their keys.
pub(super) fn scan(searcher: &Searcher, fields: &Fields, scan: Scan<'_>) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
    let mut places = vec![];
    for (ordinal, segment) in (0..).zip(searcher.segment_readers()) {
        let inverted = segment.inverted_index(fields.id)?;
        let mut keys = within(inverted.terms(), scan).map_err(TantivyError::from)?;
        let mut taken = 0;
        while taken < scan.limit
            && let Some((key, info)) = keys.next()
        {
            if let Some(doc) = alive(segment, &inverted, info)? {
                places.push((key.to_vec(), DocAddress::new(ordinal, doc)));
                taken += 1;
            }
        }
    }
    places.sort_unstable();
    if scan.backwards {
        places.reverse();
    }
    places.truncate(scan.limit);
    let read = |(key, address)| Ok((key, source(searcher, fields, address)?));
    places.into_iter().map(read).collect()
}

/// Only the keys of a scan, in its direction.
fn within<'a>(keys: &'a TermDictionary, scan: Scan<'_>) -> io::Result<TermStreamer<'a>> {
    let behind = scan.after.filter(|after| !scan.backwards && *after >= scan.prefix);
    let keys = match behind {
        Some(after) => keys.range().gt(after),
        None => keys.range().ge(scan.prefix),
    };
    let before = scan.after.filter(|_| scan.backwards).map(<[u8]>::to_vec);
    let keys = match before.into_iter().chain(end_of(scan.prefix)).min() {
        Some(end) => keys.lt(end),
        None => keys,
    };
    let keys = if scan.backwards { keys.backward() } else { keys };
    keys.into_stream()
}

/// The first key behind all that start so; none where there is no such key.
pub(super) fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

/// The first document with a term that is still there: of a product that was written again only the newest is.
fn alive(
    segment: &SegmentReader,
    inverted: &InvertedIndexReader,
    info: &TermInfo,
) -> Result<Option<DocId>, StoreError> {
    let mut postings = inverted
        .read_postings_from_terminfo(info, IndexRecordOption::Basic)
        .map_err(TantivyError::from)?;
    let mut doc = postings.doc();
    while doc != TERMINATED {
        if !segment.is_deleted(doc) {
            return Ok(Some(doc));
        }
        doc = postings.advance();
    }
    Ok(None)
}

/// The entry as it was given.
pub(super) fn source(searcher: &Searcher, fields: &Fields, address: DocAddress) -> Result<Bytes, StoreError> {
    let document: TantivyDocument = searcher.doc(address)?;
    let source = document.get_first(fields.source).and_then(|value| value.as_bytes());
    Ok(source.map(Bytes::copy_from_slice).unwrap_or_default())
}
