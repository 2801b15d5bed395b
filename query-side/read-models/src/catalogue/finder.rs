//! Finding products: what the customer typed is read, looked for, and if need be looked for in another way.
//!
//! The text becomes words, words get their synonyms, and an engine finds products. Where it finds nothing or next to nothing,
//! there is a [second look](second_look): at the keyboard's language, at the spelling, at titles that go on like that; and what
//! is bought most is shown rather than nothing.

mod second_look;
mod trail;

use std::sync::Arc;

use second_look::Look;
use trail::Trail;

use super::{
    Catalogue, PastSearches, SearchEngine, SearchError, SearchQuery, SearchResults, Suggestions, SynonymFile,
    wording::{
        hangul::{compose, is_letter},
        keyboard::{in_english, in_korean},
        korean::is_hangul,
    },
};
use crate::documents::Collection;

/// Beyond this nothing is completed, in letters.
const LONGEST_BEGINNING: usize = 100;

/// Answers customers' searches with an engine.
#[derive(Clone)]
pub struct Finder {
    engine: Arc<dyn SearchEngine>,
    catalogue: Collection<Catalogue>,
    synonyms: Option<Arc<SynonymFile>>,
    past: Option<Arc<PastSearches>>,
}

impl Finder {
    /// Over the live generation of a catalogue in that engine.
    pub const fn new(engine: Arc<dyn SearchEngine>, catalogue: Collection<Catalogue>) -> Self {
        Self {
            engine,
            catalogue,
            synonyms: None,
            past: None,
        }
    }

    /// Finds what means the same, too.
    #[must_use]
    pub fn with_synonyms(mut self, synonyms: Arc<SynonymFile>) -> Self {
        self.synonyms = Some(synonyms);
        self
    }

    /// Remembers what was searched for and found, and suggests it.
    #[must_use]
    pub fn remembering(mut self, past: Arc<PastSearches>) -> Self {
        self.past = Some(past);
        self
    }

    /// What was searched for in the past, where that is remembered.
    pub fn past_searches(&self) -> Option<&PastSearches> {
        self.past.as_deref()
    }

    /// What it finds them with.
    pub(crate) fn engine(&self) -> &dyn SearchEngine {
        self.engine.as_ref()
    }

    /// Finds products.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub async fn search(&self, query: SearchQuery) -> Result<SearchResults, SearchError> {
        let live = self.catalogue.live().await;
        let look = Look {
            engine: &*self.engine,
            generation: *live,
            synonyms: self.synonyms.as_ref().map(|file| file.synonyms()).unwrap_or_default(),
            query: &query,
        };
        let Some(cursor) = &query.after else {
            let results = look.first_page().await?;
            drop(live);
            self.remember(&query.text, &results);
            return Ok(results);
        };
        look.page(Trail::read(cursor).ok_or(SearchError::BadCursor)?).await
    }

    /// How what is being typed may go on.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub async fn suggest(&self, typed: &str, size: usize) -> Result<Suggestions, SearchError> {
        if typed.trim().is_empty() || typed.chars().count() > LONGEST_BEGINNING {
            return Ok(Suggestions::default());
        }
        let begun = tidy(typed);
        let suggestions = self.suggest_as_typed(&begun, size).await?;
        if !suggestions.is_empty() {
            return Ok(suggestions);
        }
        let korean = begun.chars().any(|c| is_hangul(c) || is_letter(c));
        let other = if korean { in_english(&begun) } else { in_korean(&begun) };
        self.suggest_as_typed(&other, size).await
    }

    async fn suggest_as_typed(&self, begun: &str, size: usize) -> Result<Suggestions, SearchError> {
        let live = self.catalogue.live().await;
        let completions = self.engine.complete(*live, begun, size).await?;
        Ok(Suggestions {
            products: completions.products,
            categories: completions.categories,
            searches: self
                .past
                .as_ref()
                .map(|past| past.beginning(begun, size))
                .unwrap_or_default(),
        })
    }

    /// What found something is remembered as it should have been typed.
    fn remember(&self, typed: &str, results: &SearchResults) {
        if let Some(past) = &self.past
            && results.total > 0
            && results.did_you_mean.is_none()
        {
            past.record(results.instead.as_ref().map_or(typed, |instead| &instead.text));
        }
    }
}

/// Letters of Hangul that were typed apart come together: ㅋㅓㅍㅣ is 커피.
fn tidy(text: &str) -> String {
    let apart = |c: char| is_letter(c) || matches!(c, '\u{1100}'..='\u{11ff}');
    if text.contains(apart) {
        compose(text)
    } else {
        text.to_owned()
    }
}

impl std::fmt::Debug for Finder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finder").finish_non_exhaustive()
    }
}
