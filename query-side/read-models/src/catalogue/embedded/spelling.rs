//! What the index knows of a word's spelling: the words of titles, brands and categories are a dictionary, as the keys that
//! type them, so that a wrong vowel in a syllable is one slip.

use std::{cmp::Reverse, collections::HashMap, io};

use tantivy::{
    TantivyError, Term,
    collector::Count,
    query::{BooleanQuery, FuzzyTermQuery, Query, TermQuery},
    schema::{Field, IndexRecordOption},
    tokenizer::TokenizerManager,
};

use super::{
    analysis::{KEYS, PAIRS, WORDS, terms, tokens},
    listing::end_of,
    schema::Fields,
    snapshot::Snapshot,
};
use crate::{
    catalogue::{
        Spelling,
        wording::{
            hangul::{compose, is_letter},
            korean::{is_hangul, without_particle},
        },
    },
    documents::StoreError,
};

/// Shorter words, in letters, are not corrected: too many others are near.
const SHORTEST: usize = 4;
/// From this many letters on, two slips are looked through.
const LONG: usize = 8;

/// The dictionary of one snapshot.
pub(super) struct Speller<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) fields: &'a Fields,
    pub(super) analysers: &'a TokenizerManager,
}

impl Speller<'_> {
    /// What is known of a word, and of each part where scripts change: `lg전쟈` is `lg` and `전쟈`.
    pub(super) fn spelling(&self, word: &str) -> Result<Spelling, StoreError> {
        let parts = tokens(self.analysers, KEYS, word);
        let mut corrected = String::new();
        let (mut known, mut all_near, mut at) = (!parts.is_empty(), true, 0);
        for part in parts {
            let typed = &word[part.offset_from..part.offset_to];
            corrected.push_str(&word[at..part.offset_from]);
            at = part.offset_to;
            if self.knows(typed, &part.text)? {
                corrected.push_str(typed);
                continue;
            }
            known = false;
            match self.nearest(&part.text)? {
                Some(near) => corrected.push_str(&near),
                None => all_near = false,
            }
        }
        corrected.push_str(&word[at..]);
        let suggestion = (at > 0 && !known && all_near).then_some(corrected);
        Ok(Spelling { known, suggestion })
    }

    fn knows(&self, typed: &str, keys: &str) -> Result<bool, StoreError> {
        if self.has_beginning(keys, |term| term == keys)? {
            return Ok(true);
        }
        if typed.starts_with(is_hangul) {
            self.knows_hangul(typed, keys)
        } else {
            self.knows_inflected(typed)
        }
    }

    /// Another form of a word that is there.
    fn knows_inflected(&self, typed: &str) -> Result<bool, StoreError> {
        let stem = |word: &str| terms(self.analysers, WORDS, word);
        let stemmed = stem(typed);
        // What is no term at all, as `the`, is right as it is.
        let Some(root) = stemmed.first() else {
            return Ok(true);
        };
        // battery and batteries share batteri: the last letter of a stem may be no letter of the word.
        let beginning = match root.char_indices().next_back() {
            Some((last, _)) if last >= 3 => &root[..last],
            _ => root,
        };
        self.has_beginning(beginning, |term| stem(term) == stemmed)
    }

    /// With a particle, begun, or a compound of what is there.
    fn knows_hangul(&self, typed: &str, keys: &str) -> Result<bool, StoreError> {
        let key_terms = |text: &str| terms(self.analysers, KEYS, text);
        if let Some(stem) = without_particle(typed).and_then(|stem| key_terms(stem).pop())
            && self.has_beginning(&stem, |_| true)?
        {
            return Ok(true);
        }
        let pairs = terms(self.analysers, PAIRS, typed);
        if pairs.is_empty() {
            return Ok(false);
        }
        if self.has_beginning(keys, |_| true)? {
            return Ok(true);
        }
        let pair = |pair: &String| {
            let term = Term::from_field_text(self.fields.pairs, pair);
            Box::new(TermQuery::new(term, IndexRecordOption::Basic)) as Box<dyn Query>
        };
        let all = BooleanQuery::intersection(pairs.iter().map(pair).collect());
        Ok(self.snapshot.searcher.search(&all, &Count)? > 0)
    }

    /// Whether a word that begins so is there, and fits.
    fn has_beginning(&self, beginning: &str, fits: impl Fn(&str) -> bool) -> Result<bool, StoreError> {
        self.any_term(|field, segment| {
            let inverted = segment.inverted_index(field).map_err(io::Error::other)?;
            let mut terms = inverted.terms().range().ge(beginning);
            if let Some(end) = end_of(beginning.as_bytes()) {
                terms = terms.lt(end);
            }
            let mut terms = terms.into_stream()?;
            while terms.advance() {
                if str::from_utf8(terms.key()).is_ok_and(&fits) {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// The word that most products have among those that are the fewest slips away.
    fn nearest(&self, keys: &str) -> Result<Option<String>, StoreError> {
        let letters = keys.chars().count();
        let slips = match letters {
            ..SHORTEST => 0,
            SHORTEST..LONG => 1,
            LONG.. => 2,
        };
        if keys.contains(|c: char| c.is_ascii_digit()) {
            return Ok(None);
        }
        for slips in 1..=slips {
            let mut near: HashMap<String, u64> = HashMap::new();
            self.any_term(|field, segment| {
                let query = FuzzyTermQuery::new(Term::from_field_text(field, keys), slips, true);
                let inverted = segment.inverted_index(field).map_err(io::Error::other)?;
                let automaton = query.automaton().map_err(io::Error::other)?;
                let mut terms = inverted.terms().search(automaton).into_stream()?;
                while let Some((term, info)) = terms.next() {
                    if let Some(word) = str::from_utf8(term).ok().and_then(word) {
                        *near.entry(word).or_default() += u64::from(info.doc_freq);
                    }
                }
                Ok(false)
            })?;
            let best = near
                .into_iter()
                .min_by_key(|(word, products)| (Reverse(*products), word.clone()));
            if let Some((word, _)) = best {
                return Ok(Some(word));
            }
        }
        Ok(None)
    }

    /// Whether it is true in some segment, of the words of titles or of names.
    fn any_term(
        &self,
        mut is_true: impl FnMut(Field, &tantivy::SegmentReader) -> io::Result<bool>,
    ) -> Result<bool, StoreError> {
        for segment in self.snapshot.searcher.segment_readers() {
            for field in [self.fields.typed, self.fields.named] {
                if is_true(field, segment).map_err(TantivyError::from)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// Keys as the word they type; none for initials, which are no word, and for numbers.
fn word(keys: &str) -> Option<String> {
    let word = compose(keys);
    let is_none = word.contains(|c: char| is_letter(c) || c.is_ascii_digit());
    (!is_none).then_some(word)
}
