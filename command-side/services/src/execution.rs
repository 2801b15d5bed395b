//! Execution: load the aggregate, let it decide, append what it decided to exactly that version, and begin again when
//! somebody was faster.
//!
//! A command is done once. Its events' ids are derived from its own, so the log itself recognises a repeat, also after a
//! restart; and an aggregate remembers which commands made it what it is, so that a repeat gets its answer without deciding
//! again. A key that comes back with another body is refused.

mod context;
mod loaded;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use domain::Aggregate;
use event_log::{
    Append, AppendError, Appended, Direction, EventLog, ExpectedVersion, LogError, Position, RecordedEvent,
    StreamVersion,
};
use event_schemas::{DomainEvent, NewEvent, StreamName, ids::derived_uuid};
use quick_cache::sync::Cache;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

pub use self::{
    context::CommandContext,
    loaded::{Done, Loaded},
};
use crate::services::{ServiceError, key_reused};

/// Aggregates of one kind that are kept in memory. What is not there is read again.
const CACHED: usize = 20_000;

/// How often a command may lose against others before it gives up.
const ATTEMPTS: usize = 20;

/// Events of one stream that are read at a time.
const PAGE: usize = 512;

/// Queues in which commands wait that lost a race once.
const QUEUES: usize = 64;

/// Executes the commands of one kind of aggregate.
pub struct Execution<A> {
    log: Arc<dyn EventLog>,
    cache: Cache<Uuid, Arc<Loaded<A>>>,
    queues: [Mutex<()>; QUEUES],
}

/// What became of a command.
#[derive(Debug, Clone)]
pub struct Executed<A: Aggregate> {
    /// The aggregate after it.
    pub aggregate: Arc<Loaded<A>>,
    /// What happened now; nothing where it had happened before or there was nothing to do.
    pub events: Vec<A::Event>,
    /// The place in the log from which its effect is seen.
    pub position: Position,
    /// This very command had been executed before.
    pub repeated: bool,
}

