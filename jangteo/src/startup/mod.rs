//! Wires the shop and starts it; stops it in order.
//!
//! [`process`] is what every process of a shop is: the folder, the keys, the log, the parts of its roles, the listener. From
//! the bottom up; stopped from the top down. A [`Shop`] is a process with all roles, `jangteo serve` one with a single role:
//! the same parts ([`parts`]), wired once. Killed anywhere in between, the next start goes on: only the log and the relational
//! databases are believed.

mod bus;
mod command_side;
mod error;
pub(crate) mod event_log;
mod keys;
mod parts;
mod patience;
mod payments;
mod process;
pub(crate) mod query_side;
mod serving;
mod stores;
pub(crate) mod subscriptions;
#[cfg(test)]
mod tests;
mod wire;

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use ::event_log::EventLog;
use command_services::{accounts::Accounts, services::Services};
use read_models::ReadModels;

use self::query_side::shows;
pub use self::{error::StartError, process::Process, serving::openapi};
use crate::{
    config::Config,
    demo::{self, DemoSummary},
    folder::DataFolder,
    roles::Roles,
};

static PROCESS_START: OnceLock<Instant> = OnceLock::new();

/// Remembers when the process started, so that `up` can say how long it took to be ready.
pub fn note_process_start() {
    PROCESS_START.get_or_init(Instant::now);
}

/// How long ago the process started.
pub fn since_process_start() -> Duration {
    PROCESS_START.get_or_init(Instant::now).elapsed()
}

/// A running shop: all roles in this process. Dropped without [`Shop::stop`] it ends as if killed: nothing is lost.
pub struct Shop {
    process: Process,
    accounts: Arc<Accounts>,
    services: Arc<Services>,
    models: Arc<ReadModels>,
    demo: Option<DemoSummary>,
    setup_token: Option<String>,
}

impl Shop {
    /// Opens the folder, starts every part, and listens. Everything is ready when this returns.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let process = Process::start(&config, Roles::All).await?;
        let parts = process.parts();
        let (Some(commands), Some(models)) = (&parts.commands, &parts.models) else {
            return Err(StartError::of("the shop")("a role is missing"));
        };
        let mut shop = Self {
            accounts: Arc::clone(&commands.accounts),
            services: Arc::clone(&commands.services),
            models: Arc::clone(models),
            process,
            demo: None,
            setup_token: None,
        };
        Box::pin(shop.furnish(&config)).await?;
        shop.process.announce()?;
        tracing::info!(address = %shop.address(), data = %shop.folder().path().display(), "the shop is up");
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
            self.setup_token = self.process.new_setup_token().await?;
        }
        Ok(())
    }

    /// Stops in order, see [`Process::stop`].
    pub async fn stop(self) {
        self.process.stop().await;
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.process.address()
    }

    /// `http://…` of where it listens.
    pub fn url(&self) -> String {
        self.process.url()
    }

    /// Its folder.
    pub const fn folder(&self) -> &DataFolder {
        self.process.folder()
    }

    /// Its event log.
    pub fn log(&self) -> Arc<dyn EventLog> {
        self.process.log()
    }

    /// Its accounts.
    pub const fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    /// Its command services.
    pub const fn services(&self) -> &Arc<Services> {
        &self.services
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

    /// Where its event log is offered to others, where it is: a connection string without credentials.
    pub fn log_address(&self) -> Option<String> {
        self.process.log_address()
    }

    /// Waits until every read model shows what is in the log now.
    ///
    /// # Errors
    /// Which one is not there in time, or why the log cannot be asked.
    pub async fn settled(&self, patience: Duration) -> Result<(), String> {
        let head = self.log().head().await.map_err(|error| error.to_string())?;
        shows(&self.models, head, patience).await
    }
}
