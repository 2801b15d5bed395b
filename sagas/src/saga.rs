//! What a saga is: facts in, a new state and commands out.

use domain::commands::ServiceCommand;
use event_schemas::{
    Category, DomainEvent, ShopEvent, Timestamp,
    saga::{SagaAdvanced, SagaStatus},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use uuid::Uuid;

/// A pure saga: no I/O, no clock, no randomness. The runner may call it again with the same fact after a crash, so a
/// fact that is known already must change nothing.
pub trait Saga: Send + Sync + 'static {
    /// What the saga remembers; stored whole in every [`SagaAdvanced`].
    type State: Clone + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// The events of the saga's own streams; their category names the streams.
    type Event: DomainEvent + From<SagaAdvanced> + Send;

    /// The saga's name, such as `place_order`.
    const NAME: &'static str;
    /// The version of the state this code writes. Raise it when old states can no longer be read as they stand, and teach
    /// [`Saga::revive`] the old ones.
    const DEFINITION: u16;
    /// The event type that begins a saga: the one fact that may arrive before the saga's stream exists.
    const BEGINS_WITH: &'static str;
    /// Every event type that may be a fact of this saga, by category.
    const FACTS: &'static [(Category, &'static [&'static str])];

    /// Which saga an event concerns, if any.
    fn concerns(&self, event: &ShopEvent) -> Option<Uuid>;

    /// Takes in a fact. `None` when the fact changes nothing: repeated, late, or none of the saga's business.
    fn react(&self, state: Option<&Self::State>, fact: &Fact<'_>, at: Timestamp) -> Option<Decision<Self::State>>;

    /// What was asked for and is not answered yet. Sent again after a restart and when a timer fires.
    fn outstanding(&self, state: &Self::State) -> Vec<ServiceCommand>;

    /// The one event of [`Saga::Event`], unwrapped.
    fn advanced(event: Self::Event) -> SagaAdvanced;

    /// Reads a stored state, whatever definition wrote it.
    ///
    /// # Errors
    /// When a newer version of the shop wrote it, or it does not fit.
    fn revive(definition: u16, state: &RawValue) -> Result<Self::State, UnknownState> {
        as_it_stands::<Self>(definition, state)
    }
}

/// Reads a stored state whose shape has not changed since.
pub(crate) fn as_it_stands<S: Saga + ?Sized>(definition: u16, state: &RawValue) -> Result<S::State, UnknownState> {
    if definition > S::DEFINITION {
        let known = S::DEFINITION;
        return Err(UnknownState::Newer { definition, known });
    }
    Ok(serde_json::from_str(state.get())?)
}

/// Something that happened, as a saga sees it.
#[derive(Debug, Clone, Copy)]
pub enum Fact<'a> {
    /// An event in the log.
    Event(&'a ShopEvent),
    /// The saga had asked to be woken if nothing happened, and nothing did.
    Timeout {
        /// What went wrong when the commands were last sent, if anything did; for operators.
        last_error: Option<&'a str>,
    },
}

/// What a saga makes of a fact.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision<S> {
    /// What it remembers from now on.
    pub state: S,
    /// What it asks for now. What it asked for before and still waits for is not repeated, but by a timeout.
    pub directives: Vec<ServiceCommand>,
    /// When it wants to be woken if nothing happens.
    pub wake_at: Option<Timestamp>,
    /// Where it stands, seen from outside.
    pub status: SagaStatus,
    /// What it waits for.
    pub step: &'static str,
    /// Why it is stuck, or why it compensates.
    pub reason: Option<String>,
}

/// A stored state that this version of the shop cannot read.
#[derive(Debug, thiserror::Error)]
pub enum UnknownState {
    /// A newer version of the shop wrote it.
    #[error("the saga's state has definition {definition}, this version of jangteo reads up to {known}: upgrade it")]
    Newer {
        /// The stored definition.
        definition: u16,
        /// The newest this code knows.
        known: u16,
    },
    /// Its bytes do not fit.
    #[error("the saga's state does not fit its definition: {0}")]
    Malformed(#[from] serde_json::Error),
}
