//! What a title says beyond its words: what the product is, and what could be written in one word.

use std::collections::HashMap;

use super::words::{binds, runs};

/// A word of a title, and how it meets the next.
struct Placed<'a> {
    word: &'a str,
    /// Nothing but space or a hyphen comes before the next word.
    touches_next: bool,
    /// A phrase ends with it.
    ends: bool,
}

fn placed(title: &str) -> Vec<Placed<'_>> {
    let runs: Vec<_> = runs(title).collect();
    let mut placed = Vec::with_capacity(runs.len());
    for (at, &(start, word)) in runs.iter().enumerate() {
        let (touches_next, new_phrase) = match runs.get(at + 1) {
            Some(&(next_start, next)) => (
                title[start + word.len()..next_start].chars().all(joins),
                binds(next) || next.starts_with(|c: char| c.is_ascii_digit()),
            ),
            None => (false, true),
        };
        placed.push(Placed {
            word,
            touches_next,
            ends: !touches_next || new_phrase,
        });
    }
    placed
}

/// Characters that do not end a phrase.
const fn joins(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '®' | '™' | '©')
}

/// The words that end a phrase, and so say what the product is, not what it is for or like: the `lock` of a laptop lock, the
/// `mouse` of "Wireless mouse, black" and of "Mouse for laptops". In English and Korean alike the last word is the noun.
pub(crate) fn kinds(title: &str) -> impl Iterator<Item = &str> {
    let ends = placed(title)
        .into_iter()
        .filter(|placed| placed.ends && !binds(placed.word));
    ends.map(|placed| placed.word)
}

/// Each two neighbours in one word: a "smart watch" is a smartwatch, "4 GB" are 4GB.
pub(crate) fn joined(title: &str) -> impl Iterator<Item = String> {
    let placed = placed(title);
    let pairs: Vec<_> = placed
        .windows(2)
        .filter(|pair| pair[0].touches_next && !binds(pair[0].word) && !binds(pair[1].word))
        .map(|pair| format!("{}{}", pair[0].word, pair[1].word))
        .collect();
    pairs.into_iter()
}

/// A title that says a word four times is a list of keywords. Short words are no sign: `USB A`, `M/M`, `3/3/3`.
pub(crate) fn is_stuffed(title: &str) -> bool {
    let mut times: HashMap<String, usize> = HashMap::new();
    runs(title).filter(|(_, word)| word.len() > 3).any(|(_, word)| {
        let times = times.entry(word.to_lowercase()).or_default();
        *times += 1;
        *times > 3
    })
}

/// The words of a text, none more often than `most`: saying a word again says nothing new.
pub(crate) fn thinned(text: &str, most: usize) -> String {
    let mut times: HashMap<String, usize> = HashMap::new();
    let mut thinned = String::with_capacity(text.len());
    for (_, word) in runs(text) {
        let times = times.entry(word.to_lowercase()).or_default();
        *times += 1;
        if *times <= most {
            thinned.push_str(word);
            thinned.push(' ');
        }
    }
    thinned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(title: &str) -> Vec<&str> {
        super::kinds(title).collect()
    }

    #[test]
    fn a_product_is_what_ends_a_phrase() {
        assert_eq!(kinds("Kensington MicroSaver® Laptop Lock"), ["Lock"]);
        assert_eq!(kinds("Wireless mouse, black"), ["mouse", "black"]);
        assert_eq!(kinds("Foam rest for laptops"), ["rest", "laptops"]);
        assert_eq!(kinds("HP L1706 17-inch LCD Monitor"), ["L1706", "Monitor"]);
        assert_eq!(kinds("노트북용 가방 (검정)"), ["가방", "검정"]);
        assert!(kinds("…").is_empty());
    }

    #[test]
    fn neighbours_are_joined() {
        let joined = |title| super::joined(title).collect::<Vec<_>>();
        assert_eq!(joined("smart watch, 4 GB"), ["smartwatch", "4GB"]);
        assert_eq!(joined("Wi-Fi for the 커피 머신"), ["WiFi", "커피머신"]);
    }

    #[test]
    fn a_list_of_keywords_is_no_title() {
        assert!(is_stuffed("USB charger charger usb Charger charger"));
        assert!(is_stuffed("충전기 고속 충전기 USB 충전기 무선 충전기"));
        assert!(!is_stuffed("Case Logic notebook case 14\" sleeve case"));
        assert!(!is_stuffed("USB A male - USB A male, USB, A/A"));
    }

    #[test]
    fn a_word_said_again_says_nothing_new() {
        assert_eq!(thinned("Lamp, lamp (LAMP) red", 2), "Lamp lamp red ");
    }
}
