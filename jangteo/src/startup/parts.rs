//! The parts of the roles that a process has, and how they are joined: within the process where both sides are in it, over
//! NATS or HTTP where they are not.

use std::sync::Arc;

use ::bus::{DeadCommands, EventPublisher, InProcess, Nats, Worker};
use ::subscribers::Subscriptions;
use event_log::Position;
use projections::Projections;
use read_models::{ReadModels, filling::Filling};
use sagas::{Dispatcher, PlaceOrder, Policy, ReturnGoods, RunnerConfig, SagaRunner, SystemClock};
use tokio::{sync::watch, task::JoinSet};

use super::{
    StartError, bus, command_side::CommandSide, event_log::OpenLog, keys::Keys, patience::patiently, query_side,
    subscriptions,
};
use crate::{
    config::Config,
    folder::DataFolder,
    roles::{
        Role, Roles,
        dispatch::{Answering, BusDispatcher, RemoteDispatcher},
        documents::{remote::RemoteDocuments, shown},
    },
};

/// What parts stand on.
pub(super) struct Ground<'a> {
    pub(super) config: &'a Config,
    pub(super) roles: Roles,
    pub(super) folder: &'a DataFolder,
    pub(super) keys: &'a Keys,
    pub(super) log: &'a OpenLog,
    /// Read models that show less than this show nothing a consistency token can be held against.
    pub(super) floor: Position,
    /// Becomes true when the process is told to stop.
    pub(super) stopped: &'a watch::Receiver<bool>,
}

/// The parts of a process.
pub(super) struct Parts {
    /// What changes the shop.
    pub(super) commands: Option<CommandSide>,
    /// What is read, where it is in this process.
    pub(super) models: Option<Arc<ReadModels>>,
    /// The read models as projections in another process fill them.
    pub(super) filling: Option<Filling>,
    /// What fills the read models, here or elsewhere.
    pub(super) projections: Option<Arc<Projections>>,
    /// Where commands end that no service could take, where commands travel over NATS.
    pub(super) dead_commands: Option<Arc<DeadCommands>>,
    /// Who listens to the log beside the sagas.
    pub(super) subscriptions: Option<Arc<Subscriptions>>,
    sagas: Vec<SagaRunner>,
    workers: Vec<Worker>,
    publisher: Option<EventPublisher>,
    _tellers: JoinSet<()>,
}

impl Parts {
    pub(super) async fn open(ground: &Ground<'_>) -> Result<Self, StartError> {
        let (commands, reading) = tokio::try_join!(Box::pin(commands(ground)), Box::pin(reading(ground)))?;
        let nats = bus::connect(&ground.config.nats, ground.roles).await?;
        let workers = match (&nats, &commands) {
            (Some(nats), Some(commands)) => bus::answer(nats, &commands.services),
            _ => vec![],
        };
        let publisher = match &nats {
            Some(nats) if ground.roles.has(Role::Projection) => {
                Some(bus::publish(nats, ground.log.log(), &ground.folder.place("published")).await?)
            }
            _ => None,
        };
        let sagas = sagas(ground, commands.as_ref(), nats.as_ref()).await?;
        let subscriptions = match ground.roles.has(Role::Saga) {
            true => Some(subscriptions::start(ground.config, ground.folder, ground.log.log())?),
            false => None,
        };
        let dead_commands = match &nats {
            Some(nats) => Some(bus::dead_commands(nats).await?),
            None => None,
        };
        let Reading {
            models,
            filling,
            projections,
            tellers,
        } = reading;
        Ok(Self {
            commands,
            models,
            filling,
            projections,
            dead_commands,
            subscriptions,
            sagas,
            workers,
            publisher,
            _tellers: tellers,
        })
    }

    /// Stops them from the top down.
    pub(super) async fn stop(&mut self) {
        for sagas in self.sagas.drain(..) {
            sagas.shutdown().await;
        }
        if let Some(subscriptions) = self.subscriptions.take() {
            subscriptions.shutdown().await;
        }
        for worker in self.workers.drain(..) {
            worker.stop().await;
        }
        self.publisher.take();
        if let Some(commands) = &self.commands {
            commands.rest();
            commands.drain().await;
        }
        if let Some(projections) = self.projections.take() {
            query_side::close(projections).await;
        }
        if let Some(past) = self.models.as_ref().and_then(|models| models.past_searches()) {
            past.save();
        }
    }
}

