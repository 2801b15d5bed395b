//! The appending half of a copy.

use std::sync::Arc;

use event_schemas::{NewEvent, StreamName};
use futures_util::{StreamExt, stream::FuturesOrdered};

use super::{Beyond, Copy, CopyError, Settings, events::is_tombstone, problem::Named};
use crate::port::{Append, AppendError, EventLog, ExpectedVersion, LogError, RecordedEvent};

/// Consecutive events of one stream.
struct Step {
    stream: StreamName,
    events: Vec<Arc<RecordedEvent>>,
}

impl Copy {
    /// Appends everything that is read ahead. It stays ahead, to be compared with what the target then holds.
    /// How many events the target did not have.
    pub(super) async fn append(&mut self) -> Result<u64, CopyError> {
        let before = self.progress.appended;
        if let (Beyond::Complain, Some(event)) = (self.beyond, self.source.ahead().front()) {
            return Err(CopyError::Lacks { event: event.into() });
        }
        let steps = steps(self.source.ahead().iter(), &self.settings);
        let target = Arc::clone(self.target.log());
        let at_once = self.settings.in_flight.max(1);
        let mut steps = steps.into_iter();
        let mut under_way = FuturesOrdered::new();
        let mut outcome = Ok(());
        loop {
            while outcome.is_ok()
                && under_way.len() < at_once
                && let Some(step) = steps.next()
            {
                under_way.push_back(take(Arc::clone(&target), step));
            }
            match under_way.next().await {
                None => return outcome.map(|()| self.progress.appended - before),
                Some(Ok(appended)) => self.progress.appended += appended,
                // Those begun are waited for: what the target holds then is what the next round finds.
                Some(Err(error)) => outcome = outcome.and(Err(error)),
            }
        }
    }
}

/// The events as appends, in their order.
fn steps<'a>(events: impl Iterator<Item = &'a Arc<RecordedEvent>>, settings: &Settings) -> Vec<Step> {
    let mut steps: Vec<Step> = vec![];
    let mut bytes = 0;
    for event in events {
        let size = event.data.len() + event.metadata.len();
        let joins = steps.last().is_some_and(|step| {
            let last = step.events.last().map(|last| last.version.saturating_add(1));
            step.stream == event.stream
                && last == Some(event.version)
                && !is_tombstone(event)
                && step.events.len() < settings.append_events
                && bytes + size <= settings.append_bytes
        });
        bytes = if joins { bytes + size } else { size };
        match steps.last_mut().filter(|_| joins) {
            Some(step) => step.events.push(Arc::clone(event)),
            None => steps.push(Step {
                stream: event.stream.clone(),
                events: vec![Arc::clone(event)],
            }),
        }
    }
    steps
}

/// Appends one step; how many events that were not there.
async fn take(target: Arc<dyn EventLog>, step: Step) -> Result<u64, CopyError> {
    let Step { stream, events } = step;
    let [first, rest @ ..] = &*events else { return Ok(0) };
    if is_tombstone(first) {
        let buried = target.tombstone(&stream, ExpectedVersion::Any).await;
        return buried.map(|_| 1).map_err(|error| problem(first, error));
    }
    match put(&*target, &events).await {
        Ok(count) => Ok(count),
        // One of them is not taken. Alone, it says which.
        Err(AppendError::Refused(_)) if !rest.is_empty() => {
            let mut count = 0;
            for event in &events {
                let alone = std::slice::from_ref(event);
                count += put(&*target, alone).await.map_err(|error| problem(event, error))?;
            }
            Ok(count)
        }
        Err(error) => Err(problem(first, error)),
    }
}

async fn put(target: &dyn EventLog, events: &[Arc<RecordedEvent>]) -> Result<u64, AppendError> {
    let [first, ..] = events else { return Ok(0) };
    let append = Append {
        stream: first.stream.clone(),
        expected: match first.version.checked_sub(1) {
            None => ExpectedVersion::None,
            Some(before) => ExpectedVersion::Exact(before),
        },
        events: events.iter().map(|event| again(event)).collect(),
    };
    let appended = target.append(append).await?;
    let last = first.version + events.len() as u64 - 1;
    if appended.version != last {
        let why = format!(
            "the target has an event with the id {} already, as version {}: in one log an id stands once",
            first.id, appended.version
        );
        return Err(AppendError::Refused(why));
    }
    Ok(if appended.duplicate { 0 } else { events.len() as u64 })
}

/// The event as it was when it was new.
fn again(event: &RecordedEvent) -> NewEvent {
    NewEvent {
        id: event.id,
        event_type: event.event_type.to_string(),
        content: event.content,
        metadata: event.metadata.clone(),
        data: event.data.clone(),
    }
}

fn problem(event: &Arc<RecordedEvent>, error: AppendError) -> CopyError {
    let (bytes, event) = (event.data.len() + event.metadata.len(), Named::from(event));
    match error {
        AppendError::Conflict { actual, .. } => CopyError::Version { event, actual },
        AppendError::Refused(why) => CopyError::Refused { event, bytes, why },
        AppendError::Deleted { stream } => CopyError::Target(LogError::Damaged {
            place: stream.to_string(),
            detail: "it was deleted there for good, while the source goes on with it".to_owned(),
        }),
        AppendError::Log(error) => CopyError::Target(error),
    }
}
