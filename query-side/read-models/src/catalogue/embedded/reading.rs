//! How this engine reads texts, for engines elsewhere: so that all read them alike.

use std::sync::LazyLock;

use tantivy::tokenizer::TokenizerManager;

use super::{
    analysis::{WORDS, analysers},
    highlighting::{Analysed, Marker},
    question::Question,
    schema::schema,
};
use crate::catalogue::{Highlight, Word};

static ANALYSERS: LazyLock<TokenizerManager> = LazyLock::new(analysers);

/// Whether there are words in a text, and not only signs and words that say nothing (`the`).
pub(crate) fn has_words(text: &str) -> bool {
    let analyser = ANALYSERS.get(WORDS);
    analyser.is_some_and(|mut analyser| analyser.token_stream(text).advance())
}

/// Marks what was asked for in what was found.
pub(crate) struct Highlighter(Marker);

impl Highlighter {
    /// For these words.
    pub(crate) fn of(words: &[Word]) -> Self {
        Self(Marker::of(&Question::read(words, schema().1, &ANALYSERS)))
    }

    /// Where they are in a product's texts.
    pub(crate) fn highlight(&self, title: &str, description: &str) -> Highlight {
        let analysed = |text: &str| Analysed::new(text.to_owned(), &ANALYSERS);
        self.0.highlight(&analysed(title), &analysed(description))
    }
}
