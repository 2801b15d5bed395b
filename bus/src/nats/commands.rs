//! Sends commands over NATS, and hears what became of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_nats::{
    Subscriber,
    jetstream::{context::PublishErrorKind, message::PublishMessage},
};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{commands::Directive, steps::service_of};
use event_schemas::ids::derived_uuid;
use futures_util::StreamExt as _;
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};
use uuid::Uuid;

use super::{Nats, NatsError, Reply};
use crate::{CommandBus, CommandError};

/// How long a server that is away is waited for.
const AWAY: Duration = Duration::from_secs(10);
/// How long the service may take, the way there and back included. The command stays in its queue whatever becomes of us.
const ANSWER: Duration = Duration::from_secs(30);

type Outcome = Result<(), CommandError>;
type Waiting = Arc<Mutex<HashMap<Uuid, Vec<oneshot::Sender<Outcome>>>>>;

/// The bus between processes: commands wait in a durable queue for their service.
///
/// A directive is in the queue at most once, by its subject; and one that was handled a moment ago and is sent again for the
/// same reason (the sender was killed and started again) is recognised by its message id. Sent again for another reason (the
/// saga lost its patience), it is handled again, which the service answers as before.
pub struct NatsCommands {
    nats: Nats,
    waiting: Waiting,
    answer_within: Duration,
    listener: JoinHandle<()>,
}

impl NatsCommands {
    /// Sends over this connection.
    ///
    /// # Errors
    /// When the streams cannot be made.
    pub async fn open(nats: Nats) -> Result<Self, NatsError> {
        Self::open_with(nats, ANSWER).await
    }

    /// As [`Self::open`], waiting for answers no longer than this.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(nats: Nats, answer_within: Duration) -> Result<Self, NatsError> {
        nats.commands().await?;
        let replies = nats.context.client().subscribe(nats.reply_subject()).await;
        let replies = replies.map_err(|error| nats.error(error))?;
        // Heard from here on, also by whoever answers the very next message.
        nats.context.client().flush().await.map_err(|error| nats.error(error))?;
        let waiting = Waiting::default();
        let listener = tokio::spawn(hear(replies, Arc::clone(&waiting)));
        Ok(Self {
            nats,
            waiting,
            answer_within,
            listener,
        })
    }

    /// Puts the command into its queue, unless it is there.
    async fn enqueue(&self, directive: &Directive, payload: Bytes) -> Result<(), NatsError> {
        self.nats.back_within(AWAY).await?;
        let sent = self
            .nats
            .outlet()
            .call(|| self.publish_or_begin(directive, payload.clone()));
        sent.await.map_err(|failure| self.nats.failed(failure))
    }

    async fn publish_or_begin(&self, directive: &Directive, payload: Bytes) -> Result<(), NatsError> {
        let published = match self.publish(directive, payload.clone()).await {
            // A server that lost its disk, or a prefix removed by hand.
            Err(PublishErrorKind::StreamNotFound) => {
                self.nats.commands().await?;
                self.publish(directive, payload).await
            }
            other => other,
        };
        published.map_err(|kind| self.nats.error(kind))
    }

    async fn publish(&self, directive: &Directive, payload: Bytes) -> Result<(), PublishErrorKind> {
        let service = service_of(&directive.command).as_str();
        let subject = self.nats.command_subject(service, &directive.id.to_string());
        let cause = derived_uuid(directive.id, &directive.causation_id.to_string());
        let message = PublishMessage::build()
            .payload(payload)
            .message_id(cause.to_string())
            // Only where this directive is not in the queue.
            .expected_last_subject_sequence(0);
        let sent = self.nats.context.send_publish(subject, message).await;
        let acknowledged = sent.map_err(|error| error.kind())?.await;
        match acknowledged.map_err(|error| error.kind()) {
            Ok(_) | Err(PublishErrorKind::WrongLastSequence) => Ok(()),
            Err(kind) => Err(kind),
        }
    }
}

#[async_trait]
impl CommandBus for NatsCommands {
    async fn send(&self, directive: &Directive) -> Result<(), CommandError> {
        let fault = |error: &dyn std::fmt::Display| CommandError::Fault(error.to_string());
        let payload = serde_json::to_vec(directive).map_err(|error| fault(&error))?;
        // Waits before it sends: the answer may be there sooner than the server's receipt.
        let answer = Awaited::new(&self.waiting, directive.id);
        self.enqueue(directive, payload.into())
            .await
            .map_err(|error| fault(&error))?;
        match timeout(self.answer_within, answer.outcome()).await {
            Ok(Some(outcome)) => outcome,
            _ => Err(CommandError::Fault(format!(
                "no answer within {} s; the command waits in the queue of the {} service",
                self.answer_within.as_secs(),
                service_of(&directive.command).as_str()
            ))),
        }
    }
}

impl Drop for NatsCommands {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// A place among those who wait for an answer, given up when it is dropped.
struct Awaited<'a> {
    waiting: &'a Waiting,
    directive: Uuid,
    answer: oneshot::Receiver<Outcome>,
}

impl<'a> Awaited<'a> {
    fn new(waiting: &'a Waiting, directive: Uuid) -> Self {
        let (sender, answer) = oneshot::channel();
        locked(waiting).entry(directive).or_default().push(sender);
        Self {
            waiting,
            directive,
            answer,
        }
    }

    async fn outcome(mut self) -> Option<Outcome> {
        (&mut self.answer).await.ok()
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.answer.close();
        let mut waiting = locked(self.waiting);
        if let Some(others) = waiting.get_mut(&self.directive) {
            others.retain(|other| !other.is_closed());
            if others.is_empty() {
                waiting.remove(&self.directive);
            }
        }
    }
}

/// Gives answers to whoever waits for them. Those to commands of another process are nobody's here.
async fn hear(mut replies: Subscriber, waiting: Waiting) {
    while let Some(message) = replies.next().await {
        match serde_json::from_slice::<Reply>(&message.payload) {
            Ok(reply) => {
                let senders = locked(&waiting).remove(&reply.directive).unwrap_or_default();
                let outcome = reply.outcome();
                for sender in senders {
                    // Whoever has stopped waiting needs no answer.
                    let _ = sender.send(outcome.clone());
                }
            }
            Err(error) => tracing::warn!(%error, "an answer over NATS cannot be read"),
        }
    }
}

/// Nothing that holds the lock can leave the map half changed.
fn locked(waiting: &Waiting) -> MutexGuard<'_, HashMap<Uuid, Vec<oneshot::Sender<Outcome>>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
