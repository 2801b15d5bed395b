//! Cursors of searches: a page after the first looks for what the first page found, not for what was typed.

use crate::catalogue::{Instead, InsteadKind};

/// Where a search goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trail {
    /// What is looked for, where it is not what was typed.
    pub(super) instead: Option<Instead>,
    /// The engine's cursor.
    pub(super) place: Vec<u8>,
}

const AS_TYPED: u8 = 0;
const SPELLING: u8 = 1;
const KEYBOARD: u8 = 2;

impl Trail {
    /// As a cursor; none where there is no way on.
    pub(super) fn write(self) -> Option<Vec<u8>> {
        let Some(Instead { kind, text }) = self.instead else {
            return Some([&[AS_TYPED], &self.place[..]].concat());
        };
        let kind = match kind {
            InsteadKind::Spelling => SPELLING,
            InsteadKind::Keyboard => KEYBOARD,
            InsteadKind::Unfinished | InsteadKind::Popular => return None,
        };
        let length = u16::try_from(text.len()).ok()?.to_be_bytes();
        Some([&[kind], &length[..], text.as_bytes(), &self.place].concat())
    }

    /// From a cursor; none where it is not one.
    pub(super) fn read(cursor: &[u8]) -> Option<Self> {
        let (kind, rest) = cursor.split_first()?;
        let kind = match *kind {
            AS_TYPED => {
                return Some(Self {
                    instead: None,
                    place: rest.to_vec(),
                });
            }
            SPELLING => InsteadKind::Spelling,
            KEYBOARD => InsteadKind::Keyboard,
            _ => return None,
        };
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (text, place) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let text = std::str::from_utf8(text).ok()?.to_owned();
        Some(Self {
            instead: Some(Instead { kind, text }),
            place: place.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_leads_on_with_what_was_looked_for() {
        let corrected = Instead {
            kind: InsteadKind::Spelling,
            text: "커피".to_owned(),
        };
        for instead in [None, Some(corrected)] {
            let trail = Trail {
                instead,
                place: vec![7, 8],
            };
            assert_eq!(Trail::read(&trail.clone().write().unwrap()), Some(trail));
        }
        for wild in [&b""[..], &[9], &[1], &[1, 0], &[1, 255, 255, 1], &[2, 0, 1, 0xff]] {
            assert_eq!(Trail::read(wild), None, "{wild:?}");
        }
    }
}
