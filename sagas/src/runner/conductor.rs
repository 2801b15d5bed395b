//! The one task that holds all of a runner's state, so that nothing is locked.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use event_log::Position;
use event_schemas::Timestamp;
use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, Fuse, FusedFuture},
    stream::FuturesUnordered,
};
use quick_cache::unsync::Cache;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
};
use uuid::Uuid;

use super::{
    Limits, RunnerConfig,
    advance::{Desk, Live, Outcome, Work},
    backlog::{Backlog, ROUNDS},
    reader::{Batch, facts_of, follow},
};
use crate::{
    Clock, Saga,
    checkpoint::Checkpoint,
    clock::within,
    dispatch::{Dispatched, Dispatches},
    roster::{Open, Roster},
    watermark::{Ticket, Watermark},
};

/// An advance on its way, with the fact's place in the log.
type Advancing<T> = BoxFuture<'static, (Outcome<T>, Option<Ticket>)>;

/// Takes facts, starts advances, sends their commands, watches the timers, keeps the checkpoint.
pub(super) struct Conductor<S: Saga> {
    desk: Arc<Desk<S>>,
    limits: Limits,
    /// The log's last event when the runner started.
    head: Position,
    batches: mpsc::Receiver<Batch>,
    /// The reader, which ends with the conductor.
    reader: JoinSet<()>,
    /// Sagas whose commands are to be sent again after the start.
    resuming: Vec<Uuid>,
    /// Sagas at work, and what they are to take in next: the facts of one saga are taken in one by one.
    busy: HashMap<Uuid, VecDeque<(Work, Option<Ticket>)>>,
    /// States of sagas at rest.
    resting: Cache<Uuid, Arc<Live<S::State>>>,
    /// Sagas that have something to write.
    backlog: Backlog<S::State>,
    advances: FuturesUnordered<Advancing<S::State>>,
    /// Advances, and work that waits for one.
    in_flight: usize,
    dispatches: Dispatches,
    last_errors: HashMap<Uuid, String>,
    roster: Roster,
    watermark: Watermark,
    checkpoint: Box<dyn Checkpoint>,
    saved: Position,
    positions: watch::Sender<Position>,
}

impl<S: Saga> Conductor<S> {
    pub(super) fn new(
        saga: S,
        config: RunnerConfig,
        checkpoint: Box<dyn Checkpoint>,
        head: Position,
        open: Vec<(Uuid, Open)>,
        positions: watch::Sender<Position>,
    ) -> Self {
        let from = *positions.borrow();
        let (sender, batches) = mpsc::channel(2);
        let mut reader = JoinSet::new();
        let (log, clock) = (Arc::clone(&config.log), Arc::clone(&config.clock));
        reader.spawn(follow(log, Arc::clone(&clock), facts_of::<S>(), from, sender));
        let roster = Roster::restore(open);
        Self {
            desk: Arc::new(Desk {
                saga,
                log: config.log,
                clock: Arc::clone(&clock),
                closing: AtomicBool::new(false),
            }),
            head,
            batches,
            reader,
            resuming: roster.asking(),
            busy: HashMap::new(),
            resting: Cache::new(config.limits.states_in_memory),
            backlog: Backlog::default(),
            advances: FuturesUnordered::new(),
            in_flight: 0,
            dispatches: Dispatches::new(S::NAME, config.dispatcher, clock, &config.limits),
            last_errors: HashMap::new(),
            roster,
            watermark: Watermark::new(from),
            checkpoint,
            saved: from,
            positions,
            limits: config.limits,
        }
    }

