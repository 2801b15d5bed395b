//! The saga `place_order`: from an order that was placed to parcels that were delivered, or to nothing at all.
//!
//! ```text
//! reserve stock ─► reserve funds ─► confirm ─► for each seller's parcel, side by side:
//!                                               book ─► picked up ─► capture its share, issue its goods ─► delivered
//!                                                  └──► called off ─► drop it: its goods back, its share never taken
//! ```
//!
//! It remembers what is known of the stock, the funds, the order and each parcel (`state.rs`, `parcel.rs`); what it asks for is
//! a function of that (`course.rs`). What is known only ever rises (`learn.rs`), so a fact that is repeated, late or out of
//! place changes nothing, and no compensation can be lost: whatever is known to be held is given back. The first parcel that
//! is picked up is the pivot: the order aggregate decides whether it was shipped or cancelled, and exactly one wins.

mod course;
mod definition_1;
mod facts;
mod learn;
mod parcel;
mod state;
mod steps;
#[cfg(test)]
mod tests;

use domain::commands::ServiceCommand;
use event_schemas::{
    Category, OrderId, ShopEvent, Timestamp,
    order::OrderEvent,
    saga::{PlaceOrderEvent, SagaAdvanced, SagaStatus},
};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{Decision, Fact, Policy, Saga, UnknownState, saga::as_it_stands, step_name};
use facts::{FACTS, order_of};
pub use parcel::{Carriage, Goods, Parcel, Share};
pub use state::{Cancellation, Funds, Order, PlaceOrderState, Stock};

const NAME: &str = "place_order";

/// The saga; its only possession is how patient it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlaceOrder {
    policy: Policy,
}

impl Saga for PlaceOrder {
    type State = PlaceOrderState;
    type Event = PlaceOrderEvent;

    const NAME: &'static str = NAME;
    const DEFINITION: u16 = 2;
    const BEGINS_WITH: &'static str = "OrderPlaced";
    const FACTS: &'static [(Category, &'static [&'static str])] = FACTS;

    fn concerns(&self, event: &ShopEvent) -> Option<Uuid> {
        order_of(event).map(OrderId::uuid)
    }

    fn react(
        &self,
        state: Option<&PlaceOrderState>,
        fact: &Fact<'_>,
        at: Timestamp,
    ) -> Option<Decision<PlaceOrderState>> {
        let (before, mut state) = match (state, fact) {
            (None, Fact::Event(ShopEvent::Order(OrderEvent::OrderPlaced(placed)))) => (vec![], placed.into()),
            (None, _) => return None,
            (Some(known), Fact::Event(ShopEvent::Audit(_))) => return self.insist(known, fact, at),
            (Some(known), Fact::Event(event)) => {
                let mut state = known.clone();
                state.learn(event);
                if state == *known {
                    return None;
                }
                state.attempts = 0;
                (known.asks(), state)
            }
            (Some(known), Fact::Timeout { .. }) => {
                if known.closed() {
                    return None;
                }
                let mut state = known.clone();
                // Only a timer tells the time. Events alone make the same state whenever they are read, and so what was asked
                // for before a crash is known to have been asked for after it.
                if state.expire(at) {
                    state.attempts = 0;
                    (known.asks(), state)
                } else {
                    state.attempts = known.attempts.saturating_add(1);
                    (vec![], state)
                }
            }
        };
        state.mark_asked();
        state.forget();
        Some(self.decision(state, &before, fact, at))
    }

    fn outstanding(&self, state: &PlaceOrderState) -> Vec<ServiceCommand> {
        state.asks()
    }

    fn advanced(PlaceOrderEvent::SagaAdvanced(advanced): PlaceOrderEvent) -> SagaAdvanced {
        advanced
    }

    /// An order that was placed under definition 1 goes on under this one, see `definition_1.rs`.
    fn revive(definition: u16, state: &RawValue) -> Result<PlaceOrderState, UnknownState> {
        match definition {
            1 => Ok(serde_json::from_str::<definition_1::State>(state.get())?.into()),
            _ => as_it_stands::<Self>(definition, state),
        }
    }
}

impl PlaceOrder {
    /// A saga with a patience of its own.
    pub const fn new(policy: Policy) -> Self {
        Self { policy }
    }

    /// An operator says: try again. Where everything was asked for just now there is nothing to try.
    fn insist(&self, known: &PlaceOrderState, fact: &Fact<'_>, at: Timestamp) -> Option<Decision<PlaceOrderState>> {
        if known.closed() || (known.attempts == 0 && known.refused().is_none()) {
            return None;
        }
        let mut state = known.clone();
        state.attempts = 0;
        let directives = state.asks_again();
        Some(Decision {
            directives,
            ..self.decision(state, &[], fact, at)
        })
    }

    /// What follows from a new state, where `before` was asked for already.
    fn decision(
        &self,
        state: PlaceOrderState,
        before: &[ServiceCommand],
        fact: &Fact<'_>,
        at: Timestamp,
    ) -> Decision<PlaceOrderState> {
        let asks = state.asks();
        let stuck = self.stuck(&state, &asks, fact);
        let status = match () {
            () if stuck.is_some() => SagaStatus::Stuck,
            () if state.outcome_unknown() => SagaStatus::OutcomeUnknown,
            () => match (state.closed(), state.undoing()) {
                (false, false) => SagaStatus::Running,
                (false, true) => SagaStatus::Compensating,
                (true, false) => SagaStatus::Completed,
                (true, true) => SagaStatus::Compensated,
            },
        };
        let undo = state.undo.as_ref();
        let undone_because = undo.map(|reason| format!("{}: {}", reason.code, reason.message));
        Decision {
            wake_at: self.wake_at(&state, &asks, stuck.is_some(), at),
            status,
            step: asks.first().map_or_else(|| state.waits_for(), step_name),
            reason: stuck.or(undone_because),
            directives: asks.into_iter().filter(|ask| !before.contains(ask)).collect(),
            state,
        }
    }

    /// Why an operator is needed, if one is.
    fn stuck(&self, state: &PlaceOrderState, asks: &[ServiceCommand], fact: &Fact<'_>) -> Option<String> {
        if let Some(refused) = state.refused() {
            return Some(refused);
        }
        match asks.first() {
            Some(ask) => self.policy.fruitless(ask, state.attempts, fact),
            None => {
                let silent = (state.attempts > 0).then_some("the carrier has said nothing for too long");
                state.contradiction().or(silent).map(str::to_owned)
            }
        }
    }

    /// When to look again if nothing happens: at what was asked for, at a silent carrier, at goods that are held in vain.
    fn wake_at(
        &self,
        state: &PlaceOrderState,
        asks: &[ServiceCommand],
        stuck: bool,
        at: Timestamp,
    ) -> Option<Timestamp> {
        if state.closed() {
            return None;
        }
        let saga_id = state.order_id.uuid();
        let pauses = asks.iter().map(|ask| self.policy.pause(ask, state.attempts, saga_id));
        let silence = asks.is_empty() && !stuck;
        let next = pauses.min().or(silence.then_some(self.policy.carrier_silence));
        let expiry = state.expires_at.filter(|_| state.undo.is_none());
        next.map(|millis| at.plus_millis(millis))
            .into_iter()
            .chain(expiry)
            .min()
    }
}
