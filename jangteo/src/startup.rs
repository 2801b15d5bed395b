//! Wires the shop and starts it; stops it in order.
//!
//! From the bottom up: the folder, the log, the command side, the query side, the sagas, the listener. Stopped from the top
//! down. Killed anywhere in between, the next start goes on: only the log and the relational databases are believed.

mod command_side;
mod error;
pub(crate) mod query_side;
mod serving;
#[cfg(test)]
mod tests;

use std::{
    net::SocketAddr,
    pin::pin,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use command_services::{accounts::Accounts, services::Services};
use edge::{Limits, RouteTable, telemetry::Metrics};
use event_log::{EventLog, embedded::EmbeddedLog};
use projections::Projections;
use read_models::ReadModels;
use sagas::{PlaceOrder, Policy, RunnerConfig, SagaRunner, SystemClock};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};

use self::{
    command_side::CommandSide,
    query_side::{QuerySide, shows},
};
pub use self::{error::StartError, serving::openapi};
use crate::{
    config::Config,
    demo::{self, DemoSummary},
    dispatch::ServiceDispatcher,
    folder::DataFolder,
    operations::{close_log, open_log},
};

/// How long all that follows the last request may take when the shop stops.
const STOP_CAP: Duration = Duration::from_secs(20);

/// How often the metrics of the projections are brought up to date.
const UPKEEP: Duration = Duration::from_secs(5);

static PROCESS_START: OnceLock<Instant> = OnceLock::new();

/// Remembers when the process started, so that `up` can say how long it took to be ready.
pub fn note_process_start() {
    PROCESS_START.get_or_init(Instant::now);
}

/// How long ago the process started.
pub fn since_process_start() -> Duration {
    PROCESS_START.get_or_init(Instant::now).elapsed()
}

/// A running shop. Dropped without [`Shop::stop`] it ends as if killed: nothing is lost.
pub struct Shop {
    folder: DataFolder,
    address: SocketAddr,
    log: Arc<EmbeddedLog>,
    commands: CommandSide,
    models: Arc<ReadModels>,
    queries: Option<QuerySide>,
    sagas: Option<SagaRunner>,
    stopping: watch::Sender<bool>,
    server: JoinHandle<()>,
    upkeep: JoinHandle<()>,
    demo: Option<DemoSummary>,
    setup_token: Option<String>,
}

