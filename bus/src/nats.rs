//! NATS JetStream: one connection, and what the shop keeps there.
//!
//! | stream | subjects | what |
//! |---|---|---|
//! | `<P>_COMMANDS` | `<p>.commands.<service>.<directive id>` | commands that wait for their service; gone once it has answered |
//! | `<P>_DEAD_COMMANDS` | `<p>.dead-commands.<service>.<directive id>` | commands that nobody could handle; gone once an operator has decided |
//! | `<P>_EVENTS` | `<p>.events.<category>.<what>.<version>` | what partners may see, as CloudEvents, for thirty days |
//!
//! `<p>` is the prefix of the settings, `<P>` the same in capitals. Answers travel on `<p>.replies`, which is kept nowhere: the
//! lasting answer to a command is an event in the log.

mod commands;
mod connection;
mod dead_commands;
#[cfg(test)]
mod tests;
mod worker;

use std::{fmt, time::Duration};

use async_nats::jetstream::{
    Context,
    consumer::{AckPolicy, PullConsumer, pull},
    stream::{self, DiscardPolicy, RetentionPolicy, StorageType, Stream},
};
use domain::steps::Service;
use resilience::{CallError, Failure, Outlet};
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, time::timeout};
use uuid::Uuid;

pub use commands::NatsCommands;
pub use connection::{Credentials, NatsSettings};
pub use dead_commands::{DeadCommand, DeadCommands};
pub use worker::{Worker, WorkerLimits};

use crate::CommandError;

/// How long the server remembers the ids of messages it has taken.
const REMEMBERED: Duration = Duration::from_secs(120);
/// How long a published event can be had from the stream.
const EVENTS_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// NATS could not do it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("NATS at {url}: {detail}")]
pub struct NatsError {
    /// Where, without credentials.
    url: String,
    /// What is wrong.
    detail: String,
}

/// Everything we publish carries an id, by which the server knows what it has.
impl CallError for NatsError {
    fn may_pass(&self) -> bool {
        true
    }
}

/// A connection to NATS. It heals by itself; cloning it is cheap.
#[derive(Clone)]
pub struct Nats {
    context: Context,
    /// The way out: every message that must be kept goes through it.
    outlet: Outlet,
    prefix: String,
    url: String,
    connected: watch::Receiver<bool>,
}

/// What a service answered, for whoever waits for it.
#[derive(Debug, Serialize, Deserialize)]
struct Reply {
    directive: Uuid,
    error: Option<ReplyError>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReplyError {
    Refused(String),
    Fault(String),
}

impl Nats {
    /// Whether the server is there now.
    pub fn is_connected(&self) -> bool {
        *self.connected.borrow()
    }

    /// Waits for the server.
    async fn back_within(&self, patience: Duration) -> Result<(), NatsError> {
        let mut connected = self.connected.clone();
        match timeout(patience, connected.wait_for(|connected| *connected)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(self.error("the server is away")),
        }
    }

    pub(crate) fn error(&self, detail: impl fmt::Display) -> NatsError {
        NatsError {
            url: self.url.clone(),
            detail: detail.to_string(),
        }
    }

    /// Why the outlet brought nothing.
    pub(crate) fn failed(&self, failure: Failure<NatsError>) -> NatsError {
        failure.into_error(|failure| self.error(failure))
    }

    pub(crate) const fn outlet(&self) -> &Outlet {
        &self.outlet
    }

    fn stream_name(&self, what: &str) -> String {
        format!("{}_{what}", self.prefix.to_uppercase().replace('.', "_"))
    }

    fn command_subject(&self, service: &str, directive: &str) -> String {
        format!("{}.commands.{service}.{directive}", self.prefix)
    }

    fn dead_subject(&self, service: &str, directive: &str) -> String {
        format!("{}.dead-commands.{service}.{directive}", self.prefix)
    }

    fn reply_subject(&self) -> String {
        format!("{}.replies", self.prefix)
    }

    pub(crate) fn event_subject(&self, kind: &str) -> String {
        format!("{}.events.{kind}", self.prefix)
    }

    pub(crate) const fn context(&self) -> &Context {
        &self.context
    }

    /// The stream of commands: a work queue, so what is acknowledged is gone.
    async fn commands(&self) -> Result<Stream, NatsError> {
        let config = stream::Config {
            description: Some("Commands that wait for their service".to_owned()),
            retention: RetentionPolicy::WorkQueue,
            duplicate_window: REMEMBERED,
            ..self.stream("COMMANDS", "commands")
        };
        self.ensured(config).await
    }

    /// The stream of commands that nobody could handle: of each directive the latest.
    async fn dead_commands(&self) -> Result<Stream, NatsError> {
        let config = stream::Config {
            description: Some("Commands that nobody could handle".to_owned()),
            max_messages_per_subject: 1,
            ..self.stream("DEAD_COMMANDS", "dead-commands")
        };
        self.ensured(config).await
    }

    /// The stream of published events.
    pub(crate) async fn events(&self) -> Result<Stream, NatsError> {
        let config = stream::Config {
            description: Some("What partners may see, as CloudEvents".to_owned()),
            duplicate_window: REMEMBERED,
            max_age: EVENTS_KEPT,
            ..self.stream("EVENTS", "events")
        };
        self.ensured(config).await
    }

    fn stream(&self, name: &str, subjects: &str) -> stream::Config {
        stream::Config {
            name: self.stream_name(name),
            subjects: vec![format!("{}.{subjects}.>", self.prefix)],
            storage: StorageType::File,
            discard: DiscardPolicy::Old,
            num_replicas: 1,
            ..stream::Config::default()
        }
    }

    /// The stream, made where it is missing. One that is there is left as it is: an operator may have given it replicas.
    async fn ensured(&self, config: stream::Config) -> Result<Stream, NatsError> {
        let stream = self.context.get_or_create_stream(config).await;
        stream.map_err(|error| self.error(error))
    }

    /// What hands a service its commands, whichever process asks.
    async fn consumer(&self, service: Service, limits: &WorkerLimits) -> Result<PullConsumer, NatsError> {
        let config = pull::Config {
            durable_name: Some(service.as_str().to_owned()),
            description: Some(format!("The {} service", service.as_str())),
            filter_subject: self.command_subject(service.as_str(), "*"),
            ack_policy: AckPolicy::Explicit,
            ack_wait: limits.ack_wait,
            max_ack_pending: i64::try_from(limits.handed_out).unwrap_or(i64::MAX),
            // Unlimited: a server that gives up leaves the command where nobody sees it. The worker counts and buries.
            max_deliver: -1,
            ..pull::Config::default()
        };
        let consumer = self.commands().await?.create_consumer(config).await;
        consumer.map_err(|error| self.error(error))
    }
}

impl Reply {
    fn new(directive: Uuid, outcome: &Result<(), CommandError>) -> Self {
        let error = outcome.as_ref().err().map(|error| match error {
            CommandError::Refused(reason) => ReplyError::Refused(reason.clone()),
            CommandError::Fault(detail) => ReplyError::Fault(detail.clone()),
        });
        Self { directive, error }
    }

    fn outcome(self) -> Result<(), CommandError> {
        match self.error {
            None => Ok(()),
            Some(ReplyError::Refused(reason)) => Err(CommandError::Refused(reason)),
            Some(ReplyError::Fault(detail)) => Err(CommandError::Fault(detail)),
        }
    }
}

/// A secret or an address may stand in a log: not the password.
impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats")
            .field("url", &self.url)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
