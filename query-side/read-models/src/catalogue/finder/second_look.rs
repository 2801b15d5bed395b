//! Looking for what was typed, and again for what may have been meant.

use std::sync::Arc;

use super::{tidy, trail::Trail};
use crate::{
    catalogue::{
        Filters, Instead, InsteadKind, SearchEngine, SearchError, SearchQuery, SearchResults, Sort, Wanted, Word,
        wording::{keyboard::other_language, synonyms::Synonyms},
    },
    documents::Generation,
};

/// Fewer products than this, and the words may be misspelt.
const FEW: u64 = 20;
/// Fewer than this, or only some of the words, and what may have been meant is told though something was found as typed.
const LITTLE: u64 = 5;
/// Texts of more words than this are not looked at again.
const MOST_WORDS: usize = 10;
/// Words of more letters than this are not corrected.
const LONGEST_WORD: usize = 40;

/// One search, being answered.
pub(super) struct Look<'a> {
    pub(super) engine: &'a dyn SearchEngine,
    pub(super) generation: Generation,
    pub(super) synonyms: Arc<Synonyms>,
    pub(super) query: &'a SearchQuery,
}

/// What may have been meant.
struct Correction {
    instead: Instead,
    /// The words as they were typed, of those that are others now.
    replaced: Vec<String>,
}

