//! Commands that nobody could handle: kept until an operator lets them be tried again, or puts them aside.

use async_nats::jetstream::{
    message::{PublishMessage, StreamMessage},
    stream::{RawMessageErrorKind, Stream},
};
use bytes::Bytes;
use domain::{commands::Directive, steps::step_name};
use serde::{Deserialize, Serialize};

use super::{Nats, NatsError};

/// A command that nobody could handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadCommand {
    /// The directive's id, which names it here.
    pub id: String,
    /// The service it was for.
    pub service: String,
    /// The saga's step; none for what is no command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Why it is here.
    pub reason: String,
    /// How often it was delivered.
    pub attempts: u64,
    /// Since when, in seconds since 1970.
    #[serde(default)]
    pub since: i64,
    /// The command itself, as it was sent.
    pub payload: String,
}

/// The dead commands of a shop.
pub struct DeadCommands {
    nats: Nats,
    stream: Stream,
}

impl DeadCommands {
    /// On this connection.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn open(nats: &Nats) -> Result<Self, NatsError> {
        let stream = nats.dead_commands().await?;
        Ok(Self {
            nats: nats.clone(),
            stream,
        })
    }

    /// At most `max` of them, oldest first.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn list(&self, max: usize) -> Result<Vec<DeadCommand>, NatsError> {
        let all = self.nats.dead_subject("*", "*");
        let (mut found, mut after) = (vec![], 0);
        while found.len() < max {
            let Some(message) = self.from(after, &all).await? else {
                break;
            };
            after = message.sequence + 1;
            found.extend(read(&message));
        }
        Ok(found)
    }

    /// Puts it into its queue again. False where there is none of that id.
    ///
    /// # Errors
    /// When the server fails; the command is kept then.
    pub async fn retry(&self, id: &str) -> Result<bool, NatsError> {
        let Some((sequence, dead)) = self.find(id).await? else {
            return Ok(false);
        };
        let subject = self.nats.command_subject(&dead.service, &dead.id);
        // Its own message id: the server must not take it for what it was.
        let message = PublishMessage::build()
            .message_id(format!("retry {} {sequence}", dead.id))
            .payload(dead.payload.into());
        let sent = self.nats.context().send_publish(subject, message).await;
        let sent = sent.map_err(|error| self.nats.error(error))?;
        sent.await.map_err(|error| self.nats.error(error))?;
        self.remove(sequence).await
    }

    /// Puts it aside for good. False where there is none of that id.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn discard(&self, id: &str) -> Result<bool, NatsError> {
        match self.find(id).await? {
            Some((sequence, _)) => self.remove(sequence).await,
            None => Ok(false),
        }
    }

    async fn find(&self, id: &str) -> Result<Option<(u64, DeadCommand)>, NatsError> {
        if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Ok(None);
        }
        let message = self.from(0, &self.nats.dead_subject("*", id)).await?;
        Ok(message.and_then(|message| Some((message.sequence, read(&message)?))))
    }

    /// The first message on such a subject, from that place in the stream on.
    async fn from(&self, sequence: u64, subject: &str) -> Result<Option<StreamMessage>, NatsError> {
        let request = self.stream.raw_message_builder();
        match request.sequence(sequence).next_by_subject(subject).send().await {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(self.nats.error(error)),
        }
    }

    async fn remove(&self, sequence: u64) -> Result<bool, NatsError> {
        let removed = self.stream.delete_message(sequence).await;
        removed.map_err(|error| self.nats.error(error))
    }
}

fn read(message: &StreamMessage) -> Option<DeadCommand> {
    let read = serde_json::from_slice::<DeadCommand>(&message.payload);
    let dead = read
        .inspect_err(|error| tracing::error!(%error, "a dead letter cannot be read"))
        .ok()?;
    Some(DeadCommand {
        since: message.time.unix_timestamp(),
        ..dead
    })
}

/// A command on its way to the dead letters.
pub(super) struct Burial<'a> {
    pub(super) service: &'static str,
    pub(super) subject: &'a str,
    pub(super) reason: &'a str,
    pub(super) attempts: u64,
    pub(super) payload: &'a [u8],
}

impl Burial<'_> {
    /// Durable when this returns.
    pub(super) async fn keep(self, nats: &Nats) -> Result<(), NatsError> {
        nats.dead_commands().await?;
        let id = self.subject.rsplit('.').next().unwrap_or_default();
        let directive = serde_json::from_slice::<Directive>(self.payload).ok();
        let dead = DeadCommand {
            id: id.to_owned(),
            service: self.service.to_owned(),
            step: directive.map(|directive| step_name(&directive.command).to_owned()),
            reason: self.reason.to_owned(),
            attempts: self.attempts,
            since: 0,
            payload: String::from_utf8_lossy(self.payload).into_owned(),
        };
        let payload = serde_json::to_vec(&dead).map_err(|error| nats.error(error))?;
        let (subject, payload) = (nats.dead_subject(self.service, id), Bytes::from(payload));
        // Of each directive one is kept: the same again takes its own place.
        let publish = || async {
            let sent = nats.context().publish(subject.clone(), payload.clone()).await;
            let receipt = sent.map_err(|error| nats.error(error))?.await;
            receipt.map(|_| ()).map_err(|error| nats.error(error))
        };
        nats.outlet()
            .call(publish)
            .await
            .map_err(|failure| nats.failed(failure))
    }
}
