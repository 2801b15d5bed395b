//! The two ends of a copy: a folder, or a server.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use event_log::{EventLog, embedded::EmbeddedLog};
use eventstore_log::{ConnectError, EventStoreLog, Settings};
use tokio::task::spawn_blocking;

use crate::{
    cli::CliError,
    config::LogPlace,
    folder::{DataFolder, FolderError, FolderLock},
    startup::event_log::connect,
};

const LOG_FORMAT: &str = "jangteo event log";

/// Where a log is: `esdb://…`, a shop's folder, or a folder that holds a log and nothing else.
#[derive(Debug, Clone)]
pub(super) enum Whereabouts {
    Server(String),
    Folder(PathBuf),
}

impl FromStr for Whereabouts {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.parse() {
            Ok(LogPlace::Server(url)) => Self::Server(url),
            _ => Self::Folder(text.into()),
        })
    }
}

/// Without the password.
impl fmt::Display for Whereabouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(url) => LogPlace::Server(url.clone()).fmt(f),
            Self::Folder(path) => path.display().fmt(f),
        }
    }
}

/// A log, open; what keeps others out of its folder meanwhile is in it.
pub(super) struct OpenEnd {
    pub(super) log: Arc<dyn EventLog>,
    embedded: Option<Arc<EmbeddedLog>>,
    _lock: Option<FolderLock>,
}

/// The source of a copy.
pub(super) enum Source {
    /// Ours as long as we hold it.
    Held(OpenEnd),
    /// Read on the wire from the shop that runs on this folder, which may stop meanwhile.
    Running { folder: DataFolder, end: OpenEnd },
}

/// What a folder is.
enum Kind {
    Shop(DataFolder),
    Bare,
    /// Nothing yet.
    New,
}

impl OpenEnd {
    fn server(log: Arc<dyn EventLog>) -> Self {
        Self {
            log,
            embedded: None,
            _lock: None,
        }
    }

    /// Gives it up, everything written.
    pub(super) async fn close(self) {
        if let Some(log) = self.embedded {
            // Cut off, it is closed with the process.
            let _ = spawn_blocking(move || log.close()).await;
        }
    }
}

impl Source {
    pub(super) const fn end(&self) -> &OpenEnd {
        match self {
            Self::Held(end) | Self::Running { end, .. } => end,
        }
    }

    pub(super) async fn close(self) {
        match self {
            Self::Held(end) | Self::Running { end, .. } => end.close().await,
        }
    }
}

/// Opens a log to read it.
pub(super) async fn open_source(at: &Whereabouts) -> Result<Source, CliError> {
    let path = match at {
        Whereabouts::Server(url) => return Ok(Source::Held(on_server(url, variable().as_deref()).await?)),
        Whereabouts::Folder(path) => path,
    };
    match kind(path)? {
        Kind::New => Err(CliError::Usage(format!("{at} holds no event log"))),
        Kind::Bare => Ok(Source::Held(in_folder(path, None).await?)),
        Kind::Shop(folder) => {
            if let Some(place) = folder.log_elsewhere() {
                return Err(CliError::Usage(format!(
                    "the shop in {at} has its event log at {place}; what lies in {at}/log is from before. Name the one that is meant"
                )));
            }
            match shop_folder(&folder).await? {
                Some(end) => Ok(Source::Held(end)),
                None => Ok(Source::Running {
                    end: running(&folder).await?,
                    folder,
                }),
            }
        }
    }
}

/// Opens a log to write it; makes a folder that is not there.
pub(super) async fn open_target(at: &Whereabouts) -> Result<OpenEnd, CliError> {
    let path = match at {
        Whereabouts::Server(url) => return on_server(url, variable().as_deref()).await,
        Whereabouts::Folder(path) => path,
    };
    match kind(path)? {
        Kind::New | Kind::Bare => in_folder(path, None).await,
        Kind::Shop(folder) => shop_folder(&folder).await?.ok_or_else(|| {
            CliError::Failed(format!(
                "a shop runs on {at}: stop it before its log is written by somebody else"
            ))
        }),
    }
}

