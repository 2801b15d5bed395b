//! Hangul as it is typed: syllables taken apart into keystrokes, and keystrokes composed into syllables.
//!
//! 커 is ㅋㅓ, 과 is ㄱㅗㅏ, 닭 is ㄷㅏㄹㄱ: one letter for each key. So what is being typed is always the beginning of what will
//! have been typed: 컾 (ㅋㅓㅍ) of 커피 (ㅋㅓㅍㅣ), 고 of 과.

use super::korean::is_hangul;

const INITIALS: [char; 19] = [
    'ㄱ', 'ㄲ', 'ㄴ', 'ㄷ', 'ㄸ', 'ㄹ', 'ㅁ', 'ㅂ', 'ㅃ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅉ', 'ㅊ', 'ㅋ', 'ㅌ', 'ㅍ', 'ㅎ',
];
const VOWELS: [&str; 21] = [
    "ㅏ", "ㅐ", "ㅑ", "ㅒ", "ㅓ", "ㅔ", "ㅕ", "ㅖ", "ㅗ", "ㅗㅏ", "ㅗㅐ", "ㅗㅣ", "ㅛ", "ㅜ", "ㅜㅓ", "ㅜㅔ", "ㅜㅣ",
    "ㅠ", "ㅡ", "ㅡㅣ", "ㅣ",
];
const FINALS: [&str; 28] = [
    "", "ㄱ", "ㄲ", "ㄱㅅ", "ㄴ", "ㄴㅈ", "ㄴㅎ", "ㄷ", "ㄹ", "ㄹㄱ", "ㄹㅁ", "ㄹㅂ", "ㄹㅅ", "ㄹㅌ", "ㄹㅍ", "ㄹㅎ",
    "ㅁ", "ㅂ", "ㅂㅅ", "ㅅ", "ㅆ", "ㅇ", "ㅈ", "ㅊ", "ㅋ", "ㅌ", "ㅍ", "ㅎ",
];
/// Letters that stand for two keys, alone.
const DOUBLE: [(char, &str); 18] = [
    ('ㄳ', "ㄱㅅ"),
    ('ㄵ', "ㄴㅈ"),
    ('ㄶ', "ㄴㅎ"),
    ('ㄺ', "ㄹㄱ"),
    ('ㄻ', "ㄹㅁ"),
    ('ㄼ', "ㄹㅂ"),
    ('ㄽ', "ㄹㅅ"),
    ('ㄾ', "ㄹㅌ"),
    ('ㄿ', "ㄹㅍ"),
    ('ㅀ', "ㄹㅎ"),
    ('ㅄ', "ㅂㅅ"),
    ('ㅘ', "ㅗㅏ"),
    ('ㅙ', "ㅗㅐ"),
    ('ㅚ', "ㅗㅣ"),
    ('ㅝ', "ㅜㅓ"),
    ('ㅞ', "ㅜㅔ"),
    ('ㅟ', "ㅜㅣ"),
    ('ㅢ', "ㅡㅣ"),
];

/// A letter of Hangul that stands alone: ㅋ, ㅏ.
pub(crate) const fn is_letter(c: char) -> bool {
    matches!(c, 'ㄱ'..='ㅣ')
}

const fn is_vowel(c: char) -> bool {
    matches!(c, 'ㅏ'..='ㅣ')
}

/// Where the parts of a syllable are in [`INITIALS`], [`VOWELS`] and [`FINALS`].
const fn parts(syllable: char) -> (usize, usize, usize) {
    let index = syllable as usize - '가' as usize;
    (index / 588, index / 28 % 21, index % 28)
}

/// A text as the keys that type it; whatever is no Hangul stays.
pub(crate) fn strokes(text: &str) -> String {
    let mut strokes = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if is_hangul(c) {
            let (initial, vowel, end) = parts(c);
            strokes.push(INITIALS[initial]);
            strokes.push_str(VOWELS[vowel]);
            strokes.push_str(FINALS[end]);
        } else {
            match conjoining(c) {
                Some(keys) => strokes.push_str(keys.encode_utf8(&mut [0; 4])),
                None => match DOUBLE.iter().find(|(double, _)| *double == c) {
                    Some((_, keys)) => strokes.push_str(keys),
                    None => strokes.push(c),
                },
            }
        }
    }
    strokes
}

/// The letter for one of those that some systems take syllables apart into (ᄏ, ᅥ); of finals and vowels only the simple ones.
fn conjoining(c: char) -> Option<char> {
    let single = |keys: &str| keys.chars().next().filter(|_| keys.chars().count() == 1);
    let at = |first: char| c as usize - first as usize;
    match c {
        '\u{1100}'..='\u{1112}' => Some(INITIALS[at('\u{1100}')]),
        '\u{1161}'..='\u{1175}' => single(VOWELS[at('\u{1161}')]),
        '\u{11a8}'..='\u{11c2}' => single(FINALS[at('\u{11a8}') + 1]),
        _ => None,
    }
}

