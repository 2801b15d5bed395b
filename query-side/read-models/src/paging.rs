//! Pages of a list, and the keys that put it in order.

use event_schemas::{Id, Timestamp};

/// A page of a longer list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it, in order.
    pub items: Vec<T>,
    /// Where the next page starts, opaque; absent on the last page.
    pub next: Option<Vec<u8>>,
}

impl<T> Page<T> {
    /// The same page with something else in the place of each item.
    pub fn map<U>(self, with: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(with).collect(),
            next: self.next,
        }
    }
}

/// The bytes of an identifier: they sort as the identifier does.
pub(crate) fn id_bytes<K>(id: Id<K>) -> [u8; 16] {
    id.uuid().into_bytes()
}

/// `owner`, then newest first, then `id` to tell apart what happened in the same millisecond.
pub(crate) fn newest_first(owner: &[u8], at: Timestamp, id: [u8; 16]) -> Vec<u8> {
    // Flipping the sign bit makes signed numbers sort as bytes; the complement turns the order round.
    let ascending = at.as_millis().cast_unsigned() ^ (1 << 63);
    [owner, &(!ascending).to_be_bytes(), &id].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_comes_first_also_before_1970() {
        let key = |millis| newest_first(b"x", Timestamp::from_millis(millis), [0; 16]);
        assert!(key(5) < key(4) && key(0) < key(-1) && key(-1) < key(-2));
    }
}
