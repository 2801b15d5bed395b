//! What every process of a shop is, whichever roles it has.

use std::{
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use edge::{Limits, RouteTable, telemetry::Metrics};
use event_log::EventLog;
use log_endpoint::Endpoint;
use projections::Projections;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};

use super::{
    StartError,
    event_log::OpenLog,
    keys::Keys,
    parts::{Ground, Parts},
    serving, wire,
};
use crate::{
    config::Config,
    databases::{Databases, seen},
    folder::{DataFolder, FolderLock},
    roles::{Role, Roles},
    witness,
};

/// How long all that follows the last request may take when the process stops.
const STOP_CAP: Duration = Duration::from_secs(20);

/// How often the metrics of the projections are brought up to date, and the log's witness.
const UPKEEP: Duration = Duration::from_secs(5);

/// A running process of a shop. Dropped without [`Process::stop`] it ends as if killed: nothing is lost.
pub struct Process {
    folder: DataFolder,
    _lock: FolderLock,
    roles: Roles,
    address: SocketAddr,
    log: OpenLog,
    parts: Parts,
    endpoint: Option<Endpoint>,
    stopping: watch::Sender<bool>,
    server: JoinHandle<()>,
    upkeep: JoinHandle<()>,
}

impl Process {
    /// Opens the folder, starts the parts of these roles, and listens. Everything is ready when this returns.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(config: &Config, roles: Roles) -> Result<Self, StartError> {
        roles.check(config).map_err(StartError::Combination)?;
        Box::pin(Self::start_unchecked(config, roles)).await
    }

    /// The command role on a log of its own, as no operator can start it.
    #[cfg(test)]
    pub(crate) async fn commands_alone(config: &Config) -> Result<Self, StartError> {
        Box::pin(Self::start_unchecked(config, Roles::One(Role::Command))).await
    }

    async fn start_unchecked(config: &Config, roles: Roles) -> Result<Self, StartError> {
        // First of all: what is counted before anybody collects is lost.
        let metrics = serving::metrics()?;
        let folder = DataFolder::claim(&config.data)?;
        let lock = folder.lock()?;
        folder.take_for(roles.name())?;
        let keys = Keys::open(config.keys())?;
        folder.keep_operator_token(&keys.operator_token)?;
        let (listener, address) = listen(config.listen, "--listen").await?;
        let offered = match config.event_log.listen {
            Some(address) => Some(listen(address, "--log-listen").await?.0),
            None => None,
        };
        let log = OpenLog::open(&config.event_log, &folder, Some(&keys.operator_token)).await?;
        let settled = witness::settle(&folder, &log.log()).await;
        let settled = settled.map_err(StartError::of("the event log"))?;
        folder.keep_log_source(&config.event_log.at.to_string())?;
        let (stopping, stopped) = watch::channel(false);
        let ground = Ground {
            config,
            roles,
            folder: &folder,
            keys: &keys,
            log: &log,
            floor: settled.floor,
            stopped: &stopped,
        };
        let parts = Box::pin(Parts::open(&ground)).await?;
        let endpoint = match offered {
            Some(listener) => {
                let accounts = parts.commands.as_ref().map(|commands| Arc::clone(&commands.accounts));
                Some(wire::offer(&config.event_log, &folder, listener, log.log(), &keys, accounts).await?)
            }
            None => None,
        };
        let routes = serving::routes(&ground, &parts)?;
        let server = tokio::spawn(edge::serve(
            listener,
            edge::recovered(routes),
            Arc::new(RouteTable::of(&serving::description(roles))),
            limits(config, roles),
            told_to_stop(stopped),
        ));
        let upkeep = keep(metrics, parts.projections.clone(), kept(&folder, &log, &parts));
        Ok(Self {
            folder,
            _lock: lock,
            roles,
            address,
            log,
            parts,
            endpoint,
            stopping,
            server,
            upkeep: tokio::spawn(upkeep),
        })
    }

    /// Writes down where it can be reached: it is ready.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn announce(&self) -> Result<(), StartError> {
        Ok(self.folder.announce(self.address)?)
    }

    /// Stops in order: no further requests, those under way finished; the sagas; the carrier; what the databases still have to
    /// tell the log; the read models; the log. What takes too long is left to the next start.
    pub async fn stop(mut self) {
        let begun = Instant::now();
        self.stopping.send_replace(true);
        let served = (&mut self.server).await;
        if let Some(endpoint) = self.endpoint.take() {
            endpoint.stop().await;
        }
        let in_time = timeout(STOP_CAP, self.stop_parts()).await;
        self.folder.withdraw_address();
        self.log.close().await;
        if let (Ok(()), Ok(())) = (&served, &in_time) {
            tracing::info!(seconds = begun.elapsed().as_secs_f64(), "the shop is down");
        } else {
            tracing::warn!(
                ?served,
                ?in_time,
                "the shop is down, not in order: the next start does the rest"
            );
        }
    }

    async fn stop_parts(&mut self) {
        self.upkeep.abort();
        // Ends as cancelled: that is how it is to end. It lets go of the projections then.
        let _ = (&mut self.upkeep).await;
        self.parts.stop().await;
        kept(&self.folder, &self.log, &self.parts).keep().await;
    }

    pub(super) const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// What it does for the shop.
    pub const fn roles(&self) -> Roles {
        self.roles
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://…` of where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its folder.
    pub const fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// Its event log.
    pub fn log(&self) -> Arc<dyn EventLog> {
        self.log.log()
    }

    /// Where its event log is offered to others, where it is: a connection string without credentials.
    pub fn log_address(&self) -> Option<String> {
        self.endpoint.as_ref().and_then(|_| self.folder.log_address())
    }

    /// A new one-time token that makes the first admin; none when there is one, or the accounts are in another process.
    ///
    /// # Errors
    /// When the accounts cannot be read.
    pub async fn new_setup_token(&self) -> Result<Option<String>, StartError> {
        match &self.parts.commands {
            Some(commands) => {
                let token = commands.accounts.new_setup_token().await;
                token.map_err(StartError::of("the accounts"))
            }
            None => Ok(None),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.server.abort();
        self.upkeep.abort();
    }
}

/// What the folder remembers of what it belongs to.
struct Witnesses {
    folder: DataFolder,
    log: Arc<dyn EventLog>,
    databases: Option<Databases>,
}

impl Witnesses {
    async fn keep(&self) {
        witness::keep(&self.folder, &self.log).await;
        if let Some(databases) = &self.databases
            && let Err(error) = Box::pin(seen::remember(&self.folder, databases)).await
        {
            tracing::warn!(%error, "how far the databases are is not kept; trying again");
        }
    }
}

fn kept(folder: &DataFolder, log: &OpenLog, parts: &Parts) -> Witnesses {
    Witnesses {
        folder: folder.clone(),
        log: log.log(),
        databases: parts.commands.as_ref().map(|commands| commands.databases.clone()),
    }
}

/// Keeps the metrics small, those of the projections true for whoever scrapes them, and the folder's witnesses new.
async fn keep(metrics: Metrics, projections: Option<Arc<Projections>>, witnesses: Witnesses) {
    let mut upkeep = pin!(metrics.upkeep());
    let mut tick = tokio::time::interval(UPKEEP);
    loop {
        tokio::select! {
            () = &mut upkeep => return,
            _ = tick.tick() => {
                witnesses.keep().await;
                // Asking sets the gauges.
                if let Some(projections) = &projections
                    && let Err(error) = projections.status().await
                {
                    tracing::debug!(%error, "the projections cannot be asked");
                }
            }
        }
    }
}

async fn listen(address: SocketAddr, flag: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, flag, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let chosen = listener.local_addr().map_err(failed)?;
    Ok((listener, chosen))
}

fn limits(config: &Config, roles: Roles) -> Limits {
    let limits = Limits::default();
    Limits {
        connections: config.http.connections,
        header_timeout: Duration::from_secs(config.http.header_seconds),
        body_timeout: Duration::from_secs(config.http.body_seconds),
        // Projections in another process write whole batches.
        body_bytes: if roles == Roles::One(Role::Query) {
            crate::roles::documents::endpoint::LIMIT
        } else {
            limits.body_bytes
        },
        shutdown_grace: config.stop_cap(),
    }
}

async fn told_to_stop(mut stopping: watch::Receiver<bool>) {
    // Where the sender is gone the shop was dropped: stop as well.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
