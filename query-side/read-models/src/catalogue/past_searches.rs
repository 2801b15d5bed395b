//! What people searched for: it completes what others type, and a rebuilt catalogue is compared with it.
//!
//! Nobody's name is kept with it, and what may be about a person (a number that could be a phone's or a card's, an e-mail
//! address) is never kept. Only what several searches shared is shown to others.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::wording::hangul::{compose, initials, strokes};

/// As many texts are kept; those searched for least go first.
const MOST_TEXTS: usize = 10_000;
/// The longest text kept, in letters.
const LONGEST: usize = 60;
/// Searched for this often before it is shown to others.
const SHARED: u32 = 3;
/// This many digits could be a phone's number, or a card's.
const PERSONAL_DIGITS: usize = 7;
/// How often they are saved, at most; and when the shop stops.
const SAVED_EVERY: Duration = Duration::from_secs(60);

/// What people searched for and found, how often and how recently.
#[derive(Debug)]
pub struct PastSearches {
    /// Nowhere for those that are only remembered while the shop runs.
    file: Option<PathBuf>,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    texts: HashMap<String, Past>,
    /// Counts the searches.
    clock: u64,
    saved: Instant,
    changed: bool,
}

#[derive(Debug, Clone)]
struct Past {
    times: u32,
    /// The last of them, by [`Kept::clock`].
    last: u64,
    /// As the keys that type it: what a beginning is looked for in.
    strokes: String,
    initials: String,
}

/// A text as it is saved.
#[derive(Serialize, Deserialize)]
struct Saved {
    text: String,
    times: u32,
    last: u64,
}

impl PastSearches {
    /// Those in that file, which need not be there; a file that cannot be read is begun anew.
    pub fn open(file: &Path) -> Self {
        let saved = match fs::read(file).map(|bytes| serde_json::from_slice::<Vec<Saved>>(&bytes)) {
            Ok(Ok(saved)) => saved,
            Ok(Err(error)) => {
                tracing::warn!(file = %file.display(), %error, "past searches cannot be read and are begun anew");
                vec![]
            }
            Err(_) => vec![],
        };
        Self::from(saved, Some(file.to_owned()))
    }

    fn from(saved: Vec<Saved>, file: Option<PathBuf>) -> Self {
        let clock = saved.iter().map(|past| past.last).max().unwrap_or_default();
        let past = |Saved { text, times, last }| (text.clone(), Past::new(&text, times, last));
        let kept = Kept {
            texts: saved.into_iter().take(MOST_TEXTS).map(past).collect(),
            clock,
            saved: Instant::now(),
            changed: false,
        };
        Self {
            file,
            kept: Mutex::new(kept),
        }
    }

    /// Remembers that this was searched for and something found.
    pub(super) fn record(&self, text: &str) {
        let Some(text) = tidy(text) else {
            return;
        };
        let mut kept = self.kept();
        kept.record(text);
        let due = kept.saved.elapsed() >= SAVED_EVERY;
        if due && self.file.is_some() {
            let saved = kept.take_for_saving();
            drop(kept);
            self.write(&saved);
        }
    }

    /// What others searched for that begins so, most often first.
    pub(super) fn beginning(&self, typed: &str, size: usize) -> Vec<String> {
        let typed = compose(&folded(typed));
        let (keys, first) = (strokes(&typed), initials(&typed));
        if keys.is_empty() {
            return vec![];
        }
        let kept = self.kept();
        let begins =
            |past: &Past| past.strokes.starts_with(&keys) || (first == typed && past.initials.starts_with(&first));
        let shared = kept
            .texts
            .iter()
            .filter(|(_, past)| past.times >= SHARED && begins(past));
        let mut found: Vec<_> = shared.map(|(text, past)| (past.times, past.last, text)).collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.into_iter().take(size).map(|(_, _, text)| text.clone()).collect()
    }

    /// What was searched for last, each text once, newest first.
    pub fn recent(&self, most: usize) -> Vec<String> {
        let kept = self.kept();
        let mut texts: Vec<_> = kept.texts.iter().map(|(text, past)| (past.last, text)).collect();
        texts.sort_unstable_by(|a, b| b.cmp(a));
        texts.into_iter().take(most).map(|(_, text)| text.clone()).collect()
    }

    /// Writes down what is not saved yet.
    pub fn save(&self) {
        let mut kept = self.kept();
        if kept.changed {
            let saved = kept.take_for_saving();
            drop(kept);
            self.write(&saved);
        }
    }

