//! Takes commands from their queue to a service of this process.
//!
//! A command is acknowledged after the service has answered. A process that dies in between leaves it in the queue, and it is
//! delivered again when [`WorkerLimits::ack_wait`] has passed; while the service is at it, the server is told so. A command that
//! fails is delivered again after a pause that grows; after [`WorkerLimits::attempts`] it becomes a dead letter, also where no
//! process has survived it.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{AckKind, Message, consumer::pull};
use domain::{commands::Directive, steps::Service};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::{
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::{Instant, interval, sleep, timeout},
};
use uuid::Uuid;

use super::{Nats, NatsError, Reply, dead_commands::Burial};
use crate::{CommandError, CommandHandler};

/// A server that holds nothing for us says so this often; twice without, and we ask anew.
const HEARTBEAT: Duration = Duration::from_secs(5);
const PULL: Duration = Duration::from_secs(30);
/// Between two attempts to pull.
const PAUSE: Duration = Duration::from_secs(1);

/// How much a worker does at once, and how often.
#[derive(Debug, Clone)]
pub struct WorkerLimits {
    /// Commands that the service is asked to do at the same time, in this process.
    pub at_once: usize,
    /// Commands handed out and not acknowledged, all processes of the service together.
    pub handed_out: usize,
    /// A command whose process gives no sign for so long is handed out again.
    pub ack_wait: Duration,
    /// Pauses before a failed command is handed out again; the last one for all that follow.
    pub backoff: &'static [Duration],
    /// After so many deliveries a command becomes a dead letter.
    pub attempts: u64,
    /// When the worker stops, how long commands under way are waited for.
    pub farewell: Duration,
}

const BACKOFF: &[Duration] = &[
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
];

impl Default for WorkerLimits {
    /// Gives a command up after some four minutes. The saga that wants it goes on asking at its own pace.
    fn default() -> Self {
        Self {
            at_once: 256,
            handed_out: 1_024,
            ack_wait: Duration::from_secs(10),
            backoff: BACKOFF,
            attempts: 12,
            farewell: Duration::from_secs(5),
        }
    }
}

/// A running worker. Dropped without [`Worker::stop`] it ends as if killed: nothing is lost.
pub struct Worker {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Worker {
    /// Starts taking the commands of `service` to `handler`.
    pub fn start(nats: &Nats, service: Service, handler: Arc<dyn CommandHandler>, limits: WorkerLimits) -> Self {
        // From the start, so that an alarm sees the first of them.
        metrics::counter!("jangteo_dead_commands_total", "service" => service.as_str()).increment(0);
        let (stop, stopped) = watch::channel(false);
        let desk = Desk {
            nats: nats.clone(),
            service,
            handler,
            places: Arc::new(Semaphore::new(limits.at_once)),
            limits,
        };
        let task = tokio::spawn(run(Arc::new(desk), stopped));
        Self { stop, task }
    }

    /// Takes no further commands, and waits for those under way.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Err(died) = (&mut self.task).await {
            tracing::error!(%died, "a worker died");
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Pulls, whatever befalls the server, until it is told to stop.
async fn run(desk: Arc<Desk>, mut stopped: watch::Receiver<bool>) {
    let mut under_way = JoinSet::new();
    let service = desk.service.as_str();
    loop {
        match pull(&desk, &mut stopped, &mut under_way).await {
            Ok(()) => break,
            Err(error) => tracing::warn!(service, %error, "commands cannot be pulled; trying again"),
        }
        tokio::select! {
            () = told_to_stop(&mut stopped) => break,
            () = sleep(PAUSE) => {}
        }
    }
    let finish = async { while under_way.join_next().await.is_some() {} };
    if timeout(desk.limits.farewell, finish).await.is_err() {
        tracing::warn!(service, "commands under way are left to the next start");
    }
}

/// Hands out commands until it is told to stop, or the server fails.
async fn pull(
    desk: &Arc<Desk>,
    stopped: &mut watch::Receiver<bool>,
    under_way: &mut JoinSet<()>,
) -> Result<(), NatsError> {
    let consumer = desk.nats.consumer(desk.service, &desk.limits).await?;
    let messages = consumer
        .stream()
        .max_messages_per_batch(desk.limits.at_once)
        .expires(PULL)
        .heartbeat(HEARTBEAT)
        .messages();
    let mut messages = messages.await.map_err(|error| desk.nats.error(error))?;
    loop {
        tokio::select! {
            biased;
            () = told_to_stop(stopped) => break,
            Some(ended) = under_way.join_next() => {
                if let Err(died) = ended {
                    tracing::error!(service = desk.service.as_str(), %died, "handing out a command died");
                }
            }
            next = messages.next() => match next {
                Some(Ok(message)) => {
                    under_way.spawn(Arc::clone(desk).take(message));
                }
                Some(Err(error)) => return Err(desk.nats.error(error)),
                None => return Err(desk.nats.error("the server ended the subscription")),
            }
        }
    }
    give_back(messages).await;
    Ok(())
}

async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    // Where the sender is gone the worker was dropped: stop as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// What was handed to us and not begun goes to somebody else at once.
async fn give_back(mut messages: pull::Stream) {
    while let Some(Some(Ok(message))) = messages.next().now_or_never() {
        // If this is lost the server hands it out when its patience ends.
        let _ = message.ack_with(AckKind::Nak(None)).await;
    }
}

/// Where the commands of one service are handed out.
struct Desk {
    nats: Nats,
    service: Service,
    handler: Arc<dyn CommandHandler>,
    places: Arc<Semaphore>,
    limits: WorkerLimits,
}

impl Desk {
    /// One delivery of a command, to its end.
    async fn take(self: Arc<Self>, message: Message) {
        let taken = match serde_json::from_slice::<Directive>(&message.payload) {
            Ok(directive) => self.attempt(&message, directive).await,
            Err(error) => {
                let reason = format!("it is no command that this version knows: {error}");
                self.bury(&message, None, &reason).await
            }
        };
        if let Err(error) = taken {
            // It is in the queue still: the server delivers it again, and the service does it once.
            tracing::warn!(service = self.service.as_str(), %error, "a command is not acknowledged");
        }
    }

