//! Runs one group: feeds its state machine with what happens, and does what that says.
//!
//! One task per group. Reading, replaying and writing are futures that this task polls beside its commands, at most
//! one of each: nothing is read ahead that the group does not want, and no write overtakes another.

mod doing;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tonic::Status;
use uuid::Uuid;

use super::{
    consumer::{Receiving, Sending, way},
    following::{Following, Page, Reading},
    group::{Arrival, ConsumerId, Figures, Full, Group, Moment, Origin, Refusal},
    pinning::pin,
    replay::Replayed,
    sought::Sought,
    stored::{Entry, Parked, Stored},
    writing::{ToPark, Written},
};
use crate::{reading::Resolved, service::Service};

/// Commands that wait for the group; who sends more waits.
const COMMANDS: usize = 256;
/// The least that the task sleeps while a write is on its way.
const WHILE_WRITING: Duration = Duration::from_millis(50);
const IDLE: Duration = Duration::from_secs(3600);

/// Who a consumer is, for those who look after the group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) from: String,
    pub(super) user: String,
    pub(super) connection: String,
}

/// A consumer that was let in.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) consumer: ConsumerId,
    pub(super) receiving: Receiving,
}

/// A group, from afar.
#[derive(Debug)]
pub(super) struct Outlook {
    pub(super) figures: Figures,
    pub(super) who: HashMap<ConsumerId, Who>,
    pub(super) parked: u64,
    pub(super) replaying: bool,
    pub(super) running: Duration,
}

/// What a group may be told.
pub(super) enum Command {
    Join {
        buffer: usize,
        who: Who,
        reply: oneshot::Sender<Result<Joined, Full>>,
    },
    /// The consumer is gone, or has to go.
    Leave {
        consumer: ConsumerId,
        status: Status,
    },
    Ack {
        consumer: ConsumerId,
        ids: Vec<Uuid>,
    },
    Nack {
        consumer: ConsumerId,
        ids: Vec<Uuid>,
        refusal: Refusal,
        reason: String,
    },
    Look {
        reply: oneshot::Sender<Outlook>,
    },
    /// Parked messages come again, those before version `stop_at` if it is given.
    Replay {
        stop_at: Option<u64>,
        reply: oneshot::Sender<()>,
    },
    /// The last command. What is handled is written down if the group goes on later.
    End {
        status: Status,
        goes_on: bool,
        reply: oneshot::Sender<()>,
    },
}

/// Takes up the group where its checkpoint says. It lives until it is told to end, or the endpoint stops.
pub(super) async fn start(
    service: Arc<Service>,
    stored: Stored,
    entry: Entry,
) -> Result<mpsc::Sender<Command>, Status> {
    let after = stored.checkpoint(&entry).await?;
    let parked = stored.parked(&entry).await?;
    let filter = entry.filter.as_ref().map(Sought::filter).transpose()?;
    let settings = &entry.settings;
    let (source, batch) = (entry.key.stream.clone(), settings.batch());
    let following = Following::new(
        Arc::clone(&service),
        source,
        filter,
        settings.resolve_links,
        batch,
        after,
    );
    let (sender, commands) = mpsc::channel(COMMANDS);
    let runner = Runner {
        group: Group::new(settings.clone(), after, parked.first),
        service: Arc::clone(&service),
        stored,
        entry,
        commands,
        began: Instant::now(),
        consumers: HashMap::new(),
        idle: Some(following),
        reading: None,
        live: false,
        parked,
        replaying: None,
        mark_wanted: false,
        to_park: vec![],
        writing: None,
    };
    tokio::spawn(runner.run());
    Ok(sender)
}

struct Runner {
    service: Arc<Service>,
    stored: Stored,
    entry: Entry,
    group: Group<Arc<Resolved>>,
    commands: mpsc::Receiver<Command>,
    began: Instant,
    consumers: HashMap<ConsumerId, (Sending, Who)>,
    /// Either idle or reading.
    idle: Option<Following>,
    reading: Option<Reading>,
    /// The last page was not full.
    live: bool,
    parked: Parked,
    replaying: Option<BoxFuture<'static, Replayed>>,
    /// A replay begins: to be written down.
    mark_wanted: bool,
    to_park: Vec<ToPark>,
    writing: Option<BoxFuture<'static, Written>>,
}

