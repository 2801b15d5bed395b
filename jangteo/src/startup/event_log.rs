//! Opens the event log: the folder's own, or a server's.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use command_services::outbox::RelaySettings;
use event_log::{
    EventLog, Position,
    embedded::{self, EmbeddedLog, Options},
};
use eventstore_log::{ConnectError, EventStoreLog, Settings};
use tokio::task::spawn_blocking;

use crate::{
    config::{EventLogSettings, LogPlace},
    folder::{DataFolder, FolderError},
};

/// How long a start waits for a server that is not up yet.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// Why the log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the folder.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// It is no shop's, or cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The log in it cannot be opened.
    #[error(transparent)]
    Log(embedded::OpenError),
    /// The opening was cut off.
    #[error("opening the log was cut off: {0}")]
    Interrupted(String),
    /// The folder's shop has its log on a server, and this command was not told which.
    #[error(
        "the shop in {folder} has its event log at {place}, not in the folder: name it with JANGTEO_LOG=esdb://… or as \
         `at` under [event_log] in {folder}/jangteo.toml"
    )]
    Elsewhere {
        /// The folder.
        folder: PathBuf,
        /// Where the log was when the shop ran last, without the password.
        place: String,
    },
    /// The connection string makes no sense.
    #[error(transparent)]
    Server(#[from] ConnectError),
    /// Nobody answers.
    #[error(
        "{detail}; it was tried for {} s: is it running, and are address, user and password right?", PATIENCE.as_secs()
    )]
    NoAnswer {
        /// What was heard.
        detail: String,
    },
}

impl From<embedded::OpenError> for OpenError {
    fn from(error: embedded::OpenError) -> Self {
        Self::Log(error)
    }
}

/// An open event log.
#[derive(Clone)]
pub(crate) enum OpenLog {
    /// In the folder.
    Embedded(Arc<EmbeddedLog>),
    /// On a server.
    Server(Arc<EventStoreLog>),
}

impl OpenLog {
    /// Opens the log where the settings say it is. A server is waited for.
    pub(crate) async fn open(
        settings: &EventLogSettings,
        folder: &DataFolder,
        operator_token: Option<&str>,
    ) -> Result<Self, OpenError> {
        match &settings.at {
            LogPlace::Embedded => Ok(Self::Embedded(open_embedded(folder, settings.event_bytes).await?)),
            LogPlace::Server(url) => {
                let log = connect(url, operator_token, Settings::default()).await?;
                answers(log.as_ref()).await?;
                Ok(Self::Server(log))
            }
        }
    }

    /// As everybody uses it.
    pub(crate) fn log(&self) -> Arc<dyn EventLog> {
        match self {
            Self::Embedded(log) => Arc::clone(log) as Arc<dyn EventLog>,
            Self::Server(log) => Arc::clone(log) as Arc<dyn EventLog>,
        }
    }

    /// How an outbox tells this log what it holds. Appends to a server may overtake each other: one at a time.
    pub(crate) fn relay(&self) -> RelaySettings {
        match self {
            Self::Embedded(_) => RelaySettings::default(),
            Self::Server(_) => RelaySettings {
                in_flight: 1,
                ..RelaySettings::default()
            },
        }
    }

    /// Closes it where it keeps nobody waiting.
    pub(crate) async fn close(&self) {
        match self {
            Self::Embedded(log) => {
                let log = Arc::clone(log);
                if let Err(error) = spawn_blocking(move || log.close()).await {
                    tracing::error!(%error, "closing the log was cut off");
                }
            }
            Self::Server(log) => log.close(),
        }
    }
}

async fn open_embedded(folder: &DataFolder, event_bytes: usize) -> Result<Arc<EmbeddedLog>, OpenError> {
    let place = folder.place("log");
    let mut options = Options::default();
    options.limits.event_bytes = event_bytes;
    options.limits.append_bytes = options.limits.append_bytes.max(event_bytes);
    let opened = spawn_blocking(move || EmbeddedLog::open_with(&place, options)).await;
    match opened {
        Ok(Ok(log)) => Ok(log),
        Ok(Err(embedded::OpenError::InUse { .. })) => Err(OpenError::InUse(folder.path().to_owned())),
        Ok(Err(error)) => Err(OpenError::Log(error)),
        Err(error) => Err(OpenError::Interrupted(error.to_string())),
    }
}

/// A log on a server. Where the connection string names no user, it is `operator` with the shop's operator token, as
/// `jangteo serve --role log` expects it.
pub(crate) async fn connect(
    url: &str,
    operator_token: Option<&str>,
    settings: Settings,
) -> Result<Arc<EventStoreLog>, ConnectError> {
    let url = match operator_token {
        Some(token) => with_operator(url, token),
        None => url.to_owned(),
    };
    EventStoreLog::connect(&url, settings).await
}

/// The connection string with the operator's credentials, unless it has some or goes without TLS.
fn with_operator(url: &str, token: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let parameters = rest.split_once('?').map_or("", |(_, parameters)| parameters);
    let plain = parameters
        .split('&')
        .any(|parameter| parameter.eq_ignore_ascii_case("tls=false"));
    if authority.contains('@') || plain {
        return url.to_owned();
    }
    format!("{scheme}://operator:{token}@{rest}")
}

/// Waits until the log answers.
async fn answers(log: &EventStoreLog) -> Result<Position, OpenError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match log.head().await {
            Ok(head) => return Ok(head),
            Err(error) if Instant::now() >= deadline => {
                return Err(OpenError::NoAnswer {
                    detail: error.to_string(),
                });
            }
            Err(error) => tracing::warn!(%error, "waiting for the event log"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_credentials_are_filled_in_where_there_are_none() {
        for (url, expected) in [
            ("esdb://h:1", "esdb://operator:t@h:1"),
            ("esdb://h:1?tlsCAFile=/c.pem", "esdb://operator:t@h:1?tlsCAFile=/c.pem"),
            ("esdb://a:b@h:1", "esdb://a:b@h:1"),
            ("esdb://h:1?tls=false", "esdb://h:1?tls=false"),
            ("esdb://h:1?x=y&TLS=False", "esdb://h:1?x=y&TLS=False"),
        ] {
            assert_eq!(with_operator(url, "t"), expected);
        }
    }
}
