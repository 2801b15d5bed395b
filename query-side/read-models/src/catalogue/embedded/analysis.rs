//! How text becomes terms: one analyser per kind of field, the same for products and for queries.
//!
//! | field | from | terms |
//! |---|---|---|
//! | [`WORDS`] | all texts | English stemmed, without stop words and accents; Korean words, also without their particle |
//! | [`WEIGHED`] | the same, with their weight | the same, each as often as its text weighs |
//! | [`JOINED`] | two words in one | each as it stands, English stemmed, without accents |
//! | [`PAIRS`] | all texts | overlapping pairs of Hangul syllables |
//! | [`KEYS`] | brands, categories, what is typed | words as the keys that type them, lower case, without accents |
//! | [`TYPED`] | titles | the same, and the initials of Korean words |
//! | code ([`codes`]) | titles, EANs, one-word attributes | part numbers in one spelling: `DV7-1211ea` is `dv71211ea` |

use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RawTokenizer, RemoveLongFilter, Stemmer, StopWordFilter, TextAnalyzer,
    Token, TokenStream, Tokenizer, TokenizerManager, WhitespaceTokenizer,
};

use super::weighing::weighing;
use crate::catalogue::wording::{
    hangul::{initials, strokes},
    korean::{is_hangul, without_particle},
    words::runs,
};

/// The analyser of words.
pub(super) const WORDS: &str = "words";
/// The analyser of words that were [`weighed`](super::weighing::weighed).
pub(super) const WEIGHED: &str = "weighed";
/// The analyser of pairs of syllables.
pub(super) const PAIRS: &str = "pairs";

/// The analyser of words as the keys that type them.
pub(super) const KEYS: &str = "keys";
/// The same, with initials.
pub(super) const TYPED: &str = "typed";
/// The analyser of words that were joined.
pub(super) const JOINED: &str = "joined";

/// Longer terms are no words that anybody types.
const LONGEST_TERM: usize = 64;

/// The analysers by name.
pub(super) fn analysers() -> TokenizerManager {
    let manager = TokenizerManager::new();
    // What tantivy calls the terms of exact fields.
    manager.register("raw", TextAnalyzer::from(RawTokenizer::default()));
    // Asked for at every field that is not text, though never used there.
    manager.register("default", words());
    manager.register(WORDS, words());
    manager.register(WEIGHED, weighing(words()));
    manager.register(JOINED, joined());
    manager.register(PAIRS, TextAnalyzer::from(Splitter(pairs_of)));
    manager.register(KEYS, keys(keys_of));
    manager.register(TYPED, keys(keys_and_initials_of));
    manager
}

fn keys(split: fn(&str) -> Vec<Token>) -> TextAnalyzer {
    TextAnalyzer::builder(Splitter(split))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        // A letter of Hangul is three bytes.
        .filter(RemoveLongFilter::limit(3 * LONGEST_TERM))
        .build()
}

/// The tokens of a text.
pub(super) fn tokens(analysers: &TokenizerManager, analyser: &str, text: &str) -> Vec<Token> {
    let mut analyser = analysers.get(analyser).unwrap_or_default();
    let mut stream = analyser.token_stream(text);
    let mut tokens = vec![];
    stream.process(&mut |token| tokens.push(token.clone()));
    tokens
}

/// The terms of a text.
pub(super) fn terms(analysers: &TokenizerManager, analyser: &str, text: &str) -> Vec<String> {
    let tokens = tokens(analysers, analyser, text);
    tokens.into_iter().map(|token| token.text).collect()
}

fn words() -> TextAnalyzer {
    let stop = StopWordFilter::new(Language::English).unwrap_or_else(|| StopWordFilter::remove([]));
    TextAnalyzer::builder(Splitter(words_of))
        .filter(RemoveLongFilter::limit(LONGEST_TERM))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .filter(stop)
        .filter(Stemmer::new(Language::English))
        .build()
}

fn joined() -> TextAnalyzer {
    TextAnalyzer::builder(WhitespaceTokenizer::default())
        .filter(RemoveLongFilter::limit(LONGEST_TERM))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .filter(Stemmer::new(Language::English))
        .build()
}

/// A tokeniser from a function that cuts a text.
#[derive(Clone)]
struct Splitter(fn(&str) -> Vec<Token>);

struct Tokens {
    tokens: std::vec::IntoIter<Token>,
    current: Token,
}

impl Tokenizer for Splitter {
    type TokenStream<'a> = Tokens;
    fn token_stream<'a>(&'a mut self, text: &'a str) -> Tokens {
        Tokens {
            tokens: (self.0)(text).into_iter(),
            current: Token::default(),
        }
    }
}

