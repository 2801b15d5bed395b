//! What the two internal hops have in common.

use std::time::Duration;

use edge::{Principal, Problem};
use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Only another role of this shop may ask: it shows the operator token, which no account has.
pub(super) fn from_a_role(principal: &Principal) -> Result<(), Problem> {
    if *principal == Principal::local_operator() {
        Ok(())
    } else {
        Err(Problem::forbidden(
            "this path is for the shop's own processes, which share its keys",
        ))
    }
}

/// Another role's process.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    client: Client,
    url: String,
    token: String,
}

/// Why the other process did not do it.
#[derive(Debug, thiserror::Error)]
pub(super) enum PeerError {
    /// It did not answer: nobody knows whether it did it.
    #[error("{url} does not answer: {detail}")]
    Away {
        /// Whom we asked.
        url: String,
        /// What came instead.
        detail: String,
    },
    /// It said no.
    #[error("{detail} ({status})")]
    Refused {
        /// With which status.
        status: StatusCode,
        /// The last part of the problem's type.
        slug: String,
        /// In words.
        detail: String,
    },
}

/// What is read of a problem document.
#[derive(Deserialize)]
struct ProblemView {
    #[serde(rename = "type", default)]
    kind: String,
    title: String,
    #[serde(default)]
    detail: Option<String>,
}

impl Peer {
    /// The process at `url`, which knows this token.
    pub(super) fn new(url: &str, token: &str) -> reqwest::Result<Self> {
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .pool_idle_timeout(Duration::from_secs(20))
            .no_proxy()
            .build()?;
        Ok(Self {
            client,
            url: url.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
        })
    }

    /// Posts JSON and reads the answer, within `patience`.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
        patience: Duration,
    ) -> Result<T, PeerError> {
        let away = |error: reqwest::Error| PeerError::Away {
            url: self.url.clone(),
            detail: innermost(&error),
        };
        let request = self.client.post(format!("{}{path}", self.url));
        let request = request.bearer_auth(&self.token).timeout(patience).json(body);
        let answer = request.send().await.map_err(away)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(away)?;
        if !status.is_success() {
            return Err(refused(status, &body));
        }
        // An answer without a body is `null`.
        let body: &[u8] = if body.is_empty() { b"null" } else { &body };
        serde_json::from_slice(body).map_err(|error| PeerError::Away {
            url: self.url.clone(),
            detail: format!("it answers what this version does not understand ({error})"),
        })
    }
}

fn refused(status: StatusCode, body: &[u8]) -> PeerError {
    let (slug, detail) = match serde_json::from_slice::<ProblemView>(body) {
        Ok(problem) => (
            problem.kind.rsplit('/').next().unwrap_or_default().to_owned(),
            problem.detail.unwrap_or(problem.title),
        ),
        Err(_) => (String::new(), String::from_utf8_lossy(body).chars().take(200).collect()),
    };
    PeerError::Refused { status, slug, detail }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
