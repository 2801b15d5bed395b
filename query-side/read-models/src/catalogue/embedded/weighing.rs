//! Texts that count several times: each term comes as often as its text weighs.
//!
//! The weight goes with the text as its first character, and the analyser takes it off again. Handing the terms over ready
//! made would be plainer, but tantivy carries those to its writer as JSON, which took longer than all the rest.

use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer};

/// The text, for an analyser made by [`weighing`]; its terms come so many times.
pub(super) fn weighed(text: &str, times: u8) -> String {
    let mut weighed = String::with_capacity(text.len() + 2);
    weighed.push(char::from(times));
    weighed.push_str(text);
    weighed
}

/// The analyser, for texts that were [`weighed`].
pub(super) fn weighing(analyser: TextAnalyzer) -> TextAnalyzer {
    TextAnalyzer::from(Weighing(analyser))
}

#[derive(Clone)]
struct Weighing(TextAnalyzer);

struct Repeated {
    terms: std::vec::IntoIter<Token>,
    current: Token,
    times: usize,
    /// How often the current one still comes.
    left: usize,
}

impl Tokenizer for Weighing {
    type TokenStream<'a> = Repeated;

    fn token_stream<'a>(&'a mut self, weighed: &'a str) -> Repeated {
        let mut rest = weighed.chars();
        let times = rest.next().map_or(0, |times| times as usize);
        let mut terms = vec![];
        self.0
            .token_stream(rest.as_str())
            .process(&mut |term| terms.push(term.clone()));
        Repeated {
            terms: terms.into_iter(),
            current: Token::default(),
            times,
            left: 0,
        }
    }
}

impl TokenStream for Repeated {
    fn advance(&mut self) -> bool {
        if self.left == 0 {
            let Some(next) = self.terms.next() else {
                return false;
            };
            self.current = next;
            self.left = self.times;
        }
        self.left = self.left.saturating_sub(1);
        true
    }

    fn token(&self) -> &Token {
        &self.current
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.current
    }
}

#[cfg(test)]
mod tests {
    use tantivy::tokenizer::WhitespaceTokenizer;

    use super::*;

    #[test]
    fn each_term_comes_as_often_as_its_text_weighs() {
        let mut analyser = weighing(TextAnalyzer::from(WhitespaceTokenizer::default()));
        let mut terms = vec![];
        for (text, times) in [("moon jar", 3), ("", 9), ("white", 1)] {
            let weighed = weighed(text, times);
            analyser
                .token_stream(&weighed)
                .process(&mut |term| terms.push(term.text.clone()));
        }
        assert_eq!(terms, ["moon", "moon", "moon", "jar", "jar", "jar", "white"]);
    }
}
