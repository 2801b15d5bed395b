//! What the aggregates share: a state that events make, and decisions that make events.

use event_schemas::{DomainEvent, StreamName};
use uuid::Uuid;

use crate::Refusal;

/// A thing whose state is the sum of its events, and which alone decides what may happen to it next.
///
/// The default is the thing before its first event.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// What can happen to it.
    type Event: DomainEvent + Send + Sync + 'static;
    /// What can be asked of it.
    type Command: Send + Sync;

    /// The stream of the one called `id`.
    fn stream(id: Uuid) -> StreamName {
        <Self::Event as DomainEvent>::CATEGORY.stream(id)
    }

    /// The state after `event`. Never refuses and never panics: what has happened has happened.
    fn evolve(&mut self, event: &Self::Event);

    /// The events that `command` causes: none where it was done before.
    ///
    /// # Errors
    /// When the command makes no sense, or the state does not allow it.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Refusal>;
}
