//! How much a term says of a product: BM25 with constants of our own, which tantivy's does not allow.

use std::sync::Arc;

use tantivy::{
    DocId, DocSet, Score, SegmentReader, TERMINATED, TantivyError, Term,
    fieldnorm::FieldNormReader,
    postings::{Postings, SegmentPostings},
    query::{EmptyScorer, EnableScoring, Explanation, Query, Scorer, TermQuery, Weight},
    schema::IndexRecordOption,
};

/// How soon saying a word again adds nothing, in the weights of [`super::schema`].
const K1: f32 = 2.0;
/// How much a long text dilutes its words, from 0 to 1. Product texts are short and long for good reasons: less than in prose.
const B: f32 = 0.45;

/// A term that is looked for, worth up to the logarithm of its rarity.
#[derive(Debug, Clone)]
pub(super) struct ScoredTerm {
    pub(super) term: Term,
    pub(super) counts: Counts,
    pub(super) boost: f32,
}

/// What of a term counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// How often it stands there, against the length of the text.
    Frequency,
    /// That it is there.
    Presence,
}

impl Query for ScoredTerm {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let EnableScoring::Enabled {
            statistics_provider: statistics,
            ..
        } = scoring
        else {
            return TermQuery::new(self.term.clone(), IndexRecordOption::Basic).weight(scoring);
        };
        let (with, all) = (
            statistics.doc_freq(&self.term)? as f32,
            statistics.total_num_docs()?.max(1) as f32,
        );
        let rarity = (1.0 + (all - with + 0.5).max(0.0) / (with + 0.5)).ln();
        let tokens = match self.counts {
            Counts::Frequency => statistics.total_num_tokens(self.term.field())?.max(1),
            Counts::Presence => 1,
        };
        let average = tokens as f32 / all;
        let dampers = std::array::from_fn(|id| {
            let length = FieldNormReader::id_to_fieldnorm(id as u8) as f32;
            K1 * (1.0 - B + B * length / average)
        });
        Ok(Box::new(ScoredWeight {
            term: self.term.clone(),
            counts: self.counts,
            most: rarity * self.boost,
            dampers: Arc::new(dampers),
        }))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        visitor(&self.term, false);
    }
}

struct ScoredWeight {
    term: Term,
    counts: Counts,
    most: Score,
    /// By the text's length, as tantivy stores it in a byte.
    dampers: Arc<[f32; 256]>,
}

impl Weight for ScoredWeight {
    fn scorer(&self, segment: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let field = self.term.field();
        let index = segment.inverted_index(field)?;
        let (option, lengths) = match self.counts {
            Counts::Frequency => (
                IndexRecordOption::WithFreqs,
                Some(segment.get_fieldnorms_reader(field)?),
            ),
            Counts::Presence => (IndexRecordOption::Basic, None),
        };
        let Some(postings) = index.read_postings(&self.term, option)? else {
            return Ok(Box::new(EmptyScorer));
        };
        Ok(Box::new(TermScorer {
            postings,
            lengths,
            most: self.most * boost,
            dampers: Arc::clone(&self.dampers),
        }))
    }

    fn explain(&self, segment: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(segment, 1.0)?;
        if scorer.doc() > doc || scorer.seek(doc) != doc {
            return Err(TantivyError::InvalidArgument(format!("document {doc} does not match")));
        }
        Ok(Explanation::new("rarity, saturated", scorer.score()))
    }
}

struct TermScorer {
    postings: SegmentPostings,
    lengths: Option<FieldNormReader>,
    most: Score,
    dampers: Arc<[f32; 256]>,
}

impl DocSet for TermScorer {
    fn advance(&mut self) -> DocId {
        self.postings.advance()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        // The postings may stand at the target already, or at their end.
        if self.doc() == TERMINATED || self.doc() >= target {
            return self.doc();
        }
        self.postings.seek(target)
    }

    fn doc(&self) -> DocId {
        self.postings.doc()
    }

    fn size_hint(&self) -> u32 {
        self.postings.size_hint()
    }
}

impl Scorer for TermScorer {
    fn score(&mut self) -> Score {
        let Some(lengths) = &self.lengths else {
            return self.most;
        };
        let times = self.postings.term_freq() as f32;
        let damper = self.dampers[usize::from(lengths.fieldnorm_id(self.postings.doc()))];
        self.most * times / (times + damper)
    }
}
