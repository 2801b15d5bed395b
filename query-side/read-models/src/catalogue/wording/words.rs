//! A text, word by word, as every engine is to see it.

use super::{hangul::is_letter, korean::is_hangul};

/// Words that bind others together and name nothing. Those of Lucene's and tantivy's English analysers.
const BINDING: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of",
    "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with",
];

/// Runs of letters and digits with their place in bytes, cut where Hangul begins or ends: `LG전자` is two words, `10개입` too.
pub(crate) fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let kind = |c: char| match c {
        c if is_hangul(c) || is_letter(c) => 2,
        c if c.is_alphanumeric() => 1,
        _ => 0,
    };
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, first) = rest.find(|(_, c)| kind(*c) != 0)?;
        let mut end = start + first.len_utf8();
        while let Some((at, c)) = rest.next_if(|(_, c)| kind(*c) == kind(first)) {
            end = at + c.len_utf8();
        }
        Some((start, &text[start..end]))
    })
}

/// The letters and digits of a text, in one word.
pub(crate) fn in_one(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Whether a word only binds others.
pub(super) fn binds(word: &str) -> bool {
    BINDING.iter().any(|binding| word.eq_ignore_ascii_case(binding))
}
