//! Who is killed and started again: the processes of the services, of the sagas, of the subscribers, and who compares the books.

use std::{path::PathBuf, sync::Arc, time::Duration};

use command_services::payments::reconciliation::{Notebook, Reconciliation};
use event_log::EventLog;
use sagas::{Clock, Limits, MemoryCheckpoint, RunnerConfig, Saga, SagaRunner, StartError};

use crate::{
    bus::Bus,
    chance::Chance,
    choreography::Choreography,
    clock::{VirtualClock, WallClock},
    house::{Ground, House},
    weather::Weather,
};

/// How long a process lives whose seed does not kill it: to the end of the world.
const FOR_EVER: u64 = u64::MAX >> 2;

/// Between two looks at the books, in milliseconds.
const COMPARED: u64 = 300_000;

/// How long the processes of a world live.
#[derive(Clone)]
pub struct Fate {
    /// The time.
    pub clock: Arc<VirtualClock>,
    /// When it is over with dying.
    pub weather: Arc<Weather>,
    /// Who dies when.
    pub chance: Chance,
}

impl Fate {
    /// Lives at most so long; 0 is for ever, as in the calm.
    async fn lives(&self, at_most: u64) {
        let life = if at_most == 0 {
            FOR_EVER
        } else {
            self.chance.between(1, at_most)
        };
        self.clock.pause(life).await;
    }

    async fn stays_away(&self) {
        let longest = self.weather.now().away;
        self.clock.pause(self.chance.between(1, longest.max(1))).await;
    }

    /// The services, killed and started again until the calm.
    pub async fn of_services(self, house: Arc<House>, ground: Ground) {
        loop {
            house.start(&ground);
            self.lives(self.weather.now().services_live).await;
            house.kill();
            self.stays_away().await;
        }
    }

    /// The subscribers, killed and started again until the calm.
    pub async fn of_subscribers(self, choreography: Arc<Choreography>) {
        // Bookmarks in memory can always be read.
        while let Ok(at_work) = choreography.start() {
            self.lives(self.weather.now().subscribers_live).await;
            drop(at_work);
            self.stays_away().await;
        }
    }

    /// The books are compared again and again. Now and then what was noted about them is lost.
    pub async fn of_the_books(self, books: Reconciliation) {
        let (wall, mut notebook) = (WallClock(Arc::clone(&self.clock)), Notebook::default());
        loop {
            self.clock.pause(COMPARED).await;
            // What failed is looked at again the next time.
            let _ = books.look(&mut notebook, wall.now()).await;
            if self.chance.hits(100) {
                notebook = Notebook::default();
            }
        }
    }

    /// Somebody sets the clock on the wall, now and then.
    pub async fn of_the_clock(self) {
        while self.weather.now().clock_set {
            self.clock.pause(self.chance.between(1_000, 900_000)).await;
            let by = i64::try_from(self.chance.between(0, 7_800_000)).unwrap_or(0) - 600_000;
            self.clock.set_wall_ahead_by(by);
        }
    }

    /// The runner of a saga, killed or stopped and started again until the calm. The checkpoint outlives it.
    pub async fn of_runner<S: Saga + Clone>(self, saga: S, log: Arc<dyn EventLog>, bus: Bus) {
        let checkpoint = MemoryCheckpoint::default();
        loop {
            let runner = self.started(&saga, &log, &bus, &checkpoint).await;
            self.lives(self.weather.now().sagas_live).await;
            if self.chance.hits(250) {
                runner.shutdown().await;
            } else {
                drop(runner);
            }
            self.stays_away().await;
        }
    }

    async fn started<S: Saga + Clone>(
        &self,
        saga: &S,
        log: &Arc<dyn EventLog>,
        bus: &Bus,
        checkpoint: &MemoryCheckpoint,
    ) -> SagaRunner {
        loop {
            let config = RunnerConfig {
                log: Arc::clone(log),
                dispatcher: Arc::new(bus.clone()),
                folder: PathBuf::new(),
                clock: Arc::new(WallClock(Arc::clone(&self.clock))) as Arc<dyn Clock>,
                limits: Limits {
                    states_in_memory: 64,
                    checkpoint_every: Duration::from_millis(self.chance.between(1, 60_000)),
                    ..Limits::default()
                },
            };
            let kept = Box::new(checkpoint.clone());
            match SagaRunner::start_from(saga.clone(), config, kept).await {
                Ok(runner) => return runner,
                Err(StartError::Log(_) | StartError::Folder { .. }) => self.clock.pause(1_000).await,
            }
        }
    }
}
