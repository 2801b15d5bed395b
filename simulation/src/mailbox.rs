//! Where mails and notifications end up: an outside party that is away, forgetful, or will not take some of them, as the storm
//! has it. It writes down what it took, and how far the log was then.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use event_log::{EventLog, Position, memory::MemoryLog};
use event_schemas::{CustomerId, published};
use subscribers::{
    Fact, NotTaken, Subscriber,
    mails::{Letter, Post, PostError, Recipient, Recipients, Sender},
    notifications,
};
use uuid::Uuid;

use crate::weather::Weather;

/// Something that was brought, and taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// The event it tells of.
    pub about: Uuid,
    /// The log's end at that moment.
    pub at: Position,
}

/// The mailbox of all customers, and the receiver of notifications.
pub struct Mailbox {
    truth: Arc<MemoryLog>,
    weather: Arc<Weather>,
    letters: Mutex<Vec<Delivery>>,
    notifications: Mutex<Vec<Delivery>>,
}

/// Why something was not taken.
enum Unposted {
    Away(&'static str),
    Refused,
}

impl Mailbox {
    /// Empty, in that weather.
    pub fn new(truth: &Arc<MemoryLog>, weather: &Arc<Weather>) -> Arc<Self> {
        Arc::new(Self {
            truth: Arc::clone(truth),
            weather: Arc::clone(weather),
            letters: Mutex::default(),
            notifications: Mutex::default(),
        })
    }

    /// The letters that were taken, in order.
    pub fn letters(&self) -> Vec<Delivery> {
        locked(&self.letters).clone()
    }

    /// The notifications that were taken, in order.
    pub fn notifications(&self) -> Vec<Delivery> {
        locked(&self.notifications).clone()
    }

    async fn take(&self, about: Uuid, into: &Mutex<Vec<Delivery>>) -> Result<(), Unposted> {
        let weather = &self.weather;
        weather.takes(|storm| storm.post_takes).await;
        if weather.hits(|storm| storm.post_away) {
            return Err(Unposted::Away("nobody is there"));
        }
        // Always the same ones, so that some are put aside as dead letters.
        if about.as_u128() % 1_000 < u128::from(weather.now().post_refuses) {
            return Err(Unposted::Refused);
        }
        let at = self.truth.head().await.unwrap_or_default();
        locked(into).push(Delivery { about, at });
        // Whoever is killed here does not know that it was taken.
        weather.takes(|storm| storm.post_takes).await;
        if weather.hits(|storm| storm.post_forgotten) {
            return Err(Unposted::Away("the answer was lost"));
        }
        Ok(())
    }
}

fn locked(deliveries: &Mutex<Vec<Delivery>>) -> MutexGuard<'_, Vec<Delivery>> {
    deliveries.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Post for Mailbox {
    async fn hand_over(&self, letter: &Letter, _: &Sender) -> Result<(), PostError> {
        let taken = self.take(letter.id, &self.letters).await;
        taken.map_err(|error| match error {
            Unposted::Away(why) => PostError::Away(why.to_owned()),
            Unposted::Refused => PostError::Refused("no such mailbox".to_owned()),
        })
    }
}

/// Every customer can be written to.
pub struct Everybody;

#[async_trait]
impl Recipients for Everybody {
    async fn of(&self, customer_id: CustomerId) -> Result<Option<Recipient>, NotTaken> {
        Ok(Some(Recipient {
            name: "Kim".to_owned(),
            email: format!("{customer_id}@customers.example"),
        }))
    }
}

/// The subscriber that tells the receiver: the real one but for the call itself, which is over HTTP and by the machine's clock.
pub struct Notifier(pub Arc<Mailbox>);

#[async_trait]
impl Subscriber for Notifier {
    fn name(&self) -> &'static str {
        "notifications"
    }

    fn event_types(&self) -> &'static [&'static str] {
        notifications::EVENTS
    }

    async fn take_in(&self, fact: &Fact<'_>) -> Result<(), NotTaken> {
        let (recorded, occurred_at) = (fact.recorded, fact.metadata.occurred_at);
        let public = published::cloud_event(recorded.id, &recorded.stream, occurred_at, fact.event);
        let public = public.map_err(|error| NotTaken::Failed(error.to_string()))?;
        if public.is_none() {
            return Ok(());
        }
        let taken = self.0.take(recorded.id, &self.0.notifications).await;
        taken.map_err(|error| match error {
            Unposted::Away(why) => NotTaken::Away(why.to_owned()),
            Unposted::Refused => NotTaken::Failed("it answers 500".to_owned()),
        })
    }
}
