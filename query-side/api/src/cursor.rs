//! Cursors: where the next page starts, in a form that promises clients nothing.
//!
//! A check over the list's name and the place keeps a cursor that was mistyped, cut off or taken from another list from
//! showing a page of something else. It is no secret: whoever forges it reaches nothing they could not reach anyway.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use edge::Problem;

const CHECK: usize = 4;
/// Longer than any place.
const LONGEST: usize = 4096;

/// The place in `list` as text.
pub(crate) fn write(list: &str, place: &[u8]) -> String {
    let check = check(list, place);
    URL_SAFE_NO_PAD.encode([&check, place].concat())
}

/// The place that the text stands for in `list`.
pub(crate) fn read(list: &str, text: &str) -> Result<Vec<u8>, Problem> {
    let decoded = Some(text)
        .filter(|text| text.len() <= LONGEST)
        .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    match decoded.as_deref().and_then(<[u8]>::split_first_chunk::<CHECK>) {
        Some((given, place)) if *given == check(list, place) => Ok(place.to_vec()),
        _ => Err(broken()),
    }
}

/// 400: nobody gave out such a cursor for this list.
pub(crate) fn broken() -> Problem {
    Problem::bad_parameter(
        "cursor",
        "not a next_cursor of this list: pass it back unchanged with the same parameters, or start again without it",
    )
    .of_type("broken-cursor", "The cursor does not belong to this list")
}

/// FNV-1a: the same on every machine and in every version.
fn check(list: &str, place: &[u8]) -> [u8; CHECK] {
    let bytes = list.bytes().chain([0]).chain(place.iter().copied());
    bytes
        .fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
        .to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place_in_its_list_only() {
        let text = write("orders", b"here");
        assert_eq!(read("orders", &text).unwrap(), b"here");
        assert_eq!(read("orders", &write("orders", b"")).unwrap(), b"");
        for (list, text) in [
            ("sagas", text.as_str()),
            ("orders", &text[1..]),
            ("orders", ""),
            ("orders", "%00"),
            ("orders", "AAAAAAAA"),
        ] {
            let problem = read(list, text).unwrap_err();
            assert_eq!(
                (problem.status().as_u16(), problem.slug()),
                (400, "broken-cursor"),
                "{list} {text}"
            );
        }
    }
}