impl TokenStream for Tokens {
    fn advance(&mut self) -> bool {
        match self.tokens.next() {
            Some(token) => {
                self.current = token;
                true
            }
            None => false,
        }
    }
    fn token(&self) -> &Token {
        &self.current
    }
    fn token_mut(&mut self) -> &mut Token {
        &mut self.current
    }
}

/// Words; a Korean word with a particle gives a second token at the same place.
fn words_of(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (position, (start, run)) in runs(text).enumerate() {
        tokens.push(token(run, start, position));
        let korean = run.starts_with(is_hangul);
        tokens.extend(
            without_particle(run)
                .filter(|_| korean)
                .map(|stem| token(stem, start, position)),
        );
    }
    tokens
}

/// Words as the keys that type them.
fn keys_of(text: &str) -> Vec<Token> {
    let run = |(position, (start, run)): (usize, (usize, &str))| Token {
        text: strokes(run),
        ..token(run, start, position)
    };
    runs(text).enumerate().map(run).collect()
}

/// Words as keys, and Korean ones by their initials as well.
fn keys_and_initials_of(text: &str) -> Vec<Token> {
    let mut tokens = keys_of(text);
    let korean = runs(text)
        .enumerate()
        .filter(|(_, (_, run))| run.starts_with(is_hangul));
    let initials = korean.map(|(position, (start, run))| Token {
        text: initials(run),
        ..token(run, start, position)
    });
    tokens.extend(initials);
    tokens
}

/// Overlapping pairs of syllables. A single syllable gives nothing: as a word it is found all the same.
fn pairs_of(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (start, run) in runs(text).filter(|(_, run)| run.starts_with(is_hangul)) {
        let starts: Vec<usize> = run.char_indices().map(|(at, _)| at).chain([run.len()]).collect();
        for pair in starts.windows(3) {
            tokens.push(token(&run[pair[0]..pair[2]], start + pair[0], tokens.len()));
        }
    }
    tokens
}

fn token(text: &str, start: usize, position: usize) -> Token {
    Token {
        offset_from: start,
        offset_to: start + text.len(),
        position,
        text: text.to_owned(),
        position_length: 1,
    }
}

/// The codes in a text, in one spelling: letters and digits only, in lower case. A code holds a digit and at least four
/// letters or digits.
pub(crate) fn codes(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().filter_map(code)
}

/// The word as a code, if it can be one.
pub(crate) fn code(word: &str) -> Option<String> {
    if word.len() > LONGEST_TERM || !word.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let spelled: String = word
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    (spelled.len() >= 4).then_some(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(analyser: &str, text: &str) -> Vec<String> {
        super::terms(&analysers(), analyser, text)
    }

    #[test]
    fn english_is_stemmed_and_folded_and_loses_its_stop_words() {
        assert_eq!(
            terms(WORDS, "The Cafés & Grinders of Zürich"),
            ["cafe", "grinder", "zurich"]
        );
    }

    #[test]
    fn korean_words_are_found_with_and_without_their_particle() {
        assert_eq!(
            terms(WORDS, "커피를 마시는 컵"),
            ["커피를", "커피", "마시는", "마시", "컵"]
        );
    }

    #[test]
    fn scripts_are_cut_apart() {
        assert_eq!(terms(WORDS, "LG전자 10개입"), ["lg", "전자", "10", "개입"]);
    }

    #[test]
    fn hangul_is_paired_within_a_word() {
        assert_eq!(terms(PAIRS, "커피머신 세트 컵 USB"), ["커피", "피머", "머신", "세트"]);
    }

    #[test]
    fn what_is_typed_is_keys() {
        assert_eq!(terms(KEYS, "LG전자 Café 커ㅍ"), ["lg", "ㅈㅓㄴㅈㅏ", "cafe", "ㅋㅓㅍ"]);
        assert_eq!(terms(TYPED, "커피 USB"), ["ㅋㅓㅍㅣ", "usb", "ㅋㅍ"]);
    }

    #[test]
    fn a_code_has_one_spelling() {
        let found: Vec<_> = codes("HP dv7-1211EA 006R/90321 (4 GB) A4 hyphen-ated").collect();
        assert_eq!(found, ["dv71211ea", "006r90321"]);
    }

    #[test]
    fn offsets_point_into_the_text() {
        let text = "좋은 Café를 10개";
        for analyser in [WORDS, PAIRS] {
            let mut analyser = analysers().get(analyser).unwrap();
            let mut stream = analyser.token_stream(text);
            while stream.advance() {
                let token = stream.token();
                assert!(text.get(token.offset_from..token.offset_to).is_some(), "{token:?}");
            }
        }
    }
}
