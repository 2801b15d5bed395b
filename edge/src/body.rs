//! Reading a request's body: bounded in size, refused with the name of what is wrong.

use std::pin::Pin;

use aws_lc_rs::digest;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, pin_mut};
use serde::de::DeserializeOwned;
use serde_json::Value;
use warp::{Filter, Rejection};

use crate::{
    problem::{FieldError, Problem},
    server::BodyError,
};

/// Enough for every JSON body the shop takes.
pub const JSON_LIMIT: u64 = 64 * 1024;

/// A body, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonBody<T> {
    /// What it says.
    pub value: T,
    /// SHA-256 of its bytes in hexadecimal: tells a repeated request from another one under the same `Idempotency-Key`.
    pub fingerprint: String,
}

/// A body that is not JSON, an image for instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawBody {
    /// Its bytes.
    pub bytes: Bytes,
    /// The `Content-Type` it was sent with.
    pub content_type: Option<String>,
    /// SHA-256 of its bytes in hexadecimal.
    pub fingerprint: String,
}

/// How much of a body that is too large is still read, so that its sender hears why it is refused.
const DRAINED: usize = 8 << 20;

/// Extracts a JSON object of at most `limit` bytes as a `T`. `T` should carry `#[serde(deny_unknown_fields)]`.
pub fn json_body<T: DeserializeOwned + Send>(
    limit: u64,
) -> impl Filter<Extract = (JsonBody<T>,), Error = Rejection> + Clone {
    raw_body(limit).and_then(|body| std::future::ready(parse_json(body).map_err(Rejection::from)))
}

/// Extracts a body of at most `limit` bytes as it is.
pub fn raw_body(limit: u64) -> impl Filter<Extract = (RawBody,), Error = Rejection> + Clone {
    warp::header::optional::<u64>("content-length")
        .and(warp::header::optional::<String>("content-type"))
        .and(warp::body::stream())
        .and_then(move |announced: Option<u64>, content_type, stream| read(limit, announced, content_type, stream))
}

async fn read<S, B>(
    limit: u64,
    announced: Option<u64>,
    content_type: Option<String>,
    stream: S,
) -> Result<RawBody, Rejection>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    pin_mut!(stream);
    if announced.is_some_and(|length| length > limit) {
        drain(stream).await;
        return Err(Problem::payload_too_large(limit).into());
    }
    let bytes = collect(limit, stream).await?;
    let fingerprint = fingerprint(&bytes);
    Ok(RawBody {
        bytes,
        content_type,
        fingerprint,
    })
}

/// Reads on for a while and forgets: a client that is still sending would meet a closed connection instead of the answer.
async fn drain<S, B>(mut stream: Pin<&mut S>)
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    let mut patience = DRAINED;
    while patience > 0
        && let Some(Ok(chunk)) = stream.next().await
    {
        patience = patience.saturating_sub(chunk.remaining());
    }
}

async fn collect<S, B>(limit: u64, mut stream: Pin<&mut S>) -> Result<Bytes, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    let mut whole = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| broken_off(&error))?;
        if (whole.len() + chunk.remaining()) as u64 > limit {
            drain(stream).await;
            return Err(Problem::payload_too_large(limit));
        }
        whole.reserve(chunk.remaining());
        let mut chunk = chunk;
        while chunk.has_remaining() {
            let slice = chunk.chunk();
            whole.extend_from_slice(slice);
            let taken = slice.len();
            chunk.advance(taken);
        }
    }
    Ok(whole.freeze())
}

fn broken_off(error: &warp::Error) -> Problem {
    match std::error::Error::source(error).and_then(|source| source.downcast_ref()) {
        Some(BodyError::TooLarge(limit)) => Problem::payload_too_large(*limit),
        Some(BodyError::TooSlow(patience)) => {
            Problem::request_timeout(format!("the body was not complete within {} s", patience.as_secs()))
        }
        Some(BodyError::Broken(_)) | None => Problem::bad_request(format!("the body broke off: {error}")),
    }
}

/// SHA-256 in hexadecimal.
pub fn fingerprint(bytes: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, bytes);
    let hex = digest.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]);
    hex.map(|nibble| char::from(b"0123456789abcdef"[usize::from(nibble)]))
        .collect()
}

/// The body as a `T`.
///
/// # Errors
/// 415, 400 with line and column for what is not JSON, 422 with the field's name for what is not a `T`.
pub fn parse_json<T: DeserializeOwned>(body: RawBody) -> Result<JsonBody<T>, Problem> {
    if let Some(content_type) = &body.content_type
        && !is_json(content_type)
    {
        return Err(Problem::unsupported_media_type("application/json"));
    }
    match serde_json::from_slice(&body.bytes) {
        Ok(_) if !is_object(&body.bytes) => Err(Problem::validation(vec![FieldError::new(
            "(body)",
            "expected an object",
        )])),
        Ok(value) => Ok(JsonBody {
            value,
            fingerprint: body.fingerprint,
        }),
        Err(error) => Err(what_is_wrong::<T>(&body.bytes, &error)),
    }
}

/// serde takes an array for a struct, field by field; that is nobody's contract.
fn is_object(json: &[u8]) -> bool {
    json.trim_ascii_start().first() == Some(&b'{')
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || (essence.len() > 5 && essence.as_bytes()[essence.len() - 5..].eq_ignore_ascii_case(b"+json"))
}

/// Reads the body again, slowly, to say where it is wrong.
fn what_is_wrong<T: DeserializeOwned>(bytes: &[u8], error: &serde_json::Error) -> Problem {
    if bytes.is_empty() {
        return malformed("the body is empty: expected a JSON object");
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        let at = error.valid_up_to();
        return malformed(format!("the body is not UTF-8: byte {at} does not belong there"));
    }
    let read = if error.is_data() {
        serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_slice(bytes))
    } else {
        match serde_json::from_slice::<Value>(bytes) {
            // It is JSON after all: to serde_json a number in the place of a word breaks the grammar.
            Ok(body) => serde_path_to_error::deserialize(body),
            Err(error) => {
                return malformed(format!("the body is not JSON: {error}"))
                    .with("line", error.line())
                    .with("column", error.column());
            }
        }
    };
    let (path, detail) = match read {
        Err(error) => (error.path().to_string(), error.inner().to_string()),
        Ok(_) => (".".to_owned(), error.to_string()),
    };
    Problem::validation(vec![FieldError::new(field_of(&path, &detail), detail)])
}

/// serde names the parent of an unknown or missing field; the client wants the field.
fn field_of(path: &str, detail: &str) -> String {
    let named = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| detail.strip_prefix(start)?.split('`').next());
    match (path, named) {
        (".", None) => "(body)".to_owned(),
        (".", Some(field)) => field.to_owned(),
        // For an unknown field the path may name it already.
        (path, Some(field)) if path == field || path.ends_with(&format!(".{field}")) => path.to_owned(),
        (path, Some(field)) => format!("{path}.{field}"),
        (path, None) => path.to_owned(),
    }
}

fn malformed(detail: impl Into<String>) -> Problem {
    Problem::bad_request(detail).of_type("malformed-json", "The body is not JSON")
}