impl Look<'_> {
    /// What the text finds; where that is nothing or next to nothing, what it may have meant.
    pub(super) async fn first_page(&self) -> Result<SearchResults, SearchError> {
        let words = self.words(&self.query.text);
        let typed = self.find(words.clone(), None).await?;
        let mut results = if words.is_empty() || (typed.total >= FEW && !typed.partial) {
            typed
        } else {
            self.again(&words, typed).await?
        };
        results.next = results.next.take().and_then(|place| {
            let instead = results.instead.clone();
            Trail { instead, place }.write()
        });
        Ok(results)
    }

    /// A page behind the first.
    pub(super) async fn page(&self, Trail { instead, place }: Trail) -> Result<SearchResults, SearchError> {
        let text = instead.as_ref().map_or(&self.query.text, |instead| &instead.text);
        let mut results = self.find(self.words(text), Some(place)).await?;
        let trail = |place| {
            let instead = instead.clone();
            Trail { instead, place }.write()
        };
        results.next = results.next.take().and_then(trail);
        results.instead = instead;
        Ok(results)
    }

    async fn again(&self, words: &[Word], typed: SearchResults) -> Result<SearchResults, SearchError> {
        if let Some(correction) = self.correction(words).await? {
            if let Some(found) = self.corrected(&correction, &typed).await? {
                return Ok(found);
            }
            if typed.total > 0 {
                let little = typed.partial || typed.total < LITTLE;
                let did_you_mean = little.then_some(correction.instead.text);
                return Ok(SearchResults { did_you_mean, ..typed });
            }
        }
        if typed.total > 0 || self.filters_left_nothing(words).await? {
            return Ok(typed);
        }
        match self.unfinished().await? {
            Some(found) => Ok(found),
            None => self.popular().await,
        }
    }

    /// What the correction finds; none where it finds nothing, or where the words are some products' as they were typed.
    async fn corrected(
        &self,
        correction: &Correction,
        typed: &SearchResults,
    ) -> Result<Option<SearchResults>, SearchError> {
        if typed.total > 0 {
            for word in &correction.replaced {
                if self.finds_anything(Word::each(word).collect()).await? {
                    return Ok(None);
                }
            }
        }
        let found = self.find(self.words(&correction.instead.text), None).await?;
        let instead = Some(correction.instead.clone());
        Ok((found.total > 0).then_some(SearchResults { instead, ..found }))
    }

    /// Words that no product has, as they may have been meant.
    async fn correction(&self, words: &[Word]) -> Result<Option<Correction>, SearchError> {
        if words.len() > MOST_WORDS {
            return Ok(None);
        }
        let candidates: Vec<&Word> = words.iter().filter(|word| may_be_misspelt(word)).collect();
        let typed: Vec<String> = candidates.iter().map(|word| bare(&word.typed).to_owned()).collect();
        let spellings = self.engine.spellings(self.generation, &typed).await?;
        let (mut kind, mut replaced) = (InsteadKind::Spelling, vec![]);
        for (word, spelling) in typed.into_iter().zip(spellings).filter(|(_, spelling)| !spelling.known) {
            if let Some(other) = self.in_other_language(&word).await? {
                kind = InsteadKind::Keyboard;
                replaced.push((word, other));
            } else if let Some(suggestion) = spelling.suggestion {
                replaced.push((word, suggestion));
            }
        }
        if replaced.is_empty() {
            return Ok(None);
        }
        let meant = words.iter().map(|word| {
            let other = replaced.iter().find(|(typed, _)| typed == bare(&word.typed));
            other.map_or(word.typed.as_str(), |(_, meant)| meant)
        });
        let text = meant.collect::<Vec<_>>().join(" ");
        Ok(Some(Correction {
            instead: Instead { kind, text },
            replaced: replaced.into_iter().map(|(typed, _)| typed).collect(),
        }))
    }

    /// The word with the keyboard in the other language, where some product has that.
    async fn in_other_language(&self, word: &str) -> Result<Option<String>, SearchError> {
        match other_language(word) {
            Some(other) if self.finds_anything(self.words(&other)).await? => Ok(Some(other)),
            _ => Ok(None),
        }
    }

    /// The text finds something, though not within these filters.
    async fn filters_left_nothing(&self, words: &[Word]) -> Result<bool, SearchError> {
        Ok(self.is_narrowed() && self.finds_anything(words.to_vec()).await?)
    }

    fn is_narrowed(&self) -> bool {
        self.query.filters != Filters::default()
    }

    /// Products whose titles go on like that. There are no filters for those.
    async fn unfinished(&self) -> Result<Option<SearchResults>, SearchError> {
        if self.is_narrowed() {
            return Ok(None);
        }
        let text = tidy(&self.query.text);
        let found = self.engine.complete(self.generation, &text, self.query.size).await?;
        let kind = InsteadKind::Unfinished;
        Ok((!found.products.is_empty()).then(|| SearchResults {
            total: found.products.len() as u64,
            hits: found.products,
            instead: Some(Instead { kind, text }),
            ..SearchResults::default()
        }))
    }

    /// What is bought most. Nothing was found, so the total is 0.
    async fn popular(&self) -> Result<SearchResults, SearchError> {
        let wanted = Wanted {
            sort: Sort::Popularity,
            ..self.wanted(vec![], None)
        };
        let bought = self.engine.search(self.generation, &wanted).await?;
        let kind = InsteadKind::Popular;
        let text = String::new();
        Ok(SearchResults {
            instead: (!bought.hits.is_empty()).then_some(Instead { kind, text }),
            hits: bought.hits,
            ..SearchResults::default()
        })
    }

    fn words(&self, text: &str) -> Vec<Word> {
        self.synonyms.words(&tidy(text))
    }

    async fn find(&self, words: Vec<Word>, after: Option<Vec<u8>>) -> Result<SearchResults, SearchError> {
        self.engine.search(self.generation, &self.wanted(words, after)).await
    }

    /// Whatever the filters.
    async fn finds_anything(&self, words: Vec<Word>) -> Result<bool, SearchError> {
        let wanted = Wanted {
            words,
            size: 1,
            ..Wanted::default()
        };
        Ok(self.engine.search(self.generation, &wanted).await?.total > 0)
    }

    fn wanted(&self, words: Vec<Word>, after: Option<Vec<u8>>) -> Wanted {
        Wanted {
            words,
            filters: self.query.filters.clone(),
            sort: self.query.sort,
            size: self.query.size,
            after,
        }
    }
}

/// The word without what stands around it: `"kettle",` is `kettle`.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

/// One word that the shop's keeper did not give a meaning, without digits: those are codes, and codes have no spelling.
fn may_be_misspelt(word: &Word) -> bool {
    let letters = bare(&word.typed);
    word.synonyms.is_empty()
        && (2..=LONGEST_WORD).contains(&letters.chars().count())
        && letters.chars().all(|c| c.is_alphabetic() || c == '\'')
}