/// The first consonant of each syllable, and letters as they are: 커피 머신 is ㅋㅍ ㅁㅅ.
pub(crate) fn initials(text: &str) -> String {
    let initial = |c: char| if is_hangul(c) { INITIALS[parts(c).0] } else { c };
    text.chars().map(initial).collect()
}

/// Composes keystrokes into syllables, as a Korean keyboard does: ㅋㅓㅍㅣ is 커피. A letter that fits nowhere stays alone.
pub(crate) fn compose(text: &str) -> String {
    let mut composing = Composing::default();
    for c in strokes(text).chars() {
        composing.key(c);
    }
    composing.flush();
    composing.done
}

/// The syllable under the cursor, and what is before it.
#[derive(Default)]
struct Composing {
    done: String,
    initial: Option<usize>,
    /// One key or two.
    vowel: String,
    /// One key or two.
    end: String,
}

impl Composing {
    fn key(&mut self, key: char) {
        if is_vowel(key) {
            self.vowel(key);
        } else if is_letter(key) {
            self.consonant(key);
        } else {
            self.flush();
            self.done.push(key);
        }
    }

    fn vowel(&mut self, key: char) {
        if let Some(moved) = self.end.pop() {
            // 컵 and then ㅣ: the final begins the next syllable.
            self.flush();
            self.initial = place(&INITIALS, moved);
        } else if !self.vowel.is_empty() && !extends(&VOWELS, &self.vowel, key) {
            self.flush();
        }
        self.vowel.push(key);
    }

    fn consonant(&mut self, key: char) {
        let in_syllable = self.initial.is_some() && !self.vowel.is_empty();
        if in_syllable && extends(&FINALS, &self.end, key) {
            self.end.push(key);
            return;
        }
        self.flush();
        self.initial = place(&INITIALS, key);
    }

    /// Puts the syllable behind what is done.
    fn flush(&mut self) {
        let vowel = VOWELS.iter().position(|keys| *keys == self.vowel);
        let end = FINALS.iter().position(|keys| *keys == self.end);
        match (self.initial.take(), vowel, end) {
            (Some(initial), Some(vowel), Some(end)) => self.done.extend(syllable(initial, vowel, end)),
            (Some(initial), None, _) => self.done.push(INITIALS[initial]),
            (None, Some(_), _) => self.done.push_str(&joined(&self.vowel)),
            (_, _, _) => {}
        }
        self.vowel.clear();
        self.end.clear();
    }
}

fn place(letters: &[char], key: char) -> Option<usize> {
    letters.iter().position(|letter| *letter == key)
}

/// These keys and one more stand in the table.
fn extends(table: &[&str], keys: &str, key: char) -> bool {
    table
        .iter()
        .any(|entry| entry.strip_prefix(keys).is_some_and(|rest| rest.chars().eq([key])))
}

fn syllable(initial: usize, vowel: usize, end: usize) -> Option<char> {
    let index = u32::try_from((initial * 21 + vowel) * 28 + end).ok()?;
    char::from_u32('가' as u32 + index)
}

/// A vowel of one key or two, alone.
fn joined(keys: &str) -> String {
    let double = DOUBLE.iter().find(|(_, pair)| *pair == keys);
    double.map_or_else(|| keys.to_owned(), |(letter, _)| letter.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_being_typed_begins_what_will_have_been_typed() {
        for (begun, whole) in [
            ("컾", "커피"),
            ("커ㅍ", "커피"),
            ("ㅋ", "커피"),
            ("고", "과자"),
            ("달", "닭"),
            ("다", "닭"),
        ] {
            assert!(strokes(whole).starts_with(&strokes(begun)), "{begun} {whole}");
        }
        assert_eq!(strokes("닭 USB 과"), "ㄷㅏㄹㄱ USB ㄱㅗㅏ");
        assert_eq!(initials("커피 머신 2개"), "ㅋㅍ ㅁㅅ 2ㄱ");
    }

    #[test]
    fn every_syllable_survives_its_keystrokes() {
        for syllable in '가'..='힣' {
            assert_eq!(compose(&strokes(&syllable.to_string())), syllable.to_string());
        }
    }

    #[test]
    fn keystrokes_become_syllables() {
        let cases = [
            ("ㅋㅓㅍㅣ", "커피"),
            ("컾ㅣ", "커피"),
            ("ㄷㅏㄹㄱㅣ", "달기"),
            ("ㄷㅏㄹㄱㅈ", "닭ㅈ"),
            ("ㅇㅗㅏㅇㅣㅍㅏㅇㅣ", "와이파이"),
            ("ㅋㅋㅋ", "ㅋㅋㅋ"),
            ("ㅏㅏ", "ㅏㅏ"),
            ("ㅗㅏ", "ㅘ"),
            ("ㄸㅏㄸ", "따ㄸ"),
            ("ㄱㅏㅂㅅㅣ", "갑시"),
            ("ㅇㅓㅄㄷㅏ", "없다"),
            ("커피 2잔", "커피 2잔"),
            ("\u{110f}\u{1165}\u{1111}\u{1175}", "커피"),
        ];
        for (typed, composed) in cases {
            assert_eq!(compose(typed), composed, "{typed}");
        }
    }
}
