//! What the customer typed, as a query. It is never a query language: every character is text.

use tantivy::{
    Term,
    query::{AllQuery, BooleanQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, Query, TermQuery},
    schema::{Field, IndexRecordOption},
    tokenizer::{TextAnalyzer, TokenizerManager},
};

use super::{
    analysis::{self, JOINED, PAIRS, WORDS},
    schema::Fields,
    scoring::{Counts, ScoredTerm},
};
use crate::catalogue::{
    Filters, Word,
    formula::{CODE, COMPOUND, KIND, MOST_WORDS, NEIGHBOURS, PAIR, SYNONYM},
    wording::words::in_one,
};

/// The terms of a question, for finding and for highlighting.
pub(super) struct Question {
    fields: Fields,
    words: TextAnalyzer,
    joined: TextAnalyzer,
    pairs: TextAnalyzer,
    chunks: Vec<Chunk>,
}

/// What stood between two spaces.
struct Chunk {
    /// Terms by place; those at one place are spellings of one word.
    words: Vec<Vec<String>>,
    synonyms: Vec<Vec<Vec<String>>>,
    /// In one word: without the signs in it, and with the next chunk.
    compound: Option<String>,
    with_next: Option<String>,
    pairs: Vec<String>,
    code: Option<String>,
}

impl Question {
    /// Reads what was typed.
    pub(super) fn read(wanted: &[Word], fields: Fields, analysers: &TokenizerManager) -> Self {
        let mut question = Self {
            fields,
            words: analysers.get(WORDS).unwrap_or_default(),
            joined: analysers.get(JOINED).unwrap_or_default(),
            pairs: analysers.get(PAIRS).unwrap_or_default(),
            chunks: vec![],
        };
        let wanted = &wanted[..wanted.len().min(MOST_WORDS)];
        let nexts = wanted.iter().skip(1).map(Some).chain([None]);
        for (word, next) in wanted.iter().zip(nexts) {
            let chunk = question.chunk_of(word, next);
            if !chunk.words.is_empty() || chunk.code.is_some() {
                question.chunks.push(chunk);
            }
        }
        question
    }

    fn chunk_of(&mut self, Word { typed, synonyms }: &Word, next: Option<&Word>) -> Chunk {
        let alone = in_one(typed);
        let with_next = next.map(|next| in_one(&next.typed)).filter(|next| !next.is_empty());
        let with_next = with_next
            .map(|next| alone.clone() + &next)
            .filter(|_| !alone.is_empty());
        let mut in_one_word = |text: &str| places(&mut self.joined, text).into_iter().flatten().next();
        Chunk {
            compound: in_one_word(&alone),
            with_next: with_next.and_then(|text| in_one_word(&text)),
            words: places(&mut self.words, typed),
            synonyms: synonyms.iter().map(|text| places(&mut self.words, text)).collect(),
            pairs: places(&mut self.pairs, typed).into_iter().flatten().collect(),
            code: analysis::code(typed),
        }
    }

    /// Nothing to look for: browse.
    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The terms of each kind, for highlighting.
    pub(super) fn terms(&self) -> (Vec<&str>, Vec<&str>) {
        let words = self
            .chunks
            .iter()
            .flat_map(|chunk| chunk.words.iter().chain(chunk.synonyms.iter().flatten()).flatten());
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
        let before = [None].into_iter().chain(self.chunks.iter().map(Some));
        let chunks = self.chunks.iter().zip(before);
        let chunks = chunks.map(|(chunk, before)| (Occur::Should, self.chunk(chunk, before)));
        let words = BooleanQuery::with_minimum_required_clauses(chunks.collect(), words_needed);
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = vec![(Occur::Must, Box::new(words))];
        clauses.extend(self.tie_breaks().map(|says_more| (Occur::Should, says_more)));
        Box::new(BooleanQuery::new(clauses))
    }

    /// What decides between products that have the same words.
    fn tie_breaks(&self) -> impl Iterator<Item = Box<dyn Query>> {
        let neighbours = self.chunks.iter().filter_map(|chunk| chunk.with_next.as_ref());
        let neighbours = neighbours.map(|term| self.presence(self.fields.joined, term, NEIGHBOURS));
        let last = self.chunks.last().and_then(|chunk| chunk.words.last());
        let kinds = last.into_iter().flatten();
        neighbours.chain(kinds.map(|term| self.presence(self.fields.kinds, term, KIND)))
    }

    fn chunk(&self, chunk: &Chunk, before: Option<&Chunk>) -> Box<dyn Query> {
        let mut ways = vec![];
        if !chunk.words.is_empty() {
            ways.push(self.all(&chunk.words, 1.0));
        }
        let synonyms = chunk.synonyms.iter().filter(|words| !words.is_empty());
        ways.extend(synonyms.map(|words| self.all(words, SYNONYM)));
        // "smartwatch" is found where "smart watch" stands, and with both words of "head set" a headset.
        if let Some(compound) = &chunk.compound {
            ways.push(self.presence(self.fields.joined, compound, COMPOUND));
        }
        let with_others = [
            chunk.with_next.as_ref(),
            before.and_then(|before| before.with_next.as_ref()),
        ];
        ways.extend(
            with_others
                .into_iter()
                .flatten()
                .map(|compound| self.frequency(self.fields.words, compound, COMPOUND)),
        );
        if !chunk.pairs.is_empty() {
            let pair = |term: &String| (Occur::Should, self.frequency(self.fields.pairs, term, PAIR));
            let pairs = chunk.pairs.iter().map(pair).collect();
            // A compound typed in one word may be written in two: the pair across the gap is missing then.
            let needed = (chunk.pairs.len() * 2).div_ceil(3);
            ways.push(Box::new(BooleanQuery::with_minimum_required_clauses(pairs, needed)));
        }
        if let Some(code) = &chunk.code {
            ways.push(self.presence(self.fields.code, code, CODE));
        }
        any(ways)
    }

    /// All of these words, each in one of its spellings.
    fn all(&self, words: &[Vec<String>], boost: f32) -> Box<dyn Query> {
        let word = |spellings: &Vec<String>| {
            let spellings = spellings
                .iter()
                .map(|term| self.frequency(self.fields.words, term, boost));
            any(spellings.collect())
        };
        match words {
            [only] => word(only),
            words => {
                let words = words.iter().map(|spellings| (Occur::Must, word(spellings)));
                Box::new(BooleanQuery::new(words.collect()))
            }
        }
    }

    fn frequency(&self, field: Field, text: &str, boost: f32) -> Box<dyn Query> {
        let (term, counts) = (Term::from_field_text(field, text), Counts::Frequency);
        Box::new(ScoredTerm { term, counts, boost })
    }

    fn presence(&self, field: Field, text: &str, boost: f32) -> Box<dyn Query> {
        let (term, counts) = (Term::from_field_text(field, text), Counts::Presence);
        Box::new(ScoredTerm { term, counts, boost })
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

/// Any of these; the one that fits best counts, since each is only another way to say the same.
fn any(mut ways: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    match ways.pop() {
        Some(only) if ways.is_empty() => only,
        last => Box::new(DisjunctionMaxQuery::new(ways.into_iter().chain(last).collect())),
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