impl<A: Aggregate> Execution<A> {
    /// Over a log.
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self {
            log,
            cache: Cache::new(CACHED),
            queues: std::array::from_fn(|_| Mutex::new(())),
        }
    }

    /// The aggregate called `id` as it is now.
    ///
    /// # Errors
    /// When the log fails or holds what cannot be read.
    pub async fn load(&self, id: Uuid) -> Result<Arc<Loaded<A>>, ServiceError> {
        let known = self.cache.get(&id);
        let stream = A::stream(id);
        let mut news = self
            .read(&stream, known.as_ref().and_then(|known| known.version))
            .await?;
        if news.is_empty() {
            return Ok(known.unwrap_or_default());
        }
        let mut loaded = known.map(|known| Loaded::clone(&known)).unwrap_or_default();
        while !news.is_empty() {
            for event in &news {
                loaded.take_in(event)?;
            }
            news = if news.len() < PAGE {
                vec![]
            } else {
                self.read(&stream, loaded.version).await?
            };
        }
        let loaded = Arc::new(loaded);
        self.cache.insert(id, Arc::clone(&loaded));
        Ok(loaded)
    }

    /// Executes a command on the aggregate called `id`.
    ///
    /// # Errors
    /// When the aggregate refuses, the command's id was used for another body, or the log fails.
    pub async fn execute(
        &self,
        id: Uuid,
        command: &A::Command,
        context: &CommandContext,
    ) -> Result<Executed<A>, ServiceError> {
        self.execute_if(id, command, context, |_| Ok(())).await
    }

    /// Executes a command if the aggregate, as it is at that moment, passes `condition`. A repeat is not asked again.
    ///
    /// # Errors
    /// As [`Self::execute`], and what `condition` returns.
    pub async fn execute_if(
        &self,
        id: Uuid,
        command: &A::Command,
        context: &CommandContext,
        condition: impl Fn(&Loaded<A>) -> Result<(), ServiceError> + Send + Sync,
    ) -> Result<Executed<A>, ServiceError> {
        let loaded = self.load(id).await?;
        self.execute_from(loaded, id, command, context, condition).await
    }

    /// Executes the first command of an aggregate whose id is derived from that of the command, and so can hardly exist: it is
    /// not looked up. Where it exists after all, the log says so and nothing is lost but time.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn create(
        &self,
        id: Uuid,
        command: &A::Command,
        context: &CommandContext,
    ) -> Result<Executed<A>, ServiceError> {
        self.execute_from(Arc::default(), id, command, context, |_| Ok(()))
            .await
    }

    /// What became of this command, if it was executed before.
    ///
    /// # Errors
    /// When its id was used for another body, or the log fails.
    pub async fn executed(&self, id: Uuid, context: &CommandContext) -> Result<Option<Executed<A>>, ServiceError> {
        repeat_of(&self.load(id).await?, context)
    }

    async fn execute_from(
        &self,
        mut loaded: Arc<Loaded<A>>,
        id: Uuid,
        command: &A::Command,
        context: &CommandContext,
        condition: impl Fn(&Loaded<A>) -> Result<(), ServiceError> + Send + Sync,
    ) -> Result<Executed<A>, ServiceError> {
        let mut turn: Option<MutexGuard<'_, ()>> = None;
        for _ in 0..ATTEMPTS {
            if let Some(repeat) = repeat_of(&loaded, context)? {
                return Ok(repeat);
            }
            condition(&loaded)?;
            let events = loaded.state.decide(command)?;
            if events.is_empty() {
                return Ok(Executed {
                    position: loaded.position,
                    aggregate: loaded,
                    events,
                    repeated: false,
                });
            }
            match self.append(id, &loaded, &events, context).await {
                Ok(appended) if !appended.duplicate => {
                    return Ok(self.keep(id, &loaded, events, context, appended));
                }
                // Somebody was faster. From the second attempt on, those who lost go one after the other.
                Err(AppendError::Conflict { .. }) if turn.is_none() => turn = Some(self.queue(id).lock().await),
                Err(AppendError::Conflict { .. }) => {}
                // These ids are in the log: the same command came in twice at once. What is there is the answer.
                Ok(_) => return self.answered_by_log(id, context, "the events are there already").await,
                Err(AppendError::Refused(why)) => return self.answered_by_log(id, context, &why).await,
                Err(error @ AppendError::Deleted { .. }) => return Err(ServiceError::Fault(error.to_string())),
                Err(AppendError::Log(error)) => return Err(error.into()),
            }
            metrics::counter!("command_conflicts_total").increment(1);
            loaded = self.load(id).await?;
        }
        Err(ServiceError::Fault(format!(
            "{} is changed by so many at once that {ATTEMPTS} attempts were not enough; try again",
            A::stream(id)
        )))
    }

    async fn append(
        &self,
        id: Uuid,
        loaded: &Loaded<A>,
        events: &[A::Event],
        context: &CommandContext,
    ) -> Result<Appended, AppendError> {
        let metadata = context.metadata();
        let named = events.iter().enumerate().map(|(index, event)| {
            let event_id = derived_uuid(context.command_id, &index.to_string());
            NewEvent::new(event_id, event, &metadata)
        });
        let append = Append {
            stream: A::stream(id),
            expected: loaded.version.map_or(ExpectedVersion::None, ExpectedVersion::Exact),
            events: named.collect(),
        };
        self.log.append(append).await
    }

    /// Brings the cache up to what was just appended.
    fn keep(
        &self,
        id: Uuid,
        before: &Loaded<A>,
        events: Vec<A::Event>,
        context: &CommandContext,
        appended: Appended,
    ) -> Executed<A> {
        let mut after = before.clone();
        for event in &events {
            after.state.evolve(event);
        }
        after.version = Some(appended.version);
        after.position = appended.position;
        after.remember(context.command_id, context.fingerprint.as_deref(), appended.position);
        let aggregate = Arc::new(after);
        self.cache.insert(id, Arc::clone(&aggregate));
        Executed {
            aggregate,
            events,
            position: appended.position,
            repeated: false,
        }
    }

    /// The answer to a command whose events are in the log, though the aggregate as loaded did not know it: it came in
    /// twice at once, or so long ago that the aggregate forgot.
    async fn answered_by_log(
        &self,
        id: Uuid,
        context: &CommandContext,
        said: &str,
    ) -> Result<Executed<A>, ServiceError> {
        let aggregate = self.load(id).await?;
        if let Some(repeat) = repeat_of(&aggregate, context)? {
            return Ok(repeat);
        }
        let stream = A::stream(id);
        let mut from = 0;
        loop {
            let page = self
                .log
                .read_stream(&stream, Some(from), Direction::Forwards, PAGE)
                .await?;
            for event in &page {
                let metadata = event.metadata().map_err(|error| unreadable(event, &error))?;
                if metadata.command_id == Some(context.command_id) {
                    if metadata.fingerprint != context.fingerprint {
                        return Err(key_reused().into());
                    }
                    let position = event.position;
                    return Ok(Executed {
                        aggregate,
                        events: vec![],
                        position,
                        repeated: true,
                    });
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => from = last.version + 1,
                _ => break,
            }
        }
        Err(ServiceError::Fault(format!(
            "the log did not take the events of command {} for {stream} ({said}), and does not hold them there",
            context.command_id
        )))
    }

    async fn read(
        &self,
        stream: &StreamName,
        known: Option<StreamVersion>,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let next = known.map_or(0, |known| known + 1);
        self.log
            .read_stream(stream, Some(next), Direction::Forwards, PAGE)
            .await
    }

    fn queue(&self, id: Uuid) -> &Mutex<()> {
        // The last bits of a UUID are random in every version in use here.
        &self.queues[id.as_u128() as usize % QUEUES]
    }
}

fn repeat_of<A: Aggregate>(
    loaded: &Arc<Loaded<A>>,
    context: &CommandContext,
) -> Result<Option<Executed<A>>, ServiceError> {
    let Some(done) = loaded.done(context.command_id) else {
        return Ok(None);
    };
    if !done.has_fingerprint(context.fingerprint.as_deref()) {
        return Err(key_reused().into());
    }
    Ok(Some(Executed {
        aggregate: Arc::clone(loaded),
        events: vec![],
        position: done.position,
        repeated: true,
    }))
}

fn unreadable(event: &RecordedEvent, error: &dyn std::error::Error) -> ServiceError {
    let (stream, version) = (&event.stream, event.version);
    ServiceError::Fault(format!("event {version} of {stream} cannot be read: {error}"))
}

impl From<LogError> for ServiceError {
    fn from(error: LogError) -> Self {
        Self::Fault(error.to_string())
    }
}

/// An event with its metadata, which is read only once.
fn decode<E: DomainEvent>(event: &RecordedEvent) -> Result<(event_schemas::Metadata, E), ServiceError> {
    let metadata = event.metadata().map_err(|error| unreadable(event, &error))?;
    let decoded = E::decode(&event.event_type, metadata.schema_version, &event.data);
    Ok((metadata, decoded.map_err(|error| unreadable(event, &error))?))
}
