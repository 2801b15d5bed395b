//! The way to a node.

use std::{
    fmt,
    time::{Duration, Instant},
};

use bytes::Bytes;
use elasticsearch::{
    Elasticsearch, auth,
    cert::{Certificate, CertificateValidation},
    http::{
        Method, Url,
        headers::HeaderMap,
        transport::{SingleNodeConnectionPool, TransportBuilder},
    },
};
use resilience::{CallError, Failure, Outlet, Settings};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Credentials, ElasticError, ElasticSettings, NoPrefix, Patience, retrying::Pauses};
use crate::documents::Generation;

/// Between two looks for a node that is not there yet.
const PAUSE: Duration = Duration::from_millis(500);

/// Longer than any answer may take: each request has a patience of its own.
const LONGEST: Duration = Duration::from_secs(60);
/// So many requests at a time.
const PLACES: usize = 128;
/// A node that failed so often in a row is left alone for a moment. Shorter disturbances are bridged by repeats.
const FAILURES_IN_A_ROW: u32 = 20;
const BREAK: Duration = Duration::from_millis(250);
const LONGEST_BREAK: Duration = Duration::from_secs(2);

/// A node, or a cluster behind one address.
#[derive(Clone)]
pub struct Node {
    client: Elasticsearch,
    /// Without credentials.
    address: String,
    prefix: String,
    version: String,
    outlet: Outlet,
}

/// What a node is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, `index/_search`.
    pub path: String,
    /// Parameters in the URL.
    pub parameters: Vec<(&'static str, String)>,
    /// JSON, or JSON lines for a bulk request.
    pub body: Option<Bytes>,
    /// How long the answer may take.
    pub patience: Patience,
}

impl Request {
    /// Without parameters and body, for somebody who waits.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            parameters: vec![],
            body: None,
            patience: Patience::QUERY,
        }
    }

    /// With a parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.parameters.push((name, value.to_string()));
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.bytes(body.to_string())
    }

    /// With a body.
    #[must_use]
    pub fn bytes(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// With another patience.
    #[must_use]
    pub fn patiently(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }
}

/// What a node says of itself.
#[derive(Deserialize)]
struct Greeting {
    version: Version,
}

#[derive(Deserialize)]
struct Version {
    number: String,
    /// OpenSearch names itself here.
    distribution: Option<String>,
}

/// What a node says when it refuses.
#[derive(Deserialize)]
struct Refusal {
    error: Value,
}

impl Node {
    /// Waits until the node answers, and sees whether we can work with it.
    ///
    /// # Errors
    /// What is wrong and what to do about it.
    pub async fn connect(settings: &ElasticSettings) -> Result<Self, ElasticError> {
        NoPrefix::check(&settings.prefix).map_err(|wrong| ElasticError::Unusable(wrong.to_string()))?;
        let (client, address) = client(settings)?;
        let mut node = Self {
            client,
            address,
            prefix: settings.prefix.clone(),
            version: String::new(),
            outlet: outlet(),
        };
        node.version = node.greeted(settings).await?;
        Ok(node)
    }

