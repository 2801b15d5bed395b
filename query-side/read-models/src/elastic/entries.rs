//! Entries as they lie in an index: their ids and their fields.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json, value::RawValue};

use super::{Item, Shape};
use crate::documents::{Part, Write};

/// The letter of the entries that keep an index's books.
const BOOKS: &str = "b";

/// Keys longer than this have no room in an id (512 bytes).
const KEY_BYTES: usize = 250;

/// A reason is kept to so many characters.
const REASON: usize = 1_000;

/// An entry.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// See [`letter`].
    part: String,
    /// In hexadecimal, so that its order is that of the bytes.
    #[serde(default)]
    pub(super) key: String,
    /// A document that is JSON, byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    document: Option<Box<RawValue>>,
    /// What is not JSON, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
    /// Why the node does not index it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rejected: Option<String>,
}

/// An entry with the fields of its index's shape.
#[derive(Serialize)]
struct Found<'a> {
    #[serde(flatten)]
    fields: Map<String, Value>,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// How the parts are called in an index.
pub(super) const fn letter(part: Part) -> &'static str {
    match part {
        Part::Documents => "d",
        Part::Index => "i",
    }
}

/// The id of an entry.
pub(super) fn id(part: Part, key: &[u8]) -> String {
    format!("{}{}", letter(part), hex(key))
}

/// The fields that every index has. The content is kept and not looked into.
pub(super) fn properties(shape: &impl Shape) -> Value {
    let keyword = json!({ "type": "keyword" });
    let kept = json!({ "type": "object", "enabled": false });
    let mut all = json!({
        "part": keyword,
        "key": keyword,
        "document": kept,
        "bytes": { "type": "keyword", "index": false, "doc_values": false },
        "rejected": { "type": "keyword" },
    });
    if let (Some(all), Value::Object(fields)) = (all.as_object_mut(), shape.properties()) {
        all.extend(fields);
    }
    all
}

impl Entry {
    fn new(part: Part, key: &[u8], value: &[u8]) -> Self {
        // Index entries are keys, which are JSON by accident at most.
        let json = std::str::from_utf8(value).ok().filter(|_| part == Part::Documents);
        let json = json.and_then(|text| RawValue::from_string(text.to_owned()).ok());
        let document = json.filter(|json| json.get().len() == value.len());
        Self {
            part: letter(part).to_owned(),
            key: hex(key),
            bytes: document.is_none().then(|| hex(value)),
            document,
            rejected: None,
        }
    }

    /// One that keeps the index's books.
    pub(super) fn of_books(content: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self {
            part: BOOKS.to_owned(),
            key: String::new(),
            document: Some(serde_json::value::to_raw_value(content)?),
            bytes: None,
            rejected: None,
        })
    }

    /// What was stored.
    pub(super) fn value(self) -> Option<Bytes> {
        match (self.document, self.bytes) {
            (Some(document), _) => Some(Bytes::from(String::from(Box::<str>::from(document)))),
            (None, Some(bytes)) => unhex(&bytes).map(Bytes::from),
            (None, None) => None,
        }
    }

    /// What keeps the books.
    pub(super) fn books<T: serde::de::DeserializeOwned>(&self) -> Result<Option<T>, serde_json::Error> {
        let content = self.document.as_ref();
        content.map(|content| serde_json::from_str(content.get())).transpose()
    }
}

/// A change as the node is told, with the fields by which the document is found; or why it has none.
pub(super) fn item(write: &Write, version: u64, shape: &impl Shape) -> Result<Item, String> {
    if write.key.len() > KEY_BYTES {
        return Err(format!("a key of {} bytes; {KEY_BYTES} are possible", write.key.len()));
    }
    let fields = match (write.part, &write.value) {
        (Part::Documents, Some(value)) => shape.fields(value)?,
        _ => Map::new(),
    };
    let source = write.value.as_deref().map(|value| {
        let entry = &Entry::new(write.part, &write.key, value);
        serde_json::to_vec(&Found { fields, entry }).map_err(|error| error.to_string())
    });
    Ok(Item {
        id: id(write.part, &write.key),
        version,
        source: source.transpose()?,
    })
}

/// The same for a document that cannot be indexed: with the reason instead of the fields. Where the document is too large or its
/// key too long to be kept at all, `whole` is false, and the reason stays without it.
pub(super) fn rejected(write: &Write, version: u64, reason: &str, whole: bool) -> Result<Item, String> {
    let whole = whole && write.key.len() <= KEY_BYTES;
    let value = write.value.as_deref().unwrap_or_default();
    let mut entry = Entry::new(write.part, &write.key, value);
    entry.rejected = Some(reason.chars().take(REASON).collect());
    let mut id = id(write.part, &write.key);
    if !whole {
        entry.document = None;
        entry.bytes = None;
    }
    if write.key.len() > KEY_BYTES {
        let short: String = id.chars().take(2 * KEY_BYTES).collect();
        id = short;
        entry.part = BOOKS.to_owned();
    }
    Ok(Item {
        id,
        version,
        source: Some(serde_json::to_vec(&entry).map_err(|error| error.to_string())?),
    })
}

/// In hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// From hexadecimal.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(part: Part, value: &[u8]) -> Write {
        Write {
            part,
            key: vec![0, 0xff, 0x10],
            value: Some(value.to_vec()),
        }
    }

    #[test]
    fn what_was_stored_comes_back_byte_for_byte() {
        let values: [&[u8]; 6] = [b"{\"b\":1.50, \"a\":[]}", b"1", b"old", b"", b" {}", &[0, 0x9f, 0xff]];
        for part in [Part::Documents, Part::Index] {
            for value in values {
                let item = item(&write(part, value), 7, &super::super::Plain).unwrap();
                let entry: Entry = serde_json::from_slice(&item.source.unwrap()).unwrap();
                assert_eq!(
                    (entry.key.as_str(), item.id.as_str()),
                    ("00ff10", id(part, &[0, 0xff, 0x10]).as_str())
                );
                assert_eq!(entry.value().unwrap(), value);
            }
        }
    }

    #[test]
    fn hexadecimal_goes_both_ways() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&all)), Some(all));
        assert_eq!(unhex("zz"), None);
    }
}
