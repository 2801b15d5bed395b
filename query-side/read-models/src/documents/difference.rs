//! What two states of a document have different, field by field.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A document that is not the same in two places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DocumentDifference {
    /// Its key, readable.
    pub key: String,
    /// The fields that differ, at most [`DocumentDifference::MOST_FIELDS`].
    pub fields: Vec<FieldDifference>,
}

/// A field that is not the same in two places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldDifference {
    /// Where in the document, such as `items[0].title`; empty for the document as a whole.
    pub path: String,
    /// What it is where customers see it; none where it is missing.
    pub shown: Option<Value>,
    /// What it is where it was derived again; none where it is missing.
    pub derived: Option<Value>,
}

impl DocumentDifference {
    /// More fields than this are not listed.
    pub const MOST_FIELDS: usize = 20;

    /// A document that differs in what is no field of it.
    pub fn without_fields(key: &[u8]) -> Self {
        Self {
            key: readable(key),
            fields: vec![],
        }
    }

    /// What differs between a document as it is shown and as it was derived again; none if nothing does.
    pub fn between(key: &[u8], shown: Option<&[u8]>, derived: Option<&[u8]>) -> Option<Self> {
        if shown == derived {
            return None;
        }
        let mut fields = vec![];
        compare(String::new(), parsed(shown), parsed(derived), &mut fields);
        let key = readable(key);
        (!fields.is_empty()).then_some(Self { key, fields })
    }
}

/// As JSON; what is none is text, so that it differs from whatever can be read.
fn parsed(bytes: Option<&[u8]>) -> Option<Value> {
    let text = |bytes| Value::String(format!("not readable: {}", String::from_utf8_lossy(bytes)));
    bytes.map(|bytes| serde_json::from_slice(bytes).unwrap_or_else(|_| text(bytes)))
}

fn compare(path: String, shown: Option<Value>, derived: Option<Value>, found: &mut Vec<FieldDifference>) {
    if shown == derived || found.len() >= DocumentDifference::MOST_FIELDS {
        return;
    }
    match (shown, derived) {
        (Some(Value::Object(mut shown)), Some(Value::Object(mut derived))) => {
            let names: BTreeSet<String> = shown.keys().chain(derived.keys()).cloned().collect();
            for name in names {
                let inner = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                compare(inner, shown.remove(&name), derived.remove(&name), found);
            }
        }
        (Some(Value::Array(shown)), Some(Value::Array(derived))) => {
            let places = shown.len().max(derived.len());
            let (mut shown, mut derived) = (shown.into_iter(), derived.into_iter());
            for place in 0..places {
                compare(format!("{path}[{place}]"), shown.next(), derived.next(), found);
            }
        }
        (shown, derived) => found.push(FieldDifference { path, shown, derived }),
    }
}

/// A key for the eyes: most are a UUID, some with a letter before it that tells kinds apart.
fn readable(key: &[u8]) -> String {
    let uuid = |bytes: &[u8]| uuid::Uuid::from_slice(bytes).ok();
    if let Some(id) = uuid(key) {
        return id.to_string();
    }
    if let Some((letter, Some(id))) = key.split_first().map(|(letter, rest)| (letter, uuid(rest)))
        && letter.is_ascii_alphanumeric()
    {
        return format!("{}-{id}", char::from(*letter));
    }
    match std::str::from_utf8(key) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => key.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn between(shown: &Value, derived: &Value) -> Vec<(String, Option<Value>, Option<Value>)> {
        let (shown, derived) = (shown.to_string(), derived.to_string());
        let found = DocumentDifference::between(b"k", Some(shown.as_bytes()), Some(derived.as_bytes()));
        let fields = found.map(|found| found.fields).unwrap_or_default();
        fields
            .into_iter()
            .map(|field| (field.path, field.shown, field.derived))
            .collect()
    }

    #[test]
    fn fields_are_named_by_where_they_are() {
        let shown = json!({"status": "placed", "items": [{"title": "a", "pieces": 1}], "old": true});
        let derived = json!({"status": "paid", "items": [{"title": "a", "pieces": 2}, {"title": "b"}], "new": null});
        let expected = vec![
            ("items[0].pieces".to_owned(), Some(json!(1)), Some(json!(2))),
            ("items[1]".to_owned(), None, Some(json!({"title": "b"}))),
            ("new".to_owned(), None, Some(Value::Null)),
            ("old".to_owned(), Some(json!(true)), None),
            ("status".to_owned(), Some(json!("placed")), Some(json!("paid"))),
        ];
        assert_eq!(between(&shown, &derived), expected);
    }

    #[test]
    fn the_order_of_names_and_the_spaces_between_them_are_no_difference() {
        let (shown, derived) = (br#"{"a":1,"b":[2]}"#, br#"{ "b": [2], "a": 1 }"#);
        assert_eq!(DocumentDifference::between(b"k", Some(shown), Some(derived)), None);
    }

    #[test]
    fn a_document_that_is_missing_differs_as_a_whole() {
        let difference = DocumentDifference::between(&[7; 16], None, Some(b"{}")).unwrap();
        assert_eq!(difference.key, "07070707-0707-0707-0707-070707070707");
        assert_eq!(difference.fields[0].path, "");
        let unreadable = DocumentDifference::between(b"k", Some(b"{"), Some(b"{}")).unwrap();
        assert_eq!(unreadable.fields[0].shown, Some(json!("not readable: {")));
    }

    #[test]
    fn keys_are_readable() {
        assert_eq!(
            readable(&[&b"o"[..], &[1; 16]].concat()),
            "o-01010101-0101-0101-0101-010101010101"
        );
        assert_eq!(readable("커피".as_bytes()), "커피");
        assert_eq!(readable(&[0, 255]), "00ff");
    }
}
