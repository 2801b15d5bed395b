//! A request, read whole.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{HeaderMap, Method, body::Incoming};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The largest body.
const LIMIT: usize = 1 << 20;

pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The idempotency key: a header's, or the body's.
    pub(super) key: Option<String>,
}

impl Request {
    pub(super) async fn read(
        request: hyper::Request<Incoming>,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, LIMIT).collect().await?.to_bytes();
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let in_body = || {
            serde_json::from_slice::<Value>(&body)
                .ok()?
                .get("key")?
                .as_str()
                .map(str::to_owned)
        };
        let key = header("idempotency-key").map(str::to_owned).or_else(in_body);
        Ok(Self {
            key,
            path: head.uri.path().to_owned(),
            query: pairs(head.uri.query().unwrap_or_default().as_bytes()),
            method: head.method,
            headers: head.headers,
            body,
        })
    }

    /// Whether the caller shows the key that is asked for.
    pub(super) fn presents(&self, wanted: Option<&str>) -> bool {
        let Some(wanted) = wanted else { return true };
        let shown = self.headers.get("authorization").and_then(|value| value.to_str().ok());
        shown.is_some_and(|shown| {
            let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{wanted}:")));
            shown == basic || shown.strip_prefix("Bearer ") == Some(wanted)
        })
    }

    /// The words of the path.
    pub(super) fn words(&self) -> Vec<&str> {
        self.path.trim_matches('/').split('/').collect()
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.body).map_err(|error| error.to_string())
    }

    /// The body as a form.
    pub(super) fn form(&self) -> BTreeMap<String, String> {
        pairs(&self.body)
    }
}

/// `a=1&b%5Bc%5D=2`, read.
fn pairs(text: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(text);
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16)).unwrap_or(0);
                u8::try_from(digit() * 16 + digit()).unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let form = pairs(b"amount=5000&metadata%5Bkey%5D=a%2Fb+c&empty=");
        let expected = [("amount", "5000"), ("metadata[key]", "a/b c"), ("empty", "")];
        assert_eq!(form.len(), 3);
        for (name, value) in expected {
            assert_eq!(form[name], value);
        }
    }
}