impl Shop {
    /// Opens the folder, starts every part, and listens. Everything is ready when this returns.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let folder = DataFolder::claim(&config.data)?;
        let embedded = open_log(&folder).await?;
        let log: Arc<dyn EventLog> = Arc::clone(&embedded) as Arc<dyn EventLog>;
        let (listener, address) = listen(config.listen).await?;
        let (commands, queries) = tokio::try_join!(
            Box::pin(CommandSide::open(&config, &folder, &log)),
            Box::pin(QuerySide::open(&folder, &log)),
        )?;
        let sagas = start_sagas(&folder, &log, &commands.services).await?;
        let (stopping, stopped) = watch::channel(false);
        let routes = serving::routes(&log, &commands, &queries, &stopped)?;
        let server = tokio::spawn(edge::serve(
            listener,
            edge::recovered(routes),
            Arc::new(RouteTable::of(&openapi())),
            limits(&config),
            told_to_stop(stopped),
        ));
        let upkeep = tokio::spawn(keep_metrics(serving::metrics()?, Arc::clone(&queries.projections)));
        let mut shop = Self {
            folder,
            address,
            log: embedded,
            commands,
            models: Arc::clone(&queries.models),
            queries: Some(queries),
            sagas: Some(sagas),
            stopping,
            server,
            upkeep,
            demo: None,
            setup_token: None,
        };
        Box::pin(shop.furnish(&config)).await?;
        shop.folder.announce(address)?;
        tracing::info!(%address, data = %shop.folder.path().display(), "the shop is up");
        Ok(shop)
    }

    /// The demo catalogue, or the way to the first admin.
    async fn furnish(&mut self, config: &Config) -> Result<(), StartError> {
        if config.demo {
            let seeded = demo::seed(self).await.map_err(StartError::of("the demo"))?;
            self.demo = Some(seeded);
            // For a moment longer than a first visitor would notice; a large import is caught up with while serving.
            if let Err(behind) = self.settled(Duration::from_secs(1)).await {
                tracing::info!(behind, "the read models are still catching up");
            }
        } else {
            let token = self.commands.accounts.new_setup_token().await;
            self.setup_token = token.map_err(StartError::of("the accounts"))?;
        }
        Ok(())
    }

    /// Stops in order: no further requests, those under way finished; the sagas; the carrier; what the databases still have to
    /// tell the log; the read models; the log. What takes too long is left to the next start.
    pub async fn stop(mut self) {
        let begun = Instant::now();
        self.stopping.send_replace(true);
        let served = (&mut self.server).await;
        let in_time = timeout(STOP_CAP, self.stop_parts()).await;
        self.folder.withdraw_address();
        close_log(&self.log).await;
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
        if let Some(sagas) = self.sagas.take() {
            sagas.shutdown().await;
        }
        self.commands.rest();
        self.commands.drain().await;
        if let Some(queries) = self.queries.take() {
            queries.close().await;
        }
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
        Arc::clone(&self.log) as Arc<dyn EventLog>
    }

    /// Its accounts.
    pub const fn accounts(&self) -> &Arc<Accounts> {
        &self.commands.accounts
    }

    /// Its command services.
    pub const fn services(&self) -> &Arc<Services> {
        &self.commands.services
    }

    /// Its read models.
    pub const fn read_models(&self) -> &Arc<ReadModels> {
        &self.models
    }

    /// What the demo brought, where it was asked for.
    pub const fn demo(&self) -> Option<&DemoSummary> {
        self.demo.as_ref()
    }

    /// The one-time token that makes the first admin, while there is none.
    pub fn setup_token(&self) -> Option<&str> {
        self.setup_token.as_deref()
    }

    /// Waits until every read model shows what is in the log now.
    ///
    /// # Errors
    /// Which one is not there in time, or why the log cannot be asked.
    pub async fn settled(&self, patience: Duration) -> Result<(), String> {
        let head = self.log.head().await.map_err(|error| error.to_string())?;
        shows(&self.models, head, patience).await
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.server.abort();
        self.upkeep.abort();
    }
}

/// Keeps the metrics small, and those of the projections true, for whoever scrapes them.
async fn keep_metrics(metrics: Metrics, projections: Arc<Projections>) {
    let mut upkeep = pin!(metrics.upkeep());
    let mut tick = tokio::time::interval(UPKEEP);
    loop {
        tokio::select! {
            () = &mut upkeep => return,
            _ = tick.tick() => {
                // Asking sets the gauges.
                if let Err(error) = projections.status().await {
                    tracing::debug!(%error, "the projections cannot be asked");
                }
            }
        }
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let chosen = listener.local_addr().map_err(failed)?;
    Ok((listener, chosen))
}

async fn start_sagas(
    folder: &DataFolder,
    log: &Arc<dyn EventLog>,
    services: &Arc<Services>,
) -> Result<SagaRunner, StartError> {
    let config = RunnerConfig {
        log: Arc::clone(log),
        dispatcher: Arc::new(ServiceDispatcher::new(Arc::clone(services))),
        folder: folder.place("sagas"),
        clock: Arc::new(SystemClock),
        limits: sagas::Limits::default(),
    };
    let started = SagaRunner::start(PlaceOrder::new(Policy::default()), config).await;
    started.map_err(StartError::of("the sagas"))
}

fn limits(config: &Config) -> Limits {
    Limits {
        connections: config.http.connections,
        header_timeout: Duration::from_secs(config.http.header_seconds),
        body_timeout: Duration::from_secs(config.http.body_seconds),
        shutdown_grace: config.stop_cap(),
        ..Limits::default()
    }
}

async fn told_to_stop(mut stopping: watch::Receiver<bool>) {
    // Where the sender is gone the shop was dropped: stop as well.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
