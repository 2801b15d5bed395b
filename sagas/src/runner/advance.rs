//! One fact of one saga: load, react, append.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::commands::{Directive, ServiceCommand};
use event_log::{Append, AppendError, Direction, EventLog, ExpectedVersion, LogError, RecordedEvent, StreamVersion};
use event_schemas::{
    Actor, DecodeError, DomainEvent, Metadata, NewEvent, StreamName, Timestamp,
    ids::derived_uuid,
    saga::{SagaAdvanced, SagaStatus},
};
use serde_json::value::to_raw_value;
use uuid::Uuid;

use crate::{Clock, Decision, Fact, Saga, UnknownState, roster::Open, step_key};

/// What all advances share.
pub(super) struct Desk<S> {
    pub(super) saga: S,
    pub(super) log: Arc<dyn EventLog>,
    pub(super) clock: Arc<dyn Clock>,
    /// Nothing that must be waited for is begun any more.
    pub(super) closing: AtomicBool,
}

/// A saga as its last event tells.
pub(super) struct Live<T> {
    pub(super) state: T,
    pub(super) status: SagaStatus,
    pub(super) wake_at: Option<Timestamp>,
    pub(super) version: StreamVersion,
    event_id: Uuid,
    correlation_id: Uuid,
    traceparent: Option<String>,
}

/// What a saga is to take in.
pub(super) enum Work {
    /// An event of the log. `new` if it was appended after the runner started.
    Event { event: Arc<RecordedEvent>, new: bool },
    /// The timer that was set for this moment.
    Timeout { due: Timestamp, last_error: Option<String> },
    /// Nothing: the runner starts, and the saga waits for answers.
    Resume,
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
    /// True where an advance was written.
    pub(super) advanced: bool,
}

/// Why a fact was not taken in at the first attempt.
#[derive(Debug, thiserror::Error)]
enum Obstacle {
    /// Somebody else advanced the saga, or this very fact was taken in before a crash.
    #[error("the saga has moved on")]
    Moved,
    /// It may heal.
    #[error(transparent)]
    Log(LogError),
    /// It will not.
    #[error("{0}")]
    Hopeless(String),
}

impl From<LogError> for Obstacle {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Unavailable(_) => Self::Log(error),
            LogError::Damaged { .. } => Self::Hopeless(error.to_string()),
        }
    }
}
impl From<AppendError> for Obstacle {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict { .. } => Self::Moved,
            AppendError::Refused(why) => Self::Hopeless(why),
            AppendError::Deleted { .. } => Self::Hopeless(error.to_string()),
            AppendError::Log(error) => error.into(),
        }
    }
}
impl From<DecodeError> for Obstacle {
    fn from(error: DecodeError) -> Self {
        Self::Hopeless(error.to_string())
    }
}
impl From<UnknownState> for Obstacle {
    fn from(error: UnknownState) -> Self {
        Self::Hopeless(error.to_string())
    }
}