/// The parts about read models.
struct Reading {
    models: Option<Arc<ReadModels>>,
    filling: Option<Filling>,
    projections: Option<Arc<Projections>>,
    tellers: JoinSet<()>,
}

async fn commands(ground: &Ground<'_>) -> Result<Option<CommandSide>, StartError> {
    if !ground.roles.has(Role::Command) {
        return Ok(None);
    }
    Box::pin(CommandSide::open(ground)).await.map(Some)
}

async fn reading(ground: &Ground<'_>) -> Result<Reading, StartError> {
    let mut reading = Reading {
        models: None,
        filling: None,
        projections: None,
        tellers: JoinSet::new(),
    };
    if ground.roles.has(Role::Query) {
        let (config, log) = (ground.config, ground.log.log());
        let models = query_side::open(config, ground.folder, &log, ground.floor).await?;
        ground.folder.keep_read_models_source(&config.read_models_at())?;
        if !ground.roles.has(Role::Projection) {
            let filling = Filling::of(Arc::clone(&models)).await;
            reading.filling = Some(filling.map_err(StartError::of("the read models"))?);
        }
        reading.models = Some(models);
    }
    if ground.roles.has(Role::Projection) {
        let models = match &reading.models {
            Some(models) => Arc::clone(models),
            None => {
                let url = ground.config.roles.query_url.as_deref().unwrap_or_default();
                let (store, models) = elsewhere(url, &ground.keys.operator_token).await?;
                reading.tellers = shown::tell(&store, &models);
                models
            }
        };
        let projections = query_side::project(&ground.log.log(), &models, ground.config.sentinel).await?;
        reading.projections = Some(Arc::new(projections));
    }
    Ok(reading)
}

/// The query role's read models, as soon as it answers.
async fn elsewhere(url: &str, token: &str) -> Result<(Arc<RemoteDocuments>, Arc<ReadModels>), StartError> {
    let part = "the way to the query role";
    let store = Arc::new(RemoteDocuments::new(url, token).map_err(StartError::of(part))?);
    let models = patiently(part, async || ReadModels::elsewhere(Arc::clone(&store) as _).await).await?;
    Ok((store, Arc::new(models)))
}

/// The way of the sagas' commands: over NATS where it is named, in process where the services are, over HTTP otherwise.
async fn dispatcher(
    ground: &Ground<'_>,
    commands: Option<&CommandSide>,
    nats: Option<&Nats>,
) -> Result<Arc<dyn Dispatcher>, StartError> {
    Ok(match (nats, commands) {
        (Some(nats), _) => Arc::new(BusDispatcher::new(bus::commands(nats).await?)),
        (None, Some(commands)) => {
            let services = Answering::new(Arc::clone(&commands.services));
            Arc::new(BusDispatcher::new(Arc::new(InProcess::to(Arc::new(services)))))
        }
        (None, None) => {
            let url = ground.config.roles.command_url.as_deref().unwrap_or_default();
            let dispatcher = RemoteDispatcher::new(url, &ground.keys.operator_token);
            Arc::new(dispatcher.map_err(StartError::of("the way to the command role"))?)
        }
    })
}

async fn sagas(
    ground: &Ground<'_>,
    commands: Option<&CommandSide>,
    nats: Option<&Nats>,
) -> Result<Vec<SagaRunner>, StartError> {
    if !ground.roles.has(Role::Saga) {
        return Ok(vec![]);
    }
    let dispatcher = dispatcher(ground, commands, nats).await?;
    let config = || RunnerConfig {
        log: ground.log.log(),
        dispatcher: Arc::clone(&dispatcher),
        folder: ground.folder.place("sagas"),
        clock: Arc::new(SystemClock),
        limits: sagas::Limits::default(),
    };
    let policy = Policy::default();
    let orders = SagaRunner::start(PlaceOrder::new(policy), config());
    let returns = SagaRunner::start(ReturnGoods::new(policy), config());
    let (orders, returns) = tokio::try_join!(orders, returns).map_err(StartError::of("the sagas"))?;
    Ok(vec![orders, returns])
}
