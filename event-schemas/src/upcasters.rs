//! How bytes written by older versions of the shop are read by this one: one step per version, oldest first.
//!
//! Stored events are never rewritten. `fixtures/` holds bytes as they were written; a test reads each of them.

use serde_json::{Value, json};

/// Brings `data` from `found` to `known`, step by step.
pub(crate) fn upcast(event_type: &str, found: u16, known: u16, data: &[u8]) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::from_slice(data)?;
    for version in found..known {
        value = match (event_type, version) {
            ("ProductListed", 1) => product_listed_1_to_2(value),
            // A version that only added optional fields needs no step.
            _ => value,
        };
    }
    Ok(value)
}

/// Version 1 knew only won, and wrote the price as a bare number; it had neither brand nor attributes.
fn product_listed_1_to_2(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        if let Some(won) = fields.get("price").and_then(Value::as_i64) {
            fields.insert("price".to_owned(), json!({ "amount": won, "currency": "KRW" }));
        }
        fields.entry("brand").or_insert_with(|| json!(""));
        fields.entry("attributes").or_insert_with(|| json!({}));
    }
    value
}

#[cfg(test)]
mod tests {
    use crate::{AccountId, DecodeError, DomainEvent, Money, product::ProductEvent};

    #[test]
    fn a_product_listed_by_version_1_is_read_today() {
        let old = include_bytes!("../fixtures/ProductListed.v1.json");
        let ProductEvent::ProductListed(listed) = ProductEvent::decode("ProductListed", 1, old).unwrap() else {
            panic!("another event came out");
        };
        assert_eq!(listed.price, Money::krw(129_000));
        assert_eq!(listed.title, "Hand-thrown moon jar, 24 cm");
        assert_eq!(
            listed.seller_id,
            "018c2f6e-1d00-7000-8000-00000000005e".parse::<AccountId>().unwrap()
        );
        assert!(listed.brand.is_empty() && listed.attributes.is_empty());
    }

    #[test]
    fn an_event_of_a_newer_version_is_refused_by_name() {
        let error = ProductEvent::decode("ProductListed", 9, b"{}").unwrap_err();
        assert!(matches!(error, DecodeError::Newer { found: 9, known: 2, .. }));
        assert!(error.to_string().contains("upgrade"), "{error}");
    }

    #[test]
    fn an_unknown_type_and_broken_bytes_are_refused() {
        assert!(matches!(
            ProductEvent::decode("ProductExploded", 1, b"{}"),
            Err(DecodeError::UnknownType { .. })
        ));
        assert!(matches!(
            ProductEvent::decode("ProductDelisted", 1, b"{"),
            Err(DecodeError::Malformed { .. })
        ));
        assert!(matches!(
            ProductEvent::decode("ProductListed", 1, b"[]"),
            Err(DecodeError::Malformed { .. })
        ));
    }
}
