//! What the two internal hops have in common.

use std::{fmt, time::Duration};

use edge::{Principal, Problem};
use reqwest::{Client, StatusCode};
use resilience::{CallError, Failure, Outlet, Settings};
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

/// No question to another role takes longer. Each has a shorter patience of its own.
const LONGEST: Duration = Duration::from_secs(130);
/// Questions under way at a time. Those who ask have narrower limits of their own, so this one is for the day they forget.
const PLACES: usize = 512;
/// A role that was restarted is back within moments: it is tried again soon.
const BREAK: Duration = Duration::from_millis(250);
const LONGEST_BREAK: Duration = Duration::from_secs(2);

/// Another role's process.
#[derive(Clone)]
pub(super) struct Peer {
    client: Client,
    url: String,
    token: String,
    outlet: Outlet,
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
    /// It failed lately, or too much is asked of it: it was not asked.
    #[error("{0}")]
    NotAsked(String),
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

impl CallError for PeerError {
    fn may_pass(&self) -> bool {
        match self {
            Self::Away { .. } | Self::NotAsked(_) => true,
            Self::Refused { status, .. } => status.is_server_error(),
        }
    }

    // A role that answers is there, though one of its services may not be well: that holds up no other.
    fn counts(&self) -> bool {
        matches!(self, Self::Away { .. })
    }
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
    /// The process at `url`, which knows this token; `name` is what operators call it.
    pub(super) fn new(name: &'static str, url: &str, token: &str) -> reqwest::Result<Self> {
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .pool_idle_timeout(Duration::from_secs(20))
            .no_proxy()
            .build()?;
        Ok(Self {
            client,
            url: url.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
            outlet: Outlet::new(
                name,
                Settings::default()
                    .places(PLACES)
                    .deadline(LONGEST)
                    .breaks(5, BREAK, LONGEST_BREAK),
            ),
        })
    }

    /// Posts JSON and reads the answer, within `patience`. Once: whoever asks knows best when to ask again.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
        patience: Duration,
    ) -> Result<T, PeerError> {
        let answer = self.outlet.call_once(|| self.asked(path, body, patience)).await;
        answer.map_err(|failure| match failure {
            Failure::Failed(error) => error,
            failure if failure.never_left() => PeerError::NotAsked(failure.to_string()),
            failure => PeerError::Away {
                url: self.url.clone(),
                detail: failure.to_string(),
            },
        })
    }

    async fn asked<T: DeserializeOwned>(
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

/// Without the token.
impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("url", &self.url).finish_non_exhaustive()
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
