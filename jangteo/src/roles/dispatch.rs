//! Sagas' commands, taken to the services: of this process, or of the command role's over NATS or HTTP.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bus::{CommandBus, CommandError, CommandHandler};
use command_services::services::{ServiceError, Services};
use domain::commands::Directive;
use sagas::{DispatchError, Dispatcher};

use super::{
    directives::{PATH, REFUSED},
    internal::{Peer, PeerError},
};

/// The runner's own deadline comes first; this one only ends what it has forgotten.
const PATIENCE: Duration = Duration::from_secs(60);

/// The command services of this process, at the end of a bus.
pub(crate) struct Answering {
    services: Arc<Services>,
}

impl Answering {
    pub(crate) const fn new(services: Arc<Services>) -> Self {
        Self { services }
    }
}

#[async_trait]
impl CommandHandler for Answering {
    async fn handle(&self, directive: &Directive) -> Result<(), CommandError> {
        self.services.execute(directive).await.map_err(|error| match error {
            ServiceError::Refused(refusal) => CommandError::Refused(refusal.to_string()),
            ServiceError::Fault(detail) => CommandError::Fault(detail),
        })
    }
}

/// Takes directives to a bus, in process or over NATS.
pub(crate) struct BusDispatcher {
    bus: Arc<dyn CommandBus>,
}

impl BusDispatcher {
    pub(crate) fn new(bus: Arc<dyn CommandBus>) -> Self {
        Self { bus }
    }
}

#[async_trait]
impl Dispatcher for BusDispatcher {
    async fn dispatch(&self, directive: &Directive) -> Result<(), DispatchError> {
        self.bus.send(directive).await.map_err(|error| match error {
            CommandError::Refused(reason) => DispatchError::Refused(reason),
            CommandError::Fault(detail) => DispatchError::Fault(detail),
        })
    }
}

/// Takes directives to the command role. Whatever is no clear refusal is a fault: the runner tries again.
pub(crate) struct RemoteDispatcher {
    command: Peer,
}

impl RemoteDispatcher {
    /// To the command role at `url`.
    ///
    /// # Errors
    /// When no client can be made.
    pub(crate) fn new(url: &str, operator_token: &str) -> reqwest::Result<Self> {
        let command = Peer::new("command role", url, operator_token)?;
        Ok(Self { command })
    }
}

#[async_trait]
impl Dispatcher for RemoteDispatcher {
    async fn dispatch(&self, directive: &Directive) -> Result<(), DispatchError> {
        let taken = self.command.ask::<()>(PATH, directive, PATIENCE).await;
        taken.map_err(|error| match error {
            PeerError::Refused { slug, detail, .. } if slug == REFUSED => DispatchError::Refused(detail),
            other => DispatchError::Fault(other.to_string()),
        })
    }
}
