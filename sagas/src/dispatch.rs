//! Commands on their way to the services.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use domain::commands::Directive;
use tokio::{
    sync::Semaphore,
    task::{Id, JoinSet},
};
use uuid::Uuid;

use crate::{Clock, Service, clock::within, runner::Limits, service_of, step_name};

/// Takes commands to the services. The same directive may come again, at any time: it must do nothing again.
#[async_trait]
pub trait Dispatcher: Send + Sync + 'static {
    /// Returns when the service has taken the command; its answer is an event in the log.
    ///
    /// # Errors
    /// See [`DispatchError`]. Either way the saga asks again when its patience ends.
    async fn dispatch(&self, directive: &Directive) -> Result<(), DispatchError>;
}

/// How a refusal begins when it is told.
pub(crate) const REFUSED: &str = "refused: ";

/// Why a command was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DispatchError {
    /// The service will not do it. The reason usually reaches the saga as a fact too: the customer cancelled, say.
    #[error("{REFUSED}{0}")]
    Refused(String),
    /// The service could not do it, or nobody knows whether it did.
    #[error("failed: {0}")]
    Fault(String),
}

/// How a dispatch ended.
pub(crate) struct Dispatched {
    pub(crate) saga_id: Uuid,
    pub(crate) error: Option<DispatchError>,
}

/// The commands that are on their way now. Each service has a bulkhead of its own, so that a card that takes seconds holds
/// up no reservation. A fault is met by a few prompt repeats, and then left to the saga's patience.
pub(crate) struct Dispatches {
    dispatcher: Arc<dyn Dispatcher>,
    clock: Arc<dyn Clock>,
    bulkheads: [Arc<Semaphore>; Service::ALL.len()],
    deadline: Duration,
    prompt_repeats: &'static [Duration],
    saga: &'static str,
    tasks: JoinSet<Result<(), DispatchError>>,
    /// Whose task is which, for a task that dies as well as for one that ends.
    directives: HashMap<Id, (Uuid, Uuid)>,
    on_their_way: HashSet<Uuid>,
}

impl Dispatches {
    pub(crate) fn new(
        saga: &'static str,
        dispatcher: Arc<dyn Dispatcher>,
        clock: Arc<dyn Clock>,
        limits: &Limits,
    ) -> Self {
        Self {
            dispatcher,
            clock,
            bulkheads: Service::ALL.map(|_| Arc::new(Semaphore::new(limits.dispatches_per_service))),
            deadline: limits.dispatch_deadline,
            prompt_repeats: limits.prompt_repeats,
            saga,
            tasks: JoinSet::new(),
            directives: HashMap::new(),
            on_their_way: HashSet::new(),
        }
    }

    /// Sends a command, unless the very same is on its way already.
    pub(crate) fn send(&mut self, saga_id: Uuid, directive: Directive) {
        let id = directive.id;
        if !self.on_their_way.insert(id) {
            return;
        }
        let (saga, deadline, repeats) = (self.saga, self.deadline, self.prompt_repeats);
        let (dispatcher, clock) = (Arc::clone(&self.dispatcher), Arc::clone(&self.clock));
        let bulkhead = Arc::clone(&self.bulkheads[service_of(&directive.command) as usize]);
        let task = self.tasks.spawn(async move {
            let _place = bulkhead.acquire_owned().await;
            let mut repeats = repeats.iter();
            loop {
                let call = dispatcher.dispatch(&directive);
                let outcome = within(&*clock, deadline, call).await.unwrap_or_else(|| {
                    Err(DispatchError::Fault(format!(
                        "no answer within {} s",
                        deadline.as_secs()
                    )))
                });
                let Err(error) = outcome else { return Ok(()) };
                note_failure(saga, saga_id, &directive, &error);
                match (&error, repeats.next()) {
                    (DispatchError::Fault(_), Some(pause)) => clock.sleep(*pause).await,
                    _ => return Err(error),
                }
            }
        });
        self.directives.insert(task.id(), (saga_id, id));
    }

    /// The next dispatch to end; none when none is on its way. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Dispatched> {
        let (task, outcome) = match self.tasks.join_next_with_id().await? {
            Ok((task, outcome)) => (task, outcome),
            Err(died) => (
                died.id(),
                Err(DispatchError::Fault(format!("the dispatch died: {died}"))),
            ),
        };
        let (saga_id, directive_id) = self.directives.remove(&task)?;
        self.on_their_way.remove(&directive_id);
        let error = outcome.err();
        Some(Dispatched { saga_id, error })
    }
}

fn note_failure(saga: &'static str, saga_id: Uuid, directive: &Directive, error: &DispatchError) {
    let step = step_name(&directive.command);
    let kind = match error {
        DispatchError::Refused(_) => "refused",
        DispatchError::Fault(_) => "fault",
    };
    metrics::counter!("jangteo_saga_dispatch_failures_total", "saga" => saga, "step" => step, "kind" => kind)
        .increment(1);
    tracing::warn!(saga, %saga_id, step, %error, "a saga's command was not taken");
}