    pub(super) async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let mut times = Times::default();
        self.show();
        while !self.step(&mut stopped, &mut times).await {}
        self.finish().await;
    }

    fn after(&self, pause: Duration) -> BoxFuture<'static, ()> {
        let clock = Arc::clone(&self.desk.clock);
        async move { clock.sleep(pause).await }.boxed()
    }

    /// Does the next thing there is to do; true when it is to stop. In a fixed order, so that a simulated world can be
    /// played again: what is rare first, and what brings new work last.
    async fn step(&mut self, stopped: &mut oneshot::Receiver<()>, times: &mut Times) -> bool {
        self.resume();
        self.set(times);
        let room = self.in_flight < self.limits.facts_in_flight;
        let wakes = room && times.wake.set(self.roster.next_wake(), &self.desk.clock);
        tokio::select! {
            biased;
            _ = stopped => return true,
            () = &mut times.save => {
                times.save = Fuse::terminated();
                self.save();
            }
            () = &mut times.write => {
                times.write = Fuse::terminated();
                let ripe = self.backlog.round();
                self.write(ripe);
            }
            Some((outcome, ticket)) = self.advances.next() => self.settle(outcome, ticket, true),
            Some(dispatched) = self.dispatches.next() => self.note(dispatched),
            () = times.wake.rings(), if wakes => self.wake(),
            Some(batch) = self.batches.recv(), if room => self.take(batch),
        }
        false
    }

    /// Nothing is waited for where nothing is to be done: a runner at rest is at rest.
    fn set(&self, times: &mut Times) {
        if times.save.is_terminated() && (self.watermark.at() != self.saved || self.roster.has_changes()) {
            times.save = self.after(self.limits.checkpoint_every).fuse();
        }
        if times.write.is_terminated() && !self.backlog.is_empty() {
            times.write = self.after(self.limits.write_behind / ROUNDS).fuse();
        }
    }

    /// Starts what was asked for before the start and not answered, as far as there is room.
    fn resume(&mut self) {
        while self.in_flight < self.limits.facts_in_flight
            && let Some(saga_id) = self.resuming.pop()
        {
            self.put(saga_id, Work::Resume, None);
        }
    }

    fn take(&mut self, (events, considered): Batch) {
        for event in events {
            if let Some(saga_id) = self.desk.concerned(&event) {
                let ticket = self.watermark.begin(event.position);
                let new = event.position > self.head;
                self.put(saga_id, Work::Event { event, new }, Some(ticket));
            }
        }
        self.watermark.pass(considered);
        self.publish_position();
    }

    fn wake(&mut self) {
        let now = self.desk.clock.now();
        while self.in_flight < self.limits.facts_in_flight
            && let Some((due, saga_id)) = self.roster.take_due(now)
        {
            let last_error = self.last_errors.get(&saga_id).cloned();
            self.put(saga_id, Work::Timeout { due, last_error }, None);
        }
    }

    /// What these sagas took in is written.
    fn write(&mut self, behind: Vec<Uuid>) {
        for saga_id in behind {
            self.put(saga_id, Work::Write, None);
        }
    }

    /// Gives a saga something to take in: now, or when it is done with what it has.
    fn put(&mut self, saga_id: Uuid, work: Work, ticket: Option<Ticket>) {
        self.in_flight += 1;
        if let Some(queue) = self.busy.get_mut(&saga_id) {
            queue.push_back((work, ticket));
            return;
        }
        self.busy.insert(saga_id, VecDeque::new());
        let behind = self.backlog.wake(saga_id);
        let known = behind.or_else(|| self.resting.remove(&saga_id).map(|(_, live)| live));
        self.begin(saga_id, known, work, ticket);
    }

    /// Most facts need nothing but what is in memory: those are taken in at once.
    fn begin(&mut self, saga_id: Uuid, known: Option<Arc<Live<S::State>>>, work: Work, ticket: Option<Ticket>) {
        if let Some(outcome) = self.desk.at_once(saga_id, known.as_ref(), &work) {
            return self.settle(outcome, ticket, true);
        }
        let advance = Arc::clone(&self.desk).advance(saga_id, known, work);
        self.advances
            .push(advance.map(move |outcome| (outcome, ticket)).boxed());
    }

    /// A saga has taken something in. Then it takes in the next thing, or rests.
    fn settle(&mut self, outcome: Outcome<S::State>, ticket: Option<Ticket>, go_on: bool) {
        self.in_flight -= 1;
        let saga_id = outcome.saga_id;
        if let Some(live) = &outcome.live {
            self.roster.set(saga_id, self.desk.on_the_roster(live));
        }
        if outcome.advanced {
            metrics::counter!("jangteo_sagas_advanced_total", "saga" => S::NAME).increment(1);
            self.last_errors.remove(&saga_id);
        }
        if outcome.settled {
            let behind = outcome.live.as_ref().is_some_and(|live| live.unwritten.is_some());
            self.account_for(saga_id, ticket, behind);
        }
        for directive in outcome.directives {
            self.dispatches.send(saga_id, directive);
        }
        let next = self
            .busy
            .get_mut(&saga_id)
            .filter(|_| go_on)
            .and_then(VecDeque::pop_front);
        match (next, outcome.live) {
            (Some((work, ticket)), live) => self.begin(saga_id, live, work, ticket),
            (None, live) => {
                self.busy.remove(&saga_id);
                if let Some(live) = live.and_then(|live| self.backlog.rest(saga_id, live)) {
                    self.resting.insert(saga_id, live);
                }
            }
        }
    }

    /// A fact is done with when what came of it stands in the log, and with it all that the saga took in before.
    fn account_for(&mut self, saga_id: Uuid, fact: Option<Ticket>, behind: bool) {
        if behind {
            self.backlog.hold(saga_id, fact);
            return;
        }
        for fact in self.backlog.release(saga_id).into_iter().chain(fact) {
            self.watermark.finish(fact);
        }
        self.publish_position();
    }

    fn note(&mut self, dispatched: Dispatched) {
        if let Some(error) = dispatched.error {
            self.last_errors.insert(dispatched.saga_id, error.to_string());
        }
    }

    fn publish_position(&self) {
        let at = self.watermark.at();
        self.positions
            .send_if_modified(|position| std::mem::replace(position, at) != at);
    }

    /// Keeps the checkpoint. Failing to is no loss yet: it is tried again, and at worst more is read again.
    fn save(&mut self) {
        self.show();
        let (at, changes) = (self.watermark.at(), self.roster.take_changes());
        if at == self.saved && changes.is_empty() {
            return;
        }
        match self.checkpoint.save(at, &changes) {
            Ok(()) => self.saved = at,
            Err(error) => {
                tracing::error!(saga = S::NAME, %error, "the checkpoint cannot be kept; trying again");
                self.roster.put_back(changes);
            }
        }
    }

    /// Shows operators how many sagas there are.
    fn show(&self) {
        metrics::gauge!("jangteo_sagas_open", "saga" => S::NAME).set(self.roster.open() as f64);
        metrics::gauge!("jangteo_sagas_stuck", "saga" => S::NAME).set(self.roster.stuck() as f64);
    }

    async fn settle_begun(&mut self) {
        while let Some((outcome, ticket)) = self.advances.next().await {
            self.settle(outcome, ticket, false);
        }
    }

    async fn write_all(&mut self) {
        // Two rounds: also what has just been taken in.
        for _ in 0..2 {
            let behind = self.backlog.all();
            self.write(behind);
            self.settle_begun().await;
        }
    }

    async fn finish(mut self) {
        self.desk.closing.store(true, Ordering::Relaxed);
        self.reader.shutdown().await;
        let (clock, farewell) = (Arc::clone(&self.desk.clock), self.limits.farewell);
        let in_time = within(&*clock, farewell, self.settle_begun()).await.is_some()
            && within(&*clock, farewell, self.write_all()).await.is_some()
            && within(&*clock, farewell, async {
                while self.dispatches.next().await.is_some() {}
            })
            .await
            .is_some();
        if !in_time {
            tracing::warn!(
                saga = S::NAME,
                "what is still on its way is done again at the next start"
            );
        }
        self.save();
        tracing::info!(saga = S::NAME, at = %self.saved, open = self.roster.open(), "sagas rest");
    }
}

/// What the conductor does at its time.
struct Times {
    save: Fuse<BoxFuture<'static, ()>>,
    write: Fuse<BoxFuture<'static, ()>>,
    wake: Alarm,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            save: Fuse::terminated(),
            write: Fuse::terminated(),
            wake: Alarm::default(),
        }
    }
}

/// Rings when the first saga wants to be woken. It is set anew only when that changes: most facts leave it as it is.
#[derive(Default)]
struct Alarm {
    moment: Option<Timestamp>,
    sleep: Option<BoxFuture<'static, ()>>,
}

impl Alarm {
    /// Whether it will ring.
    fn set(&mut self, moment: Option<Timestamp>, clock: &Arc<dyn Clock>) -> bool {
        if self.moment != moment || self.sleep.is_none() {
            self.moment = moment;
            self.sleep = moment.map(|moment| {
                let clock = Arc::clone(clock);
                async move { clock.sleep_until(moment).await }.boxed()
            });
        }
        self.sleep.is_some()
    }

    /// Then it must be set again.
    async fn rings(&mut self) {
        if let Some(sleep) = &mut self.sleep {
            sleep.await;
            self.sleep = None;
        }
    }
}