/// The log in a shop's folder; none when a shop runs on it.
async fn shop_folder(folder: &DataFolder) -> Result<Option<OpenEnd>, CliError> {
    match folder.lock() {
        Ok(lock) => in_folder(&folder.place("log"), Some(lock)).await.map(Some),
        Err(FolderError::InUse(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The log in the folder of a shop that stopped; none while one runs on it. A shop that went on already with a log elsewhere left
/// this one to whoever reads it.
pub(super) async fn left_behind(folder: &DataFolder) -> Result<Option<OpenEnd>, CliError> {
    match shop_folder(folder).await? {
        None if folder.log_elsewhere().is_some() => in_folder(&folder.place("log"), None).await.map(Some),
        left => Ok(left),
    }
}

/// The log of the shop that runs on the folder, by the address that it gave.
pub(super) async fn running(folder: &DataFolder) -> Result<OpenEnd, CliError> {
    let Some(address) = folder.log_address() else {
        return Err(CliError::Failed(format!(
            "a shop runs on {0} and does not offer its log: start it with `jangteo up --data {0} --log-listen 127.0.0.1:2113`, \
             or stop it first",
            folder.path().display()
        )));
    };
    let token = variable().or_else(|| folder.operator_token());
    // On this machine: when it does not answer soon it has stopped, and whoever stopped it waits.
    let settings = Settings {
        call_deadline: Duration::from_secs(2),
        ..Settings::default()
    };
    connected(connect(&address, token.as_deref(), settings).await)
}

/// Where the log of this folder lies, whether it can be opened or not.
pub(super) fn log_folder(path: &Path) -> Result<PathBuf, CliError> {
    match kind(path)? {
        Kind::Shop(folder) => Ok(folder.place("log")),
        Kind::Bare => Ok(path.to_owned()),
        Kind::New => Err(CliError::Usage(format!("{} holds no event log", path.display()))),
    }
}

fn kind(path: &Path) -> Result<Kind, CliError> {
    match fs::read_to_string(path.join("format")) {
        Ok(text) if text.starts_with(LOG_FORMAT) => Ok(Kind::Bare),
        Ok(_) => Ok(Kind::Shop(DataFolder::existing(path)?)),
        Err(_) => Ok(Kind::New),
    }
}

async fn on_server(url: &str, token: Option<&str>) -> Result<OpenEnd, CliError> {
    connected(connect(url, token, Settings::default()).await)
}

fn connected(outcome: Result<Arc<EventStoreLog>, ConnectError>) -> Result<OpenEnd, CliError> {
    let log = outcome.map_err(|error| CliError::Usage(error.to_string()))?;
    Ok(OpenEnd::server(log))
}

async fn in_folder(path: &Path, lock: Option<FolderLock>) -> Result<OpenEnd, CliError> {
    let path = path.to_owned();
    let opened = spawn_blocking(move || EmbeddedLog::open(&path)).await;
    let log = match opened {
        Ok(Ok(log)) => log,
        Ok(Err(error)) => return Err(CliError::Failed(error.to_string())),
        Err(error) => return Err(CliError::Failed(format!("opening the log was cut off: {error}"))),
    };
    Ok(OpenEnd {
        log: Arc::clone(&log) as Arc<dyn EventLog>,
        embedded: Some(log),
        _lock: lock,
    })
}

fn variable() -> Option<String> {
    std::env::var("JANGTEO_TOKEN").ok().filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Whereabouts {
        text.parse().unwrap_or_else(|never| match never {})
    }

    #[test]
    fn a_connection_string_is_a_server_and_shows_no_password() {
        let server = at("esdb://admin:s3cret@db:2113");
        assert!(matches!(server, Whereabouts::Server(_)));
        assert_eq!(server.to_string(), "esdb://admin:…@db:2113");
        assert!(matches!(at("/srv/shop"), Whereabouts::Folder(_)));
        assert!(matches!(at("embedded"), Whereabouts::Folder(_)));
    }

    #[tokio::test]
    async fn what_holds_no_log_is_no_source_and_nothing_is_made_there() {
        let temp = tempfile::tempdir().unwrap();
        let missing = temp.path().join("missing");
        let error = open_source(&Whereabouts::Folder(missing.clone())).await.err().unwrap();
        assert!(error.to_string().contains("holds no event log"), "{error}");
        assert!(!missing.exists());
        // As a target it is a new log, and then a source.
        open_target(&Whereabouts::Folder(missing.clone()))
            .await
            .unwrap()
            .close()
            .await;
        open_source(&Whereabouts::Folder(missing)).await.unwrap().close().await;
    }
}
