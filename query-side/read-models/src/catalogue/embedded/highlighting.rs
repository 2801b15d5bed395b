//! Where the words were found: HTML that is safe to show.

use std::ops::Range;

use tantivy::tokenizer::{TextAnalyzer, TokenizerManager};

use super::{
    analysis::{PAIRS, WORDS},
    question::Question,
};
use crate::catalogue::Highlight;

/// About so many bytes of a description are shown.
const SNIPPET: usize = 240;
/// Descriptions are searched for words no further than this.
const FURTHEST: usize = 16_384;

/// Marks what was asked for.
pub(super) struct Marker<'a> {
    words: TextAnalyzer,
    pairs: TextAnalyzer,
    terms: (Vec<&'a str>, Vec<&'a str>),
}

impl<'a> Marker<'a> {
    pub(super) fn of(question: &'a Question, analysers: &TokenizerManager) -> Self {
        Self {
            words: analysers.get(WORDS).unwrap_or_default(),
            pairs: analysers.get(PAIRS).unwrap_or_default(),
            terms: question.terms(),
        }
    }

    pub(super) fn highlight(&mut self, title: &str, description: &str) -> Highlight {
        if self.terms.0.is_empty() {
            return Highlight::default();
        }
        let description = &description[..description.floor_char_boundary(FURTHEST)];
        let found = self.found(description);
        let snippet = found.first().map(|first| snippet(description, first.start));
        Highlight {
            title: Some(self.found(title))
                .filter(|found| !found.is_empty())
                .map(|found| mark(title, 0..title.len(), &found)),
            description: snippet.map(|piece| mark(description, piece, &found)),
        }
    }

    /// Where the terms stand, in order, not overlapping.
    fn found(&mut self, text: &str) -> Vec<Range<usize>> {
        let mut places = places(&mut self.words, text, &self.terms.0);
        if !self.terms.1.is_empty() {
            places.extend(places_of_pairs(&mut self.pairs, text, &self.terms.1));
        }
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

fn places(analyser: &mut TextAnalyzer, text: &str, terms: &[&str]) -> Vec<Range<usize>> {
    let mut stream = analyser.token_stream(text);
    let mut places = vec![];
    while stream.advance() {
        let token = stream.token();
        if terms.contains(&token.text.as_str()) {
            places.push(token.offset_from..token.offset_to);
        }
    }
    places
}

/// Pairs are found one by one; marked, they grow together to the word they came from.
fn places_of_pairs(analyser: &mut TextAnalyzer, text: &str, pairs: &[&str]) -> Vec<Range<usize>> {
    places(analyser, text, pairs)
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
        Marker::of(&question, &analysers).highlight(title, description)
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