    /// The node's version, once it answers.
    async fn greeted(&self, settings: &ElasticSettings) -> Result<String, ElasticError> {
        let deadline = Instant::now() + settings.patience;
        let hello = || Request::new(Method::Get, "").patiently(Patience::ONCE);
        loop {
            // Not through the outlet: who starts wants to hear what is wrong, not that it went wrong before.
            match self.attempt(&hello()).await.and_then(read::<Greeting>) {
                Ok(Greeting { version }) => return usable(&self.address, version),
                Err(ElasticError::Away { detail, .. }) if Instant::now() < deadline => {
                    tracing::warn!(address = self.address, detail, "waiting for Elasticsearch");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(unusable(&self.address, &error)),
            }
        }
    }

    /// The name of the index that holds a generation.
    pub fn index(&self, generation: Generation) -> String {
        format!("{}-{}-{}", self.prefix, generation.model, generation.number)
    }

    /// What the names of our indices start with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Where it is, without credentials.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Such as `7.17.29`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Asks, and again where the node is away or has too much to do; so a request must do no harm when it arrives twice.
    ///
    /// # Errors
    /// See [`ElasticError`].
    pub async fn call<T: DeserializeOwned>(&self, request: Request) -> Result<T, ElasticError> {
        let mut pauses = Pauses::within(request.patience);
        loop {
            let answer = self.outlet.call_once(|| self.attempt(&request)).await;
            match answer.map_err(|failure| self.failed(failure)) {
                Ok(body) => return read(body),
                Err(error) if passes(&error) => {
                    if !pauses.pause().await {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks; none where what is asked for is not there.
    ///
    /// # Errors
    /// See [`ElasticError`].
    pub async fn find<T: DeserializeOwned>(&self, request: Request) -> Result<Option<T>, ElasticError> {
        match self.call(request).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn attempt(&self, request: &Request) -> Result<Bytes, ElasticError> {
        let Request {
            method,
            path,
            parameters,
            body,
            patience,
        } = request;
        let sent = self.client.send(
            *method,
            path,
            HeaderMap::new(),
            Some(parameters),
            body.clone(),
            Some(patience.answer),
        );
        let response = sent.await.map_err(|error| self.away(in_full(&error)))?;
        let status = response.status_code();
        let body = response.bytes().await.map_err(|error| self.away(in_full(&error)))?;
        if status.is_success() {
            return Ok(body);
        }
        let (kind, reason) = reasons(&body);
        Err(match status.as_u16() {
            status @ (429 | 500..) => self.away(format!("{status} {kind}: {reason}")),
            status => ElasticError::Refused { status, kind, reason },
        })
    }

    fn failed(&self, failure: Failure<ElasticError>) -> ElasticError {
        match failure {
            Failure::Failed(error) => error,
            failure => self.away(failure.to_string()),
        }
    }

    /// The node does not do it now.
    pub(super) fn away(&self, detail: String) -> ElasticError {
        ElasticError::Away {
            address: self.address.clone(),
            detail,
        }
    }
}

fn outlet() -> Outlet {
    let settings = Settings::default().places(PLACES).deadline(LONGEST);
    Outlet::new(
        "elasticsearch",
        settings.breaks(FAILURES_IN_A_ROW, BREAK, LONGEST_BREAK),
    )
}

impl CallError for ElasticError {
    fn may_pass(&self) -> bool {
        passes(self)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what the node sent is done with")]
fn read<T: DeserializeOwned>(body: Bytes) -> Result<T, ElasticError> {
    serde_json::from_slice(&body).map_err(|error| {
        let start: String = String::from_utf8_lossy(&body).chars().take(200).collect();
        ElasticError::Unreadable(format!("{error} in {start}"))
    })
}

/// An error with its causes.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut detail = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !detail.contains(&said) {
            detail = format!("{detail}: {said}");
        }
        source = cause.source();
    }
    detail
}

/// It may go better in a moment.
const fn passes(error: &ElasticError) -> bool {
    matches!(error, ElasticError::Away { .. })
}

/// The kind of a refusal, and its words.
fn reasons(body: &[u8]) -> (String, String) {
    let Ok(Refusal { error }) = serde_json::from_slice(body) else {
        return (String::new(), String::from_utf8_lossy(body).chars().take(200).collect());
    };
    let (kind, mut reason) = (text(&error["type"]), text(&error["reason"]));
    // What went wrong in the end is said by the innermost cause.
    let mut cause = &error["caused_by"];
    while cause.is_object() {
        reason = format!("{reason}: {}", text(&cause["reason"]));
        cause = &cause["caused_by"];
    }
    (kind, reason)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(String::new, str::to_owned)
}

/// The client, and the address it calls.
fn client(settings: &ElasticSettings) -> Result<(Elasticsearch, String), ElasticError> {
    let wrong = |error: &dyn fmt::Display| ElasticError::Unusable(format!("{error}"));
    let mut url = Url::parse(&settings.url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            wrong(&"the address of Elasticsearch is to be a URL such as http://127.0.0.1:9200 or https://search.example:9200")
        })?;
    let mut credentials = settings.credentials.clone();
    if let (Credentials::None, false) = (&credentials, url.username().is_empty()) {
        credentials = Credentials::Password {
            user: url.username().to_owned(),
            password: url.password().unwrap_or_default().to_owned(),
        };
    }
    // An http(s) URL with a host takes both; so neither fails.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let address = url.as_str().trim_end_matches('/').to_owned();
    // A proxy set for the outside world is not meant for a node of ours.
    let mut transport = TransportBuilder::new(SingleNodeConnectionPool::new(url)).disable_proxy();
    transport = match credentials {
        Credentials::None => transport,
        Credentials::Password { user, password } => transport.auth(auth::Credentials::Basic(user, password)),
        Credentials::ApiKey(key) => transport.auth(auth::Credentials::EncodedApiKey(key)),
    };
    if let Some(pem) = &settings.authority {
        let authority = Certificate::from_pem(pem).map_err(|error| wrong(&error))?;
        transport = transport.cert_validation(CertificateValidation::Full(authority));
    }
    let transport = transport.build().map_err(|error| wrong(&error))?;
    Ok((Elasticsearch::new(transport), address))
}

/// The version, if it is one that we can work with.
fn usable(address: &str, version: Version) -> Result<String, ElasticError> {
    let mut parts = version.number.split('.').map_while(|part| part.parse::<u32>().ok());
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    match version.distribution {
        Some(other) => Err(ElasticError::Unusable(format!(
            "{address} is {other}, not Elasticsearch: name a node of Elasticsearch 7.17, 8 or 9"
        ))),
        None if (major, minor) >= (7, 17) => Ok(version.number),
        None => Err(ElasticError::Unusable(format!(
            "{address} is Elasticsearch {}: 7.17 is the oldest that will do",
            version.number
        ))),
    }
}

/// Why there is no start, and what to do.
fn unusable(address: &str, error: &ElasticError) -> ElasticError {
    ElasticError::Unusable(match error {
        ElasticError::Away { detail, .. } => format!(
            "Elasticsearch does not answer at {address} ({detail}): start it, or correct --elasticsearch; without it the shop \
             keeps its documents and its search in its own folder"
        ),
        ElasticError::Refused {
            status: 401 | 403,
            reason,
            ..
        } => format!(
            "Elasticsearch at {address} does not know us ({reason}): say who we are with --elasticsearch-user and \
             --elasticsearch-password-file, or with --elasticsearch-api-key-file"
        ),
        ElasticError::Unreadable(detail) => format!("what answers at {address} is not Elasticsearch ({detail})"),
        other => other.to_string(),
    })
}

/// Without the client, which would show the credentials.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("address", &self.address)
            .field("prefix", &self.prefix)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// An answer that nobody reads.
#[derive(Debug, Deserialize)]
pub(super) struct Ignored {}