impl<S: Saga> Desk<S> {
    /// Takes in one piece of work, however often the log must be asked.
    pub(super) async fn advance(
        self: Arc<Self>,
        saga_id: Uuid,
        known: Option<Arc<Live<S::State>>>,
        work: Work,
    ) -> Outcome<S::State> {
        let mut known = known;
        let mut surely_new = matches!(&work, Work::Event { event, new: true } if *event.event_type == *S::BEGINS_WITH);
        let mut pause = Duration::from_millis(50);
        loop {
            let obstacle = match self.attempt(saga_id, known.take(), surely_new, &work).await {
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
        known: Option<Arc<Live<S::State>>>,
        surely_new: bool,
        work: &Work,
    ) -> Result<Outcome<S::State>, Obstacle> {
        let from_memory = known.is_some();
        let live = match known {
            None if !surely_new => self.load(saga_id).await?.map(Arc::new),
            known => known,
        };
        // What comes from the log instead of memory may have been written just before a crash: nobody knows whether its
        // commands were sent.
        let resend = live
            .as_deref()
            .filter(|_| !from_memory)
            .map(|live| self.outstanding(saga_id, live));
        let Some((decision, metadata)) = self.react(saga_id, live.as_deref(), work) else {
            return Ok(Outcome {
                saga_id,
                live,
                directives: resend.unwrap_or_default(),
                settled: true,
                advanced: false,
            });
        };
        let (live, mut directives) = self.append(saga_id, live.as_deref(), decision, metadata, work).await?;
        if resend.is_some() {
            directives = self.outstanding(saga_id, &live);
        }
        Ok(Outcome {
            saga_id,
            live: Some(Arc::new(live)),
            directives,
            settled: true,
            advanced: true,
        })
    }

    /// The saga's last event. None where there is no such saga.
    async fn load(&self, saga_id: Uuid) -> Result<Option<Live<S::State>>, Obstacle> {
        let stream = stream_of::<S>(saga_id);
        let last = self.log.read_stream(&stream, None, Direction::Backwards, 1).await?;
        let Some(event) = last.first() else { return Ok(None) };
        let metadata = event.metadata()?;
        let advanced = S::advanced(event.decode()?);
        Ok(Some(Live {
            state: S::revive(advanced.definition, &advanced.state)?,
            status: advanced.status,
            wake_at: advanced.wake_at,
            version: event.version,
            event_id: event.id,
            correlation_id: metadata.correlation_id,
            traceparent: metadata.traceparent,
        }))
    }

    /// What the saga makes of it, and the metadata of the advance. None where it changes nothing.
    fn react(
        &self,
        saga_id: Uuid,
        live: Option<&Live<S::State>>,
        work: &Work,
    ) -> Option<(Decision<S::State>, Metadata)> {
        let at = self.clock.now();
        let state = live.map(|live| &live.state);
        let (decision, fact_id, correlation_id, traceparent) = match (work, live) {
            (Work::Event { event, .. }, _) => {
                let (metadata, fact) = event.shop_event().ok()?;
                let decision = self.saga.react(state, &Fact::Event(fact), at)?;
                let correlation_id = live.map_or(metadata.correlation_id, |live| live.correlation_id);
                (decision, event.id, correlation_id, metadata.traceparent.clone())
            }
            (Work::Timeout { due, last_error }, Some(live)) if live.wake_at == Some(*due) => {
                let last_error = last_error.as_deref();
                let decision = self.saga.react(state, &Fact::Timeout { last_error }, at)?;
                (
                    decision,
                    timeout_id(saga_id, live.version),
                    live.correlation_id,
                    live.traceparent.clone(),
                )
            }
            // A timer that was reset meanwhile, or a mere restart.
            _ => return None,
        };
        let metadata = Metadata {
            causation_id: Some(fact_id),
            traceparent,
            ..Metadata::new(at, correlation_id, Actor::system(S::NAME))
        };
        Some((decision, metadata))
    }

    /// Makes the decision durable. Only then may its commands be sent.
    async fn append(
        &self,
        saga_id: Uuid,
        before: Option<&Live<S::State>>,
        decision: Decision<S::State>,
        metadata: Metadata,
        work: &Work,
    ) -> Result<(Live<S::State>, Vec<Directive>), Obstacle> {
        let fact = metadata.causation_id.unwrap_or_default();
        let event_id = derived_uuid(saga_id, &fact.to_string());
        let advanced = S::Event::from(SagaAdvanced {
            definition: S::DEFINITION,
            fact,
            fact_type: work.fact_type().to_owned(),
            status: decision.status,
            step: decision.step.to_owned(),
            state: to_raw_value(&decision.state).map_err(|error| Obstacle::Hopeless(error.to_string()))?,
            wake_at: decision.wake_at,
            reason: decision.reason,
        });
        let append = Append {
            stream: stream_of::<S>(saga_id),
            expected: before.map_or(ExpectedVersion::None, |live| ExpectedVersion::Exact(live.version)),
            events: vec![NewEvent::new(event_id, &advanced, &metadata)],
        };
        let appended = self.log.append(append).await?;
        if appended.duplicate {
            // Taken in before: what stands in the log now is the truth, and knows this fact. But one that the saga would
            // take in again for ever must not be tried for ever.
            return match before {
                Some(live) if live.version >= appended.version => Err(Obstacle::Hopeless(format!(
                    "{} takes in the fact {fact} again",
                    S::NAME
                ))),
                _ => Err(Obstacle::Moved),
            };
        }
        let live = Live {
            state: decision.state,
            status: decision.status,
            wake_at: decision.wake_at,
            version: appended.version,
            event_id,
            correlation_id: metadata.correlation_id,
            traceparent: metadata.traceparent,
        };
        let asked = decision.directives.into_iter();
        let directives = asked
            .map(|command| directive(saga_id, &live, metadata.occurred_at, command))
            .collect();
        Ok((live, directives))
    }

    fn outstanding(&self, saga_id: Uuid, live: &Live<S::State>) -> Vec<Directive> {
        let (at, asked) = (self.clock.now(), self.saga.outstanding(&live.state).into_iter());
        asked.map(|command| directive(saga_id, live, at, command)).collect()
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

impl Work {
    fn fact_type(&self) -> &str {
        match self {
            Self::Event { event, .. } => &event.event_type,
            Self::Timeout { .. } => "timeout",
            Self::Resume => "resume",
        }
    }
}

fn stream_of<S: Saga>(saga_id: Uuid) -> StreamName {
    S::Event::CATEGORY.stream(saga_id)
}

/// A timeout is of one version of the saga: it can be taken in once.
fn timeout_id(saga_id: Uuid, version: StreamVersion) -> Uuid {
    derived_uuid(saga_id, &format!("timeout {version}"))
}

/// The command with an identity that depends on saga and step alone: sent again, it is the same.
fn directive<T>(saga_id: Uuid, live: &Live<T>, at: Timestamp, command: ServiceCommand) -> Directive {
    Directive {
        id: derived_uuid(saga_id, &step_key(&command)),
        correlation_id: live.correlation_id,
        causation_id: live.event_id,
        at,
        command,
    }
}
