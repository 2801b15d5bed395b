//! Words that mean the same, from a file that the shop's keeper writes.
//!
//! ```text
//! # A comment.
//! laptop, notebook, 노트북
//! mobile, cell phone, 휴대폰
//! tee => t shirt
//! ```
//!
//! Words with commas between mean the same, each finds all. `a => b`: whoever looks for `a` finds `b` as well, not the other
//! way round. A word may be several (`cell phone`). Case, an English plural and a Korean particle make no difference.

use std::collections::HashMap;

use super::korean::without_particle;
use crate::catalogue::Word;

/// The most words in one name.
const LONGEST_NAME: usize = 6;
/// The most names that mean the same.
const MOST_NAMES: usize = 50;
/// The longest line, in bytes.
const LONGEST_LINE: usize = 2_000;

/// What means the same, ready to be looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Synonyms {
    /// Words in lower case, with one space between, to what means the same.
    names: HashMap<String, Vec<String>>,
    /// Of how many words the longest name is.
    longest: usize,
}

/// A line that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(crate) struct BadLine {
    /// Counted from 1.
    pub(crate) line: usize,
    /// What is wrong with it.
    pub(crate) problem: &'static str,
}

impl Synonyms {
    /// Reads a file's text: all of it, or the first line that makes no sense.
    pub(crate) fn read(text: &str) -> Result<Self, BadLine> {
        let mut synonyms = Self::default();
        for (line, text) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            let text = text.split('#').next().unwrap_or_default().trim();
            if !text.is_empty() {
                synonyms.line(text).map_err(|problem| BadLine { line, problem })?;
            }
        }
        Ok(synonyms)
    }

    fn line(&mut self, text: &str) -> Result<(), &'static str> {
        if text.len() > LONGEST_LINE {
            return Err("longer than 2,000 bytes");
        }
        match text.split("=>").collect::<Vec<_>>()[..] {
            [all] => {
                let names = names(all)?;
                if names.len() < 2 {
                    return Err("one name alone: separate those that mean the same with commas");
                }
                for name in &names {
                    self.add(name, &names);
                }
            }
            [typed, also] => {
                let also = names(also)?;
                for name in names(typed)? {
                    self.add(&name, &also);
                }
            }
            _ => return Err("more than one =>"),
        }
        Ok(())
    }

    fn add(&mut self, name: &str, meanings: &[String]) {
        self.longest = self.longest.max(name.split(' ').count());
        let known = self.names.entry(name.to_owned()).or_default();
        for meaning in meanings {
            if meaning != name && !known.contains(meaning) {
                known.push(meaning.clone());
            }
        }
    }

    /// The words of a text with what means the same; the longest name that begins at a word counts.
    pub(crate) fn words(&self, text: &str) -> Vec<Word> {
        let typed: Vec<Word> = Word::each(text).collect();
        let mut words = Vec::with_capacity(typed.len());
        let mut rest = &typed[..];
        while let [first, others @ ..] = rest {
            match self.longest_name(rest) {
                Some((word, length)) => {
                    words.push(word);
                    rest = &rest[length..];
                }
                None => {
                    words.push(first.clone());
                    rest = others;
                }
            }
        }
        words
    }

    fn longest_name(&self, rest: &[Word]) -> Option<(Word, usize)> {
        let longest = self.longest.min(rest.len());
        (1..=longest).rev().find_map(|length| {
            let typed: Vec<_> = rest[..length].iter().map(|word| word.typed.as_str()).collect();
            let typed = typed.join(" ");
            let synonyms = self.meanings(&typed)?.to_vec();
            Some((Word { typed, synonyms }, length))
        })
    }

    fn meanings(&self, typed: &str) -> Option<&[String]> {
        let name = typed.to_lowercase();
        let singular = || ["es", "s"].iter().filter_map(|ending| name.strip_suffix(ending));
        let forms = [name.as_str()]
            .into_iter()
            .chain(singular())
            .chain(without_particle(&name));
        forms.filter_map(|form| self.names.get(form)).map(Vec::as_slice).next()
    }
}

/// The names between commas.
fn names(text: &str) -> Result<Vec<String>, &'static str> {
    let name = |text: &str| {
        text.split_whitespace()
            .map(str::to_lowercase)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let names: Vec<String> = text.split(',').map(name).collect();
    if names.iter().any(String::is_empty) {
        return Err("a name is empty: nothing stands between two commas, or beside =>");
    }
    if names.iter().any(|name| name.split(' ').count() > LONGEST_NAME) {
        return Err("a name of more than 6 words");
    }
    if names.len() > MOST_NAMES {
        return Err("more than 50 names");
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "# ours\n\nlaptop, Notebook ,노트북 # and more\ntee, tea shirt => T  Shirt\nmobile, cell phone, 휴대폰\n";

    fn words(text: &str) -> Vec<(String, String)> {
        let words = Synonyms::read(FILE).unwrap().words(text);
        let shown = words.into_iter().map(|word| (word.typed, word.synonyms.join("|")));
        shown.collect()
    }

    fn word(typed: &str, synonyms: &str) -> (String, String) {
        (typed.to_owned(), synonyms.to_owned())
    }

    #[test]
    fn each_of_the_names_means_the_others() {
        assert_eq!(words("Laptop"), [word("Laptop", "notebook|노트북")]);
        assert_eq!(
            words("red laptops bag"),
            [word("red", ""), word("laptops", "notebook|노트북"), word("bag", "")]
        );
        assert_eq!(words("노트북을"), [word("노트북을", "laptop|notebook")]);
    }

    #[test]
    fn an_arrow_goes_one_way() {
        assert_eq!(words("tee"), [word("tee", "t shirt")]);
        assert_eq!(words("t shirt"), [word("t", ""), word("shirt", "")]);
    }

    #[test]
    fn several_words_are_one_name() {
        assert_eq!(
            words("cell  phone case"),
            [word("cell phone", "mobile|휴대폰"), word("case", "")]
        );
        assert_eq!(words("cell"), [word("cell", "")]);
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named() {
        for (text, line) in [
            ("a, b\nalone", 2),
            ("a,,b", 1),
            ("a => b => c", 1),
            ("# fine\n\n=> b", 3),
            ("a =>", 1),
            ("one two three four five six seven, b", 1),
        ] {
            assert_eq!(Synonyms::read(text).unwrap_err().line, line, "{text}");
        }
        assert_eq!(Synonyms::read("").unwrap(), Synonyms::default());
        assert!(Synonyms::read(&"a, ".repeat(5_000)).is_err());
    }
}
