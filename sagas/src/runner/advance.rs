//! One fact of one saga: load, react, and write what the log does not tell already.
//!
//! A saga's state is a fold of facts. A fact that is an event stands in the log: its commands are sent at once, and the new
//! state is written behind, together with what else comes within a moment. A timer stands nowhere else: it is written before
//! anything follows from it. Killed in between, the runner reads the facts again, comes to the same state, and sends the same
//! commands under the same ids.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::commands::{Directive, ServiceCommand};
use event_log::{Direction, EventLog, RecordedEvent, StreamVersion};
use event_schemas::{DomainEvent, StreamName, Timestamp, ids::derived_uuid, saga::SagaStatus};
use uuid::Uuid;

use super::{obstacle::Obstacle, writing::Unwritten};
use crate::{Clock, Fact, Saga, roster::Open, step_key};

/// What all advances share.
pub(super) struct Desk<S> {
    pub(super) saga: S,
    pub(super) log: Arc<dyn EventLog>,
    pub(super) clock: Arc<dyn Clock>,
    /// Nothing that must be waited for is begun any more.
    pub(super) closing: AtomicBool,
}

/// A saga as the facts tell that it took in.
#[derive(Clone)]
pub(super) struct Live<T> {
    pub(super) state: T,
    pub(super) status: SagaStatus,
    pub(super) wake_at: Option<Timestamp>,
    /// Of its last event; none where it has none yet.
    pub(super) version: Option<StreamVersion>,
    /// The event that brought it to this state.
    pub(super) cause: Uuid,
    pub(super) correlation_id: Uuid,
    pub(super) traceparent: Option<String>,
    /// What its last event does not tell.
    pub(super) unwritten: Option<Unwritten>,
}

/// What a saga is to take in.
pub(super) enum Work {
    /// An event of the log. `new` if it was appended after the runner started.
    Event { event: Arc<RecordedEvent>, new: bool },
    /// The timer that was set for this moment.
    Timeout { due: Timestamp, last_error: Option<String> },
    /// Nothing: the runner starts, and the saga waits for answers.
    Resume,
    /// Nothing: what was taken in is to be written.
    Write,
}

impl Work {
    /// Whether there can be no such saga yet.
    fn surely_begins<S: Saga>(&self) -> bool {
        matches!(self, Self::Event { event, new: true } if *event.event_type == *S::BEGINS_WITH)
    }
}

/// How it went.
pub(super) struct Outcome<T> {
    pub(super) saga_id: Uuid,
    /// None where there is no such saga.
    pub(super) live: Option<Arc<Live<T>>>,
    /// To be sent now.
    pub(super) directives: Vec<Directive>,
    /// False where it could not be taken in now: it must be read again after a restart.
    pub(super) settled: bool,
    /// True where the saga learned something.
    pub(super) advanced: bool,
}

/// A saga after a fact, and what it asks for now.
pub(super) type Advance<T> = (Live<T>, Vec<ServiceCommand>);

impl<S: Saga> Desk<S> {
    /// Takes in an event where the log need not be asked: the saga is in memory, or begins with it.
    pub(super) fn at_once(
        &self,
        saga_id: Uuid,
        known: Option<&Arc<Live<S::State>>>,
        work: &Work,
    ) -> Option<Outcome<S::State>> {
        let Work::Event { event, .. } = work else {
            return None;
        };
        if known.is_none() && !work.surely_begins::<S>() {
            return None;
        }
        Some(self.taken_in(saga_id, known.cloned(), false, event))
    }

