//! The keyboard in the wrong language: Korean typed on English keys (`dkssud` is 안녕) and English on Korean ones (ㅗ디ㅣㅐ is
//! `hello`). The Korean layout is the one of nearly every keyboard, dubeolsik.

use super::{
    hangul::{compose, is_letter, strokes},
    korean::is_hangul,
};

/// What the keys from `a` to `z` type in Korean.
const KEYS: [char; 26] = [
    'ㅁ', 'ㅠ', 'ㅊ', 'ㅇ', 'ㄷ', 'ㄹ', 'ㅎ', 'ㅗ', 'ㅑ', 'ㅓ', 'ㅏ', 'ㅣ', 'ㅡ', 'ㅜ', 'ㅐ', 'ㅔ', 'ㅂ', 'ㄱ', 'ㄴ',
    'ㅅ', 'ㅕ', 'ㅍ', 'ㅈ', 'ㅌ', 'ㅛ', 'ㅋ',
];
/// What is another letter with the shift key.
const SHIFTED: [(char, char); 7] = [
    ('Q', 'ㅃ'),
    ('W', 'ㅉ'),
    ('E', 'ㄸ'),
    ('R', 'ㄲ'),
    ('T', 'ㅆ'),
    ('O', 'ㅒ'),
    ('P', 'ㅖ'),
];

/// What these English keys type in Korean, unfinished syllables too; whatever is on no such key stays.
pub(crate) fn in_korean(text: &str) -> String {
    let typed = text.chars().map(|c| {
        let shifted = SHIFTED.iter().find(|(key, _)| *key == c).map(|(_, letter)| *letter);
        shifted.unwrap_or_else(|| match c.to_ascii_lowercase() {
            key @ 'a'..='z' => KEYS[key as usize - 'a' as usize],
            other => other,
        })
    });
    compose(&typed.collect::<String>())
}

/// What these Korean keys type in English; whatever is on no such key stays.
pub(crate) fn in_english(text: &str) -> String {
    let key = |letter: char| {
        let shifted = SHIFTED.iter().find(|(_, shifted)| *shifted == letter);
        let plain = || ('a'..='z').zip(KEYS).find(|(_, plain)| *plain == letter);
        shifted
            .copied()
            .or_else(plain)
            .map_or(letter, |(key, _)| key.to_ascii_lowercase())
    };
    strokes(text).chars().map(key).collect()
}

/// The word as it would be with the keyboard in the other language, where that is a word: English keys must give whole
/// syllables, which they seldom do by chance.
pub(crate) fn other_language(word: &str) -> Option<String> {
    if word.chars().any(|c| is_hangul(c) || is_letter(c)) {
        let english = in_english(word);
        return english.is_ascii().then_some(english);
    }
    let korean = in_korean(word);
    let whole = korean.chars().any(is_hangul) && korean.chars().all(|c| is_hangul(c) || c.is_ascii_digit());
    whole.then_some(korean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_keys_type_korean() {
        let cases = [
            ("dkssud", "안녕"),
            ("zjvl", "커피"),
            ("ZJVL", "커피"),
            ("Ekfrl", "딸기"),
            ("shxmqnr", "노트북"),
            ("qkrtm2ro", "박스2개"),
            ("dhkdlvkdl", "와이파이"),
        ];
        for (typed, meant) in cases {
            assert_eq!(other_language(typed).as_deref(), Some(meant), "{typed}");
        }
        assert_eq!(in_korean("zjv"), "컾", "unfinished");
    }

    #[test]
    fn korean_keys_type_english() {
        for (typed, meant) in [
            ("ㅗ디ㅣㅐ", "hello"),
            ("ㅊㅐㄹㄹㄷㄷ", "coffee"),
            ("ㅣ메새ㅔ", "laptop"),
            ("ㅕ뉴", "usb"),
        ] {
            assert_eq!(other_language(typed).as_deref(), Some(meant), "{typed}");
        }
    }

    #[test]
    fn what_gives_no_whole_syllables_was_meant_as_it_is() {
        for typed in ["coffee", "laptop", "cofee", "grinder", "2024", "usb", "", "dv7-1211ea"] {
            assert_eq!(other_language(typed), None, "{typed}");
        }
    }
}
