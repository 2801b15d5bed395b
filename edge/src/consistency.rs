//! Read your own writes: a command's reply says how far the log had come, a query can ask to be at least as far.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use warp::{Filter, Rejection, http::HeaderValue};

use crate::problem::Problem;

/// The header that carries it, both ways.
pub const CONSISTENCY_TOKEN: &str = "consistency-token";

/// The first byte of every token, so that its form can change one day.
const FORM: u8 = 1;

/// A place in the log, in a form that promises clients nothing: they only pass it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsistencyToken(u64);

impl ConsistencyToken {
    /// For what is in the log up to `position`.
    pub const fn at(position: u64) -> Self {
        Self(position)
    }

    /// How far a read model must have come.
    pub const fn position(self) -> u64 {
        self.0
    }

    /// As a header's value.
    pub fn header_value(self) -> HeaderValue {
        // Invariant: base64url is visible ASCII.
        HeaderValue::from_str(&self.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

impl fmt::Display for ConsistencyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [FORM; 9];
        bytes[1..].copy_from_slice(&self.0.to_be_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// The text is no token of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a token this shop gave out: pass back the Consistency-Token header of a response unchanged, or leave it out"
)]
pub struct NotAToken;

impl FromStr for ConsistencyToken {
    type Err = NotAToken;
    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotAToken)?;
        match <[u8; 9]>::try_from(bytes) {
            Ok([FORM, position @ ..]) => Ok(Self(u64::from_be_bytes(position))),
            _ => Err(NotAToken),
        }
    }
}

/// Extracts the client's `Consistency-Token`, if it sent one; a broken one is a 400.
pub fn consistency_token() -> impl Filter<Extract = (Option<ConsistencyToken>,), Error = Rejection> + Clone {
    warp::header::optional::<String>(CONSISTENCY_TOKEN).and_then(|text: Option<String>| std::future::ready(read(text)))
}

fn read(text: Option<String>) -> Result<Option<ConsistencyToken>, Rejection> {
    let token = text.map(|text| text.parse()).transpose();
    token.map_err(|broken: NotAToken| Problem::bad_parameter("Consistency-Token", broken.to_string()).into())
}
