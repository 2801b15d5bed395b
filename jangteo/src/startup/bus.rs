//! NATS, where the settings name one: commands come in over it, and published events leave over it.

use std::{path::Path, sync::Arc};

use bus::{CommandBus, Credentials, DeadCommands, EventPublisher, Nats, NatsCommands, Worker, WorkerLimits};
use command_services::services::Services;
use event_log::EventLog;
use sagas::Service;

use super::{StartError, patience::patiently};
use crate::{
    config,
    roles::{Role, Roles, dispatch::Answering},
};

/// The connection, as soon as the server answers; none where none is named or these roles do not need it.
pub(super) async fn connect(settings: &config::NatsSettings, roles: Roles) -> Result<Option<Nats>, StartError> {
    let part = "the way to NATS";
    let needed = [Role::Command, Role::Saga, Role::Projection]
        .into_iter()
        .any(|role| roles.has(role));
    let Some(url) = settings.url.as_ref().filter(|_| needed) else {
        return Ok(None);
    };
    let credentials = settings.credentials_file.as_deref().map(Credentials::read).transpose();
    let settings = bus::NatsSettings {
        url: url.as_given().to_owned(),
        prefix: settings.prefix.clone(),
        credentials: credentials.map_err(StartError::of("who we are to NATS"))?,
        trusted: settings.ca.clone(),
    };
    patiently(part, async || Nats::connect(&settings).await).await.map(Some)
}

/// The way to the services of the command role, whichever process has it.
pub(super) async fn commands(nats: &Nats) -> Result<Arc<dyn CommandBus>, StartError> {
    let opened = NatsCommands::open(nats.clone()).await;
    Ok(Arc::new(opened.map_err(StartError::of("the way to the command role"))?))
}

/// Every service takes its commands from its own queue: one that is slow holds up no other.
pub(super) fn answer(nats: &Nats, services: &Arc<Services>) -> Vec<Worker> {
    let answering = Arc::new(Answering::new(Arc::clone(services)));
    let start = |service| Worker::start(nats, service, Arc::clone(&answering) as _, WorkerLimits::default());
    Service::ALL.into_iter().map(start).collect()
}

/// Where commands end that no service could take.
pub(super) async fn dead_commands(nats: &Nats) -> Result<Arc<DeadCommands>, StartError> {
    let opened = DeadCommands::open(nats).await;
    opened.map(Arc::new).map_err(StartError::of("the dead commands"))
}

/// What partners may see leaves from here.
pub(super) async fn publish(nats: &Nats, log: Arc<dyn EventLog>, folder: &Path) -> Result<EventPublisher, StartError> {
    let started = EventPublisher::start(nats, log, folder).await;
    started.map_err(StartError::of("the publishing of events"))
}
