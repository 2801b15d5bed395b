//! What the customer typed, as a query. It is never a query language: every character is text.

use tantivy::{
    Term,
    query::{AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, Occur, Query, TermQuery},
    schema::{Field, IndexRecordOption},
    tokenizer::{TextAnalyzer, TokenizerManager},
};

use super::{
    analysis::{self, PAIRS, WORDS},
    schema::Fields,
};
use crate::catalogue::{Filters, Word};

/// Nobody means more words than this; the rest is left out.
const MOST_WORDS: usize = 24;
/// An exact code counts more than any word.
const CODE_BOOST: f32 = 4.0;
/// A pair of syllables says less than a word.
const PAIR_BOOST: f32 = 0.4;

/// The terms of a question, for finding and for highlighting.
pub(super) struct Question {
    fields: Fields,
    words: TextAnalyzer,
    pairs: TextAnalyzer,
    chunks: Vec<Chunk>,
}

/// What stood between two spaces.
struct Chunk {
    /// Terms by place; those at one place are spellings of one word.
    words: Vec<Vec<String>>,
    pairs: Vec<String>,
    code: Option<String>,
}

impl Question {
    /// Reads what was typed.
    pub(super) fn read(wanted: &[Word], fields: Fields, analysers: &TokenizerManager) -> Self {
        let mut question = Self {
            fields,
            words: analysers.get(WORDS).unwrap_or_default(),
            pairs: analysers.get(PAIRS).unwrap_or_default(),
            chunks: vec![],
        };
        for Word { typed, .. } in wanted.iter().take(MOST_WORDS) {
            let chunk = Chunk {
                words: places(&mut question.words, typed),
                pairs: places(&mut question.pairs, typed).into_iter().flatten().collect(),
                code: analysis::code(typed),
            };
            if !chunk.words.is_empty() || chunk.code.is_some() {
                question.chunks.push(chunk);
            }
        }
        question
    }

    /// Nothing to look for: browse.
    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The terms of each kind, for highlighting.
    pub(super) fn terms(&self) -> (Vec<&str>, Vec<&str>) {
        let words = self.chunks.iter().flat_map(|chunk| chunk.words.iter().flatten());
        let pairs = self.chunks.iter().flat_map(|chunk| &chunk.pairs);
        (words.map(String::as_str).collect(), pairs.map(String::as_str).collect())
    }

    /// The query: how many of the words must be there.
    pub(super) fn query(&self, filters: &Filters, words_needed: usize) -> Box<dyn Query> {
        let mut clauses = self.filters(filters);
        if !self.is_empty() {
            clauses.push((Occur::Must, self.text(words_needed)));
        }
        if clauses.is_empty() {
            return Box::new(AllQuery);
        }
        Box::new(BooleanQuery::new(clauses))
    }

    /// How many words were asked for.
    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// The query without the filters.
    pub(super) fn text(&self, words_needed: usize) -> Box<dyn Query> {
        let clauses = self
            .chunks
            .iter()
            .map(|chunk| (Occur::Should, self.chunk(chunk)))
            .collect();
        Box::new(BooleanQuery::with_minimum_required_clauses(clauses, words_needed))
    }

    fn chunk(&self, chunk: &Chunk) -> Box<dyn Query> {
        let mut ways: Vec<(Occur, Box<dyn Query>)> = vec![];
        let places = chunk.words.iter().map(|spellings| {
            let spelling = |term: &String| (Occur::Should, self.term(self.fields.words, term, 1.0));
            let word = BooleanQuery::new(spellings.iter().map(spelling).collect());
            (Occur::Must, Box::new(word) as Box<dyn Query>)
        });
        let places: Vec<_> = places.collect();
        if !places.is_empty() {
            ways.push((Occur::Should, Box::new(BooleanQuery::new(places))));
        }
        if !chunk.pairs.is_empty() {
            let pair = |term: &String| (Occur::Should, self.term(self.fields.pairs, term, PAIR_BOOST));
            let pairs = chunk.pairs.iter().map(pair).collect();
            // A compound typed in one word may be written in two: the pair across the gap is missing then.
            let needed = (chunk.pairs.len() * 2).div_ceil(3);
            ways.push((
                Occur::Should,
                Box::new(BooleanQuery::with_minimum_required_clauses(pairs, needed)),
            ));
        }
        if let Some(code) = &chunk.code {
            ways.push((Occur::Should, self.term(self.fields.code, code, CODE_BOOST)));
        }
        Box::new(BooleanQuery::new(ways))
    }

    fn term(&self, field: Field, text: &str, boost: f32) -> Box<dyn Query> {
        let query = TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs);
        Box::new(BoostQuery::new(Box::new(query), boost))
    }

    /// The filters that have no facet; see [`super::narrowing`] for the others.
    fn filters(&self, search: &Filters) -> Vec<(Occur, Box<dyn Query>)> {
        let in_stock = search.in_stock.map(|wanted| {
            let term = Term::from_field_bool(self.fields.in_stock, wanted);
            // Filters choose; they do not say which product fits better.
            let silent = ConstScoreQuery::new(Box::new(TermQuery::new(term, IndexRecordOption::Basic)), 0.0);
            (Occur::Must, Box::new(silent) as Box<dyn Query>)
        });
        in_stock.into_iter().collect()
    }
}

/// The terms of a text, those at one place together.
fn places(analyser: &mut TextAnalyzer, text: &str) -> Vec<Vec<String>> {
    let mut stream = analyser.token_stream(text);
    let mut places: Vec<(usize, Vec<String>)> = vec![];
    while stream.advance() {
        let token = stream.token();
        let text = token.text.clone();
        match places.last_mut() {
            Some((position, spellings)) if *position == token.position => spellings.push(text),
            _ => places.push((token.position, vec![text])),
        }
    }
    places.truncate(MOST_WORDS);
    places.into_iter().map(|(_, spellings)| spellings).collect()
}
