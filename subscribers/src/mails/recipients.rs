//! The port: to whom mails go.

use std::sync::Arc;

use async_trait::async_trait;
use event_log::EventLog;
use event_schemas::{CustomerId, DomainEvent, customer::CustomerEvent};

use crate::{NotTaken, history};

/// Someone who can be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// What they are called.
    pub name: String,
    /// Where they read.
    pub email: String,
}

/// Knows to whom mails go.
#[async_trait]
pub trait Recipients: Send + Sync + 'static {
    /// The customer's name and address; none for a customer without one, and for one whom the shop has forgotten.
    ///
    /// # Errors
    /// When that cannot be found out now.
    async fn of(&self, customer_id: CustomerId) -> Result<Option<Recipient>, NotTaken>;
}

/// Customers as the log knows them, which every process can read.
pub struct CustomersInLog {
    log: Arc<dyn EventLog>,
}

impl CustomersInLog {
    /// Of this log.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self { log }
    }
}

#[async_trait]
impl Recipients for CustomersInLog {
    async fn of(&self, customer_id: CustomerId) -> Result<Option<Recipient>, NotTaken> {
        let stream = CustomerEvent::CATEGORY.stream(customer_id.uuid());
        let past = history::stream::<CustomerEvent>(self.log.as_ref(), &stream).await?;
        let registered = past.into_iter().next_back().map(|past| past.event);
        Ok(registered.and_then(|CustomerEvent::CustomerRegistered(event)| {
            let name = event.name;
            event.email.map(|email| Recipient { name, email })
        }))
    }
}
