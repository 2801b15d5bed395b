//! The port: what every search engine can do.

use async_trait::async_trait;

use super::{Filters, SearchError, SearchResults, Sort};
use crate::{
    catalogue::SearchHit,
    documents::{DocumentStore, Generation},
};

/// What is looked for, read: the customer's text is words by now, with what means the same. Never a query language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What the customer typed, word by word; none to walk through the catalogue.
    pub words: Vec<Word>,
    /// Only these products.
    pub filters: Filters,
    /// In which order; without words, relevance means newest.
    pub sort: Sort,
    /// At most so many hits, 1 to [`super::SearchQuery::MAX_SIZE`].
    pub size: usize,
    /// Behind this place: what the same engine gave out as `next`.
    pub after: Option<Vec<u8>>,
}

/// A word of the customer's, or several that mean one thing together (`cell phone`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// As typed.
    pub typed: String,
    /// What means the same; each a word, or several that must all be there.
    pub synonyms: Vec<String>,
}

impl Word {
    /// The words of a text, without synonyms.
    pub fn each(text: &str) -> impl Iterator<Item = Self> {
        let typed = text.split(|c: char| c.is_whitespace() || c.is_control());
        typed.filter(|typed| !typed.is_empty()).map(|typed| Self {
            typed: typed.to_owned(),
            synonyms: vec![],
        })
    }
}

/// What an engine knows of a word's spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spelling {
    /// Products have the word, as it stands or inflected.
    pub known: bool,
    /// The most likely word that was meant; none where there is none near.
    pub suggestion: Option<String>,
}

/// How what is being typed may go on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completions {
    /// Products whose titles go on like that, those bought most first.
    pub products: Vec<SearchHit>,
    /// Categories by their path, those with most products first.
    pub categories: Vec<String>,
}

/// Holds the catalogue, and finds things in it.
#[async_trait]
pub trait SearchEngine: DocumentStore {
    /// Products that have all the words; if hardly any has, those that have some as well. Everything but
    /// [`SearchResults::instead`] and [`SearchResults::did_you_mean`] is filled in. A walk from page to page sees the
    /// generation as it was when the walk began, for some minutes at least.
    ///
    /// # Errors
    /// See [`SearchError`]; so for all that follow.
    async fn search(&self, generation: Generation, wanted: &Wanted) -> Result<SearchResults, SearchError>;

    /// How what is being typed may go on: the last word may be unfinished, its last syllable too.
    async fn complete(&self, generation: Generation, typed: &str, size: usize) -> Result<Completions, SearchError>;

    /// What the engine knows of each word.
    async fn spellings(&self, generation: Generation, words: &[String]) -> Result<Vec<Spelling>, SearchError>;
}
