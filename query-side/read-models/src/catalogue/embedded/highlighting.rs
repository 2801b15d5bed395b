//! Where the words were found: HTML that is safe to show.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
};

use tantivy::tokenizer::TokenizerManager;

use super::{
    analysis::{PAIRS, WORDS, tokens},
    question::Question,
};
use crate::catalogue::{Highlight, wording::korean::is_hangul};

/// About so many bytes of a description are shown.
const SNIPPET: usize = 240;
/// Descriptions are searched for words no further than this.
const FURTHEST: usize = 16_384;

/// A text with its terms and where they stand. Cutting a text into terms costs far more than looking for some of them, so it
/// is done once for all searches that show the text.
#[derive(Debug)]
pub(super) struct Analysed {
    pub(super) text: String,
    terms: Vec<(TermHash, u32, u32)>,
}

/// A term of an analyser. Two terms that share a hash would mark a word too many, one in 2^64.
type TermHash = u64;

fn hash(analyser: &str, term: &str) -> TermHash {
    let mut hasher = DefaultHasher::new();
    (analyser, term).hash(&mut hasher);
    hasher.finish()
}

impl Analysed {
    pub(super) fn new(text: String, analysers: &TokenizerManager) -> Self {
        let begin = &text[..text.floor_char_boundary(FURTHEST)];
        let mut terms = vec![];
        let kinds = [(WORDS, true), (PAIRS, begin.contains(is_hangul))];
        for (analyser, _) in kinds.into_iter().filter(|(_, occurs)| *occurs) {
            for token in tokens(analysers, analyser, begin) {
                let places = u32::try_from(token.offset_from)
                    .ok()
                    .zip(u32::try_from(token.offset_to).ok());
                terms.extend(places.map(|(from, to)| (hash(analyser, &token.text), from, to)));
            }
        }
        Self { text, terms }
    }

    /// Where the terms stand, in order, not overlapping. Pairs of syllables grow together to the word they came from.
    fn find(&self, wanted: &[TermHash]) -> Vec<Range<usize>> {
        let found = self.terms.iter().filter(|(hash, _, _)| wanted.contains(hash));
        let mut places: Vec<_> = found.map(|(_, from, to)| *from as usize..*to as usize).collect();
        places.sort_unstable_by_key(|place| (place.start, place.end));
        let mut apart: Vec<Range<usize>> = vec![];
        for place in places {
            match apart.last_mut() {
                Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
                _ => apart.push(place),
            }
        }
        apart
    }
}

/// Marks what was asked for.
pub(super) struct Marker {
    wanted: Vec<TermHash>,
}

impl Marker {
    pub(super) fn of(question: &Question) -> Self {
        let (words, pairs) = question.terms();
        let words = words.into_iter().map(|word| hash(WORDS, word));
        let pairs = pairs.into_iter().map(|pair| hash(PAIRS, pair));
        Self {
            wanted: words.chain(pairs).collect(),
        }
    }

    pub(super) fn highlight(&self, title: &Analysed, description: &Analysed) -> Highlight {
        if self.wanted.is_empty() {
            return Highlight::default();
        }
        let found = description.find(&self.wanted);
        let text = &description.text[..description.text.floor_char_boundary(FURTHEST)];
        let snippet = found.first().map(|first| snippet(text, first.start));
        let title_found = Some(title.find(&self.wanted)).filter(|found| !found.is_empty());
        Highlight {
            title: title_found.map(|found| mark(&title.text, 0..title.text.len(), &found)),
            description: snippet.map(|piece| mark(text, piece, &found)),
        }
    }
}

/// The piece of a text around a place, from one space to another.
fn snippet(text: &str, place: usize) -> Range<usize> {
    let from = text.floor_char_boundary(place.saturating_sub(SNIPPET / 4));
    let from = if from == 0 {
        0
    } else {
        text[from..place]
            .find(char::is_whitespace)
            .map_or(place, |at| from + at + 1)
    };
    // The character found may be wider than one byte.
    let from = text.ceil_char_boundary(from);
    let to = text.floor_char_boundary((from + SNIPPET).min(text.len()));
    if to == text.len() {
        return from..to;
    }
    let to = text[from..to]
        .rfind(char::is_whitespace)
        .filter(|at| from + at > place)
        .map_or(to, |at| from + at);
    from..to
}

/// The piece as HTML, the places in it emphasised.
fn mark(text: &str, piece: Range<usize>, places: &[Range<usize>]) -> String {
    let mut html = String::with_capacity(piece.len() + 16 * places.len());
    if piece.start > 0 {
        html.push('…');
    }
    let mut at = piece.start;
    for place in places
        .iter()
        .filter(|place| place.start >= piece.start && place.end <= piece.end)
    {
        escape(&text[at..place.start], &mut html);
        html.push_str("<em>");
        escape(&text[place.clone()], &mut html);
        html.push_str("</em>");
        at = place.end;
    }
    escape(&text[at..piece.end], &mut html);
    if piece.end < text.len() {
        html.push('…');
    }
    html
}

fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{
        Word,
        embedded::{analysis::analysers, schema},
    };

    fn highlight(query: &str, title: &str, description: &str) -> Highlight {
        let analysers = analysers();
        let question = Question::read(&Word::each(query).collect::<Vec<_>>(), schema::schema().1, &analysers);
        let analysed = |text: &str| Analysed::new(text.to_owned(), &analysers);
        Marker::of(&question).highlight(&analysed(title), &analysed(description))
    }

    #[test]
    fn words_are_marked_and_html_is_escaped() {
        let found = highlight("grinder", "<b>Coffee</b> Grinders & more", "Nothing.");
        assert_eq!(
            found.title.as_deref(),
            Some("&lt;b&gt;Coffee&lt;/b&gt; <em>Grinders</em> &amp; more")
        );
        assert_eq!(found.description, None);
    }

    #[test]
    fn korean_is_marked_without_its_particle() {
        let found = highlight("커피를", "핸드드립 커피머신", "");
        assert_eq!(found.title.as_deref(), Some("핸드드립 <em>커피</em>머신"));
    }

    #[test]
    fn a_long_description_is_cut_around_the_word() {
        let text = format!("{} needle {}", "가나다 ".repeat(100), "라마바 ".repeat(100));
        let html = highlight("needle", "", &text).description.unwrap();
        assert!(
            html.starts_with('…') && html.ends_with('…') && html.contains("<em>needle</em>"),
            "{html}"
        );
        assert!(html.len() < 2 * SNIPPET, "{}", html.len());
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_typed_is_marked_without_a_panic(query in ".{0,40}", title in ".{0,80}", text in ".{0,600}") {
            highlight(&query, &title, &text);
            highlight(&text, &title, &text);
        }
    }
}
