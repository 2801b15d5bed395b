//! Sends commands over NATS, and hears what became of them.

use std::{
    collections::HashMap,
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_nats::{
    Subscriber,
    jetstream::{
        context::PublishErrorKind,
        message::PublishMessage,
        stream::{RawMessageErrorKind, Stream},
    },
};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{commands::Directive, steps::service_of};
use event_schemas::ids::derived_uuid;
use futures_util::StreamExt as _;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};
use uuid::Uuid;

use super::{Nats, NatsError, Reply};
use crate::{CommandBus, CommandError};

/// How long a server that is away is waited for.
const AWAY: Duration = Duration::from_secs(10);
/// How long the service may take, the way there and back included. The command stays in its queue whatever becomes of us.
const ANSWER: Duration = Duration::from_secs(30);
/// Before we look whether a command that is not answered is still in its queue; twice as long each time.
const LOOK: Duration = Duration::from_secs(1);
/// An answer that was given just before the command left its queue is heard within this.
const HEARD: Duration = Duration::from_millis(100);

type Outcome = Result<(), CommandError>;
type Waiting = Arc<Mutex<HashMap<Uuid, Vec<oneshot::Sender<Outcome>>>>>;

/// The bus between processes: commands wait in a durable queue for their service.
///
/// A directive is in the queue at most once, by its subject; its message id lets the server see that what it is sent, it has.
/// Answers are kept nowhere. Where the command has left its queue and nobody heard what became of it (it was given before this
/// process asked, or lost on its way), the service is asked again, and answers as before.
pub struct NatsCommands {
    nats: Nats,
    queue: Stream,
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
        let queue = nats.commands().await?;
        let replies = nats.context.client().subscribe(nats.reply_subject()).await;
        let replies = replies.map_err(|error| nats.error(error))?;
        // Heard from here on, also by whoever answers the very next message.
        nats.context.client().flush().await.map_err(|error| nats.error(error))?;
        let waiting = Waiting::default();
        let listener = tokio::spawn(hear(replies, Arc::clone(&waiting)));
        Ok(Self {
            nats,
            queue,
            waiting,
            answer_within,
            listener,
        })
    }

    /// Puts the command into its queue, unless it is there.
    async fn enqueue(&self, message: &Outgoing<'_>) -> Result<Receipt, NatsError> {
        self.nats.back_within(AWAY).await?;
        let sent = self.nats.outlet().call(|| self.publish_or_begin(message));
        sent.await.map_err(|failure| self.nats.failed(failure))
    }

    async fn publish_or_begin(&self, message: &Outgoing<'_>) -> Result<Receipt, NatsError> {
        let published = match self.publish(message).await {
            // A server that lost its disk, or a prefix removed by hand.
            Err(PublishErrorKind::StreamNotFound) => {
                self.nats.commands().await?;
                self.publish(message).await
            }
            other => other,
        };
        published.map_err(|kind| self.nats.error(kind))
    }

    async fn publish(&self, message: &Outgoing<'_>) -> Result<Receipt, PublishErrorKind> {
        let built = PublishMessage::build()
            .payload(message.payload.clone())
            // Only where this directive is not in the queue.
            .expected_last_subject_sequence(0);
        let built = match message.id {
            Some(id) => built.message_id(id.to_string()),
            None => built,
        };
        let sent = self.nats.context.send_publish(message.subject.to_owned(), built).await;
        let acknowledged = sent.map_err(|error| error.kind())?.await;
        match acknowledged.map_err(|error| error.kind()) {
            Ok(receipt) if !receipt.duplicate => Ok(Receipt::New),
            Ok(_) | Err(PublishErrorKind::WrongLastSequence) => Ok(Receipt::Known),
            Err(kind) => Err(kind),
        }
    }

    /// What became of a command that the server has.
    async fn outcome(&self, message: &Outgoing<'_>, mut receipt: Receipt, answer: &mut Awaited<'_>) -> Outcome {
        loop {
            tokio::select! {
                biased;
                Ok(outcome) = &mut answer.answer => return outcome,
                () = self.gone(message.subject, receipt) => {}
            }
            let again = Outgoing {
                id: None,
                ..message.clone()
            };
            receipt = self.enqueue(&again).await.map_err(fault)?;
        }
    }

    /// Ends when the command is no longer in its queue: it was handled, or is a dead letter.
    async fn gone(&self, subject: &str, receipt: Receipt) {
        let mut pause = match receipt {
            Receipt::New => LOOK,
            Receipt::Known => Duration::ZERO,
        };
        loop {
            sleep(pause).await;
            let found = self.queue.raw_message_builder().last_by_subject(subject).send().await;
            // Of a server that is away nothing is known.
            if found.is_err_and(|error| error.kind() == RawMessageErrorKind::NoMessageFound) {
                break;
            }
            pause = (pause * 2).max(LOOK);
        }
        sleep(HEARD).await;
    }
}

/// A command as it is sent.
#[derive(Clone)]
struct Outgoing<'a> {
    subject: &'a str,
    /// Of the directive and its cause; none where it must be taken though the server remembers it.
    id: Option<Uuid>,
    payload: Bytes,
}

/// What the server said to a command.
#[derive(Clone, Copy)]
enum Receipt {
    /// It is in its queue now.
    New,
    /// It was there before: it is still, or it was handled.
    Known,
}

fn fault(error: impl Display) -> CommandError {
    CommandError::Fault(error.to_string())
}

#[async_trait]
impl CommandBus for NatsCommands {
    async fn send(&self, directive: &Directive) -> Result<(), CommandError> {
        let service = service_of(&directive.command).as_str();
        let message = Outgoing {
            subject: &self.nats.command_subject(service, &directive.id.to_string()),
            id: Some(derived_uuid(directive.id, &directive.causation_id.to_string())),
            payload: serde_json::to_vec(directive).map_err(fault)?.into(),
        };
        // Waits before it sends: the answer may be there sooner than the server's receipt.
        let mut answer = Awaited::new(&self.waiting, directive.id);
        let receipt = self.enqueue(&message).await.map_err(fault)?;
        let outcome = timeout(self.answer_within, self.outcome(&message, receipt, &mut answer)).await;
        outcome.unwrap_or_else(|_| {
            let waited = self.answer_within.as_secs();
            Err(fault(format!(
                "no answer within {waited} s; the command waits in the queue of the {service} service"
            )))
        })
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
