//! The services' process: it can be killed in the midst of anything and started again with nothing in its memory.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use command_services::{
    accounts::credit::Credit,
    execution::CommandContext,
    images::Images,
    inventory::Inventory,
    payments::Payments,
    services::{ServiceError, Services},
    shipping::Shipping,
};
use event_log::EventLog;
use event_schemas::{AccountId, Actor, ids::derived_uuid};
use object_store::memory::InMemory;
use sagas::Clock;
use tokio::{sync::oneshot, task::JoinSet};

use crate::{
    carrier::{Haulier, HaulierLine},
    chance::Chance,
    clock::{VirtualClock, WallClock},
    provider::{Provider, ProviderLine},
};

/// The machine's time does not pass in a world: whoever is late says so itself.
const NEVER: Duration = Duration::from_secs(30 * 86_400);
/// How often the outboxes are looked at, in milliseconds.
const RELAY: u64 = 500;
/// How often a person sends a request again before giving up.
const PATIENCE: u32 = 40;

/// What outlives the process: the log, the books of inventory, and the parties outside.
pub struct Ground {
    /// The log in its weather.
    pub log: Arc<dyn EventLog>,
    /// The goods.
    pub inventory: Arc<Inventory>,
    /// What customers may owe.
    pub credit: Arc<Credit>,
    /// The money.
    pub provider: Arc<Provider>,
    /// The parcels.
    pub haulier: Arc<Haulier>,
    /// The time.
    pub clock: Arc<VirtualClock>,
}

/// The process, running or not.
#[derive(Default)]
pub struct House(Mutex<Option<Process>>);

struct Process {
    services: Services,
    tasks: JoinSet<()>,
}

/// The context of a request by that person, always the same for the same `what`.
pub fn asked_by(who: AccountId, what: &str, clock: &Arc<VirtualClock>) -> CommandContext {
    let at = WallClock(Arc::clone(clock)).now();
    CommandContext {
        fingerprint: Some(what.to_owned()),
        actor: Actor::Account(who),
        ..CommandContext::within("person", derived_uuid(who.uuid(), what), at)
    }
}

/// The process is not there, or was killed before it answered: nobody knows what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

impl House {
    /// Starts the process.
    pub fn start(&self, ground: &Ground) {
        let log = &ground.log;
        let payments = Payments::new(
            Arc::clone(log),
            Arc::new(ProviderLine(Arc::clone(&ground.provider))),
            NEVER,
        );
        let shipping = Shipping::new(
            Arc::clone(log),
            Arc::new(HaulierLine(Arc::clone(&ground.haulier))),
            NEVER,
        );
        let services = Services::new(
            log,
            Images::new(Arc::new(InMemory::new())),
            Arc::clone(&ground.inventory),
            Arc::new(payments),
            Arc::new(shipping),
            Arc::clone(&ground.credit),
        );
        let mut tasks = JoinSet::new();
        let (inventory, credit) = (Arc::clone(&ground.inventory), Arc::clone(&ground.credit));
        let clock = Arc::clone(&ground.clock);
        tasks.spawn(async move {
            loop {
                clock.pause(RELAY).await;
                // What the log does not take now waits for the next time.
                let _ = (inventory.tell().await, credit.tell().await);
            }
        });
        self.set(Some(Process { services, tasks }));
    }

    /// Kills the process: what it was doing is not done any further.
    pub fn kill(&self) {
        self.set(None);
    }

    fn set(&self, process: Option<Process>) {
        let before = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), process);
        // Outside the lock: what is dropped here may itself come back to the house.
        drop(before);
    }

    /// Has the process do something.
    ///
    /// # Errors
    /// When it is not there, or is killed meanwhile.
    pub async fn ask<T, F>(&self, question: impl FnOnce(Services) -> F + Send) -> Result<T, Gone>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        {
            let mut process = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let process = process.as_mut().ok_or(Gone)?;
            while process.tasks.try_join_next().is_some() {}
            let work = question(process.services.clone());
            process.tasks.spawn(async move {
                // Whoever asked may be gone, too.
                let _ = answer.send(work.await);
            });
        }
        answered.await.map_err(|_| Gone)
    }

    /// Sends the same request again and again until it is answered by yes or no. None: whoever asks gave up, and nobody knows.
    pub async fn insist<T, F>(
        &self,
        clock: &Arc<VirtualClock>,
        chance: &Chance,
        request: impl Fn(Services) -> F + Clone + Send,
    ) -> Option<Result<T, ServiceError>>
    where
        F: Future<Output = Result<T, ServiceError>> + Send + 'static,
        T: Send + 'static,
    {
        for attempt in 0..PATIENCE {
            match self.ask(request.clone()).await {
                Ok(Ok(yes)) => return Some(Ok(yes)),
                Ok(Err(no @ ServiceError::Refused(_))) => return Some(Err(no)),
                _ => clock.pause(chance.between(1, 500 << attempt.min(8))).await,
            }
        }
        None
    }
}