    async fn attempt(&self, message: &Message, directive: Directive) -> Result<(), NatsError> {
        let delivered = self.delivered(message)?;
        if delivered > self.limits.attempts {
            let reason = format!(
                "it was delivered {} times, and no process came to an end with it",
                delivered - 1
            );
            return self.bury(message, Some(directive.id), &reason).await;
        }
        let begun = Instant::now();
        let id = directive.id;
        let outcome = self.handled(message, directive).await;
        self.count(&outcome, begun.elapsed());
        match &outcome {
            Err(CommandError::Fault(detail)) if delivered >= self.limits.attempts => {
                let reason = format!("it failed {delivered} times; last: {detail}");
                self.bury(message, Some(id), &reason).await
            }
            Err(CommandError::Fault(_)) => {
                self.reply(id, &outcome).await;
                let acknowledged = message.ack_with(AckKind::Nak(Some(self.pause(delivered)))).await;
                acknowledged.map_err(|error| self.nats.error(error))
            }
            _ => {
                self.reply(id, &outcome).await;
                message.double_ack().await.map_err(|error| self.nats.error(error))
            }
        }
    }

    /// Asks the service, in a task of its own, so that one that panics is a failed attempt; tells the server meanwhile that
    /// somebody is at it.
    async fn handled(&self, message: &Message, directive: Directive) -> Result<(), CommandError> {
        let (handler, places) = (Arc::clone(&self.handler), Arc::clone(&self.places));
        let mut attempt = tokio::spawn(async move {
            let _place = places.acquire_owned().await;
            handler.handle(&directive).await
        });
        let mut sign = interval(self.limits.ack_wait / 3);
        sign.tick().await;
        loop {
            tokio::select! {
                ended = &mut attempt => {
                    return ended.unwrap_or_else(|died| Err(CommandError::Fault(format!("the service died of it: {died}"))));
                }
                _ = sign.tick() => {
                    // If it is lost, the next one says it; if all are lost, another delivery is answered as this one.
                    let _ = message.ack_with(AckKind::Progress).await;
                }
            }
        }
    }

    /// Tells whoever asked. Kept nowhere: the lasting answer is in the log.
    async fn reply(&self, directive: Uuid, outcome: &Result<(), CommandError>) {
        let Ok(reply) = serde_json::to_vec(&Reply::new(directive, outcome)) else {
            return;
        };
        let client = self.nats.context().client();
        if let Err(error) = client.publish(self.nats.reply_subject(), reply.into()).await {
            tracing::debug!(%error, "an answer was not sent");
        }
    }

    /// Keeps the command for an operator, and takes it from the queue.
    async fn bury(&self, message: &Message, id: Option<Uuid>, reason: &str) -> Result<(), NatsError> {
        let attempts = self.delivered(message)?;
        let burial = Burial {
            service: self.service.as_str(),
            subject: message.subject.as_str(),
            reason,
            attempts,
            payload: &message.payload,
        };
        burial.keep(&self.nats).await?;
        tracing::error!(service = self.service.as_str(), subject = %message.subject, reason, "a command is a dead letter now");
        metrics::counter!("jangteo_dead_commands_total", "service" => self.service.as_str()).increment(1);
        if let Some(id) = id {
            let outcome = Err(CommandError::Fault(format!(
                "the command is a dead letter now: {reason}"
            )));
            self.reply(id, &outcome).await;
        }
        let ended = message.double_ack_with(AckKind::Term).await;
        ended.map_err(|error| self.nats.error(error))
    }

    fn delivered(&self, message: &Message) -> Result<u64, NatsError> {
        let info = message.info().map_err(|error| self.nats.error(error))?;
        Ok(u64::try_from(info.delivered).unwrap_or(1))
    }

    fn pause(&self, delivered: u64) -> Duration {
        let at = usize::try_from(delivered.saturating_sub(1)).unwrap_or(usize::MAX);
        let pauses = self.limits.backoff;
        pauses.get(at).or(pauses.last()).copied().unwrap_or(PAUSE)
    }

    fn count(&self, outcome: &Result<(), CommandError>, took: Duration) {
        let (service, outcome) = (
            self.service.as_str(),
            match outcome {
                Ok(()) => "done",
                Err(CommandError::Refused(_)) => "refused",
                Err(CommandError::Fault(_)) => "failed",
            },
        );
        metrics::counter!("jangteo_commands_total", "service" => service, "outcome" => outcome).increment(1);
        metrics::histogram!("jangteo_command_seconds", "service" => service).record(took.as_secs_f64());
    }
}
