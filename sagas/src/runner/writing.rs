//! A saga's own events: what it took in, written down.

use std::sync::Arc;

use event_log::{Append, ExpectedVersion, RecordedEvent, StreamVersion};
use event_schemas::{Actor, Metadata, NewEvent, Timestamp, ids::derived_uuid, saga::SagaAdvanced};
use serde_json::value::to_raw_value;
use uuid::Uuid;

use super::{
    advance::{Advance, Desk, Live, stream_of},
    obstacle::Obstacle,
};
use crate::{Fact, Saga};

/// What a saga took in and its last event does not tell.
#[derive(Clone)]
pub(super) struct Unwritten {
    /// Those that changed something, in the order they were taken in; at least one.
    facts: Vec<Arc<RecordedEvent>>,
    step: &'static str,
    reason: Option<String>,
    at: Timestamp,
}

impl Unwritten {
    /// With one more fact, and what the saga says of itself since.
    pub(super) fn after(
        before: Option<&Self>,
        fact: &Arc<RecordedEvent>,
        step: &'static str,
        reason: Option<String>,
        at: Timestamp,
    ) -> Self {
        let mut facts = Vec::with_capacity(before.map_or(1, |before| before.facts.len() + 1));
        facts.extend(before.into_iter().flat_map(Self::facts).cloned());
        facts.push(Arc::clone(fact));
        Self {
            facts,
            step,
            reason,
            at,
        }
    }

    pub(super) fn facts(&self) -> impl Iterator<Item = &Arc<RecordedEvent>> {
        self.facts.iter()
    }
}

/// What an event of a saga says beside its state.
struct Note<'a> {
    /// The last fact it tells of.
    fact: Uuid,
    fact_type: &'a str,
    step: &'static str,
    reason: Option<String>,
    at: Timestamp,
}

impl<S: Saga> Desk<S> {
    /// Writes what is unwritten: one event, however many facts it tells of.
    pub(super) async fn write(&self, saga_id: Uuid, live: &Live<S::State>) -> Result<Live<S::State>, Obstacle> {
        let Some((unwritten, last)) = live
            .unwritten
            .as_ref()
            .and_then(|them| Some((them, them.facts.last()?)))
        else {
            return Ok(live.clone());
        };
        let note = Note {
            fact: last.id,
            fact_type: &last.event_type,
            step: unwritten.step,
            reason: unwritten.reason.clone(),
            at: unwritten.at,
        };
        self.append(saga_id, live.clone(), note).await
    }

    /// What the saga makes of its timer, written: nothing else tells that it went off. None where it changes nothing.
    pub(super) async fn time_out(
        &self,
        saga_id: Uuid,
        live: &Live<S::State>,
        last_error: Option<&str>,
    ) -> Result<Option<Advance<S::State>>, Obstacle> {
        let at = self.clock.now();
        let Some(decision) = self.saga.react(Some(&live.state), &Fact::Timeout { last_error }, at) else {
            return Ok(None);
        };
        let note = Note {
            fact: timeout_id(saga_id, live.version),
            fact_type: "timeout",
            step: decision.step,
            reason: decision.reason,
            at,
        };
        let live = Live {
            state: decision.state,
            status: decision.status,
            wake_at: decision.wake_at,
            ..live.clone()
        };
        let live = self.append(saga_id, live, note).await?;
        Ok(Some((live, decision.directives)))
    }

    /// Appends the saga as it is now to its stream.
    async fn append(&self, saga_id: Uuid, live: Live<S::State>, note: Note<'_>) -> Result<Live<S::State>, Obstacle> {
        let event_id = derived_uuid(saga_id, &note.fact.to_string());
        let advanced = S::Event::from(SagaAdvanced {
            definition: S::DEFINITION,
            fact: note.fact,
            fact_type: note.fact_type.to_owned(),
            status: live.status,
            step: note.step.to_owned(),
            state: to_raw_value(&live.state).map_err(|error| Obstacle::Hopeless(error.to_string()))?,
            wake_at: live.wake_at,
            reason: note.reason,
        });
        let metadata = Metadata {
            causation_id: Some(note.fact),
            traceparent: live.traceparent.clone(),
            ..Metadata::new(note.at, live.correlation_id, Actor::system(S::NAME))
        };
        let append = Append {
            stream: stream_of::<S>(saga_id),
            expected: live.version.map_or(ExpectedVersion::None, ExpectedVersion::Exact),
            events: vec![NewEvent::new(event_id, &advanced, &metadata)],
        };
        let appended = self.log.append(append).await?;
        if appended.duplicate {
            // Written before: what stands in the log now is the truth, and knows this fact. But one that the saga would
            // take in again for ever must not be tried for ever.
            return match live.version {
                Some(version) if version >= appended.version => Err(Obstacle::Hopeless(format!(
                    "{} takes in the fact {} again",
                    S::NAME,
                    note.fact
                ))),
                _ => Err(Obstacle::Moved),
            };
        }
        Ok(Live {
            version: Some(appended.version),
            cause: event_id,
            unwritten: None,
            ..live
        })
    }
}

/// A timeout is of one version of the saga: it can be taken in once.
fn timeout_id(saga_id: Uuid, version: Option<StreamVersion>) -> Uuid {
    let name = version.map_or_else(|| "timeout".to_owned(), |version| format!("timeout {version}"));
    derived_uuid(saga_id, &name)
}
