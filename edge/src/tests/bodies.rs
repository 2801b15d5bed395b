use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::{
    Problem,
    body::{RawBody, fingerprint, parse_json},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    #[serde(rename = "items")]
    _items: Vec<Item>,
    #[serde(rename = "gift", default)]
    _gift: Option<bool>,
    #[serde(rename = "wrapping", default)]
    _wrapping: Option<Wrapping>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wrapping {
    Paper,
    Cloth,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    #[serde(rename = "quantity")]
    _quantity: u32,
}

fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<String, Problem> {
    let body = RawBody {
        bytes: Bytes::copy_from_slice(bytes),
        content_type: content_type.map(str::to_owned),
        fingerprint: fingerprint(bytes),
    };
    parse_json::<Order>(body).map(|body| body.fingerprint)
}

#[test]
fn the_field_that_is_wrong_is_named() {
    for (body, field) in [
        (r#"{"items":[{"quantity":1}],"colour":"red"}"#, "colour"),
        (r#"{"items":[{"quantity":1},{"quantity":-1}]}"#, "items[1].quantity"),
        (r#"{"items":[{"quantity":1,"size":2}]}"#, "items[0].size"),
        (r#"{"items":[{}]}"#, "items[0].quantity"),
        (r#"{"items":[{"quantity":"1"}]}"#, "items[0].quantity"),
        (r#"{"items":[{"quantity":4294967296}]}"#, "items[0].quantity"),
        (r#"{"items":[{"quantity":1,"quantity":2}]}"#, "items[0].quantity"),
        (r#"{"items":null}"#, "items"),
        (r#"{"gift":true}"#, "items"),
        (r#"{"items":[],"wrapping":"gold"}"#, "wrapping"),
        // serde_json calls these bad grammar, not bad values.
        (r#"{"items":[],"wrapping":7}"#, "wrapping"),
        (r#"{"items":[],"wrapping":[]}"#, "wrapping"),
        (r#"{"items":[],"wrapping":true}"#, "wrapping"),
        // serde would take an array for a struct.
        (r#"[[{"quantity":1}]]"#, "(body)"),
        ("7", "(body)"),
    ] {
        let problem = parse(body.as_bytes(), None).unwrap_err();
        assert_eq!(
            (problem.status().as_u16(), problem.slug()),
            (422, "validation"),
            "{body}"
        );
        assert_eq!(problem.document()["errors"][0]["field"], field, "{body}: {problem}");
    }
}

#[test]
fn what_is_not_json_says_where() {
    let problem = parse(b"{\n  \"items\": [}", None).unwrap_err();
    assert_eq!((problem.status().as_u16(), problem.slug()), (400, "malformed-json"));
    let document = problem.document();
    assert_eq!(
        (&document["line"], &document["column"]),
        (&json!(2), &json!(13)),
        "{problem}"
    );
    // Wrong in both ways: what comes first is not what is told first.
    let problem = parse(b"{\"wrapping\":7,}", None).unwrap_err();
    assert_eq!(problem.slug(), "malformed-json", "{problem}");
    assert!(parse(b"", None).unwrap_err().detail().contains("empty"));
    assert!(
        parse(b"{\"items\":\"\xff\"}", None)
            .unwrap_err()
            .detail()
            .contains("byte 10")
    );
    assert!(
        parse(b"{\"items\":[]} x", None)
            .unwrap_err()
            .detail()
            .contains("column 14")
    );
}

#[test]
fn only_json_is_taken_for_json() {
    for good in [
        None,
        Some("application/json"),
        Some("Application/JSON; charset=utf-8"),
        Some("application/x+json"),
    ] {
        assert!(parse(br#"{"items":[]}"#, good).is_ok(), "{good:?}");
    }
    for bad in ["text/plain", "application/jsonx", "", "json", "multipart/form-data"] {
        assert_eq!(parse(br#"{"items":[]}"#, Some(bad)).unwrap_err().status(), 415, "{bad}");
    }
}

#[test]
fn the_fingerprint_is_sha_256_of_the_bytes() {
    assert_eq!(
        parse(br#"{"items":[]}"#, None).unwrap(),
        fingerprint(br#"{"items":[]}"#),
    );
    assert_eq!(
        fingerprint(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}