    fn write(&self, saved: &[Saved]) {
        let Some(file) = &self.file else {
            return;
        };
        let written = serde_json::to_vec(saved)
            .map_err(io::Error::other)
            .and_then(|bytes| replace(file, &bytes));
        if let Err(error) = written {
            // They are a convenience: no search fails for them.
            tracing::warn!(file = %file.display(), %error, "past searches cannot be saved");
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for PastSearches {
    /// Remembered while the shop runs.
    fn default() -> Self {
        Self::from(vec![], None)
    }
}

impl Drop for PastSearches {
    fn drop(&mut self) {
        self.save();
    }
}

impl Kept {
    fn record(&mut self, text: String) {
        self.clock += 1;
        self.changed = true;
        let clock = self.clock;
        if let Some(past) = self.texts.get_mut(&text) {
            past.times = past.times.saturating_add(1);
            past.last = clock;
            return;
        }
        if self.texts.len() >= MOST_TEXTS {
            self.forget();
        }
        let past = Past::new(&text, 1, clock);
        self.texts.insert(text, past);
    }

    /// All are searched for half as often from now on, and those that are left with nothing go; if need be the oldest half.
    fn forget(&mut self) {
        for past in self.texts.values_mut() {
            past.times /= 2;
        }
        self.texts.retain(|_, past| past.times > 0);
        if self.texts.len() > MOST_TEXTS / 2 {
            let mut last: Vec<_> = self.texts.values().map(|past| past.last).collect();
            last.sort_unstable();
            let median = last[last.len() / 2];
            self.texts.retain(|_, past| past.last >= median);
        }
    }

    fn take_for_saving(&mut self) -> Vec<Saved> {
        self.changed = false;
        self.saved = Instant::now();
        let saved = |(text, past): (&String, &Past)| Saved {
            text: text.clone(),
            times: past.times,
            last: past.last,
        };
        self.texts.iter().map(saved).collect()
    }
}

impl Past {
    fn new(text: &str, times: u32, last: u64) -> Self {
        Self {
            times,
            last,
            strokes: strokes(text),
            initials: initials(text),
        }
    }
}

/// One space between words, in lower case.
fn folded(text: &str) -> String {
    let words: Vec<_> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").to_lowercase()
}

/// A text as it is kept; none where it must not be.
fn tidy(text: &str) -> Option<String> {
    if text.len() > LONGEST * 8 {
        return None;
    }
    let text = folded(text);
    let letters = text.chars().count();
    // A code has letters between its digits, a number that is somebody's has at most spaces and signs.
    let digits = |run: &str| run.chars().filter(|c| c.is_numeric()).count();
    let number = text
        .split(char::is_alphabetic)
        .any(|run| digits(run) >= PERSONAL_DIGITS);
    let personal = number || text.contains(['@', '＠']);
    ((2..=LONGEST).contains(&letters) && !personal).then_some(text)
}

/// In place of the file that is there, whole or not at all.
fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = file.with_extension("new");
    fs::write(&beside, bytes)?;
    fs::rename(&beside, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searched(past: &PastSearches, text: &str, times: usize) {
        for _ in 0..times {
            past.record(text);
        }
    }

    #[test]
    fn what_several_searched_for_completes_what_is_typed() {
        let past = PastSearches::default();
        searched(&past, "Coffee  Grinder", 3);
        searched(&past, "coffee maker", 5);
        searched(&past, "coffee nobody else wants", 2);
        searched(&past, "커피 머신", 4);
        assert_eq!(past.beginning("COF", 9), ["coffee maker", "coffee grinder"]);
        assert_eq!(past.beginning("cof", 1), ["coffee maker"]);
        for typed in ["컾", "커ㅍ", "ㅋㅍ", "커피 ㅁ", "ㅋㅓㅍ"] {
            assert_eq!(past.beginning(typed, 9), ["커피 머신"], "{typed}");
        }
        for typed in ["", " ", "offee", "x", "ㅁㅅ"] {
            assert_eq!(past.beginning(typed, 9), [""; 0], "{typed}");
        }
    }

    #[test]
    fn what_may_be_about_a_person_is_never_kept() {
        let past = PastSearches::default();
        let long = "x".repeat(61);
        let texts = [
            "010-1234-5678",
            "4111 1111 1111 1111",
            "kim@example.com",
            "９０１２３４５６",
            &long,
            "x",
            "",
        ];
        for text in texts {
            searched(&past, text, 5);
        }
        assert_eq!(past.recent(9), [""; 0]);
        searched(&past, "006r90321 toner", 3);
        assert_eq!(past.beginning("006", 9), ["006r90321 toner"]);
    }

    #[test]
    fn they_are_found_again_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("past-searches.json");
        let past = PastSearches::open(&file);
        searched(&past, "kettle", 3);
        searched(&past, "teapot", 1);
        drop(past);
        let past = PastSearches::open(&file);
        assert_eq!(past.beginning("ket", 9), ["kettle"]);
        searched(&past, "kettle", 1);
        assert_eq!(past.recent(9), ["kettle", "teapot"]);
        fs::write(&file, "{").unwrap();
        assert_eq!(PastSearches::open(&file).recent(9), [""; 0], "begun anew");
    }

    #[test]
    fn they_are_bounded_and_what_is_asked_often_stays() {
        let past = PastSearches::default();
        searched(&past, "kettle", 100);
        for number in 0..2 * MOST_TEXTS {
            past.record(&format!("number {number}"));
        }
        assert!(past.recent(usize::MAX).len() <= MOST_TEXTS);
        assert_eq!(past.beginning("ket", 9), ["kettle"]);
    }
}
