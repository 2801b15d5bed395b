//! Access tokens: short-lived JWTs signed with Ed25519, and the operator token of this machine.

use std::{fs, io, path::Path, time::Duration};

use aws_lc_rs::{
    constant_time,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use event_schemas::{AccountId, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use warp::http::{HeaderValue, header};

use crate::{
    principal::{Principal, Role},
    problem::Problem,
};

/// How long a token is good for unless configured otherwise.
pub const DEFAULT_TTL: Duration = Duration::from_secs(15 * 60);
const ISSUER: &str = "jangteo";
const AUDIENCE: &str = "jangteo-api";
/// Longer than any token we give out.
const LONGEST: usize = 2048;
/// How many verified tokens are remembered, so that a busy client's signature is checked once and not on every request.
const REMEMBERED: usize = 10_000;

/// Issues and verifies access tokens.
pub struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
    operator_token: Option<String>,
    verified: Cache<String, Verified>,
}

/// The signing key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the signing key {path} cannot be used: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error(
        "{0} holds no Ed25519 key in PKCS#8 form: restore it, or remove it to have a new one made (everybody signs in again)"
    )]
    NotAKey(String),
    /// The machine has no randomness to make one from.
    #[error("no signing key could be made")]
    Generation,
}

#[derive(Clone)]
struct Verified {
    principal: Principal,
    expires_at: i64,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: AccountId,
    sid: Uuid,
    roles: Vec<Role>,
    iat: i64,
    exp: i64,
}

impl Tokens {
    /// Reads the signing key, or makes one at the first start (a file only its owner can read).
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds something else.
    pub fn open(key_file: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File {
            path: key_file.display().to_string(),
            source,
        };
        let pkcs8 = match fs::read(key_file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Ed25519KeyPair::generate().map_err(|_| KeyError::Generation)?;
                let document = key.to_pkcs8v1().map_err(|_| KeyError::Generation)?;
                write_secret(key_file, document.as_ref()).map_err(failed)?;
                document.as_ref().to_vec()
            }
            Err(error) => return Err(failed(error)),
        };
        Self::with_key(&pkcs8).ok_or_else(|| KeyError::NotAKey(key_file.display().to_string()))
    }

    fn with_key(pkcs8: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "exp"]);
        // Expiry is checked here, against the same moment for remembered tokens and new ones, and without leeway.
        validation.validate_exp = false;
        Some(Self {
            signing: EncodingKey::from_ed_der(pkcs8),
            verifying: DecodingKey::from_ed_der(pair.public_key().as_ref()),
            validation,
            operator_token: None,
            verified: Cache::new(REMEMBERED),
        })
    }

    /// The same, also accepting this token as the local operator's.
    #[must_use]
    pub fn with_operator_token(mut self, token: impl Into<String>) -> Self {
        let token = token.into();
        self.operator_token = (!token.is_empty()).then_some(token);
        self
    }

    /// A token that says: this is `principal`, in that session, for `ttl` from `issued_at`.
    pub fn issue(&self, principal: &Principal, session_id: Uuid, issued_at: Timestamp, ttl: Duration) -> String {
        let iat = issued_at.as_millis() / 1000;
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: principal.account_id,
            sid: session_id,
            roles: principal.roles.clone(),
            iat,
            exp: iat.saturating_add(i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX)),
        };
        // Invariant: the key was accepted at the start, and plain claims can always be written.
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &self.signing).unwrap_or_default()
    }

    /// Who shows that token.
    ///
    /// # Errors
    /// 401, of a type of its own for expired, forged and foreign tokens.
    pub fn verify(&self, token: &str) -> Result<Principal, Problem> {
        self.verify_at(token, Timestamp::now())
    }

    pub(crate) fn verify_at(&self, token: &str, now: Timestamp) -> Result<Principal, Problem> {
        if self.is_operator_token(token) {
            return Ok(Principal::local_operator());
        }
        if token.len() > LONGEST {
            return Err(not_a_token());
        }
        let verified = match self.verified.get(token) {
            Some(verified) => verified,
            None => {
                let verified = self.check(token)?;
                self.verified.insert(token.to_owned(), verified.clone());
                verified
            }
        };
        if verified.expires_at * 1000 <= now.as_millis() {
            self.verified.remove(token);
            return Err(refused(
                "token-expired",
                "The access token has expired",
                "get a new one with POST /api/v1/sessions/refresh",
            ));
        }
        Ok(verified.principal)
    }

    fn is_operator_token(&self, token: &str) -> bool {
        let Some(expected) = &self.operator_token else {
            return false;
        };
        constant_time::verify_slices_are_equal(expected.as_bytes(), token.as_bytes()).is_ok()
    }

    fn check(&self, token: &str) -> Result<Verified, Problem> {
        match algorithm(token) {
            Some(algorithm) if algorithm == "EdDSA" => {}
            Some(_) => return Err(algorithm_refused()),
            None => return Err(not_a_token()),
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.verifying, &self.validation)
            .map_err(|error| why_refused(error.kind()))?
            .claims;
        Ok(Verified {
            principal: Principal {
                account_id: claims.sub,
                roles: claims.roles,
                session_id: Some(claims.sid),
            },
            expires_at: claims.exp,
        })
    }
}

/// What the token's header says it is signed with. Looked at before anything else, so that `none` is refused as what it is.
fn algorithm(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        alg: String,
    }
    let [head, _, _] = token.split('.').collect::<Vec<_>>().try_into().ok()?;
    let head: Head = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok()?;
    Some(head.alg)
}

fn algorithm_refused() -> Problem {
    refused(
        "token-algorithm-refused",
        "The access token is signed in a way this shop does not accept",
        "only EdDSA is: sign in again with POST /api/v1/sessions",
    )
}

fn why_refused(kind: &ErrorKind) -> Problem {
    match kind {
        ErrorKind::InvalidSignature => refused(
            "token-forged",
            "The access token is not ours",
            "its signature does not fit: sign in again with POST /api/v1/sessions",
        ),
        ErrorKind::InvalidAlgorithm => algorithm_refused(),
        ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => refused(
            "token-foreign",
            "The access token is for somebody else",
            "its issuer or audience is not this shop: sign in here with POST /api/v1/sessions",
        ),
        _ => not_a_token(),
    }
}

fn not_a_token() -> Problem {
    refused(
        "token-malformed",
        "That is not an access token",
        "send the access_token of POST /api/v1/sessions, unchanged",
    )
}

fn refused(slug: &'static str, title: &'static str, detail: &'static str) -> Problem {
    let challenge = HeaderValue::from_static("Bearer realm=\"jangteo\", error=\"invalid_token\"");
    Problem::unauthenticated(detail)
        .of_type(slug, title)
        .with_header(header::WWW_AUTHENTICATE, challenge)
}

/// Writes a new file that only its owner can read, and syncs it: a key that is lost signs everybody out.
fn write_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    // Whole or not at all: a start that was killed in between leaves no half of a key.
    let beside = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