    /// Takes in one piece of work, however often the log must be asked.
    pub(super) async fn advance(
        self: Arc<Self>,
        saga_id: Uuid,
        known: Option<Arc<Live<S::State>>>,
        work: Work,
    ) -> Outcome<S::State> {
        let remembered = known.clone();
        let mut known = known;
        let mut surely_new = work.surely_begins::<S>();
        let mut pause = Duration::from_millis(50);
        loop {
            let live = match known.take() {
                None if !surely_new => self.load(saga_id, remembered.as_deref()).await,
                live => Ok(Loaded { live, afresh: false }),
            };
            let attempt = async { self.attempt(saga_id, live?, &work).await };
            let obstacle = match attempt.await {
                Ok(outcome) => return outcome,
                Err(obstacle) => obstacle,
            };
            surely_new = false;
            if matches!(obstacle, Obstacle::Moved) {
                continue;
            }
            if let Some(outcome) = self.given_up(saga_id, &obstacle) {
                return outcome;
            }
            self.clock.sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// What to make of an obstacle; none for another attempt.
    fn given_up(&self, saga_id: Uuid, obstacle: &Obstacle) -> Option<Outcome<S::State>> {
        let may_heal = !matches!(obstacle, Obstacle::Hopeless(_));
        let closing = self.closing.load(Ordering::Relaxed);
        if may_heal && !closing {
            tracing::error!(saga = S::NAME, %saga_id, %obstacle, "a saga cannot advance now; trying again");
            return None;
        }
        if !may_heal {
            metrics::counter!("jangteo_saga_facts_skipped_total", "saga" => S::NAME).increment(1);
            tracing::error!(saga = S::NAME, %saga_id, %obstacle, "a fact is skipped: no repeat will heal this");
        }
        Some(Outcome::nothing(saga_id, !may_heal))
    }

    async fn attempt(
        &self,
        saga_id: Uuid,
        Loaded { live, afresh }: Loaded<S::State>,
        work: &Work,
    ) -> Result<Outcome<S::State>, Obstacle> {
        let advance = match (work, live.as_deref()) {
            (Work::Event { event, .. }, _) => return Ok(self.taken_in(saga_id, live, afresh, event)),
            (Work::Timeout { due, last_error }, Some(live)) if live.wake_at == Some(*due) => {
                self.time_out(saga_id, live, last_error.as_deref()).await?
            }
            (Work::Write, Some(before)) if before.unwritten.is_some() => {
                let written = self.write(saga_id, before).await?;
                return Ok(self.outcome(saga_id, Some(Arc::new(written)), afresh, vec![], false));
            }
            // A timer that was reset meanwhile, or a mere restart.
            _ => None,
        };
        Ok(match advance {
            Some((live, asked)) => self.outcome(saga_id, Some(Arc::new(live)), afresh, asked, true),
            None => self.outcome(saga_id, live, afresh, vec![], false),
        })
    }

    fn taken_in(
        &self,
        saga_id: Uuid,
        live: Option<Arc<Live<S::State>>>,
        afresh: bool,
        event: &Arc<RecordedEvent>,
    ) -> Outcome<S::State> {
        match self.take_in(live.as_deref(), event) {
            Some((live, asked)) => self.outcome(saga_id, Some(Arc::new(live)), afresh, asked, true),
            None => self.outcome(saga_id, live, afresh, vec![], false),
        }
    }

    fn outcome(
        &self,
        saga_id: Uuid,
        live: Option<Arc<Live<S::State>>>,
        afresh: bool,
        asked: Vec<ServiceCommand>,
        advanced: bool,
    ) -> Outcome<S::State> {
        let asked = match &live {
            // What comes from the log instead of memory may have been written just before a crash: nobody knows whether its
            // commands were sent.
            Some(live) if afresh => self.saga.outstanding(&live.state),
            _ => asked,
        };
        let at = self.clock.now();
        let directives = live.iter().flat_map(|live| {
            let asked = asked.iter().cloned();
            asked.map(|command| directive(saga_id, live, at, command))
        });
        let directives = directives.collect();
        Outcome {
            saga_id,
            live,
            directives,
            settled: true,
            advanced,
        }
    }

    /// The saga as its last event tells, and as the facts that are remembered and not written do. None where there is no
    /// such saga.
    async fn load(&self, saga_id: Uuid, remembered: Option<&Live<S::State>>) -> Result<Loaded<S::State>, Obstacle> {
        let stream = stream_of::<S>(saga_id);
        let last = self.log.read_stream(&stream, None, Direction::Backwards, 1).await?;
        let mut live = last.first().map(|event| self.revived(event)).transpose()?;
        let unwritten = remembered.and_then(|live| live.unwritten.as_ref());
        for fact in unwritten.into_iter().flat_map(Unwritten::facts) {
            if let Some((learned, _)) = self.take_in(live.as_ref(), fact) {
                live = Some(learned);
            }
        }
        let live = live.map(Arc::new);
        Ok(Loaded { live, afresh: true })
    }

    fn revived(&self, event: &RecordedEvent) -> Result<Live<S::State>, Obstacle> {
        let metadata = event.metadata()?;
        let advanced = S::advanced(event.decode()?);
        Ok(Live {
            state: S::revive(advanced.definition, &advanced.state)?,
            status: advanced.status,
            wake_at: advanced.wake_at,
            version: Some(event.version),
            cause: event.id,
            correlation_id: metadata.correlation_id,
            traceparent: metadata.traceparent,
            unwritten: None,
        })
    }

    /// What the saga makes of an event of the log. None where it changes nothing.
    fn take_in(&self, live: Option<&Live<S::State>>, event: &Arc<RecordedEvent>) -> Option<Advance<S::State>> {
        let at = self.clock.now();
        let (metadata, fact) = event.shop_event().ok()?;
        let decision = self.saga.react(live.map(|live| &live.state), &Fact::Event(fact), at)?;
        let before = live.and_then(|live| live.unwritten.as_ref());
        let live = Live {
            status: decision.status,
            wake_at: decision.wake_at,
            version: live.and_then(|live| live.version),
            cause: event.id,
            correlation_id: live.map_or(metadata.correlation_id, |live| live.correlation_id),
            traceparent: metadata.traceparent.clone(),
            unwritten: Some(Unwritten::after(before, event, decision.step, decision.reason, at)),
            state: decision.state,
        };
        Some((live, decision.directives))
    }

    /// The saga as the roster knows it.
    pub(super) fn on_the_roster(&self, live: &Live<S::State>) -> Option<Open> {
        Open::new(
            live.status,
            live.wake_at,
            !self.saga.outstanding(&live.state).is_empty(),
        )
    }

    /// The saga an event concerns. Imported history and what cannot be read concern none.
    pub(super) fn concerned(&self, event: &RecordedEvent) -> Option<Uuid> {
        match event.shop_event() {
            Ok((metadata, _)) if metadata.imported => None,
            Ok((_, event)) => self.saga.concerns(event),
            Err(error) => {
                metrics::counter!("jangteo_saga_facts_skipped_total", "saga" => S::NAME).increment(1);
                tracing::error!(saga = S::NAME, position = %event.position, %error, "an event is skipped");
                None
            }
        }
    }
}

/// A saga about to take something in.
struct Loaded<T> {
    live: Option<Arc<Live<T>>>,
    /// From the log, not from memory.
    afresh: bool,
}

impl<T> Outcome<T> {
    const fn nothing(saga_id: Uuid, settled: bool) -> Self {
        Self {
            saga_id,
            live: None,
            directives: vec![],
            settled,
            advanced: false,
        }
    }
}

pub(super) fn stream_of<S: Saga>(saga_id: Uuid) -> StreamName {
    S::Event::CATEGORY.stream(saga_id)
}

/// The command with an identity that depends on saga and step alone: sent again, it is the same.
fn directive<T>(saga_id: Uuid, live: &Live<T>, at: Timestamp, command: ServiceCommand) -> Directive {
    Directive {
        id: derived_uuid(saga_id, &step_key(&command)),
        correlation_id: live.correlation_id,
        causation_id: live.cause,
        at,
        command,
    }
}