/// The future's result, once there is a future.
async fn ready<F: Future + Unpin>(future: &mut Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

impl Runner {
    async fn run(mut self) {
        let service = Arc::clone(&self.service);
        let mut stopping = std::pin::pin!(service.stopping());
        loop {
            self.go_on();
            let wake = self.sleep();
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::End { status, goes_on, reply }) => {
                        self.end(&status, goes_on).await;
                        // Whoever asked may have gone away.
                        let _ = reply.send(());
                        return;
                    }
                    Some(command) => self.command(command),
                    None => return self.end(&Status::unavailable("the group is not served any longer"), true).await,
                },
                (following, page) = ready(&mut self.reading) => {
                    self.reading = None;
                    self.idle = Some(following);
                    self.page(page);
                }
                replayed = ready(&mut self.replaying) => {
                    self.replaying = None;
                    self.replayed(replayed);
                }
                written = ready(&mut self.writing) => {
                    self.writing = None;
                    self.written(written);
                }
                () = tokio::time::sleep(wake) => {
                    self.rooms();
                    self.group.tick(self.now());
                }
                () = &mut stopping => return self.end(&Status::unavailable("the event log is stopping"), true).await,
            }
        }
    }

    fn now(&self) -> Moment {
        self.began.elapsed()
    }

    fn sleep(&self) -> Duration {
        let now = self.now();
        let wake = self.group.next_tick(now).map_or(IDLE, |tick| tick.saturating_sub(now));
        // What is due may have to wait for the write that is on its way.
        if self.writing.is_some() {
            wake.max(WHILE_WRITING)
        } else {
            wake
        }
    }

    /// How much each consumer's way can take: one that does not read gets no more.
    fn rooms(&mut self) {
        for (id, (sending, _)) in &self.consumers {
            self.group.room(*id, sending.deliveries.capacity());
        }
    }

    fn command(&mut self, command: Command) {
        self.rooms();
        let now = self.now();
        match command {
            Command::Join { buffer, who, reply } => {
                // If the consumer went away meanwhile, so it does from the group.
                if let Err(Ok(joined)) = reply.send(self.join(now, buffer, who)) {
                    self.leave(joined.consumer);
                }
            }
            Command::Leave { consumer, status } => {
                if let Some((sending, _)) = self.consumers.remove(&consumer) {
                    sending.end(status);
                }
                self.leave(consumer);
            }
            Command::Ack { consumer, ids } => self.group.ack(now, consumer, &ids),
            Command::Nack {
                consumer,
                ids,
                refusal,
                reason,
            } => {
                self.group.nack(now, consumer, &ids, refusal, &reason);
            }
            Command::Look { reply } => {
                // Whoever asked may have gone away.
                let _ = reply.send(self.look());
            }
            Command::Replay { stop_at, reply } => {
                let stop_at = stop_at.unwrap_or(self.parked.next).min(self.parked.next);
                self.parked.replay_to = self.parked.replay_to.max(stop_at);
                self.mark_wanted = true;
                let _ = reply.send(());
            }
            // Taken by the loop.
            Command::End { .. } => {}
        }
    }

    fn join(&mut self, now: Moment, buffer: usize, who: Who) -> Result<Joined, Full> {
        let consumer = self.group.join(now, buffer)?;
        let (sending, receiving) = way(buffer);
        self.consumers.insert(consumer, (sending, who));
        Ok(Joined { consumer, receiving })
    }

    fn leave(&mut self, consumer: ConsumerId) {
        self.consumers.remove(&consumer);
        self.group.leave(self.now(), consumer);
    }

    fn look(&mut self) -> Outlook {
        let figures = self.group.figures();
        Outlook {
            parked: self.parked.next.saturating_sub(figures.replayed),
            replaying: figures.replayed < self.parked.replay_to || figures.replaying > 0,
            who: self.consumers.iter().map(|(id, (_, who))| (*id, who.clone())).collect(),
            running: self.now(),
            figures,
        }
    }

    fn page(&mut self, page: Page) {
        self.rooms();
        let now = self.now();
        let count = page.events.len() as u64 + page.skipped;
        self.live = count < self.entry.settings.batch() as u64;
        for (place, message) in page.events {
            self.arrived(now, place, Origin::Followed, message);
        }
        self.group.considered(page.considered, page.skipped);
    }

    fn replayed(&mut self, replayed: Replayed) {
        self.rooms();
        let now = self.now();
        for (place, message) in replayed.messages {
            self.arrived(now, place, Origin::Parked, message);
        }
        self.group.replayed_up_to(replayed.up_to);
    }

    fn arrived(&mut self, now: Moment, place: u64, origin: Origin, message: Resolved) {
        let events = [&message.event, &message.link].into_iter().flatten();
        let bytes = events.map(|event| event.data.len() + event.metadata.len()).sum();
        // The link if there is one: that is what clients acknowledge.
        let Some(id) = message.link.as_ref().or(message.event.as_ref()).map(|event| event.id) else {
            return;
        };
        let pin = pin(self.entry.settings.strategy, &message);
        let body = Arc::new(message);
        self.group.arrived(
            now,
            Arrival {
                id,
                place,
                origin,
                pin,
                bytes,
                body,
            },
        );
    }

    fn written(&mut self, written: Written) {
        self.rooms();
        if let Written::Parked { sequences, next } = written {
            self.parked.next = next;
            for sequence in sequences {
                self.group.parked(sequence);
            }
        }
    }
}
